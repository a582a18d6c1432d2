# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
from .anchors import AnchoredClusterer
from typing import Any

__all__ = ['gap_height', 'cut_tree', 'AgglomerativeClustering']

def gap_height(merges: np.ndarray) -> float: ...
def cut_tree(merges: np.ndarray, n_clusters: int | None = None, height: float | None = ...) -> np.ndarray: ...

class AgglomerativeClustering(AnchoredClusterer):
    def __init__(self, n_clusters: int | None = None, *, metric: str = 'euclidean', linkage: str = 'ward', distance_threshold: float | None = None, connectivity: int | None = None, max_memory: float | None = None) -> None: ...
    def check_rows(self, n: int, d: int): ...
    n_clusters: Any
    metric: Any
    linkage: Any
    distance_threshold: Any
    connectivity: Any
    max_memory: Any
    distance_threshold_: Any
    merges_: Any
    n_clusters_: Any
    anchors_: Any
    anchor_labels_: Any
