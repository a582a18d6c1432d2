"""Density, modes and trees."""
from ..core.help import attach
from ..core.registry import METHODS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

METHODS.register("agglomerative", "audioclust.classical.agglomerative:AgglomerativeClustering",
                 "a tree, cut into --n-clusters groups; for some thousands of clips")
METHODS.register("hdbscan", "audioclust.classical.hdbscan:HDBSCAN",
                 "finds the number of groups itself and leaves odd clips as noise (-1)")
METHODS.register("dbscan", "audioclust.classical.dbscan:DBSCAN",
                 "the same with one density for all groups (--set eps=0.4; estimated when not said)")
METHODS.register("meanshift", "audioclust.classical.mean_shift:MeanShift",
                 "the peaks of the density, no number needed; for few clips and dimensions")
SAVED.register("AgglomerativeClustering", "audioclust.classical.agglomerative:AgglomerativeClustering")
SAVED.register("HDBSCAN", "audioclust.classical.hdbscan:HDBSCAN")
SAVED.register("DBSCAN", "audioclust.classical.dbscan:DBSCAN")
SAVED.register("MeanShift", "audioclust.classical.mean_shift:MeanShift")
SAVED.register("GivenClusterer", "audioclust.core.estimator:GivenClusterer")
