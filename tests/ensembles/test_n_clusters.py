"The number of clusters: on made-up blobs, through the pipeline and the command."
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.ensembles import choose_k, n_clusters
from audioclust.ensembles.coding_length import coding_length
from audioclust.ensembles.n_clusters import (
    best_number, candidates, explain_choice, fewest_as_separate, level_numbers, number_beside, three_numbers, try_numbers)
from audioclust.listen.figures import plot_choice
from audioclust.pipeline import AudioClusterer, Request
from audioclust.pipeline.cluster_step import number_wanted
from audioclust.runs.run_folder import read_record, read_table


@pytest.mark.parametrize("k", [3, 5, 8])
def test_separate_blobs_are_counted(k):
    X, _ = make_blobs(25*k, 6, centers=np.random.default_rng(k).normal(size=(k, 6))*12, random_state=0)
    choice = choose_k(X)
    assert choice.k == k
    if k == 3: assert choose_k(X).curve.equals(choice.curve)


def test_coding_length_is_the_published_sum(rng):
    X = rng.normal(size=(40, 6))
    labels = rng.integers(3, size=40)  # groups larger and smaller than the dimension
    e2 = .3
    labels[:3] = 3
    bits = 0
    for g in range(4):
        Z = X[labels == g]
        m, mu = len(Z), Z.mean(0)
        determinant = np.linalg.det(np.eye(6) + 6/(e2*m)*(Z - mu).T @ (Z - mu))
        bits += (m + 6)/2*np.log2(determinant) + 6/2*np.log2(1 + (mu**2).sum()/e2) - m*np.log2(m/40)
    assert coding_length(X, labels, e2) == pytest.approx(bits/40)


def curve(silhouette, bits):
    return pd.DataFrame(dict(k=range(2, 2 + len(silhouette)), silhouette=silhouette, saved_bits=bits))

def test_the_choice_by_hand():
    assert best_number(curve([.3, .4, .5, .2], [1., 2, 3, 4])) == 4  # a clear silhouette
    silhouette = [.05, .1, .2, .25, .3, .3, .31, .32, .33, .34, .35]  # k from 2 to 12
    few = curve(silhouette, [1., 2, 3, 4, 5, 5.1, 5, 4, 3, 2, 1])
    assert three_numbers(few) == (5, 12, 6)
    assert best_number(few) == 5  # the formula gives 4.1, and the smallest is 5
    none = curve([-.1, -.2, -.3], [-5., -6, -7])
    assert best_number(none) == 1
    def explained(curve, k): return explain_choice(curve, k, level_numbers(curve, k))
    assert "no groups stand out: one group is described in 5.0 bits a clip fewer" in explained(none, 1)
    doubtful = curve([-.1, -.2, -.3], [-.1, -.2, -.3])
    assert best_number(doubtful) == 2 and "Nothing decides" in explained(doubtful, 2)
    assert "Nothing decides" in explained(curve([.02, .03, .01], [1., 2, 3]), 3)  # the curve is flat
    assert "Nothing decides" not in explained(few, 5)
    clear = curve([.5, .2, .3], [-5., -6, -7])  # few clips in separate groups
    assert best_number(clear) == 2


def planted(k, j, loud, rng):
    content, source = np.repeat(np.arange(k), 20*j), np.tile(np.arange(j), 20*k)
    axes = np.eye(k + j + k*j, dtype=np.float32)
    X = loud*axes[content] + (1.5 - loud)*axes[k + source] + .7*axes[k + j + content*j + source] # cells have axes, too
    return X + rng.normal(scale=.15, size=X.shape).astype(np.float32)

def test_two_groupings_that_cross_tell_each_other(rng):
    for k, j in (4, 6), (2, 9), (5, 5):
        own, other = (planted(k, j, loud, rng) for loud in (.85, .65))
        choice, back = choose_k(own, other=other), choose_k(other, other=own)
        assert (choice.k, back.k) == (k, j) and choice.levels["fine"] >= .9*k*j and "make them" in choice.why

def test_one_grouping_and_two_that_have_nothing_in_common(rng):
    X, Y = (np.eye(16)[labels] + rng.normal(scale=.15, size=(480, 16)) for labels in rng.integers(12, size=(2, 480)))
    same, apart = choose_k(X, other=X[:, ::-1] + rng.normal(scale=.05, size=X.shape)), choose_k(X, other=Y)
    assert same.k == same.k_other == apart.k == 12 and "largest with 12" in same.why

def test_the_fewest_groups_that_are_as_separate_as_any():
    def told(*silhouette, error=.01): return fewest_as_separate(curve(silhouette, [1.]*len(silhouette)).assign(error=error))
    assert (told(.1, .15, .19, .2, .1), told(.1, .15, .179, .2, .1), told(.1, .15, .19, .2, .1, error=.03)) == (4, 5, 3)
    assert told(*[.05]*20) == 10 and told(.05, .06) == 3, "nothing decides: a moderate number"
    assert told(*np.linspace(.1, .3, 20)) == 10 and told(*np.linspace(.1, .5, 20)) == 21, "at the end only what is clear decides"

