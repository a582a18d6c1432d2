"A budget of memory: what is left of it, what is refused before the first clip is decoded, and what runs really hold."
import json, os, subprocess, sys, time

import numpy as np
import pytest
import soundfile as sf

from audioclust.core.memory import LATER_BYTES, memory_in_use
from audioclust.cli import main
from audioclust.pipeline import AudioClusterer, Options
from audioclust.ensembles import Consensus
from audioclust.encoders.residual import IdentityWhitening
from audioclust.metrics import ari
from audioclust.pipeline.clustering import group
from audioclust.pipeline.given_embeddings import from_embeddings
from audioclust.runs.request import Request, request_record
from audioclust.pipeline.memory_needs import rows_that_fit

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
    for name in "audio.batches.load_audio_at", "audio.load_audio", "audio.loaders.load_audio":
        monkeypatch.setattr(f"audioclust.{name}", no)


@pytest.mark.parametrize("method, size, more, said", [
    ("agglomerative", None, dict(params=dict(max_memory=1e6)),
            r"100,001 rows, which keeps the distances of all pairs, would need about 80.0 GB, and 1.0 MB may be used.*HDBSCAN"),
    ("consensus", 1.5e9, dict(params=dict(n_members=60_000)),
            "indicator matrix of 60000 partitions of 100,001 clips would need about 240.0 GB"),
    ("spectral", 1.5e9, dict(params=dict(n_members=60_000)),
            "SpectralClustering of 100,001 rows, with 28 neighbours and 10 eigenvectors, would need about 240.4 GB"),
    ("meanshift", 1.6e9, dict(params=dict(max_memory=1e6)), "and 1.0 MB may be used"),
            ("hdbscan", 3e9, dict(params=dict(metric="cosine")),
                    "HDBSCAN of 100,001 rows with metric='cosine' would need about 240.0 GB"),
    ("kmeans", "little", {}, r"100,001 clips with 416 numbers each would need about 0.3 GB, and .* are left of max_memory, .* take fewer clips"),
    ("deepcluster", 2e9, {}, r"A network and 100,001 clips \(1,000,010 s\) would need about 2\d.\d GB")])
def test_what_cannot_fit_is_refused_before_a_clip_is_decoded(long, deaf, method, size, more, said):
    if method in ("agglomerative", None) and size is None and os.name == "nt": pytest.skip("free memory is not known")
    size = memory_in_use() + LATER_BYTES + 1e8 if size == "little" else size and size + memory_in_use()
    with pytest.raises(ValueError, match=said):
        AudioClusterer(method, 10, window=10., options=Options(max_memory=size, **(dict(hop=.0009) | more))).fit(long)


@pytest.mark.parametrize("method, params, size",
        [("agglomerative", {}, 9e6), ("consensus", dict(n_members=4), 2e5),
                ("spectral", dict(n_members=2, n_neighbors=5), 4e6)])
def test_what_cannot_fit_is_fitted_to_a_sample(method, params, size):
    rng = np.random.default_rng(0)
    kind = rng.permutation(np.repeat(np.arange(4), 1000))
    X = (5*np.eye(6)[kind] + rng.normal(size=(4000, 6))).astype(np.float32)
    request = Request(method, 4, options=Options(params=dict(params, max_memory=size), stability=0))
    with pytest.warns(UserWarning, match=r"of 4,000 clips needs more memory than it may use: it was fitted to [123],\d+ of them"): made = run_of_embeddings(X, request=request, whitening=IdentityWhitening())
    again = run_of_embeddings(X, request=request, whitening=IdentityWhitening())
    assert (len(made.clustering.labels) == len(made.clustering.confidence) == 4000 and ari(kind, made.clustering.labels) > .9
            and (made.clustering.labels == again.clustering.labels).all())


def test_a_little_more_memory_draws_the_same_sample():
    "What the process itself takes differs from run to run."
    assert {rows_that_fit(Consensus(8, max_memory=4e6 + more), 8000, 10) for more in (0, 1e3, 1e5)} == {4000}


@pytest.mark.parametrize("size, said", [(1e6, "the program with its libraries takes"),
        (0, "a number of bytes above 0"), ("4G", "a number of bytes above 0"),
                (float("nan"), "a number of bytes above 0")])
def test_a_budget_that_is_none(long, deaf, size, said):
    with pytest.raises(ValueError, match=said): AudioClusterer(options=Options(max_memory=size)).fit(long)


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "dbscan", "hdbscan", "meanshift", "consensus",
        "spectral"])
def test_a_budget_changes_nothing_else(words, method):
    given = dict(params=dict(eps=.9) if method == "dbscan" else None, stability=3)
    a, b = (AudioClusterer(method, 6, options=Options(max_memory=most, **given)).fit(words[0])
            for most in (None, memory_in_use() + 1e9))
    assert ((a.labels_ == b.labels_).all() and (a.embeddings_ == b.embeddings_).all()
            and request_record(a.request()) == request_record(b.request()))
    assert a.clusterer_.get_params() == b.clusterer_.get_params()  # what was left is forgotten
    assert a.stability_.overall == b.stability_.overall


