# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import DeepCluster as DeepCluster
from .learner import LearnerOptions as LearnerOptions, PseudoLabelCurves as PseudoLabelCurves
from .learner import TrainingOptions as TrainingOptions, deepcluster_learner as deepcluster_learner
