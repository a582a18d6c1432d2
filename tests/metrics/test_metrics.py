"Scores against known values, exact fractions, scikit-learn, and what must hold for any labels."
import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as sk

from audioclust.metrics import accuracy, ami, ari, contingency, match_clusters, nmi, plot_confusion, purity, score

MEANS = ("geometric", "arithmetic", "min", "max")
from_table = lambda table: tuple(np.repeat(side.ravel(), np.ravel(table)) for side in np.indices(np.shape(table)))

# u (clusters), v (classes), NMI, ARI, ACC
KNOWN = {
    "one sample": ([0], [0], 1, 1, 1),
    "two, one side split": ([0, 1], [0, 0], 0, 0, 1/2),
    "one cluster, one class": ([1]*4, [0]*4, 1, 1, 1),
    "one cluster, two classes": ([0]*4, [0, 0, 1, 1], 0, 0, 1/2),
    "singletons, two classes": ([0, 1, 2, 3], [0, 0, 1, 1], 0.7071067812, 0, 1/2),
    "singletons both": ([3, 2, 1, 0], [0, 1, 2, 3], 1, 1, 1),
    "independent 3x3": ([0, 1, 2]*3, [0]*3 + [1]*3 + [2]*3, 0, -1/3, 1/3),
    "split one class": ([0, 0, 1, 2], [0, 0, 1, 1], 0.8164965809, 4/7, 3/4),
    "K=3 > C=2": ([0, 0, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1], 0.8278474974, 12/17, 5/6),
    "K=2 < C=3": ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2], 0.5295405781, 8/33, 2/3),
    "table [[50,5],[10,35]]": (*from_table([[50, 5], [10, 35]]), 0.3924775748, 16/33, 17/20),
}

def test_known_values():
    for name, (u, v, nmi_, ari_, acc) in KNOWN.items():
        tolerance = 0 if nmi_ == int(nmi_) else 1e-10  # 0 and 1 come out exactly
        assert nmi(v, u) == pytest.approx(nmi_, abs=tolerance, rel=0), name
        assert (ari(v, u), accuracy(v, u)) == (ari_, acc), name

def test_empty_and_unequal_are_refused():
    for f in (nmi, ari, ami, accuracy, purity, contingency, match_clusters, score, plot_confusion):
        with pytest.raises(ValueError, match="labels_true has shape"): f([], [])
        with pytest.raises(ValueError, match="2 labels_true, but 1 labels_pred"): f([0, 1], [0])
        with pytest.raises(ValueError, match="1 missing"): f([0., math.nan], [0, 1])

SIX = [0, 0, 0, 1, 1, 1], [0, 0, -1, 1, 1, -1]
FOUR = [0, 0, 1, 1], [-1]*4

POLICIES = [
    (SIX, "cluster", 0.5295405781, 8/33, 4/6, 1), (SIX, "singletons", 0.7220083300, 3/8, 4/6, 1), (SIX,
        "drop", 1, 1, 1, 4/6),
    (FOUR, "cluster", 0, 0, 1/2, 1), (FOUR, "drop", math.nan, math.nan, math.nan, 0)]

def test_noise_policies():
    for labels, noise, *expected in POLICIES:
        s = score(*labels, noise=noise)
        got = s["nmi"], s["ari"], s["acc"], s["coverage"]
        assert got == pytest.approx(tuple(expected), abs=1e-10, nan_ok=True), noise
        assert (nmi(*labels, noise=noise), ari(*labels, noise=noise),
            accuracy(*labels, noise=noise)) == pytest.approx(got[:3], abs=0, nan_ok=True), noise

def test_noise_is_never_right_by_default():
    assert accuracy([0, 0, 1, 1], [0, 0, -1, -1]) == 0.5 == purity([0, 0, 1, 1], [0, 0, -1, -1])
    assert accuracy([0, 0, 1, 1], [0, 0, -1, -1], noise="cluster") == 1
    assert match_clusters([0, 0, 1, 1], [0, 0, -1, -1]) == {-1: None, 0: 0}
    assert match_clusters([0, 0, 1, 1], [0, 0, -1, -1], noise="cluster") == {-1: 1, 0: 0}
    s = score([0, 0, 1, 1], [0, 0, -1, -1])
    assert (s["acc"], s["nmi"], s["coverage"], s["n_noise"], s["n_clusters"]) == (0.5, 1, 0.5, 2, 1)
    s = score(*FOUR)
    assert (s["acc"], s["purity"], s["coverage"], s["n_clusters"], s["size_entropy"], s["imbalance"]) == (0,
        0, 0, 0, 0, 0)

