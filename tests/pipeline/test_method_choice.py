"`--method auto` from the command to the run folder, and all that can be done with such a run."
import json

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.ensembles import method_choice
from audioclust.ensembles.method_choice import MethodChoice, FEWER_MEMBERS
from audioclust.kmeans import KMeans
from audioclust.ensembles import SpectralClustering
from audioclust.pipeline import Options, regroup, Request, Run, run_of_embeddings

QUICK = "--stability", "0", "--no-page"

def circles(n, seed):
    "Three circles in planes that have nothing in common: K-means finds parts of them."
    angle = np.linspace(0, 2*np.pi, n, endpoint=False)
    X = np.zeros((3*n, 6))
    for i in range(3): X[i*n:(i + 1)*n, 2*i:2*i + 2] = np.stack([np.cos(angle), np.sin(angle)], 1)
    return (X + np.random.default_rng(seed).normal(0, .02, X.shape)).astype(np.float32)

ROUND = np.random.default_rng(0).normal(np.eye(3, 6)[np.repeat(range(3), 30)]*4, 1.1).astype(np.float32)
SETS = dict(spectral=circles(30, 0), kmeans=ROUND) # name of the right method → embeddings
SETTINGS = dict(spectral=["--set", "n_neighbors=5,10,20", "--set", "n_members=9", "--set", "n_init=5"], kmeans=[])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    "The two methods are compared with few starts; the groups themselves are as always."
    def makers(k, *_):
        return dict(kmeans=lambda seed: KMeans(k, n_init=3, random_state=seed),
                    spectral=lambda seed: SpectralClustering(k, n_neighbors=10, n_members=3, n_init=3, random_state=seed))
    monkeypatch.setattr(method_choice, "_makers", makers)

def cluster(X, out, *typed):
    np.save(out.with_suffix(".npy"), X)
    arguments = "cluster", "--embeddings", out.with_suffix(".npy"), "--out", out, *QUICK, *typed
    return main([str(argument) for argument in arguments])

def groups_of(out): return pd.read_csv(out/"clusters.csv").cluster.to_numpy()


@pytest.mark.parametrize("method", ["spectral", "kmeans"])
def test_the_groups_are_those_of_the_chosen_method(tmp_path, capsys, method):
    X = SETS[method]
    assert cluster(X, tmp_path/"auto", "--n-clusters", "3", "--method", "auto") == 0
    said = capsys.readouterr().out
    assert cluster(X, tmp_path/"named", "--n-clusters", "3", "--method", method, *SETTINGS[method]) == 0
    np.testing.assert_array_equal(groups_of(tmp_path/"auto"), groups_of(tmp_path/"named"))
    record, named = (json.loads((tmp_path/out/"run.json").read_text()) for out in ("auto", "named"))
    chosen = record["clustering"].pop("method")
    assert record["request"]["method"] == "auto"
    assert chosen["method"] == method and said.count(chosen["why"] + "\n") == 1
    assert record["clustering"] == named["clustering"] and "method" not in named["clustering"]
    run = Run.open(tmp_path/"auto")
    assert run.method == method and f", {method})" in repr(run) and run.clustering.method == MethodChoice(**chosen)
    assert "method " not in capsys.readouterr().out


def test_what_can_be_done_with_such_a_run(tmp_path, capsys):
    X, out = SETS["spectral"], tmp_path/"run"
    asked = "--n-clusters", "3", "--method", "auto"
    assert cluster(X, out, *asked) == 0
    before = groups_of(out)
    assert cluster(X, out, *asked, "--resume") == 0
    np.testing.assert_array_equal(groups_of(out), before)
    capsys.readouterr()
    assert cluster(X, out, "--n-clusters", "3", "--method", "kmeans", "--resume") == 2
    assert "method was 'auto' and is 'kmeans'" in capsys.readouterr().err
    new = circles(10, 5)
    np.save(tmp_path/"new.npy", new)
    at = {name: str(tmp_path/name) for name in ("new.npy", "new.csv", "grown")}
    assert main(["assign", str(out), "--embeddings", at["new.npy"], "--out", at["new.csv"]]) == 0
    np.testing.assert_array_equal(pd.read_csv(at["new.csv"]).cluster, before[::3])
    assert main(["cluster", "--embeddings", at["new.npy"], "--grow", str(out), "--out", at["grown"], "--no-page"]) == 0
    np.testing.assert_array_equal(groups_of(tmp_path/"grown")[:90], before)
    made = Run.open(out)
    two = regroup(made, n_clusters=2)
    assert two.request.method == "auto" and two.clustering.method.why != made.clustering.method.why
    assert regroup(made, "kmeans").clustering.method is None
    assert cluster(X, out, *asked[2:], "--set", "n_init=3", "--overwrite") == 2
    assert "method auto takes no parameters: name the method that has n_init" in capsys.readouterr().err


def test_the_number_comes_first():
    "The number and its levels are those of any method, and the method is chosen at it."
    X, quick = SETS["kmeans"][::2], Options(stability=2)
    auto = run_of_embeddings(X, request=Request("auto", "auto", options=quick))
    same = Options(stability=2, params=FEWER_MEMBERS if auto.method == "spectral" else {})
    named = run_of_embeddings(X, request=Request(auto.method, "auto", options=same))
    assert auto.method in ("kmeans", "spectral") and auto.clustering.number.k == named.clustering.number.k
    np.testing.assert_array_equal(auto.clustering.labels, named.clustering.labels)
    for one,other in zip(auto.clustering.levels, named.clustering.levels, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)


def test_seeds_are_kept_whatever_is_chosen():
    paths = [f"{i}.wav" for i in range(90)]
    seeds = pd.DataFrame(dict(path=["0.wav", "1.wav", "31.wav"], label=["a", "a", "b"]))
    asked = Request("auto", 3, options=Options(stability=0, seeds=seeds))
    for method,X in SETS.items():
        run = run_of_embeddings(X, pd.DataFrame(dict(path=paths, start=0., end=1.)), asked)
        labels = run.clustering.labels
        assert run.method == method and labels[0] == labels[1] != labels[31]
