"""The training of networks: callbacks, checkpoints and curves that all methods share."""
from ..core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
