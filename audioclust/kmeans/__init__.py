"""K-means, and the cure for empty clusters."""
import lazy_loader

from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

METHODS.register("kmeans", "audioclust.kmeans.estimator:KMeans",
                 "round groups of about one size; quick for any number of clips; the place to start")
SAVED.register("KMeans", "audioclust.kmeans.estimator:KMeans")
