# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .recordings import (
    find_audio as find_audio,
    AudioError as AudioError,
)
from .decoding import (
    probe as probe,
    load_audio as load_audio,
)
from .clip_table import clips as clips
from .events import (
    EventSettings as EventSettings,
    find_events as find_events,
)
from .logmel import LogMel as LogMel
from .datasets import (
    label_clips as label_clips,
    from_folder as from_folder,
    from_csv as from_csv,
    fsdd as fsdd,
    klettres as klettres,
    tuxpaint as tuxpaint,
    sonic_pi as sonic_pi,
)
from .synthetic import (
    Sounds as Sounds,
    synthetic_sounds as synthetic_sounds,
    synthetic_words as synthetic_words,
)
from .tapes import synthetic_tape as synthetic_tape
from .loaders import AudioDataLoaders as AudioDataLoaders
