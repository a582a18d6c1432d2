# Made by make readme, for type checkers: the module with patched methods in their classes.
import threading
import torch
from .rows import Rows
from _typeshed import Incomplete
from torch import Tensor
from typing import Any, NamedTuple

__all__ = ['Space', 'space', 'Centers', 'Found', 'assign', 'start']

class Space(NamedTuple):
    origin: Tensor | None
    unit: float
    dtype: torch.dtype
    def shift(self, x: torch.Tensor, dtype: torch.dtype | None = None) -> Tensor: ...
    def square(self, x: torch.Tensor) -> Tensor: ...

def space(middle: Tensor, size: float, dtype: torch.dtype) -> Space: ...

class Centers:
    sq: Incomplete
    noise: Incomplete
    def __init__(self, centers: Tensor, where: Space, spherical: bool = False, buffers: threading.local | None = None) -> None: ...
    def __len__(self) -> int: ...
    def factors(self, dtype: torch.dtype) -> tuple: ...
    def room(self, name: str, x: torch.Tensor) -> Tensor: ...
    def few(self, x: torch.Tensor) -> int: ...
    def scores(self, x: torch.Tensor) -> Tensor: ...
    def look(self, x: Tensor, sq: Tensor, guess: Tensor | None = None) -> tuple: ...
    def prove(self, x: Tensor) -> tuple: ...
    space: Any
    spherical: Any
    plain: Any
    c: Any
    ready: Any
    buffers: Any

class Found(NamedTuple):
    labels: Tensor
    own: Tensor
    other: Tensor
    error: Tensor

def assign(x: Tensor | Rows, centers: Tensor, spherical: bool = False) -> Tensor: ...
def start(x: Tensor | Rows, k: int, generator: torch.Generator, init: str = 'k-means++', spread: tuple | None = None) -> Tensor: ...
