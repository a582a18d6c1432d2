"The encoder trained on sound effects: weights are read without running anything; the network; one vector for a clip."
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from audioclust.encoders.pretrained import sound_effects as effects
from audioclust.cli import main
from audioclust.encoders.pretrained.sound_effects import EffectsEncoder, EffectsMel
from audioclust.encoders import load_encoder
from audioclust.pipeline import AudioClusterer
from audioclust.encoders import named_encoder

true_weights = pytest.mark.skipif(not EffectsEncoder.is_installed(), reason="needs aisfx: pip install --no-deps aisfx")


def net(channels=(4, 8, 8, 16)):
    "The same network with batch norms, as it was trained."
    torch.manual_seed(0)
    layers, before = {}, 1
    for b,n in enumerate(channels, 1):
        for i in (1, 2):
            conv, bn = nn.Conv2d(before, n, 3, padding=1, bias=False), nn.BatchNorm2d(n)
            nn.init.kaiming_normal_(conv.weight)
            for t in (bn.weight, bn.running_var): t.data.uniform_(.5, 2)
            for t in (bn.bias, bn.running_mean): t.data.normal_(0, .2)
            layers[b, i], before = (conv, bn), n
    return {k: (c, n.eval()) for k,(c, n) in layers.items()}


def keep(at, layers, more=None):
    "Write a checkpoint of the form of aisfx; its checksum."
    weights = {}
    for (b, i),pair in layers.items():
        for name,module in zip(("conv", "bn"), pair):
            prefix = f"embedding_net.conv_block{b}.{name}{i}"
            weights |= {f"{prefix}.{k}": v for k,v in module.state_dict().items()}
    path = at/"aisfx/models/checkpoint.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    (at/"aisfx-0.1.2.dist-info").mkdir(exist_ok=True)
    (at/"aisfx-0.1.2.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: aisfx\nVersion: 0.1.2\n")
    (at/"aisfx/__init__.py").write_text("raise SystemExit('it was imported')")
    torch.save((weights, {"a library": (np.int64(0), 7), "more": more}), path)
    return checksums(path)


def checksums(path): return [hashlib.sha256(path.read_bytes()).hexdigest()]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path/"package")
    return keep(tmp_path/"package", net())


@pytest.fixture(scope="module")
def clips(noises): return noises(.5, .01, 2.5, .5, 7., 2.)


def test_front_end_is_librosas(rng):
    librosa = pytest.importorskip("librosa")
    x = rng.normal(size=50_000).astype(np.float32)*np.linspace(0, .3, 50_000, dtype=np.float32)
    P = librosa.feature.melspectrogram(y=x, sr=44100, n_fft=2048, hop_length=1024, n_mels=96, norm=1., fmin=0.,
                                       fmax=22050., htk=True, pad_mode="constant")
    padded = nn.functional.pad(torch.from_numpy(x), (1024, 1024))
    np.testing.assert_allclose(EffectsMel()(padded[None])[0], np.log10(1e4*P + 1).T/9.457798957824707, atol=2e-4)


def test_the_network_with_its_batch_norms(fake):
    x, e = torch.rand(3, 100, 96), EffectsEncoder(fake)
    y = x[:, None]
    with torch.no_grad():
        for (b, i),(conv, bn) in net().items():
            y = bn(conv(y)).relu()
            if i == 2 and b < 4: y = nn.functional.max_pool2d(y, 2)
        np.testing.assert_allclose(e._embed_blocks(x), y.mean(3).max(2).values, atol=1e-5)
    assert e.dim == 16 and "aisfx" not in sys.modules


