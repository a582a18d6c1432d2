# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .anchors import AnchoredClusterer
from typing import Any

__all__ = ['modes', 'bandwidth_scan', 'estimate_bandwidth', 'MeanShift']

def modes(X: np.ndarray, bandwidth: float, max_iter: int = 100) -> np.ndarray: ...
def bandwidth_scan(X: np.ndarray, *, n_bandwidths: int = 12, n_samples: int = 300, random_state: int | np.random.RandomState | None = 0) -> tuple[np.ndarray, np.ndarray]: ...
def estimate_bandwidth(X: np.ndarray, *, quantile: float | None = None, n_samples: int = 300, random_state: int | np.random.RandomState | None = 0) -> float: ...

class MeanShift(AnchoredClusterer):
    def __init__(self, bandwidth: float | None = None, *, bin_seeding: bool = False, min_bin_freq: int = 1, cluster_all: bool = True, n_jobs: int | None = None, max_iter: int = 300, max_memory: float | None = None) -> None: ...
    def check_rows(self, n: int, d: int): ...
    @property
    def cluster_centers_(self) -> np.ndarray | torch.Tensor: ...
    bandwidth: Any
    bin_seeding: Any
    min_bin_freq: Any
    cluster_all: Any
    n_jobs: Any
    max_iter: Any
    max_memory: Any
    bandwidth_: Any
    anchor_labels_: Any
    anchors_: Any
    n_iter_: Any
