"Stability and the number of clusters: against plain computations, on made heaps, through the pipeline and the command."
import json

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from audioclust.ensembles.n_clusters import candidates
from audioclust.ensembles import choose_k
from audioclust.cli import main
from audioclust.audio import synthetic_words
from audioclust.kmeans import KMeans
from audioclust.pipeline import AudioClusterer
from audioclust.pipeline.run_reading import read_table
from audioclust.pipeline.run_reading import read_run
from audioclust.ensembles.resampling import likeness, resampled
from audioclust.ensembles import stability_of


def test_likeness_is_the_jaccard_index(rng):
    a, b = rng.integers(-1, 4, 200), rng.integers(-1, 5, 200)
    olds, news, J = likeness(a, b)
    for i in olds:
        for j in news:
            one, other = set(np.flatnonzero(a == i)), set(np.flatnonzero(b == j))
            assert np.isclose(J[list(olds).index(i), list(news).index(j)], len(one & other)/len(one | other))


def test_stability_of_what_never_changes_and_of_chance(rng):
    y = rng.integers(0, 4, 400)
    same = stability_of(y, np.arange(400), [rng.permutation(4)[y] for _ in range(5)])
    assert same.overall == 1 and set(same.clusters.values()) == {1.} and (same.clips == 1).all()
    chance = stability_of(y, np.arange(400), [rng.integers(0, 4, 400) for _ in range(5)])
    assert abs(chance.overall) < .05 and max(chance.clusters.values()) < .35


def test_a_sample_leaves_the_rest_open(rng):
    X, y = rng.normal(size=(500, 2)), rng.integers(0, 2, 500)
    rows, again = resampled(lambda seed: KMeans(2, random_state=seed), X, 3, most=100)
    s = stability_of(y, rows, again)
    assert again.shape == (3, 100) and np.isnan(s.clips).sum() == 400


@pytest.mark.parametrize("k", [3, 5, 8])
def test_separate_heaps_are_counted(k):
    X, _ = make_blobs(25*k, 6, centers=np.random.default_rng(k).normal(size=(k, 6))*12, random_state=0)
    assert choose_k(X).k == k and (k > 3 or choose_k(X).k == k)  # again the same


def test_candidates_stay_below_the_number_of_clips():
    for n in (10, 20, 100, 5000): assert 2 <= min(candidates(n)) and max(candidates(n)) <= max(2, min(40, n//5))


@pytest.mark.parametrize("method", ["kmeans", "consensus", "agglomerative", "hdbscan"])
def test_auto_for_methods(words, method):
    folder, _ = words
    m = AudioClusterer(method, n_clusters="auto").fit(folder)
    if method == "hdbscan": assert m.n_clusters_choice_ is None
    else: assert m.n_clusters_choice_.k == len(np.unique(m.labels_)) and m.n_clusters_choice_.curve.stability.between(-.1, 1).all()


def test_auto_and_stability_on_the_command_line(tmp_path, capsys):
    synthetic_words(4, 8, 8).save(tmp_path/"in")
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "auto", "-q", "--no-page"]) == 0
    said, run = capsys.readouterr().out, read_run(tmp_path/"run")
    assert "come again" in said and "stability" in said and (tmp_path/"run/figures/choice.png").is_file()
    assert run["summary"]["clusters"] == run["n_clusters_choice"]["k"] == len(run["stability"]["clusters"])
    t = read_table(tmp_path/"run/clusters.csv")
    assert t.stability.between(0, 1).all()
    again = AudioClusterer.load(tmp_path/"run")
    assert again.n_clusters_choice_.k == run["n_clusters_choice"]["k"] and again.stability_.overall == pytest.approx(run["stability"]["overall"]) and (again.assign(tmp_path/"in", []).cluster.to_numpy() == t.cluster).all()
    again.save(tmp_path/"copy", figures=False)
    assert json.loads((tmp_path/"copy/run.json").read_text())["n_clusters_choice"]["why"] == run["n_clusters_choice"]["why"]


def test_auto_needs_some_clips(tmp_path, tone, capsys):
    for i in range(4): tone(tmp_path/"in"/f"{i}.wav", hz=300*(i + 1))
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "auto", "-q"]) == 2
    assert "too few to choose" in capsys.readouterr().err


def test_more_candidates_than_a_part_holds_are_refused(rng):
    X = rng.normal(size=(20, 3))
    with pytest.raises(ValueError, match="from 2 to 16, four fifths of the 20 clips"): choose_k(X, ks=[18])
    assert choose_k(X, ks=[2, 16]).k in (2, 16)
