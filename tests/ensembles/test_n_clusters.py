"The number of clusters: on made-up blobs, through the pipeline and the command."
import json

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.ensembles import choose_k
from audioclust.ensembles.n_clusters import candidates
from audioclust.pipeline import AudioClusterer
from audioclust.pipeline.run_reading import read_table
from audioclust.pipeline.run_reading import read_run


@pytest.mark.parametrize("k", [3, 5, 8])
def test_separate_blobs_are_counted(k):
    X, _ = make_blobs(25*k, 6, centers=np.random.default_rng(k).normal(size=(k, 6))*12, random_state=0)
    choice = choose_k(X)
    assert choice.k == k
    if k == 3: assert choose_k(X).curve.equals(choice.curve)


def test_candidates_stay_below_the_number_of_clips():
    for n in (10, 20, 100, 5000):
        ks = candidates(n)
        assert 2 <= min(ks) and max(ks) <= max(2, min(40, n//5))


def test_more_candidates_than_a_subsample_holds_are_refused(rng):
    X = rng.normal(size=(20, 3))
    with pytest.raises(ValueError, match="from 2 to 16, four fifths of the 20 clips"): choose_k(X, ks=[18])
    assert choose_k(X, ks=[2, 16]).k in (2, 16)


@pytest.mark.parametrize("method", ["kmeans", "consensus", "agglomerative", "hdbscan"])
def test_auto_for_methods(words, method):
    folder, _ = words
    model = AudioClusterer(method, n_clusters="auto").fit(folder)
    if method == "hdbscan":
        assert model.n_clusters_choice_ is None
    else:
        assert model.n_clusters_choice_.k == len(np.unique(model.labels_))
        assert model.n_clusters_choice_.curve.stability.between(-.1, 1).all()


def test_auto_and_stability_on_the_command_line(tmp_path, capsys):
    synthetic_words(4, 8, 8).save(tmp_path/"in")
    folder = tmp_path/"run"
    arguments = ["cluster", str(tmp_path/"in"), "--out", str(folder), "--n-clusters", "auto", "-q", "--no-page"]
    assert main(arguments) == 0
    printed, run = capsys.readouterr().out, read_run(folder)
    assert run["n_clusters_choice"]["why"] in printed and "stability" in printed and (folder/"figures/choice.png").is_file()
    assert run["summary"]["clusters"] == run["n_clusters_choice"]["k"] == len(run["stability"]["clusters"])
    table = read_table(folder/"clusters.csv")
    assert table.stability.between(0, 1).all()
    loaded = AudioClusterer.load(folder)
    assert loaded.n_clusters_choice_.k == run["n_clusters_choice"]["k"]
    assert loaded.stability_.overall == pytest.approx(run["stability"]["overall"])
    assert (loaded.assign(tmp_path/"in", []).cluster.to_numpy() == table.cluster).all()
    loaded.save(tmp_path/"copy", figures=False)
    assert json.loads((tmp_path/"copy/run.json").read_text())["n_clusters_choice"]["why"] == run["n_clusters_choice"]["why"]


def test_auto_needs_some_clips(tmp_path, tone, capsys):
    for i in range(4): tone(tmp_path/"in"/f"{i}.wav", hz=300*(i + 1))
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "auto", "-q"]) == 2
    assert "too few to choose" in capsys.readouterr().err
