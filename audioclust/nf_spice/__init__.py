"""NF-SPICE: contrast, two groupings at once, heads, and reliable pseudo-labels."""
from ..core.help import attach
from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("nf-spice", "audioclust.nf_spice.estimator:NFSPICE",
                 "trains two, for both groupings, and then one on what is reliable; some minutes more",
                 trains_encoder=True)
SAVED.register("TrainedEncoder", "audioclust.nf_spice.trained_encoder:TrainedEncoder")
SAVED.register("ArgmaxClusterer", "audioclust.nf_spice.trained_encoder:ArgmaxClusterer")
