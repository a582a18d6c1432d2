"""Encoders that were trained elsewhere: their weights come with other packages, or from the transformers library."""
from ...core.help import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
