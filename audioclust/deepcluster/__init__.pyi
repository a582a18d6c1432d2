# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import DeepCluster as DeepCluster, DeepClusterV2 as DeepClusterV2
from .learner import LearnerOptions as LearnerOptions, deepcluster_learner as deepcluster_learner
from .memory_bank import deepcluster_v2_learner as deepcluster_v2_learner
from .options import TrainingOptions as TrainingOptions