def test_noise_is_minus_one_of_the_predictions_only():
    assert accuracy([-1, -1, 0], [5, 5, 6]) == 1 and nmi([-1, -1, 0], [5, 5, 6], noise="drop") == 1
    assert score(["a", "b"], ["-1", "x"])["n_noise"] == 0 == score(["a", "b"], [True, False])["n_noise"]
    assert score(["a", "b"], np.array([255, 0], dtype=np.uint8))["n_noise"] == 0
    assert score(["a", "b"], [-1., 0.])["n_noise"] == 1 == score(["a", "b"],
        np.array([-1, "x"], dtype=object))["n_noise"]

def test_singletons_equal_labels_written_out():
    rng = np.random.default_rng(1)
    true, pred = rng.integers(0, 4, 80), rng.integers(-1, 5, 80)
    written_out = np.where(pred == -1, 100 + np.arange(80), pred)
    for f in (nmi, ari, ami, purity, accuracy):
        assert f(true, pred, noise="singletons") == pytest.approx(f(true, written_out), abs=1e-12)
    table = contingency(true, written_out).table  # the whole table, without leaving out any single sound
    rows, cols = linear_sum_assignment(table, maximize=True)
    assert accuracy(true, written_out) == table[rows, cols].sum()/80

labels = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1,
    max_size=40).map(lambda pairs: tuple(np.array(pairs).T))
SCORES = dict(nmi=nmi, ari=ari, ami=ami, accuracy=accuracy)

@given(labels)
def test_symmetric_bounded_and_one_for_itself(vu):
    v, u = vu
    for name,f in SCORES.items():
        assert f(v, u) == pytest.approx(f(u, v), abs=1e-12), name
        assert f(v, v) == 1 and f(v, u) <= 1 + 1e-12, name
        assert f(v, u) >= {"ari": -.5, "ami": -math.inf}.get(name, 0), name
    assert np.bincount(u).max()/len(u)/(v.max() + 1) <= purity(v, u) and accuracy(v, u) <= purity(v, u) <= 1

@given(labels, st.permutations(range(8)), st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(vu, names, random):
    v, u = vu
    order = np.array(random.sample(range(len(v)), len(v)))
    words = np.array([f"cluster {i}" for i in names], dtype=object)
    for f in (*SCORES.values(), purity):
        assert f(v[order], words[u[order]]) == pytest.approx(f(v, u), abs=1e-12)
    a, b = score(v, u), score(v[order], words[u[order]])
    assert a == pytest.approx(b, abs=1e-12)

@settings(max_examples=25)
@given(st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 2), min_size=n, max_size=n)]*2)))
def test_chance_is_zero_over_all_orders(vu):
    "The mean over all n! orders, so exactly what fixed sizes and chance give."
    v, u = vu
    every = list(itertools.permutations(u))
    for f in (ari, ami):
        values = [f(v, order) for order in every]
        assert np.mean(values) == pytest.approx(f(v, v) if len(set(values)) == 1 and values[0] == 1 else 0, abs=1e-9)

@given(labels)
def test_same_as_scikit_learn(vu):
    v, u = vu
    assert ari(v, u) == pytest.approx(sk.adjusted_rand_score(v, u), abs=1e-12)
    assert (contingency(v, u).table == sk.cluster.contingency_matrix(v, u)).all()
    for mean in MEANS:
        assert nmi(v, u, average=mean) == pytest.approx(sk.normalized_mutual_info_score(v, u,
            average_method=mean), abs=1e-10)
    if len(set(u)) < len(u) and len(set(v)) < len(v):  # else 0/0, for which scikit-learn divides rounding errors
        for mean in MEANS[:2]:
            assert ami(v, u, average=mean) == pytest.approx(sk.adjusted_mutual_info_score(v, u,
                average_method=mean), abs=1e-9)

