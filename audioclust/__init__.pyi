# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from . import (
    core as core,
    audio as audio,
    metrics as metrics,
    classical as classical,
    kmeans as kmeans,
    ensembles as ensembles,
    encoders as encoders,
    training as training,
    deepcluster as deepcluster,
    nf_spice as nf_spice,
    published as published,
    runs as runs,
    pipeline as pipeline,
    listen as listen,
    cli as cli,
)
from .pipeline import AudioClusterer as AudioClusterer, Options as Options

__version__: str
