# Made by make readme for type checkers: what the module holds, with patched methods in their classes.
import numpy as np
from _typeshed import Incomplete
from sklearn.base import BaseEstimator, ClusterMixin
from typing import Any

__all__ = ['Crossed', 'Step']

class Crossed(ClusterMixin, BaseEstimator):
    def __init__(self, n_clusters: int = 10, n_other=(2, 3, 4, 6, 8, 12), *, dims=(16, 20, 24, 32, 40), other_dims=(8, 12, 16), rounds: int = 4, limit: float = 0.08, n_members: int = 40, device=None, random_state: int = 0) -> None: ...
    n_other_: Incomplete
    embeddings_: Incomplete
    def fit(self, X, y=None, other=None): ...
    def ask(self, X, other=None): ...
    def predict(self, X, other=None) -> np.ndarray: ...
    def save(self, path) -> None: ...
    @classmethod
    def load(cls, path) -> Crossed: ...
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
    def __init__(self, which, means, whitenings, clusterer) -> None: ...
    @classmethod
    def of(cls, which, both, labels, k, dims, n_members, device, seed): ...
    def see(self, both, labels): ...
    def place(self, both, labels): ...
    which: Any
    means: Any
    whitenings: Any
    clusterer: Any
