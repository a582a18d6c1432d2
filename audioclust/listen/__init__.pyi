# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .page import listen_page as listen_page
from .shown_clips import pictures_of as pictures_of
from .figures import write_figures as write_figures
from .exporting import (
    group_words as group_words,
    left_out as left_out,
    named_clips as named_clips,
    to_audacity as to_audacity,
    to_raven as to_raven,
    to_table as to_table,
)
from .export_tools import (
    check_place as check_place,
    run_of_new_clips as run_of_new_clips,
    sure_names as sure_names,
    to_playlists as to_playlists,
)
from .formats.annotations import to_crowsetta as to_crowsetta, to_elan as to_elan, to_textgrid as to_textgrid
from .formats.folders import Export as Export, check_new_folder as check_new_folder
from .formats.kits import to_kit as to_kit
from .formats.samplers import (
    to_decent_sampler as to_decent_sampler,
    to_hydrogen as to_hydrogen,
    to_sfz as to_sfz,
)
from .sorting import sort_files as sort_files
from .comparison import (
    compare as compare,
    Difference as Difference,
    difference as difference,
    save_comparison as save_comparison,
)
from .near_duplicates import (
    describe_copies as describe_copies,
    duplicates as duplicates,
)
