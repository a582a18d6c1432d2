"""How well clusters agree with labels."""
from ..core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