def test_the_other_grouping_is_left_out_where_it_says_nothing(rng):
    X = rng.normal(size=(200, 8)).astype(np.float32)
    tried = try_numbers(X, candidates(60))
    at_end = tried._replace(curve=tried.curve.assign(silhouette=tried.curve.k/100))
    assert number_beside(at_end, tried) == number_beside(tried, at_end) == (0, 0, "")
    for other in np.ones_like(X), rng.normal(size=(200, 3)): assert choose_k(X, other=other).k == choose_k(X).k == 1


@pytest.mark.parametrize("kinds, each", [(4, 5), (10, 5), (10, 12)])
def test_few_clips_of_several_kinds_are_shown_as_a_guess(rng, kinds, each):
    X = make_blobs([each]*kinds, 40, random_state=0, cluster_std=4.)[0]
    for other in None, X:
        found = choose_k(X, other=other)
        assert kinds/1.5 <= found.k <= kinds and "guess: merge what sounds alike" in found.why
    one = choose_k(rng.normal(size=(kinds*each, 40)), other=X)
    assert one.k == 1 and one.k_other > 2 and f"on {kinds*each} clips. So all clips are one group" in one.why

def test_where_the_silhouette_rises_to_the_end_there_are_many_groups():
    X = make_blobs([4]*75, 6, random_state=0, cluster_std=1.5)[0]
    for other in None, X[:, :3]:
        found = choose_k(X, other=other)
        assert 28 <= found.k <= 60 and "many, at least 28: the silhouette still rises at 60" in found.why


def test_equal_points_are_one_group_and_copies_of_few_points_at_most_as_many(rng):
    one = choose_k(np.repeat(rng.normal(size=(1, 6)), 40, 0))
    assert one.k == 1 and one.levels == {"only": 1} and "40 clips that were compared are all equal" in one.why
    assert np.isnan(one.curve.silhouette).all() and len(plot_choice(one).axes) == 2
    few = choose_k(np.repeat(rng.normal(size=(3, 6)), 20, 0))
    assert few.curve.k.tolist() == [2, 3] and few.k == 3 and "finer" not in few.why


@pytest.mark.parametrize("ks", [[3, 4], range(150, 161)])
def test_the_picture_of_a_choice_has_numbers_at_its_axis(rng, ks, monkeypatch):
    monkeypatch.setattr(n_clusters, "candidates", lambda n: list(ks))
    ax = plot_choice(choose_k(rng.normal(size=(400, 5)))).axes[0]
    shown = [k for k in ax.get_xticks() if ks[0] <= k <= ks[-1]]
    assert 2 <= len(shown) <= 8 and set(shown) <= set(ks)


def test_a_method_that_trains_takes_two_groups_of_equal_clips():
    choice, request = choose_k(np.ones((20, 4))), Request("deepcluster", "auto")
    assert number_wanted(choice, request) == 2


@pytest.mark.draws
def test_auto_and_stability_on_the_command_line(tmp_path, capsys):
    synthetic_words(4, 8, 8).save(tmp_path/"in")
    folder = tmp_path/"run"
    arguments = ["cluster", str(tmp_path/"in"), "--out", str(folder), "--n-clusters", "auto", "-q", "--no-page"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    record = read_record(folder)
    number, stability = record["clustering"]["number"], record["findings"]["stability"]
    assert number["why"] in printed
    assert "stability" in printed
    for figure in ("choice", "levels"): assert (folder/f"figures/{figure}.png").is_file()
    assert record["clustering"]["clusters"] == number["k"] == len(stability["clusters"])
    table = read_table(folder/"clusters.csv")
    assert table.stability.between(0, 1).all()
    loaded = AudioClusterer.load(folder)
    assert loaded.n_clusters_choice_.k == number["k"]
    assert loaded.stability_.overall == pytest.approx(stability["overall"])
    assert (loaded.assign(tmp_path/"in", []).cluster.to_numpy() == table.cluster).all()


def test_few_clips_make_few_groups(tmp_path, tone, capsys):
    for i in range(4): tone(tmp_path/"in"/f"{i}.wav", hz=300*(i + 1))
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "-q"]) == 0
    assert "too few to choose a number of groups from, so there are 2" in capsys.readouterr().out
    tone(tmp_path/"one"/"0.wav")
    assert main(["cluster", str(tmp_path/"one"), "--out", str(tmp_path/"of one"), "-q"]) == 2
    assert "only one clip that can be used, which makes one cluster" in capsys.readouterr().err
