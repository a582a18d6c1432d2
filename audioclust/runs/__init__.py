"""A run as a thing: what was asked and found, in five parts, and the folder that holds them."""
from ..core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
