# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import DeepCluster as DeepCluster, deepcluster_learner as deepcluster_learner
