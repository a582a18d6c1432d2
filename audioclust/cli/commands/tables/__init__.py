"""Commands whose result is a table: each is a module, which is imported when it is asked for."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
