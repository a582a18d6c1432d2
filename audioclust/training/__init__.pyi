# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .encoder_learner import EncoderWithHead as EncoderWithHead, EpochLogger as EpochLogger, ViewTransform as ViewTransform
from .checkpoints import Checkpoints as Checkpoints
