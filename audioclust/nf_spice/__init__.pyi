# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import OtherGroupingOptions as OtherGroupingOptions, NFSPICE as NFSPICE
from .contrastive import ContrastOptions as ContrastOptions, contrastive_learner as contrastive_learner
from .refinement import RefinementOptions as RefinementOptions
from .self_heads import heads_learner as heads_learner
from .fixmatch import fixmatch_learner as fixmatch_learner
