# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .constraints import Constraints as Constraints, constrained_kmeans as constrained_kmeans
from .estimator import KMeans as KMeans
from .lloyd import (
    kmeans as kmeans,
    reseed as reseed,
)
