"Fair clustering: balanced assignment, shares of the sources, new clips."
import math

import numpy as np
import pytest

from audioclust.nf_spice.fair import balanced_assignment, FairClustering, SOFTNESS


@pytest.mark.parametrize("seed, weight", [(0, .7), (2, None), (3, 0.)])
def test_balanced_assignment_is_the_transport_problem_of_plain_loops(seed, weight):
    rng = np.random.default_rng(seed)
    n, K, softness = 20, 4, SOFTNESS
    distances, shares = rng.uniform(0, 2, (n, K)), rng.dirichlet(np.ones(K))
    assigned, factors = balanced_assignment(distances, shares, weight=weight)
    exponent = 1 if weight is None else weight/(weight + softness)
    kernel = [[math.exp(-distances[i, k]/softness) for k in range(K)] for i in range(n)]
    v, u = np.ones(K), np.ones(n)
    for _ in range(60):
        v = [(shares[k]*n/sum(u[i]*kernel[i][k] for i in range(n)))**exponent for k in range(K)]
        u = [1/sum(kernel[i][k]*v[k] for k in range(K)) for i in range(n)]
    expected = [[u[i]*kernel[i][k]*v[k] for k in range(K)] for i in range(n)]
    np.testing.assert_allclose(assigned, expected, atol=1e-9)
    np.testing.assert_allclose(factors, v, rtol=1e-9)
    np.testing.assert_allclose(assigned.sum(1), 1)
    if weight is None: np.testing.assert_allclose(assigned.mean(0), shares, atol=.01)


def test_fair_clustering_with_all_weight_keeps_the_shares_and_with_none_ignores_them():
    rng = np.random.default_rng(0)
    y, s = np.repeat([0, 1, 2], 60), np.tile([0, 1], 90)
    X = 4*np.eye(3)[y] + rng.normal(size=(180, 3))
    X[(y == 2) & (s == 1)] += [4, 0, -4]  # this source has its third content where the first is
    start = np.where((y == 2) & (s == 1), 0, y)
    for weight,same in ((None, True), (0., False)):
        labels = FairClustering(weight=weight).fit(X, start, s).labels_
        here, there = (np.bincount(labels[s == g], minlength=3) for g in (0, 1))
        assert (abs(here - there).max() <= 4) == same


def test_fair_clustering_predicts_new_clips_and_can_be_saved(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 5)).astype(np.float32)
    y, s = rng.integers(0, 3, 90), rng.integers(0, 2, 90)
    fitted = FairClustering(n_axes=4).fit([X, 50*X[:, :2]], y, s)
    fitted.save(tmp_path)
    for model in (fitted, FairClustering.load(tmp_path)):
        labels, confidence, p, Z = model.predict_with_embeddings([X, 50*X[:, :2]], s)
        np.testing.assert_array_equal(labels, fitted.labels_)
        np.testing.assert_allclose(p, fitted.proba_, atol=1e-5)
        np.testing.assert_allclose(Z, fitted.embeddings_, atol=1e-5)
    each_its_own = FairClustering(6).fit(X, y, np.arange(90))  # 90 sources, groups without members
    assert np.isfinite(each_its_own.proba_).all()
