# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .clips import Clips as Clips
from .clustering import Clustering as Clustering, Level as Level
from .embeddings import Embeddings as Embeddings
from .findings import Findings as Findings
from .request import Options as Options, Request as Request
from .run import Run as Run, open_runs as open_runs
from .seeds import Seeds as Seeds, read_seeds as read_seeds
