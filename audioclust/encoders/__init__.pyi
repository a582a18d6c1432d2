# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .augmentations import Views as Views
from .base import Encoder as Encoder, load_encoder as load_encoder
from .choice import CATALOGUE as CATALOGUE, install_command as install_command
from .fixed import FixedEncoder as FixedEncoder
from .logmel_store import RuntimeOptions as RuntimeOptions
from .networks import NetworkEncoder as NetworkEncoder
from .pretrained import PretrainedEncoder as PretrainedEncoder, encode as encode, named_encoder as named_encoder
from .whitening import Whiten as Whiten
