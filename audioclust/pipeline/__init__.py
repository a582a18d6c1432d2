"""From a folder of recordings to groups."""
import lazy_loader

from ..core.registry import SAVED

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

SAVED.register("Beside", "audioclust.pipeline.refinement:Beside")
