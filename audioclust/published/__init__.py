"""DeepCluster, SPICE and SCAN as their papers have them, to compare with."""
from ..core.help import attach
from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("deepcluster-published", "audioclust.published.original_deepcluster:PublishedDeepCluster",
                 "DeepCluster with the steps and optimiser of its paper, to compare with", trains_encoder=True)
METHODS.register("spice", "audioclust.published.spice:SPICE",
                 "SPICE with the steps and constants of its paper, to compare with", trains_encoder=True)
METHODS.register("scan", "audioclust.published.scan:SCAN",
                 "SCAN with its self-labelling step, to compare with", trains_encoder=True)
SAVED.register("ClassifierEncoder", "audioclust.published.three_stages:ClassifierEncoder")
