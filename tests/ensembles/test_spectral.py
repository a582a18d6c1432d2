"Graphs of shared neighbours, their axes, and SpectralClustering."
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from audioclust.classical.toy_data import shapes
from audioclust.cli import main
from audioclust.metrics import ari, nmi
from audioclust.pipeline import AudioClusterer, Options
from audioclust.ensembles import SpectralClustering
from audioclust.ensembles.spectral import bridged, shared_neighbours, spectral_axes


def nearest(X, m): return NearestNeighbors(n_neighbors=m).fit(X).kneighbors(return_distance=False)


@given(st.integers(2, 2500), st.integers(1, 12), st.integers(0, 9999))
@settings(max_examples=25, deadline=None)
def test_weights_are_shares_of_common_neighbours(n, m, seed):
    rng = np.random.default_rng(seed)
    at = nearest(rng.normal(size=(n, 3)), m := min(m, n - 1))
    W, sets = shared_neighbours(at), [{i, *a} for i,a in enumerate(at.tolist())]
    assert (W.data > 0).all() and (W.data <= 1).all() and abs(W - W.T).max() == 0 and not W.diagonal().any()
    for i in rng.integers(0, n, 20):
        row = W[[i]].toarray()[0]
        want = np.array([len(sets[i] & sets[j])/len(sets[i] | sets[j]) if j != i and (j in sets[i] or i in sets[j]) else 0. for j in range(n)])
        np.testing.assert_allclose(row, want, rtol=1e-12)


@given(st.integers(2, 400), st.integers(1, 4), st.integers(1, 40), st.integers(0, 9999))
@settings(max_examples=40, deadline=None)
def test_pieces_are_joined_and_nothing_else_changes(n, m, heaps, seed):
    X = make_blobs(n, 2, centers=min(heaps, n), cluster_std=.1, center_box=(-100, 100), random_state=seed)[0]
    W = shared_neighbours(nearest(X, min(m, n - 1)))
    B, pieces = bridged(W, X), connected_components(W)[0]
    assert connected_components(B)[0] == 1 and abs(B - B.T).max() == 0
    was = W.toarray() > 0
    assert (B.toarray()[was] == W.toarray()[was]).all()
    new = (B.toarray() > 0) & ~was
    assert new.sum()/2 >= pieces - 1 and new.sum()/2 <= max(0, 2*(pieces - 1)) and (B.toarray()[new] == W.data.min()).all()


@pytest.mark.parametrize("n", [60, 501, 700])  # by the whole table, and by LOBPCG
def test_axes_are_those_of_the_whole_table(n):
    X = make_blobs(n, 4, centers=5, random_state=0)[0]
    W = bridged(shared_neighbours(nearest(X, 8)), X)
    d = W.sum(1)
    values, vectors = (a[..., ::-1] for a in np.linalg.eigh(W.toarray()/np.sqrt(np.outer(d, d))))
    got, axes = spectral_axes(W, 5)
    np.testing.assert_allclose(got, values[:5], atol=1e-3)
    assert np.linalg.norm(vectors[:, :5].T @ axes)**2 > 4.95  # the same five dimensions


@pytest.mark.parametrize("n", [60, 150])  # by the whole table, and by LOBPCG
def test_near_pieces_stay_together_and_far_ones_do_not(n):
    X = np.concatenate([np.random.default_rng(i).normal(c, 1, (n, 2)) for i,c in enumerate((0, 30, 300, 330, 600, 630))])
    assert connected_components(shared_neighbours(nearest(X, 5)))[0] >= 6
    for k in (2, 3, 6):
        y = SpectralClustering(k, n_neighbors=5, random_state=0).fit_predict(X).reshape(6, n)
        assert (y == y[:, :1]).all() and len(set(y[:, 0])) == k  # no piece is cut
        if k == 3: assert (y[::2, 0] == y[1::2, 0]).all()


def test_shapes_that_have_no_mean():
    for name in "moons", "rings":
        X, y = shapes(600, 3)[name]
        assert ari(y, SpectralClustering(2, random_state=0).fit_predict(X)) > .95


def test_the_order_of_rows_and_copies_of_them_do_not_matter():
    X, y = make_blobs(400, 6, centers=5, cluster_std=1.5, random_state=1)
    order = np.random.default_rng(0).permutation(400)
    a = SpectralClustering(5, random_state=0).fit(X)
    b, c = SpectralClustering(5, random_state=0).fit(X[order]), SpectralClustering(5, random_state=0).fit(np.r_[X, np.repeat(X[:30], 20, 0)])
    np.testing.assert_array_equal(a.labels_[order], b.labels_)
    np.testing.assert_array_equal(np.r_[a.labels_, np.repeat(a.labels_[:30], 20)], c.labels_)
    np.testing.assert_array_equal(np.r_[a.confidence_, np.repeat(a.confidence_[:30], 20)], c.confidence_)
    assert c.partitions_.shape == (30, 1000) and c.confidence_.dtype == np.float32


