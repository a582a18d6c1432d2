"""Many partitions, one consensus; how stable a clustering is, and how many clusters there are."""
from ..core.help import attach
from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("consensus", "audioclust.ensembles.kmeans_ensemble:Consensus",
                 "what many K-means agree on")
METHODS.register("spectral", "audioclust.ensembles.spectral:SpectralClustering",
                 "cuts a graph of neighbours; by content often the best that trains nothing")
METHODS.register("auto", "audioclust.ensembles.method_choice:AutoClustering",
                 "spectral, or kmeans where it is clearly more stable on these clips")
SAVED.register("Consensus", "audioclust.ensembles.kmeans_ensemble:Consensus")
SAVED.register("SpectralClustering", "audioclust.ensembles.spectral:SpectralClustering")
