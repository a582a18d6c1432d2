# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import SPICE as SPICE
from .heads import heads_learner as heads_learner
from .contrastive import contrastive_learner as contrastive_learner
from .fixmatch import semi_learner as semi_learner
