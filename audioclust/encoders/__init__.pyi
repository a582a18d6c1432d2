# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .fixed import (
    Encoder as Encoder,
    FixedEncoder as FixedEncoder,
    load_encoder as load_encoder,
)
from .networks import NetworkEncoder as NetworkEncoder
from .pretrained import PretrainedEncoder as PretrainedEncoder, named_encoder as named_encoder
from .whitening import Whiten as Whiten
from .views import Views as Views
