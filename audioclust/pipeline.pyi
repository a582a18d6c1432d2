# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import pandas as pd
import torch
from .encoders import Encoder
from _typeshed import Incomplete
from collections.abc import Callable, Iterable
from pathlib import Path
from sklearn.base import BaseEstimator, ClusterMixin
from typing import Any
from typing_extensions import Self

__all__ = ['AudioClusterer']

class AudioClusterer(ClusterMixin, BaseEstimator):
    clips_: pd.DataFrame
    errors_: list
    embeddings_: np.ndarray
    labels_: np.ndarray
    confidence_: np.ndarray
    representative_: np.ndarray
    encoder_: Any
    clusterer_: Any
    stability_: Any
    choice_: Any
    refined_: Any
    def __init__(self, method: str = 'kmeans', n_clusters: int | str | tuple = 10, by: str = 'content', ignore: str | Iterable | None = None, encoder: str | Encoder | None = None, *, window: float | None = None, hop: float | None = None, sample_rate: int | None = None, params: dict | None = None, num_workers: int | None = None, device: str | torch.device | None = None, random_state: int = 0, cache: str | Path | bool | None = None, sharded: bool = False, stability: int = 10, max_memory: float | None = None) -> None: ...
    def regroup(self, method: str | None = ..., n_clusters: int | str | None = ..., params: dict | None = ..., random_state: int | None = ...) -> AudioClusterer: ...
    def assign(self, source: str | Path | list | pd.DataFrame, errors: list | None = ..., progress: Callable = ..., none_beyond: float | None = ...) -> pd.DataFrame: ...
    def predict(self, source: str | Path | list | pd.DataFrame) -> np.ndarray: ...
    def table(self) -> pd.DataFrame: ...
    def asked(self) -> dict: ...
    def about(self) -> dict: ...
    def save(self, path: str | Path, figures: bool = ..., **more): ...
    @classmethod
    def load(cls, path: str | Path) -> AudioClusterer: ...
    def keep_ids(self, before: pd.DataFrame) -> dict: ...
    source_: Incomplete
    def fit(self, source: str | Path | list | pd.DataFrame, y=None, progress: Callable = ..., checkpoints: str | Path | None = None, say: Callable | None = None) -> Self: ...
    method: Any
    n_clusters: Any
    by: Any
    ignore: Any
    encoder: Any
    window: Any
    hop: Any
    sample_rate: Any
    params: Any
    num_workers: Any
    device: Any
    random_state: Any
    cache: Any
    sharded: Any
    stability: Any
    max_memory: Any
    seconds_: Any
    curves_: Any
    pick_: Any
    whitening_: Any
    both_: Any
    n_cached_: Any
    ids_: Any
