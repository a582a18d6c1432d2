# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .estimators import Clusterer
from _typeshed import Incomplete
from typing import Any
from typing_extensions import Self

__all__ = ['opinions', 'meanings', 'agreement', 'consensus', 'stability', 'Consensus']

def opinions(partitions: list, sizes: list | None = None, max_memory: float | None = None) -> np.ndarray: ...
def meanings(B: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray: ...
def agreement(B: np.ndarray, labels: np.ndarray, meaning: np.ndarray) -> np.ndarray: ...
def consensus(partitions: list, n_clusters: int, *, n_init: int = 20, device: str | torch.device | None = None, random_state: int | np.random.RandomState | None = None, max_memory: float | None = None) -> tuple[np.ndarray, np.ndarray]: ...
def stability(partitions: list | np.ndarray) -> float: ...

class Consensus(Clusterer):
    def __init__(self, n_clusters: int = 8, *, dims: tuple | None = None, n_members: int = 30, l2: bool = False, n_init: int = 20, device: str | torch.device | None = None, random_state: int | np.random.RandomState | None = None, max_memory: float | None = None) -> None: ...
    members_: Incomplete
    member_centers_: Incomplete
    partitions_: Incomplete
    meaning_: Incomplete
    confidence_: Incomplete
    labels_: Incomplete
    def fit(self, X: np.ndarray | torch.Tensor | list, y=None) -> Self: ...
    def check_rows(self, n: int, d: int): ...
    def ask(self, X: np.ndarray | torch.Tensor | list) -> tuple[np.ndarray, np.ndarray]: ...
    def predict(self, X: np.ndarray | torch.Tensor | list) -> np.ndarray | torch.Tensor: ...
    n_clusters: Any
    dims: Any
    n_members: Any
    l2: Any
    n_init: Any
    device: Any
    random_state: Any
    max_memory: Any
    cluster_centers_: Any
    inertia_: Any
    n_features_in_: Any
