# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .drawing import draw as draw, score_and_draw as score_and_draw
from .one_run import Job as Job, cluster_one as cluster_one
from .parser import main as main
from .two_runs import cluster_both as cluster_both
