import atexit, os, shutil, tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported: threads that sleep while they wait
os.environ["AUDIOCLUST_ENCODER"] = "fixed"  # whatever else is installed
os.environ["AUDIOCLUST_CACHE"] = tempfile.mkdtemp()  # the user's own stays as it is
atexit.register(shutil.rmtree, os.environ["AUDIOCLUST_CACHE"], ignore_errors=True)

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the slow tests too")


def pytest_collection_modifyitems(config, items):
    import torch
    skips = {"slow": (not config.getoption("--slow"), "needs --slow"),
             "gpu": (not torch.cuda.is_available(), "needs a CUDA device"),
             "data": (not (Path(os.environ.get("AUDIOCLUST_DATA") or "nowhere")/"fsdd").is_dir(),
                 "needs AUDIOCLUST_DATA")}
    nightly = set((Path(__file__).parent/"nightly.txt").read_text(encoding="utf-8").splitlines())
    for item in items:
        if item.nodeid in nightly: item.add_marker(pytest.mark.slow)
        for mark, (skip, why) in skips.items():
            if skip and mark in item.keywords: item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def drawn_figures():
    "What draws the figures of a run; no test does, unless it is marked `draws`."
    from audioclust.listen import figures
    drawn = figures.figures_of
    figures.figures_of = lambda run, *args, **kwargs: {}
    return drawn


@pytest.fixture(autouse=True)
def figures_where_wanted(request, monkeypatch, drawn_figures):
    if "draws" in request.keywords: monkeypatch.setattr("audioclust.listen.figures.figures_of", drawn_figures)


@pytest.fixture
def rng(): return np.random.default_rng(0)


@pytest.fixture
def tone():
    "Write a sine of 0.5 s as a file: tone(path, hz=440, sr=16000, channels=1, **soundfile arguments)."
    def write(path, hz=440, seconds=0.5, sr=16000, channels=1, **kwargs):
        path.parent.mkdir(parents=True, exist_ok=True)
        x = 0.5*np.sin(2*np.pi*hz*np.arange(round(seconds*sr))/sr)
        sf.write(os.fsencode(path), np.repeat(x[:, None], channels, 1), sr, **kwargs)
        return path
    return write


@pytest.fixture(scope="session")
def words(tmp_path_factory):
    "A folder of 192 synthetic words and its table with both truths."
    from audioclust.audio import synthetic_words
    folder = tmp_path_factory.mktemp("sounds")/"words"
    return folder, synthetic_words(6, 4, 8).save(folder)


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    "A folder of 48 synthetic words, three by two voices, for what trains networks."
    from audioclust.audio import synthetic_words
    folder = tmp_path_factory.mktemp("sounds")/"few"
    synthetic_words(3, 2, 8).save(folder)
    return folder


@pytest.fixture
def brief(monkeypatch):
    "NF-SPICE whose non-redundant clustering is two rounds of small consensuses; else it is half of a small run."
    import functools
    from audioclust.nf_spice import refinement
    small = functools.partial(refinement.NonRedundantClustering, rounds=2, n_members=8)
    monkeypatch.setattr(refinement, "NonRedundantClustering", small)


@pytest.fixture
def stranger(monkeypatch):
    "An encoder whose weights came with another package, as far as the choice of an encoder can tell."
    from audioclust.core.registry import ENCODERS
    from audioclust.encoders import choice, FixedEncoder
    class Stranger(FixedEncoder):
        version = "1"
        def __init__(self, by="content", ignore=None, sample_rate=16000, **kwargs):
            super().__init__(by, ignore, sample_rate, **kwargs)
    ENCODERS.register("stranger", Stranger, "for this test")
    monkeypatch.setattr(choice, "available_encoders", lambda: ["fixed", "untrained", "stranger"])
    monkeypatch.delenv("AUDIOCLUST_ENCODER")
    yield
    ENCODERS.unregister("stranger")


@pytest.fixture(scope="session")
def noises(tmp_path_factory):
    "Makes files of noise at 16 kHz that last so many seconds each, and gives their table."
    def make(*seconds):
        at, rng = tmp_path_factory.mktemp("noises"), np.random.default_rng(0)
        for i,s in enumerate(seconds): sf.write(at/f"{i}.wav", rng.normal(size=int(s*16000))*.1, 16000)
        return pd.DataFrame(dict(path=[at/f"{i}.wav" for i in range(len(seconds))], start=0., end=seconds))
    return make
