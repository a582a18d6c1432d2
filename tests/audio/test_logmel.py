import numpy as np
import pytest
import torch

from audioclust.audio import LogMel


@pytest.mark.parametrize("sr,n_mels", [(8000, 40), (16000, 64), (22050, 128), (44100, 64)])
def test_parity_with_librosa(rng, sr, n_mels):
    librosa = pytest.importorskip("librosa")
    x = (.1*rng.standard_normal(sr) + np.sin(2*np.pi*440*np.arange(sr)/sr)).astype(np.float32)
    front = LogMel(sr, n_mels, f_min=50, normalize=False, eps=1e-5)
    win = round(.025*sr)
    S = librosa.feature.melspectrogram(y=x, sr=sr, n_fft=front.n_fft, win_length=win, hop_length=round(.01*sr),
                                       n_mels=n_mels, fmin=50, fmax=sr/2)
    torch.testing.assert_close(front(torch.from_numpy(x)[None])[0, 0], torch.from_numpy(np.log(S + 1e-5)), atol=1e-4,
            rtol=1e-4)


@pytest.mark.parametrize("sr,samples", [(8000, 1), (8000, 79), (8000, 80), (11025, 5000), (16000, 40001), (22050, 300)])
def test_blocks_equal_torchaudio_at_once(rng, sr, samples):
    import torchaudio
    x, front = torch.from_numpy(rng.standard_normal((3, samples)).astype(np.float32)), LogMel(sr)
    win = len(front.window)
    whole = torchaudio.transforms.Spectrogram(front.n_fft, win, front.hop_length, pad_mode="constant")(x)
    torch.testing.assert_close(front.mel(x), front.fb.T @ whole, atol=1e-4, rtol=1e-4)


def test_normalisation_and_level():
    x = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0)); x[1] = x[0]/100
    L = LogMel(8000, eps=1e-12)(x)
    torch.testing.assert_close(L[0], L[1], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(L.mean((1, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(L.std((1, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)
    raw = LogMel(8000, eps=1e-12, normalize=False)(x)
    torch.testing.assert_close(raw[0] - raw[1], torch.full_like(raw[0], 2*np.log(100)), atol=1e-2, rtol=0)


def test_f_max_above_nyquist_is_refused():
    with pytest.raises(ValueError, match="above half the sample rate"): LogMel(8000, f_max=5000)


@pytest.mark.gpu
def test_logmel_on_cuda():
    x = torch.randn(3, 16000)
    torch.testing.assert_close(LogMel().cuda()(x.cuda()).cpu(), LogMel()(x), atol=1e-3, rtol=1e-3)
