"""A run as a thing: what was asked and found, in five parts, and the folder that holds them."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