def test_blocks_cover_every_clip():
    for n in [1, 1024, 1025, 101_375, 101_376, 101_377, *range(50_000, 2_000_000, 37_111)]:
        starts, frames = effects._block_starts(n), -(-n//1024) + 1
        assert starts[0] == 0 and starts[-1] + 100 >= frames and len(starts) == -(-frames//100)
        assert all(0 < b - a <= 100 for a,b in zip(starts, starts[1:]))
        assert len(starts) == 1 or starts[-1] + 100 == frames


def test_a_long_clip_is_the_mean_of_its_blocks(fake):
    e, n = EffectsEncoder(fake), 44100*5
    x = torch.randn(1, n)*.1
    whole = e.mel(nn.functional.pad(x/x.abs().max(), (1024, 2048)))[0]
    blocks = torch.stack([whole[start:start+100] for start in effects._block_starts(n)])
    np.testing.assert_allclose(e(x, torch.tensor([n]))[0], e._embed_blocks(blocks).mean(0), atol=1e-5)


def test_same_clip_same_vector(fake, clips, tmp_path):
    e = EffectsEncoder(fake)
    X = e.embed(clips, num_workers=0)
    assert X.shape == (6, 16) and np.isfinite(X).all() and np.ptp(X, axis=0).max() > 1e-2
    for rows in ([1], [1, 4], [5, 4, 3, 2, 1, 0]):
        np.testing.assert_allclose(e.embed(clips.iloc[rows], num_workers=0), X[rows], atol=1e-5)
    short, long = torch.randn(20_000), torch.randn(200_000)
    alone = e(short[None], torch.tensor([20_000]))[0]
    beside = torch.stack([torch.cat([short, 9*torch.ones(180_000)]), long])  # what lies beyond its end does not count
    np.testing.assert_allclose(e(beside, torch.tensor([20_000, 200_000]))[0], alone, atol=1e-5)
    np.testing.assert_allclose(e(short[None]/100, torch.tensor([20_000]))[0], alone, atol=1e-5)  # nor the level
    assert torch.isfinite(e(torch.zeros(1, 500), torch.tensor([500]))).all()
    e.save(tmp_path/"kept")
    np.testing.assert_allclose(load_encoder(tmp_path/"kept").embed(clips.iloc[[2]], num_workers=0), X[[2]], atol=1e-5)


def test_what_is_refused(fake, tmp_path, monkeypatch):
    package = tmp_path/"package"
    with pytest.raises(ValueError, match="is not the expected file"): EffectsEncoder()
    with pytest.raises(ValueError, match="is not the expected file"): named_encoder("aisfx")
    with pytest.raises(ValueError, match="lack .*another version"): EffectsEncoder(keep(package, {}))
    layers = net()
    del layers[4, 2]
    with pytest.raises(ValueError, match="lack .*another version"): EffectsEncoder(keep(package, layers))
    path = package/"aisfx/models/checkpoint.pth"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="something else than weights") as e: EffectsEncoder(checksums(path))
    path.unlink()
    assert not EffectsEncoder.is_installed()  # the package is there, and its weights are not
    with pytest.raises(ValueError, match="pip install --no-deps aisfx") as e: named_encoder("aisfx")
    assert "\n" not in str(e.value)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not (Path(p)/"aisfx").is_dir()])
    with pytest.raises(ValueError, match="pip install --no-deps aisfx"): AudioClusterer(encoder="aisfx").fit(tmp_path)


class Called:
    def __init__(self, path): self.path = path
    def __reduce__(self): return Path.touch, (self.path,)


def test_a_malicious_pickle_runs_nothing(fake, tmp_path):
    sha256 = keep(tmp_path/"package", net(), Called(tmp_path/"called"))
    with pytest.raises(ValueError, match="something else than weights, or more") as e: EffectsEncoder(sha256)
    assert not (tmp_path/"called").exists() and "\n" not in str(e.value) and "weights_only" not in str(e.value)
    torch.load(tmp_path/"package/aisfx/models/checkpoint.pth", weights_only=False)
    assert (tmp_path/"called").exists()  # it would have


def test_the_whole_way(fake, few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(EffectsEncoder.__init__, "__defaults__", (fake,))
    def cluster(out, *more): return main(["cluster", str(few), "--out", str(out), "--encoder", "aisfx", "-q", *more])
    assert cluster(tmp_path/"run", "--n-clusters", "4", "--no-page", "--stability", "0") == 0
    m = AudioClusterer.load(tmp_path/"run")
    assert type(m.encoder_) is EffectsEncoder
    assert (m.assign(few, []).cluster.to_numpy() == m.labels_).mean() > .99
    assert not list((tmp_path/"run").rglob("encoder.safetensors"))
    code = ("import sys; sys.path.insert(0, sys.argv[2]); from audioclust.pipeline import AudioClusterer; "
            "encoder = AudioClusterer.load(sys.argv[1]).encoder_; "
            "print(type(encoder).__name__, encoder.dim, 'aisfx' in sys.modules)")
    typed = [sys.executable, "-c", code, str(tmp_path/"run"), str(tmp_path/"package")]
    r = subprocess.run(typed, capture_output=True, text=True)
    assert r.stdout.split() == ["EffectsEncoder", "16", "False"], r.stderr
    (tmp_path/"package/aisfx/models/checkpoint.pth").write_bytes(b"")
    assert cluster(tmp_path/"x") == 2
    err = capsys.readouterr().err
    assert "is not the expected file" in err and "Traceback" not in err


@true_weights
def test_the_true_weights():
    "A chirp of two seconds; the numbers are those of the authors' own code, with Essentia."
    e, t = EffectsEncoder(), torch.arange(88200, dtype=torch.float64)/44100
    z = e(torch.sin(2*np.pi*(100*t + 1000*t**2)).float()[None], torch.tensor([88200]))[0]
    assert e.dim == 512 and "aisfx" not in sys.modules
    assert z.argsort(descending=True)[:6].tolist() == [294, 289, 295, 362, 408, 304]
    np.testing.assert_allclose(z[:6], [1.9704, 1.5485, 1.4459, .8634, 1.2661, 2.1231], atol=.01)
    np.testing.assert_allclose(z.mean(), 1.6376, atol=.001)
