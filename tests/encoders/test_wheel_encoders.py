"Encoders whose weights are in other packages: files are checked, nothing of the packages runs, networks are theirs."
import hashlib
import importlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from audioclust.cli import main
from audioclust.core.registry import ENCODERS
from audioclust.encoders.catalogue import CATALOGUE, encoder_info
from audioclust.encoders.pretrained.musicnn import MusicnnEncoder
from audioclust.encoders.pretrained.resemblyzer import ResemblyzerEncoder, part_starts
from audioclust.encoders.pretrained.speech_embedding import SpeechEmbeddingEncoder
from audioclust.encoders.pretrained.wheel_weights import WheelFile, read_onnx, read_tensorflow, read_torch, read_zipped_onnx
from audioclust.encoders.pretrained.yamnet import YamnetEncoder

FIRST = [-.17717558, 3.2994151, -.28482637, 5.9387875, -.3531506, 7.6795292, 2.4782939, -.45711458]
LAST = [-.5184895, -.42077065, 4.7748656, -.29342514]
CLASSES = SpeechEmbeddingEncoder, ResemblyzerEncoder, MusicnnEncoder, YamnetEncoder


def needs(cls): return pytest.mark.skipif(not cls.is_installed(), reason=f"needs weights: {cls.files[0].command}")

def distribution(folder, name, version, files):
    "What pip would have installed; importing it ends the program."
    info = folder/f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info/"METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, data in files.items():
        (folder/path).parent.mkdir(parents=True, exist_ok=True)
        (folder/path).parent.joinpath("__init__.py").write_text("raise SystemExit('it was imported')")
        (folder/path).write_bytes(data)
    importlib.invalidate_caches()


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


def test_a_pickle_that_calls_something_is_refused(tmp_path, monkeypatch):
    class Called:
        def __reduce__(self): return Path.touch, (tmp_path/"was-called",)
    torch.save({"model_state": Called()}, tmp_path/"bad.pt")
    data = (tmp_path/"bad.pt").read_bytes()
    monkeypatch.syspath_prepend(tmp_path/"site")
    distribution(tmp_path/"site", "Resemblyzer", "0.1.4", {"resemblyzer/pretrained.pt": data})
    checksums = [hashlib.sha256(data).hexdigest()]
    with pytest.raises(ValueError, match="something else than weights"): ResemblyzerEncoder(checksums)
    assert not (tmp_path/"was-called").exists() and "resemblyzer" not in sys.modules


def test_weights_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    torch.save({"model_state": {"lstm.weight_ih_l0": torch.zeros(3, 3)}}, tmp_path/"odd.pt")
    data = (tmp_path/"odd.pt").read_bytes()
    monkeypatch.syspath_prepend(tmp_path/"site")
    distribution(tmp_path/"site", "Resemblyzer", "0.1.4", {"resemblyzer/pretrained.pt": data})
    with pytest.raises(ValueError, match="do not fit"): ResemblyzerEncoder([hashlib.sha256(data).hexdigest()])


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_damaged_files_give_one_kind_of_error(data):
    for read in (lambda: read_onnx(data), lambda: read_zipped_onnx(data), lambda: read_tensorflow(data, b""), lambda: read_torch(data),
                 lambda: read_tensorflow(data + struct.pack("<Q", 0xdb4775248b80fb57), data)):
        try: read()
        except ValueError: pass


def test_parts_cover_a_clip():
    for n in [1, 160, 25_599, 25_600, 37_000, 50_001, *range(60_000, 400_000, 9_973)]:
        starts = part_starts(n)
        assert starts[0] == 0 and all(b - a == 77 for a,b in zip(starts, starts[1:]))
        assert (starts[-1] + 160)*160 > n - 77*160  # less than a step is left out


def test_a_file_is_found_without_an_import():
    code = ("import sys; from audioclust.encoders.pretrained.wheel_weights import WheelFile; "
            "WheelFile('soundfile', '0', 'soundfile.py', '0').find(); sys.exit('soundfile' in sys.modules and not 1)")
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == 0
    assert WheelFile("no-such-thing", "1", "a", "0").find() is None


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
    from audioclust.encoders.pretrained.speech_embedding import in_the_middle
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
