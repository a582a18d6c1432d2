"Graphs of shared neighbours, connected components and eigenvectors, against plain computations."
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_blobs
from sklearn.neighbors import NearestNeighbors

from audioclust.classical.toy_data import shapes
from audioclust.ensembles import SpectralClustering
from audioclust.ensembles.neighbour_graph import connect_components, shared_neighbours, spectral_embedding
from audioclust.metrics import ari


def nearest(X, m): return NearestNeighbors(n_neighbors=m).fit(X).kneighbors(return_distance=False)


@given(st.integers(2, 2500), st.integers(1, 12), st.integers(0, 9999))
@settings(max_examples=25, deadline=None)
def test_weights_are_shares_of_common_neighbours(n, m, seed):
    rng = np.random.default_rng(seed)
    neighbours = nearest(rng.normal(size=(n, 3)), min(m, n - 1))
    W, sets = shared_neighbours(neighbours), [{i, *row} for i,row in enumerate(neighbours.tolist())]
    assert (W.data > 0).all() and (W.data <= 1).all() and abs(W - W.T).max() == 0 and not W.diagonal().any()
    for i in rng.integers(0, n, 20):
        expected = np.zeros(n)
        for j in range(n):
            if j != i and (j in sets[i] or i in sets[j]): expected[j] = len(sets[i] & sets[j])/len(sets[i] | sets[j])
        np.testing.assert_allclose(W[[i]].toarray()[0], expected, rtol=1e-12)


@given(st.integers(2, 400), st.integers(1, 4), st.integers(1, 40), st.integers(0, 9999))
@settings(max_examples=40, deadline=None)
def test_components_are_connected_and_nothing_else_changes(n, m, n_blobs, seed):
    X = make_blobs(n, 2, centers=min(n_blobs, n), cluster_std=.1, center_box=(-100, 100), random_state=seed)[0]
    W = shared_neighbours(nearest(X, min(m, n - 1)))
    connected, n_components = connect_components(W, X), connected_components(W)[0]
    assert connected_components(connected)[0] == 1 and abs(connected - connected.T).max() == 0
    before, after = W.toarray(), connected.toarray()
    assert (after[before > 0] == before[before > 0]).all()
    bridges = (after > 0) & (before == 0)
    assert n_components - 1 <= bridges.sum()/2 <= 2*(n_components - 1) and (after[bridges] == W.data.min()).all()


@pytest.mark.parametrize("n", [60, 501, 700])  # by the dense matrix, and by LOBPCG
def test_eigenvectors_are_those_of_the_dense_matrix(n):
    X = make_blobs(n, 4, centers=5, random_state=0)[0]
    W = connect_components(shared_neighbours(nearest(X, 8)), X)
    d = W.sum(1)
    values, vectors = np.linalg.eigh(W.toarray()/np.sqrt(np.outer(d, d)))
    leading_values, leading = values[:-6:-1], vectors[:, :-6:-1]
    found_values, found = spectral_embedding(W, 5)
    np.testing.assert_allclose(found_values, leading_values, atol=1e-3)
    assert np.linalg.norm(leading.T @ found)**2 > 4.95  # the same five dimensions


def test_long_thin_groups_of_many_rows():  # eigenvalues that are nearly equal
    for name, n in ("moons", 20_000), ("rings", 6000):
        X, y = shapes(n)[name]
        W = connect_components(shared_neighbours(nearest(X, 7)), X)
        values, vectors = spectral_embedding(W, 2)
        root = W.sum(1)**-.5
        assert np.abs(root[:, None]*(W @ (vectors*root[:, None])) - vectors*values).max() < 1e-5
        assert ari(y, SpectralClustering(2, n_neighbors=7, n_members=1, random_state=0).fit_predict(X)) == 1


def test_clips_that_are_neighbours_of_very_many_take_no_more_memory():
    X = np.random.default_rng(0).normal(size=(6000, 30))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X[:28] *= .01
    peaks = []
    for neighbours in nearest(X, 28), nearest(np.random.default_rng(0).normal(size=(6000, 30)), 28):
        tracemalloc.start()
        shared_neighbours(neighbours)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 1.5*peaks[1]
