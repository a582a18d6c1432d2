__version__ = "0.1.0"

from .core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
