# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import KMeans as KMeans
from .lloyd import (
    kmeans as kmeans,
    reseed as reseed,
)
from .minibatches import minibatch as minibatch
