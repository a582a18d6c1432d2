# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from _typeshed import Incomplete
from collections.abc import Iterable
from fastai.callback.core import Callback
from fastai.data.load import DataLoader
from fastai.learner import Learner
from pathlib import Path
from sklearn.base import BaseEstimator, ClusterMixin
from torch import nn
from typing import Any
from typing_extensions import Self

__all__ = ['prototypes', 'assign_balanced', 'assign_nearest', 'double_softmax', 'single_softmax', 'Heads', 'Positions', 'SelfLabels', 'KeepBest', 'heads_learner', 'SelfHeads']

def prototypes(scores: torch.Tensor, E: torch.Tensor, top: int) -> torch.Tensor: ...
def assign_balanced(P: torch.Tensor, E: torch.Tensor, per: int, overlap: bool = True) -> tuple[torch.Tensor, torch.Tensor]: ...
def assign_nearest(P: torch.Tensor, E: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...
def double_softmax(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor: ...
def single_softmax(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor: ...

class Heads(nn.Module):
    def __init__(self, d: int, n_clusters: int, heads: int = 10, hidden: int | None = None) -> None: ...
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...
    w1: Any
    b1: Any
    w2: Any
    b2: Any

class Positions(DataLoader):
    n: Incomplete
    def __init__(self, size: int, passes: int = 8, bs: int = 128, seed: int = 0, device: str | torch.device | None = None) -> None: ...
    def get_idxs(self) -> np.ndarray: ...
    def do_item(self, i: int) -> int: ...
    def create_batch(self, ids: list) -> tuple: ...
    def retain(self, res: Any, b: Any) -> Any: ...
    size: Any
    passes: Any
    dice: Any

class SelfLabels(Callback):
    order: int
    start: Any
    def __init__(self, clean: torch.Tensor, weak: torch.Tensor, strong: torch.Tensor, per: int, top: int, assign: str = 'balanced', overlap: bool = True, sample: int = 5000, seed: int = 0, start: torch.Tensor | None = None) -> None: ...
    def select(self, scores: torch.Tensor, E: torch.Tensor, per: int, top: int) -> tuple[torch.Tensor, torch.Tensor]: ...
    def before_epoch(self) -> None: ...
    def before_batch(self) -> None: ...
    def before_validate(self) -> None: ...
    def losses(self) -> torch.Tensor: ...
    clean: Any
    weak: Any
    strong: Any
    per: Any
    top: Any
    assign: Any
    overlap: Any
    sample: Any
    seed: Any
    labels: Any
    rows: Any
    view: Any

class KeepBest(Callback):
    order: int
    def __init__(self) -> None: ...
    def after_epoch(self) -> None: ...
    rows: Any
    least: Any
    head: Any
    state: Any

def heads_learner(clean: np.ndarray | torch.Tensor, weak: np.ndarray | torch.Tensor | None = None, strong: np.ndarray | torch.Tensor | None = None, n_clusters: int = 10, *, heads: int = 10, ratio: float = 0.5, assign: str = 'balanced', overlap: bool = True, sample: int = 5000, passes: int = 8, bs: int = 128, double: bool = True, start: np.ndarray | torch.Tensor | None = None, seed: int = 0, device: str | torch.device = 'cpu', cbs: Iterable = (), **kwargs) -> Learner: ...

class SelfHeads(ClusterMixin, BaseEstimator):
    def __init__(self, n_clusters: int = 10, *, heads: int = 10, epochs: int = 30, assign: str = 'balanced', overlap: bool = True, double: bool = True, choose: str = 'best', device: str | torch.device | None = None, random_state: int = 0) -> None: ...
    def fit(self, X: np.ndarray | torch.Tensor, y=None, weak: np.ndarray | torch.Tensor | None = None, strong: np.ndarray | torch.Tensor | None = None, start: np.ndarray | torch.Tensor | None = None, cbs: Iterable = ()) -> Self: ...
    def predict_proba(self, X: np.ndarray | torch.Tensor) -> np.ndarray: ...
    def predict(self, X: np.ndarray | torch.Tensor) -> np.ndarray: ...
    def save(self, path: str | Path): ...
    @classmethod
    def load(cls, path: str | Path) -> SelfHeads: ...
    n_clusters: Any
    heads: Any
    epochs: Any
    assign: Any
    overlap: Any
    double: Any
    choose: Any
    device: Any
    random_state: Any
    proba_: Any
    partitions_: Any
    labels_: Any
    curves_: Any
    loss_: Any
    head_: Any
    state_: Any
