"""Look, hear, and hand on."""
import lazy_loader

from ..core.registry import PAGES

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

PAGES.register("listen", "audioclust.listen.page:listen_page",
               "one file to look at a clustering, to listen to it, and to name its clusters")
