# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .recordings import (
    find_audio as find_audio,
    AudioError as AudioError,
)
from .decoding import (
    probe as probe,
    load_audio as load_audio,
)
from .annotation_tables import clips_of_tables as clips_of_tables
from .clip_table import clips as clips
from .embedding_files import (
    embeddings_file as embeddings_file,
    read_embeddings as read_embeddings,
)
from .events import (
    EventSettings as EventSettings,
    find_events as find_events,
)
from .opening import check_recordings_exist as check_recordings_exist
from .logmel import LogMel as LogMel
from .datasets import (
    real_set as real_set,
)
from .labels import (
    label_clips as label_clips,
    label_detections as label_detections,
    fsdd as fsdd,
)
from .synthetic import (
    Sounds as Sounds,
    synthetic_sounds as synthetic_sounds,
    synthetic_words as synthetic_words,
    synthetic_tape as synthetic_tape,
)
