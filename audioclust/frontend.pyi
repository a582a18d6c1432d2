# Made by make readme, for type checkers: the module with patched methods in their classes.
import torch
from _typeshed import Incomplete
from torch import nn
from typing import Any

__all__ = ['LogMel', 'frame_mask', 'sounding']

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
