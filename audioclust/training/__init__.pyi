# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .callbacks import EncoderWithHead as EncoderWithHead, EpochLogger as EpochLogger, ViewTransform as ViewTransform
from .checkpoints import Checkpoints as Checkpoints
from .curves import PseudoLabelCurves as PseudoLabelCurves
