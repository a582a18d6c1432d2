"""SPICE: contrast, heads, and reliable pseudo-labels."""
import lazy_loader

from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

METHODS.register("spice", "audioclust.spice.estimator:SPICE",
                 "trains two, for both groupings, and then one on what is reliable; some minutes more",
                 trains_encoder=True)
METHODS.register("spice-published", "audioclust.spice.published:PublishedSPICE",
                 "SPICE with the steps and constants of its paper, to compare with", trains_encoder=True)
METHODS.register("scan", "audioclust.spice.scan:SCAN",
                 "SCAN with its self-labelling step, to compare with", trains_encoder=True)
SAVED.register("ClassifierEncoder", "audioclust.spice.published:ClassifierEncoder")
SAVED.register("TrainedEncoder", "audioclust.spice.trained_encoder:TrainedEncoder")
SAVED.register("ArgmaxClusterer", "audioclust.spice.trained_encoder:ArgmaxClusterer")
# Names that these classes had before, which older run folders hold
SAVED.register("Answer", "audioclust.spice.trained_encoder:TrainedEncoder")
SAVED.register("MostProbable", "audioclust.spice.trained_encoder:ArgmaxClusterer")
