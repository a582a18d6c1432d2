# Made by make readme, for type checkers: the module with patched methods in their classes.
import pandas as pd
import torch
from _typeshed import Incomplete
from pathlib import Path
from torch import nn
from typing import Any, NamedTuple

__all__ = ['UNREADABLE', 'EXTENSIONS', 'AudioError', 'brief', 'read_csv', 'find_audio', 'AudioInfo', 'probe', 'load_audio', 'clips', 'LogMel', 'frame_mask', 'sounding']

UNREADABLE: Incomplete
EXTENSIONS: Incomplete

class AudioError(ValueError):
    def __init__(self, path: str | Path, reason: str) -> None: ...
    def __reduce__(self): ...
    path: Any
    reason: Any

def brief(said: object, most: int = 200) -> str: ...
def read_csv(path: str | Path, **how) -> pd.DataFrame: ...
def find_audio(source: str | Path | list, errors: list | None = None) -> list: ...

class AudioInfo(NamedTuple):
    path: Path
    sample_rate: int
    frames: int
    channels: int
    duration: float
    encoding: str

def probe(path: str | Path) -> AudioInfo: ...
def load_audio(path: str | Path, sample_rate: int | None = None, start: float = 0.0, end: float | None = None) -> tuple[torch.Tensor, int]: ...
def clips(source: str | Path | list | pd.DataFrame, window: float | None = None, hop: float | None = None, errors: list | None = None) -> pd.DataFrame: ...

class LogMel(nn.Module):
    window: torch.Tensor
    fb: torch.Tensor
    fb2: torch.Tensor
    n_fft: Incomplete
    groups: Incomplete
    def __init__(self, sample_rate: int = 16000, n_mels: int = 64, window: float = 0.025, hop: float = 0.01, n_fft: int | None = None, f_min: float = 60.0, f_max: float | None = None, eps: float = 1e-05, normalize: bool = True) -> None: ...
    @property
    def band_hz(self) -> torch.Tensor: ...
    def frames(self, samples: Any) -> Any: ...
    def seconds(self, frames: Any) -> Any: ...
    def mel(self, wave: torch.Tensor) -> torch.Tensor: ...
    def forward(self, wave: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor: ...
    sample_rate: Any
    n_mels: Any
    eps: Any
    normalize: Any
    hop_length: Any

def frame_mask(n_frames: torch.Tensor, total: int) -> torch.Tensor: ...
def sounding(energy: torch.Tensor, trim: float) -> tuple[torch.Tensor, torch.Tensor]: ...
