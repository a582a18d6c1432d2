# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from _typeshed import Incomplete
from collections.abc import Iterable
from pathlib import Path
from sklearn.base import BaseEstimator, ClusterMixin
from typing import Any
from typing_extensions import Self

__all__ = ['Crossed', 'Step']

class Crossed(ClusterMixin, BaseEstimator):
    def __init__(self, n_clusters: int = 10, n_other: int | Iterable = (2, 3, 4, 6, 8, 12), *, dims: Iterable = (16, 20, 24, 32, 40), other_dims: Iterable = (8, 12, 16), rounds: int = 4, limit: float = 0.08, n_members: int = 40, device: str | torch.device | None = None, random_state: int | None = 0) -> None: ...
    n_other_: Incomplete
    embeddings_: Incomplete
    def fit(self, X: np.ndarray | list, y=None, other: np.ndarray | list | None = None) -> Self: ...
    def ask(self, X: np.ndarray | list, other: np.ndarray | list | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]: ...
    def predict(self, X: np.ndarray | list, other: np.ndarray | list | None = None) -> np.ndarray: ...
    def save(self, path: str | Path): ...
    @classmethod
    def load(cls, path: str | Path) -> Crossed: ...
    n_clusters: Any
    n_other: Any
    dims: Any
    other_dims: Any
    rounds: Any
    limit: Any
    n_members: Any
    device: Any
    random_state: Any
    n_features_in_: Any
    steps_: Any
    dependence_: Any
    crossed_: Any
    clusterer_: Any
    labels_: Any
    confidence_: Any
    other_labels_: Any

class Step:
    def __init__(self, which: int, means: list, whitenings: list, clusterer: Any) -> None: ...
    @classmethod
    def of(cls, which: int, both: list, labels: list, k: int, dims: Iterable, n_members: int, device: str | torch.device | None, seed: int) -> Step: ...
    def see(self, both: list, labels: list) -> list: ...
    def place(self, both: list, labels: list) -> np.ndarray: ...
    which: Any
    means: Any
    whitenings: Any
    clusterer: Any
