# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .checkpoints import Checkpoints as Checkpoints
from .curves import Curves as Curves, EpochLogger as EpochLogger
from .encoder_learner import EncoderWithHead as EncoderWithHead, ViewTransform as ViewTransform
