# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .anchors import AnchoredClusterer
from typing import Any

__all__ = ['k_distances', 'estimate_eps', 'DBSCAN', 'HDBSCAN']

def k_distances(X: np.ndarray, min_samples: int = 5, *, metric: str = 'euclidean', n_samples: int = 2000, random_state: int | np.random.RandomState | None = 0) -> np.ndarray: ...
def estimate_eps(X: np.ndarray, min_samples: int = 5, **kwargs) -> float: ...

class DBSCAN(AnchoredClusterer):
    def __init__(self, eps: float | None = None, min_samples: int = 5, *, metric: str = 'euclidean', algorithm: str = 'auto', leaf_size: int = 30, n_jobs: int | None = None, max_memory: float | None = None) -> None: ...
    eps: Any
    min_samples: Any
    metric: Any
    algorithm: Any
    leaf_size: Any
    n_jobs: Any
    max_memory: Any
    eps_: Any
    anchor_labels_: Any
    core_sample_indices_: Any
    anchors_: Any

class HDBSCAN(AnchoredClusterer):
    def __init__(self, min_cluster_size: int = 5, min_samples: int | None = None, *, cluster_selection_epsilon: float = 0.0, max_cluster_size: int | None = None, metric: str = 'euclidean', algorithm: str = 'auto', leaf_size: int = 40, n_jobs: int | None = None, cluster_selection_method: str = 'eom', allow_single_cluster: bool = False, max_memory: float | None = None) -> None: ...
    def check_rows(self, n: int, d: int): ...
    def predict(self, X: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor: ...
    min_cluster_size: Any
    min_samples: Any
    metric: Any
    algorithm: Any
    cluster_selection_epsilon: Any
    max_cluster_size: Any
    leaf_size: Any
    cluster_selection_method: Any
    allow_single_cluster: Any
    n_jobs: Any
    max_memory: Any
    core_: Any
    reach_: Any
    probabilities_: Any
    anchors_: Any
    anchor_labels_: Any
    noise_: Any