def test_ami_of_larger_tables():
    for n, classes, clusters in ((3000, 7, 90), (5000, 2, 2), (2000, 40, 1500)):
        rng = np.random.default_rng(n)
        v = (classes*rng.random(n)**2).astype(int)
        u = np.where(rng.random(n) < .3, v, (clusters*rng.random(n)**3).astype(int))
        assert ami(v, u) == pytest.approx(sk.adjusted_mutual_info_score(v, u), abs=1e-9), (n, classes, clusters)

def test_ami_where_there_is_nothing_to_gain():
    assert ami([0, 0, 1, 1], [0, 0, 0, 0]) == 0 == ami([0]*4, [0, 0, 1, 1])
    assert ami([0, 0, 1, 1], range(4)) == pytest.approx(0, abs=1e-12)
    assert ami([0, 0, 1, 1], range(4), average="min") == 0 and ami(range(4), [5, 4, 3, 2]) == 1

@given(labels.filter(lambda vu: len(set(vu[0])) <= 4 and len(set(vu[1])) <= 5))
def test_accuracy_is_the_best_of_all_maps(vu):
    v, u = vu
    table = contingency(v, u).table
    if len(table) > table.shape[1]: table = table.T
    rows, cols = table.shape
    best = max(table[range(rows), p].sum() for p in itertools.permutations(range(cols), rows))
    assert accuracy(v, u) == best/len(v)
    match = match_clusters(v, u)
    used = [m for m in match.values() if m is not None]
    assert len(set(used)) == len(used) and sum((v == [match[c] for c in u.tolist()]).tolist()) == best

def test_every_kind_of_label():
    want = score([0, 0, 1, 2], [3, 3, 4, 4])
    mixed = np.empty(4, dtype=object)
    mixed[:] = [1, 1, "x", (2, 3)]
    for v in (mixed, torch.tensor([0, 0, 1, 2]), np.array([-7, -7, 10**15, 0]), ["a", "a", "b", "c"],
        pd.Series(["a", "a", "b", "c"], index=[9, 8, 7, 6]),
              pd.Categorical(["a", "a", "b", "c"]), np.array(["a", "a", "b", "c"]), np.array([0, 0, 1, 2],
                  dtype=">i4"), pd.array([0, 0, 1, 2], dtype="Int64"),
              (5., 5., 6., 7.), torch.tensor([0, 0, 1, 2]).to(torch.uint8)):
        for u in ([True, True, False, False], torch.tensor([3., 3., 4., 4.], requires_grad=True), ["p", "p", "q", "q"]):
            assert score(v, u) == want

def test_no_labels():
    for bad in ([None, "a"], ["a", math.nan], pd.Series(["a", None]), pd.array([1, None], dtype="Int64"),
        np.array([1, math.nan]), torch.tensor([1., math.nan])):
        with pytest.raises(ValueError, match="labels_pred has 1 missing values"): nmi([0, 1], bad)
    for bad in (np.zeros((2, 2)), torch.zeros(2, 1), "ab", 3, pd.DataFrame({"a": [1, 2]})):
        with pytest.raises(ValueError, match="labels_pred has shape"): nmi([0, 1], bad)
    for bad in ([.5, 1], torch.tensor([1., math.inf])):
        with pytest.raises(ValueError, match="which is no label"): nmi([0, 1], bad)
    for f in (nmi, ari, ami, score, match_clusters):
        with pytest.raises(ValueError, match="noise must be one of"): f([0], [0], noise="ignore")
    for f in (nmi, ami):
        with pytest.raises(ValueError, match="average must be one of"): f([0], [0], average="harmonic")

def test_labels_are_not_changed_and_only_named():
    u = np.array([-1, 5, 2**62, 5])
    before = u.copy()
    for f in (score, contingency): f([0, 1, 1, 0], u)
    assert (u == before).all()
    assert contingency([0, 1, 1, 0], u).clusters.tolist() == [-1, 5, 2**62]
    assert len(contingency([2**63 + 1, 2**63 + 2, 5], [0, 1, 2]).table) == 3

