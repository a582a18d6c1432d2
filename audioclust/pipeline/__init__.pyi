# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .all_steps import Options as Options, Request as Request, Run as Run
from .all_steps import make_run as make_run, run_of_embeddings as run_of_embeddings
from .cluster_step import cluster as cluster
from .clusterer import AudioClusterer as AudioClusterer, regroup as regroup
from .counting.clock import Clock as Clock, listed_recordings as listed_recordings
from .counting.clock import recordings_of_run as recordings_of_run, with_header_offsets as with_header_offsets
from .counting.clock import zone_of as zone_of
from .counting.counts import check_picture as check_picture, count_clips as count_clips, Places as Places
from .counting.counts import plot_hours as plot_hours, save_picture as save_picture
from .embed_step import embed as embed
from .examine_step import examine as examine
from .find_step import find as find, Observer as Observer
from .growing import grow as grow
from .naming.answers import name_clips as name_clips
from .naming.questions import next_to_hear as next_to_hear
from .naming.spreading import last_word as last_word, naming_progress as naming_progress, NamingProgress as NamingProgress
from .naming.spreading import spread_names as spread_names
from .new_clips import assign as assign, assign_embeddings as assign_embeddings, clusters_below as clusters_below, similar as similar
from .pair import RunPair as RunPair, make_pair as make_pair, pair_requests as pair_requests, refine as refine
from .shards import embed_shard as embed_shard, run_of_shards as run_of_shards
from .shards import request_of_shards as request_of_shards, shard_folders as shard_folders
from .shards import shard_record as shard_record, share_of as share_of
from .scoring import check_labels as check_labels, detector_scores as detector_scores, groups_called as groups_called
from .scoring import is_detected as is_detected, score_names as score_names, score_run as score_run
from .scoring import suspects as suspects, THRESHOLDS as THRESHOLDS
