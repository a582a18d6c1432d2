# Made by make readme for type checkers: what the module holds, with patched methods in their classes.
import numpy as np
import pandas as pd
from _typeshed import Incomplete
from sklearn.base import BaseEstimator, ClusterMixin
from typing import Any

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
    def __init__(self, method: str = 'kmeans', n_clusters: int = 10, by: str = 'content', ignore=None, encoder=None, *, window: float | None = None, hop: float | None = None, sample_rate: int | None = None, params: dict | None = None, num_workers: int | None = None, device=None, random_state: int = 0, cache=None, sharded: bool = False, stability: int = 10) -> None: ...
    def regroup(self, method: str | None = ..., n_clusters=..., params: dict | None = ..., random_state: int | None = ...) -> AudioClusterer: ...
    def assign(self, source, errors: list | None = ..., progress=..., none_beyond: float | None = ...) -> pd.DataFrame: ...
    def predict(self, source) -> np.ndarray: ...
    def table(self) -> pd.DataFrame: ...
    def asked(self) -> dict: ...
    def about(self) -> dict: ...
    def save(self, path, figures: bool = ..., **more): ...
    @classmethod
    def load(cls, path) -> AudioClusterer: ...
    def keep_ids(self, before: pd.DataFrame) -> dict: ...
    source_: Incomplete
    def fit(self, source, y=None, progress=..., checkpoints=None, say=None): ...
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
    seconds_: Any
    curves_: Any
    pick_: Any
    whitening_: Any
    both_: Any
    n_cached_: Any
    ids_: Any