def test_a_table_too_large_is_refused_before_it_is_made():
    with pytest.raises(ValueError, match="would not fit"): contingency(np.arange(10**4), np.arange(10**4))
    with pytest.raises(ValueError, match="would not fit"): accuracy(np.arange(2*10**4)//2, np.arange(2*10**4)//2)
    v, u = np.arange(2*10**5)//2, np.arange(2*10**5)//4
    assert purity(v, u) == .5 and ari(v, u) == pytest.approx(sk.adjusted_rand_score(v, u)) and 0 < ami(v, u) < nmi(v, u)

def test_large_counts_do_not_overflow():
    n = 400_000  # S_a S_b is beyond 2**63
    v, u = np.arange(n) % 2, np.arange(n)//(n//2)
    s, sa, p = 4*math.comb(n//4, 2), 2*math.comb(n//2, 2), math.comb(n, 2)
    assert ari(v, u) == float((s - Fraction(sa*sa, p))/(sa - Fraction(sa*sa, p))) < 0 and nmi(v, u) == 0
    assert ari(v, v + 5) == 1 and score(v, v)["imbalance"] == 1

def test_sizes_in_score():
    s = score([0]*8, [0, 0, 0, 0, 1, 1, 2, -1])
    shares = np.array([4, 2, 1])/7
    assert s["size_entropy"] == pytest.approx(-(shares*np.log(shares)).sum()/math.log(3))
    assert s["imbalance"] == pytest.approx(3*(shares**2).sum())
    assert (s["n"], s["n_classes"], s["n_clusters"], s["n_noise"]) == (8, 1, 3, 1)
    assert score([0, 1], [7, 7])["size_entropy"] == 0 and score([0, 1], [7, 8])["size_entropy"] == 1

@given(labels)
def test_score_is_plain_json(vu):
    s = score(*vu)
    assert json.loads(json.dumps(s, allow_nan=False)) == s and {type(x) for x in s.values()} <= {int, float, str}
    assert all(s[name] == f(*vu) for name,f in dict(acc=accuracy, nmi=nmi, ari=ari, ami=ami, purity=purity).items())

def scale(n, seed=0):
    rng = np.random.default_rng(seed)
    v = rng.integers(0, 1000, n)
    return v, np.where(rng.random(n) < .5, v, rng.integers(0, 1000, n))

@pytest.mark.parametrize("n", [200_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_scale(n):
    v, u = scale(n)
    s = score(v, (u*7) % 1000)
    hits = (v == u).mean()
    assert s["acc"] == hits and s["purity"] == hits and s["n_clusters"] == 1000
    assert s["ari"] == pytest.approx(sk.adjusted_rand_score(v, u), abs=1e-9)
    assert s["nmi"] == pytest.approx(sk.normalized_mutual_info_score(v, u, average_method="geometric"), abs=1e-9)
    noise = score(v, np.where(v == u, v, -1), noise="singletons")
    assert noise["acc"] == hits and noise["n_noise"] == (v != u).sum() and 0 < noise["ami"] < noise["nmi"] < 1

def test_confusion_picture_is_diagonal():
    plt = pytest.importorskip("matplotlib.pyplot")
    v, u = [0, 0, 1, 1, 2, 2, 3], [5, 5, -1, 4, 9, 9, 8]
    fig, ax = plt.subplots()
    assert plot_confusion(v, u, ax) is ax
    assert [t.get_text() for t in ax.get_xticklabels()] == ["5", "4", "9", "8", "noise"]
    assert np.allclose(ax.images[0].get_array(), [[1, 0, 0, 0, 0], [0, .5, 0, 0, .5], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]])
    assert [t.get_text() for t in ax.texts if t.get_text()] == ["2", "1", "1", "2", "1"]
    ax = plot_confusion(["a", "b", "c"], [0, 1, 1])  # class c finds no cluster and goes to the end
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b", "c"] and ax.images[0].get_array().shape == (3, 2)
    assert not plot_confusion(*scale(20_000)).texts
    plt.close("all")

@pytest.mark.gpu
def test_labels_on_a_gpu():
    v, u = torch.tensor([0, 0, 1, 2], device="cuda"), torch.tensor([3, 3, -1, 4], device="cuda")
    assert score(v, u) == score(v.cpu(), u.cpu())
