"""What every chapter stands on: estimators, files, memory, processes, the console, the registry."""
from .help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
