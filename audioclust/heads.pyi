# Made by make readme for type checkers: what the module holds, with patched methods in their classes.
import numpy as np
import torch
from _typeshed import Incomplete
from fastai.callback.core import Callback
from fastai.data.load import DataLoader
from fastai.learner import Learner
from sklearn.base import BaseEstimator, ClusterMixin
from torch import nn
from typing import Any

__all__ = ['prototypes', 'assign_balanced', 'assign_nearest', 'double_softmax', 'single_softmax', 'Heads', 'Positions', 'SelfLabels', 'KeepBest', 'heads_learner', 'SelfHeads']

def prototypes(scores: torch.Tensor, E: torch.Tensor, top: int) -> torch.Tensor: ...
def assign_balanced(P: torch.Tensor, E: torch.Tensor, per: int, overlap: bool = True): ...
def assign_nearest(P: torch.Tensor, E: torch.Tensor): ...
def double_softmax(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor: ...
def single_softmax(p, y): ...

class Heads(nn.Module):
    def __init__(self, d: int, n_clusters: int, heads: int = 10, hidden: int | None = None) -> None: ...
    def forward(self, x): ...
    w1: Any
    b1: Any
    w2: Any
    b2: Any

class Positions(DataLoader):
    n: Incomplete
    def __init__(self, size: int, passes: int = 8, bs: int = 128, seed: int = 0, device=None) -> None: ...
    def get_idxs(self): ...
    def do_item(self, i): ...
    def create_batch(self, ids): ...
    def retain(self, res, b): ...
    size: Any
    passes: Any
    dice: Any

class SelfLabels(Callback):
    order: int
    def __init__(self, clean, weak, strong, per: int, top: int, assign: str = 'balanced', overlap: bool = True, sample: int = 5000, seed: int = 0, start=None) -> None: ...
    def select(self, scores, E, per, top): ...
    def before_epoch(self) -> None: ...
    def before_batch(self) -> None: ...
    def before_validate(self) -> None: ...
    def losses(self): ...
    clean: Any
    weak: Any
    strong: Any
    per: Any
    top: Any
    assign: Any
    overlap: Any
    sample: Any
    seed: Any
    start: Any
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

def heads_learner(clean, weak=None, strong=None, n_clusters: int = 10, *, heads: int = 10, ratio: float = 0.5, assign: str = 'balanced', overlap: bool = True, sample: int = 5000, passes: int = 8, bs: int = 128, double: bool = True, start=None, seed: int = 0, device: str = 'cpu', cbs=(), **kwargs) -> Learner: ...

class SelfHeads(ClusterMixin, BaseEstimator):
    def __init__(self, n_clusters: int = 10, *, heads: int = 10, epochs: int = 30, assign: str = 'balanced', overlap: bool = True, double: bool = True, choose: str = 'best', device=None, random_state: int = 0) -> None: ...
    def fit(self, X, y=None, weak=None, strong=None, start=None, cbs=()): ...
    def predict_proba(self, X) -> np.ndarray: ...
    def predict(self, X): ...
    def save(self, path) -> None: ...
    @classmethod
    def load(cls, path) -> SelfHeads: ...
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
