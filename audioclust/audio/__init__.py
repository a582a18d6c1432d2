"""Recordings, clips, log-mels and data sets."""
from ..core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
