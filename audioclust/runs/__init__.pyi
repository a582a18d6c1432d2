# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .clips import Clips as Clips
from .clustering import Clustering as Clustering, Embeddings as Embeddings, Level as Level
from .findings import Finding as Finding, Findings as Findings
from .request import Options as Options, Request as Request
from .run import Run as Run, open_runs as open_runs
from .seeds import Seeds as Seeds, read_seeds as read_seeds
from .edits import Edits as Edits, NOT_OF_INTEREST as NOT_OF_INTEREST
from .edit_files import are_named as are_named, read_edits as read_edits, spreadsheet_safe as spreadsheet_safe, write_edits as write_edits
from .page_edits import apply_edits as apply_edits, undo_edits as undo_edits
from .run_folder import (
    check_file as check_file,
    check_outside as check_outside,
    read_record as read_record,
    read_table as read_table,
    run_folders as run_folders,
)
from .stable_ids import renumbered as renumbered
