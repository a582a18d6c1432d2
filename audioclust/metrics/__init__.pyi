# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .counting import (
    contingency as contingency,
    ari as ari,
    accuracy as accuracy,
    purity as purity,
    match_clusters as match_clusters,
)
from .information import (
    nmi as nmi,
    ami as ami,
    score as score,
    plot_confusion as plot_confusion,
)
