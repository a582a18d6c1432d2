# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .anchors import AnchoredClusterer
from scipy.sparse import csr_array
from typing import Any

__all__ = ['shared_neighbours', 'bridged', 'spectral_axes', 'SpectralClustering']

def shared_neighbours(neighbours: np.ndarray) -> csr_array: ...
def bridged(W: csr_array, X: np.ndarray) -> csr_array: ...
def spectral_axes(W: csr_array, k: int, random_state: int = 0) -> tuple[np.ndarray, np.ndarray]: ...

class SpectralClustering(AnchoredClusterer):
    def __init__(self, n_clusters: int = 8, *, n_neighbors: int | tuple | list = (5, 7, 10, 14, 20, 28), metric: str = 'euclidean', n_members: int = 30, n_init: int = 20, device: str | torch.device | None = None, random_state: int | np.random.RandomState | None = None, max_memory: float | None = None) -> None: ...
    def check_rows(self, n: int, d: int): ...
    def ask(self, X: np.ndarray | torch.Tensor) -> tuple: ...
    n_clusters: Any
    n_neighbors: Any
    metric: Any
    n_members: Any
    n_init: Any
    device: Any
    random_state: Any
    max_memory: Any
    anchors_: Any
    anchor_labels_: Any
    anchor_confidence_: Any
    confidence_: Any
    partitions_: Any
