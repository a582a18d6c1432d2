# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .kmeans_ensemble import Consensus as Consensus
from .method_choice import choose_method as choose_method
from .spectral import SpectralClustering as SpectralClustering
from .n_clusters import choose_k as choose_k
from .resampling import stability_of as stability_of
from .levels import plot_levels as plot_levels
