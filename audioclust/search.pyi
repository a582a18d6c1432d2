# Made by make readme, for type checkers: the module with patched methods in their classes.
from .rows import Rows
from _typeshed import Incomplete
from collections.abc import Callable, Iterator
from torch import Tensor
from typing import Any

__all__ = ['Search']

class Search:
    labels: Any
    last: Any
    moved: int
    buffers: Incomplete
    little: Incomplete
    space: Incomplete
    def __init__(self, x: Tensor | Rows, spread: tuple | None = None, spherical: bool = False, remember: bool = True) -> None: ...
    def __call__(self, centers: Tensor, use: Callable = ...) -> Iterator: ...
    def move(self, rows: Tensor, label: int): ...
    x: Any
    spherical: Any
    remember: Any
    before: Any
    looked: Any
    sq: Any
    own: Any
    other: Any
    whole: Any
