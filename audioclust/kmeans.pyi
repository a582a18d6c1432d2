# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .em import Assignment as Assignment, Fit as Fit, e_step as e_step, inertia as inertia, kmeans as kmeans, loss as loss, m_step as m_step, minibatch as minibatch, reseed as reseed
from .estimators import Clusterer
from _typeshed import Incomplete
from sklearn.base import TransformerMixin
from torch import Tensor
from typing import Any
from typing_extensions import Self

__all__ = ['Assignment', 'Fit', 'e_step', 'inertia', 'kmeans', 'loss', 'm_step', 'minibatch', 'reseed', 'KMeans']

class KMeans(TransformerMixin, Clusterer):
    def __init__(self, n_clusters: int = 8, *, init: str | np.ndarray | Tensor = 'auto', n_init: int = 1, max_iter: int = 100, tol: float = 0.0001, batch_size: int | None = None, reseed: bool = True, metric: str = 'euclidean', sharded: bool = False, device: str | torch.device | None = None, random_state: int | np.random.RandomState | None = None) -> None: ...
    inertia_: Incomplete
    def fit(self, X: np.ndarray | torch.Tensor, y=None) -> Self: ...
    def predict(self, X: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor: ...
    def score(self, X: np.ndarray | torch.Tensor, y=None) -> float: ...
    def transform(self, X: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor: ...
    n_clusters: Any
    init: Any
    n_init: Any
    max_iter: Any
    tol: Any
    batch_size: Any
    reseed: Any
    metric: Any
    sharded: Any
    device: Any
    random_state: Any
    n_iter_: Any
    n_reseeds_: Any
    labels_: Any
    cluster_centers_: Any
