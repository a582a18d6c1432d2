# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .dbscan import (
    DBSCAN as DBSCAN,
    estimate_eps as estimate_eps,
    k_distances as k_distances,
)
from .hdbscan import HDBSCAN as HDBSCAN
from .mean_shift import (
    MeanShift as MeanShift,
    estimate_bandwidth as estimate_bandwidth,
    bandwidth_scan as bandwidth_scan,
)
from .agglomerative import AgglomerativeClustering as AgglomerativeClustering, cut_tree as cut_tree
