# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .assignment import assign as assign, regroup as regroup
from .clusterer import AudioClusterer as AudioClusterer
from .clustering import cluster_recordings as cluster_recordings, group as group
from .embedding import Observer as Observer, embed as embed, find_clips as find_clips
from .given_embeddings import assign_embeddings as assign_embeddings, from_embeddings as from_embeddings
from .grouping import Grouping as Grouping, Level as Level, Options as Options, Request as Request
from .growing import grow as grow
from .pair import GroupingPair as GroupingPair, group_pair as group_pair, refine as refine
from .run_folder import load_run as load_run, save_run as save_run
from .seeds import Seeds as Seeds, read_seeds as read_seeds
from .similarity import similar as similar