def test_long_thin_groups_of_many_rows():  # eigenvalues that are nearly equal
    for name, n in ("moons", 20_000), ("rings", 6000):
        X, y = shapes(n)[name]
        W = bridged(shared_neighbours(nearest(X, 7)), X)
        values, axes = spectral_axes(W, 2)
        d = W.sum(1)**-.5
        assert np.abs(d[:, None]*(W @ (axes*d[:, None])) - axes*values).max() < 1e-5
        assert ari(y, SpectralClustering(2, n_neighbors=7, n_members=1, random_state=0).fit_predict(X)) == 1


def test_clips_that_are_neighbours_of_very_many_take_no_more_memory():
    X = np.random.default_rng(0).normal(size=(6000, 30))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X[:28] *= .01
    peaks = []
    for at in nearest(X, 28), nearest(np.random.default_rng(0).normal(size=(6000, 30)), 28):
        tracemalloc.start()
        shared_neighbours(at)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 1.5*peaks[1]


def test_the_length_of_rows_means_nothing_to_cosine():
    X = np.random.default_rng(0).normal(size=(300, 5)) + np.repeat(6*np.eye(5)[:3], 100, 0)
    a, b = (SpectralClustering(3, metric="cosine", n_neighbors=4, random_state=0).fit_predict(X*s) for s in (1, np.tile([[1.], [64.]], (150, 1))))
    assert ari(a, b) == 1 and ari(np.repeat(range(3), 100), a) == 1


def test_too_few_different_rows_are_said():
    X = np.repeat(np.eye(3), 20, 0)
    with pytest.warns(ConvergenceWarning, match="only 3 of the 60 rows differ, so there are 3 clusters and not 5"): y = SpectralClustering(5, random_state=0).fit_predict(X)
    assert ari(np.repeat(range(3), 20), y) == 1


@pytest.mark.parametrize("n, k", [(1, 1), (2, 1), (2, 2), (3, 2), (7, 7), (40, 40), (40, 39), (600, 1), (700, 150)])
def test_as_many_clusters_as_one_likes(n, k):
    X = np.random.default_rng(0).normal(size=(n, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        m = SpectralClustering(k, n_init=2, n_members=6, random_state=0).fit(X)
    assert len(set(m.labels_)) == k and np.array_equal(m.predict(X), m.labels_) and np.isfinite(m.confidence_).all()


def test_the_groups_are_no_smaller_than_the_neighbourhoods():
    assert SpectralClustering(6)._ladder(60) == [5, 7, 9] and SpectralClustering(6)._ladder(6) == [2] and SpectralClustering(2)._ladder(2) == [1]
    assert SpectralClustering(2, n_neighbors=11)._ladder(600) == [11] and SpectralClustering(2, n_neighbors=(9, 3))._ladder(600) == [3, 9]


def test_tensors_and_float32_say_the_same():
    X = shapes(300)["uneven"][0].astype(np.float32)
    a, b = SpectralClustering(3, random_state=0).fit(X), SpectralClustering(3, random_state=0).fit(torch.tensor(X))
    assert torch.equal(torch.from_numpy(a.labels_), b.labels_) and torch.equal(b.ask(torch.tensor(X))[1], torch.from_numpy(a.ask(X)[1]))


def test_what_is_reckoned_is_enough():
    X = np.random.default_rng(0).normal(size=(6000, 20)).astype(np.float32)
    fit = SpectralClustering(10, n_members=12, n_init=2, device="cpu", random_state=0)
    with pytest.raises(ValueError, match=r"would need about \d+\.\d MB") as said: SpectralClustering(10, n_members=12, max_memory=1).check_rows(*X.shape)
    tracemalloc.start()
    fit.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6*float(str(said.value).split("about ")[1].split(" MB")[0]) + X.nbytes*2


def test_a_folder_by_content(words, tmp_path, capsys):
    folder, table = words
    m, plain = (AudioClusterer(method, 6, options=Options(stability=3)).fit(folder) for method in ("spectral", "kmeans"))
    truth = table.set_index("path").loc[list(m.clips_.path), "label"]
    assert nmi(truth, m.labels_) > nmi(truth, plain.labels_) > .5
    assert (m.confidence_ == m.clusterer_.confidence_).all() and m.stability_.overall > .5
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--method", "spectral", "--n-clusters", "6", "--set", "n_neighbors=(5, 9)", "--no-page", "-q"]) == 0
    kept = AudioClusterer.load(tmp_path/"run")
    assert tuple(kept.clusterer_.n_neighbors) == (5, 9)
    assert main(["assign", str(tmp_path/"run"), str(folder), "--out", str(tmp_path/"new.csv"), "-q"]) == 0
    a, b = pd.read_csv(tmp_path/"run/clusters.csv").set_index("path"), pd.read_csv(tmp_path/"new.csv").set_index("path")
    assert (a.cluster == b.cluster[a.index]).all() and np.allclose(a.confidence, b.confidence[a.index], atol=1e-3)
