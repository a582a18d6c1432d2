# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import pandas as pd
import torch
from .whiten import Whiten as Whiten
from _typeshed import Incomplete
from collections.abc import Callable, Iterable
from pathlib import Path
from torch import nn
from typing import Any

__all__ = ['Whiten', 'IGNORABLE', 'BY', 'what_to_ignore', 'Encoder', 'load_encoder', 'dct_matrix', 'stretches', 'FixedEncoder']

IGNORABLE: Incomplete
BY: Incomplete

def what_to_ignore(by: str = 'content', ignore: str | Iterable | None = None) -> tuple: ...

class Encoder(nn.Module):
    sample_rate: int
    dim: int
    version: str | None
    def config(self) -> dict: ...
    def embed(self, clips: pd.DataFrame, errors: list | None = None, seconds: np.ndarray | None = None, device: str | torch.device | None = None, num_workers: int | None = None, progress: Callable = ..., cache: Any = None, cached: list | None = None, room: float | None = None) -> np.ndarray: ...
    def depends_on(self, device: str | torch.device) -> str | None: ...
    def save(self, path: str | Path): ...

class _Kept:
    def __init__(self, cache, encoder, clips, device) -> None: ...
    def fill(self, out, real, cached): ...
    def add(self, rows, out, real) -> None: ...
    def flush(self) -> None: ...
    cache: Any
    keys: Any
    new: Any
    then: Any

def load_encoder(path: str | Path) -> Encoder: ...
def dct_matrix(n: int, bands: int) -> torch.Tensor: ...
def stretches(x: torch.Tensor, first: torch.Tensor, n: torch.Tensor, steps: int) -> torch.Tensor: ...

class FixedEncoder(Encoder):
    version: str
    dct: torch.Tensor
    floor: Incomplete
    logmel: Incomplete
    n_cepstra: Incomplete
    dim: Incomplete
    def __init__(self, by: str = 'content', ignore: str | Iterable | None = None, sample_rate: int = 16000, n_mels: int = 64, n_cepstra: int | None = None, steps: int = 32, trim: float = 20.0) -> None: ...
    def config(self) -> dict: ...
    def whitening(self, n: int) -> Whiten: ...
    def forward(self, wave: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor: ...
    by: Any
    ignore: Any
    sample_rate: Any
    n_mels: Any
    steps: Any
    trim: Any
