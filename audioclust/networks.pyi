# Made by make readme, for type checkers: the module with patched methods in their classes.
import numpy as np
import torch
from .encoders import Encoder
from .logmels import Clipped, LogMels
from _typeshed import Incomplete
from collections.abc import Iterable, Iterator
from torch import nn
from typing import Any
from typing_extensions import Self

__all__ = ['Block', 'small', 'make_body', 'Pool', 'NetworkEncoder', 'has_bf16', 'network_for']

class Block(nn.Module):
    path: Incomplete
    short: Incomplete
    def __init__(self, i: int, o: int, stride: int = 1) -> None: ...
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...

def small(widths: tuple = (16, 32, 64, 128), strides: tuple = (2, 2, 2, 1)) -> nn.Sequential: ...
def make_body(backbone: str, fine: bool = False) -> nn.Module: ...

class Pool(nn.Module):
    def __init__(self, pitch: bool, order: bool) -> None: ...
    def forward(self, y: torch.Tensor) -> torch.Tensor: ...
    pitch: Any
    order: Any

class NetworkEncoder(Encoder):
    version: str
    frames: Incomplete
    front: Incomplete
    views: Incomplete
    body: Incomplete
    pool: Incomplete
    dim: Incomplete
    def __init__(self, by: str = 'content', ignore: str | Iterable | None = None, sample_rate: int = 16000, n_mels: int = 64, frames: int | None = None, part: int = 20, backbone: str = 'small', views: int = 8, strength: str = 'contrastive', seed: int = 0) -> None: ...
    def config(self) -> dict: ...
    def network(self, x: torch.Tensor, half: bool = False) -> torch.Tensor: ...
    def fixed_views(self, batch: Clipped) -> Iterator[torch.Tensor]: ...
    def of_batch(self, batch: Clipped, half: bool = False) -> torch.Tensor: ...
    def forward(self, wave: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor: ...
    def embed_kept(self, store: LogMels, views: int = 0, rows: np.ndarray | None = None, seed: int = 0, bs: int = 512, bf16: bool | None = False) -> np.ndarray: ...
    def calibrate(self, store: LogMels, clips: int = 1024, seed: int = 0) -> Self: ...
    by: Any
    ignore: Any
    sample_rate: Any
    n_mels: Any
    part: Any
    backbone: Any
    n_views: Any
    strength: Any
    seed: Any

def has_bf16(device: torch.device) -> bool: ...
def network_for(lengths: np.ndarray, by: str = 'content', ignore: str | Iterable | None = None, sample_rate: int = 16000, **kwargs) -> NetworkEncoder: ...
