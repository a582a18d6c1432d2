"""DeepCluster: an encoder learns from its own clusters."""
from ..core.help import attach
from ..core.registry import METHODS

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("deepcluster", "audioclust.deepcluster.estimator:DeepCluster",
                 "trains a network on the sounds, without labels; minutes for some thousands of clips",
                 trains_encoder=True)
