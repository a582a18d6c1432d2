"A budget of memory: what is left of it, what is refused before the first clip is decoded, and what runs really hold."
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.core.memory import LATER_BYTES, memory_in_use
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.encoders.residual import IdentityWhitening
from audioclust.ensembles import Consensus
from audioclust.metrics import ari
from audioclust.pipeline import AudioClusterer, Options, Request, run_of_embeddings
from audioclust.pipeline.memory_needs import rows_that_fit
from audioclust.runs.request import request_record

DECODERS = "audio.streaming.load_audio_at", "audio.decoding.load_audio", "audio.load_audio"
RUN = ["--n-clusters", "4", "--no-cache", "-q"]


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    "A recording of 100 s that can be cut into as many clips as one likes."
    path = tmp_path_factory.mktemp("long")/"long.wav"
    sf.write(path, np.random.default_rng(0).normal(size=800_000)*.1, 8000)
    return path


@pytest.fixture
def deaf(monkeypatch):
    "Nothing is decoded."
    def no(*args, **kwargs): raise AssertionError("a clip was decoded")
    for name in DECODERS: monkeypatch.setattr(f"audioclust.{name}", no)


TOO_LARGE = [ # method, bytes that may be used, parameters of the method, what is said
    ("agglomerative", None, dict(max_memory=1e6), r"100,001 rows, which keeps the distances of all pairs, "
     "would need about 80.0 GB, and 1.0 MB may be used.*HDBSCAN"),
    ("consensus", 1.5e9, dict(n_members=60_000),
     "indicator matrix of 60000 partitions of 100,001 clips would need about 240.0 GB"),
    ("spectral", 1.5e9, dict(n_members=60_000),
     "SpectralClustering of 100,001 rows, with 28 neighbours and 10 eigenvectors, would need about 240.4 GB"),
    ("hdbscan", 3e9, dict(metric="cosine"), "HDBSCAN of 100,001 rows with metric='cosine' would need about 240.0 GB"),
    ("kmeans", "little", None, "100,001 clips with 416 numbers each would need about 0.3 GB, "
     "and .* are left of max_memory, .* take fewer clips"),
    ("deepcluster", 2e9, None, r"A network and 100,001 clips \(1,000,010 s\) would need about 2\d.\d GB")]

@pytest.mark.parametrize("method, size, params, said", TOO_LARGE)
def test_what_cannot_fit_is_refused_before_a_clip_is_decoded(long, deaf, method, size, params, said):
    if size is None and os.name == "nt": pytest.skip("free memory is not known")
    if size == "little": size = LATER_BYTES + 1e8
    options = Options(hop=.0009, params=params, max_memory=size and size + memory_in_use())
    with pytest.raises(ValueError, match=said): AudioClusterer(method, 10, window=10., options=options).fit(long)


@pytest.mark.parametrize("method, params, size", [
    ("agglomerative", {}, 9e6), ("consensus", dict(n_members=4), 2e5),
    ("spectral", dict(n_members=2, n_neighbors=5), 4e6)])
def test_what_cannot_fit_is_fitted_to_a_sample(method, params, size):
    rng = np.random.default_rng(0)
    kind = rng.permutation(np.repeat(np.arange(4), 1000))
    X = (5*np.eye(6)[kind] + rng.normal(size=(4000, 6))).astype(np.float32)
    request = Request(method, 4, options=Options(params=dict(params, max_memory=size), stability=0))
    said = r"of 4,000 clips needs more memory than it may use: it was fitted to [123],\d+ of them"
    found = []
    for _ in range(2):
        with pytest.warns(UserWarning, match=said):
            found.append(run_of_embeddings(X, request=request, whitening=IdentityWhitening()).clustering)
    made, again = found
    assert len(made.labels) == len(made.confidence) == 4000 and ari(kind, made.labels) > .9
    assert (made.labels == again.labels).all()


