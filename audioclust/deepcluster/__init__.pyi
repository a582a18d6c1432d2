# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .collapse import PseudoLabelCurves as PseudoLabelCurves
from .estimator import DeepCluster as DeepCluster
from .learner import LearnerOptions as LearnerOptions, deepcluster_learner as deepcluster_learner
from .training_options import TrainingOptions as TrainingOptions
