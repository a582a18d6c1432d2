"""Look, hear, and hand on."""
from ..core.help import attach
from ..core.registry import PAGES

__getattr__, __dir__, __all__ = attach(__name__, __file__)

PAGES.register("listen", "audioclust.listen.page:listen_page",
               "one file to look at a clustering, to listen to it, and to name its clusters")