def test_beyond_a_number_of_clips_spectral_clustering_takes_a_sample(monkeypatch):
    monkeypatch.setattr("audioclust.pipeline.cluster_step.MOST_ROWS", 200)
    X, kind, angle = np.zeros((900, 6), np.float32), np.repeat(np.arange(3), 300), np.linspace(0, 6.26, 300)
    for i in range(3): X[kind == i, 2*i:2*i + 2] = np.stack([np.cos(angle), np.sin(angle)], 1)
    request = Request("auto", 3, options=Options(stability=0))
    with pytest.warns(UserWarning, match="of 900 clips takes long: it was fitted to 200 of them"):
        made = run_of_embeddings(X, request=request, whitening=IdentityWhitening()).clustering
    assert (made.method.method, len(made.clusterer.reference_points_), ari(kind, made.labels)) == ("spectral", 200, 1)


def test_a_little_more_memory_draws_the_same_sample():
    "What the process itself takes differs from run to run."
    assert {rows_that_fit(Consensus(8, max_memory=4e6 + more), 8000, 10) for more in (0, 1e3, 1e5)} == {4000}


@pytest.mark.parametrize("size, said", [
    (1e6, "the program with its libraries takes"), (0, "a number of bytes above 0"),
    ("4G", "a number of bytes above 0"), (float("nan"), "a number of bytes above 0")])
def test_a_budget_that_is_none(long, deaf, size, said):
    with pytest.raises(ValueError, match=said): AudioClusterer(options=Options(max_memory=size)).fit(long)


@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_a_budget_changes_nothing_else(words, method):
    options = Options(stability=3)
    bounded = replace(options, max_memory=memory_in_use() + 1e9)
    a, b = (AudioClusterer(method, 6, options=one).fit(words[0]) for one in (options, bounded))
    assert (a.labels_ == b.labels_).all() and (a.embeddings_ == b.embeddings_).all()
    assert request_record(a.request()) == request_record(b.request())
    assert a.clusterer_.get_params() == b.clusterer_.get_params()  # what was left is forgotten
    assert a.stability_.overall == b.stability_.overall


def test_log_mels_are_not_doubled_for_a_clip_that_cannot_be_decoded():
    frames, starts = np.arange(12., dtype=np.float16).reshape(6, 2), np.array([0, 2, 2, 5, 6])
    store = LogMelStore(frames, starts, np.zeros(4, np.float32), 8000)
    some = store.subset([0, 2, 3])
    assert some.frames is store.frames and some.starts.tolist() == [0, 2, 5, 6]
    assert (some.batch([1])[0].numpy() == store.batch([2])[0].numpy()).all()
    assert store.subset([2, 0]).frames.tolist() == store.frames[[2, 3, 4, 0, 1]].tolist()
    assert len(store.subset([0, 2]).frames) == 5


def peak(source, out, *options):
    "Status, the most bytes that a run held, what it said."
    psutil = pytest.importorskip("psutil")
    typed = [sys.executable, "-m", "audioclust", "cluster", str(source), "--out", str(out), *RUN, *options]
    p = subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tree, most = psutil.Process(p.pid), 0
    while p.poll() is None:
        try:
            workers = sum(child.memory_full_info().uss for child in tree.children(recursive=True))
            most = max(most, tree.memory_info().rss + workers)
        except psutil.Error: pass
        time.sleep(.02)
    return p.returncode, most, p.stderr.read()


@pytest.fixture(scope="module")
def base():
    "What the program takes before it has clips, as --max-memory counts."
    if sys.platform != "linux": pytest.skip("reads what processes share")
    code = ("from audioclust.cli import main; from audioclust.pipeline import AudioClusterer; "
            "from audioclust.core.memory import memory_in_use; print(memory_in_use())")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    return int(LATER_BYTES) + int(said)


def test_a_run_stays_within_its_budget(words, tmp_path, base):
    code, most, err = peak(words[0], tmp_path/"run", "--max-memory", f"{base + 10**8}", "--workers", "2")
    assert code == 0 and base/2 < most < base + 1e8, (base, most, err)
    assert "max_memory" not in json.loads((tmp_path/"run/run.json").read_text())["request"]
    again = ["cluster", str(words[0]), "--out", str(tmp_path/"run"), *RUN, "--max-memory", "20G", "--resume"]
    assert main(again) == 0  # on another machine
    code, most, err = peak(words[0], tmp_path/"other", "--max-memory", "300M")
    assert code == 2 and err.count("\n") == 1 and not (tmp_path/"other").exists()
    assert err.startswith("audioclust cluster: max_memory is 0.3 GB, and the program with its libraries takes")
