"""K-means, and the cure for empty clusters."""
from ..core.help import attach
from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("kmeans", "audioclust.kmeans.estimator:KMeans",
                 "round groups of about one size; quick for any number of clips; the place to start")
SAVED.register("KMeans", "audioclust.kmeans.estimator:KMeans")
