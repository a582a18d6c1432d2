# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .contingency_table import contingency as contingency
from .matching import (
    accuracy as accuracy,
    purity as purity,
    match_clusters as match_clusters,
)
from .pair_counting import ari as ari
from .information import (
    nmi as nmi,
    ami as ami,
)
from .scores import score as score
from .plots import plot_confusion as plot_confusion