def test_the_method_and_its_repeats_get_what_is_left(words, monkeypatch):
    seen = []
    from audioclust.classical import AgglomerativeClustering
    check = AgglomerativeClustering.check_rows
    monkeypatch.setattr(AgglomerativeClustering, "check_rows", lambda self, n,
            d: (seen.append(self.max_memory), check(self, n, d)))
    AudioClusterer("agglomerative", n_clusters=6,
            options=Options(max_memory=(most := memory_in_use() + 1e9), stability=2)).fit(words[0])
    # for all clips, first as a question, two parts, and as many points without groups with three parts
    assert len(seen) == 9 and all(0 < s < most for s in seen)
    seen.clear()
    AudioClusterer("agglomerative", n_clusters=6,
            options=Options(max_memory=most, params=dict(max_memory=5e8), stability=2)).fit(words[0])
    assert seen == [5e8]*9


def test_log_mels_are_not_doubled_for_a_clip_that_cannot_be_decoded():
    from audioclust.encoders.logmel_store import LogMelStore
    store = LogMelStore(np.arange(12., dtype=np.float16).reshape(6, 2), np.array([0, 2, 2, 5, 6]),
            np.zeros(4, np.float32), 8000)
    some = store.subset([0, 2, 3])
    assert (some.frames is store.frames and some.starts.tolist() == [0, 2, 5, 6]
            and (some.batch([1])[0].numpy() == store.batch([2])[0].numpy()).all())
    assert (store.subset([2, 0]).frames.tolist() == store.frames[[2, 3, 4, 0, 1]].tolist()
            and len(store.subset([0, 2]).frames) == 5)


def peak(source, out, *options):
    "Status, the most bytes that a run held, what it said."
    psutil = pytest.importorskip("psutil")
    most = 0
    p = subprocess.Popen([sys.executable, "-m", "audioclust", "cluster", str(source), "--out", str(out), *RUN,
            *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tree = psutil.Process(p.pid)
    while p.poll() is None:
        try:
            most = max(most, tree.memory_info().rss + sum(c.memory_full_info().uss
                    for c in tree.children(recursive=True)))
        except psutil.Error: pass
        time.sleep(.02)
    return p.returncode, most, p.stderr.read()


@pytest.fixture(scope="module")
def base():
    "What the program takes before it has clips, as --max-memory counts."
    if sys.platform != "linux": pytest.skip("reads what processes share")
    return int(LATER_BYTES) + int(subprocess.run([sys.executable, "-c",
            "from audioclust.cli import main; from audioclust.pipeline import AudioClusterer; from audioclust.core.memory import memory_in_use; print(memory_in_use())"], capture_output=True, text=True).stdout)


def test_a_run_stays_within_its_budget(words, tmp_path, base):
    code, most, err = peak(words[0], tmp_path/"run", "--max-memory", f"{base + 10**8}", "--workers", "2")
    assert code == 0 and base/2 < most < base + 1e8, (base, most, err)
    assert "max_memory" not in json.loads((tmp_path/"run/run.json").read_text())["request"]
    # another machine
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), *RUN, "--max-memory", "20G", "--resume"]) == 0
    code, most, err = peak(words[0], tmp_path/"other", "--max-memory", "300M")
    assert code == 2 and err.startswith("audioclust cluster: max_memory is 0.3 GB, and the program with its libraries takes") and err.count("\n") == 1 and not (tmp_path/"other").exists()


@pytest.mark.slow
def test_larger_runs_stay_within_theirs(long, tmp_path, base):
    x = sf.read(long)[0]
    for i in range(6): sf.write(tmp_path/f"{i}.wav", np.roll(x, 1000*i), 8000)
    many, most, texts = ["--window", ".5", "--hop", ".02", "--overwrite", "--workers", "16"], {}, set()
    for size in base + 3*10**8, base + 5*10**8, None:  # 30,000 clips
        code, most[size], err = peak(f"{tmp_path}/?.wav", tmp_path/"run", *many,
                *(["--max-memory", str(size)] if size else []))
        assert code == 0, err
        texts.add((tmp_path/"run/clusters.csv").read_bytes())
    print(f"the program {base/1e6:.0f} MB;",
            ", ".join(f"{f'{size/1e6:.0f} MB allowed' if size else 'no bound'}: {m/1e6:.0f} MB held" for size,
                    m in most.items()))
    assert len(texts) == 1 and all(size is None or m < size for size,
            m in most.items()) and most[None] > base + 3e8, (base, most)
    code, _, err = peak(f"{tmp_path}/?.wav", tmp_path/"run", *many, "--max-memory", str(base + 10**8))
    assert code == 2 and "clips with 416 numbers each would need about 0.2 GB" in err and err.count("\n") == 1, err
