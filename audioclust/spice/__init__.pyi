# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import SPICE as SPICE
from .network_training import ContrastOptions as ContrastOptions
from .steps import OtherGroupingOptions as OtherGroupingOptions, RefinementOptions as RefinementOptions
from .head_training import heads_learner as heads_learner
from .contrastive import contrastive_learner as contrastive_learner
from .fixmatch import fixmatch_learner as fixmatch_learner
