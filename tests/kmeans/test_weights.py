"Rows that count for several: the same as repeated rows."
import re

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans as SklearnKMeans

from audioclust.kmeans import Constraints, KMeans
from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.nearest import total_scatter
from audioclust.kmeans.table import Table


def blobs(seed, n=120, d=4, k=5, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return (rng.normal(scale=2, size=(k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(dtype)


@pytest.mark.parametrize("metric", ("euclidean", "cosine"))
@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_whole_weights_are_repeated_rows(metric, dtype):
    "Also where starts far away leave clusters empty, and with rows of zeros."
    n_reseeds = 0
    for seed in range(6):
        x, init = blobs(seed, dtype=dtype), blobs(seed + 50, n=9, dtype=dtype)
        weights = np.random.default_rng(seed).integers(0, 4, len(x))
        if seed % 2: init[:4] += 60
        if seed % 3 == 0: x[:9] = 0
        params = dict(init=init, metric=metric, tol=0, random_state=seed)
        weighted = KMeans(9, **params).fit(x, sample_weight=weights)
        repeated = KMeans(9, **params).fit(x.repeat(weights, axis=0))
        np.testing.assert_array_equal(weighted.labels_.repeat(weights), repeated.labels_)
        np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-5)
        assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-6)
        assert (weighted.n_iter_, weighted.n_reseeds_) == (repeated.n_iter_, repeated.n_reseeds_)
        n_reseeds += weighted.n_reseeds_
    assert n_reseeds >= 8


def test_rows_of_weight_0_take_no_part_but_get_a_label():
    x = blobs(0)
    weights = np.r_[np.zeros(20), np.random.default_rng(0).uniform(.1, 2, 100)]
    moved = x.copy()
    moved[:20] += 1000
    for params in (dict(), dict(init="k-means||"), dict(init="random", n_init=3), dict(metric="cosine")):
        a, b = (KMeans(5, random_state=1, **params).fit(rows, sample_weight=weights) for rows in (x, moved))
        np.testing.assert_array_equal(a.cluster_centers_, b.cluster_centers_)
        assert a.inertia_ == b.inertia_ and len(a.labels_) == len(x)
        np.testing.assert_array_equal(a.labels_, a.predict(x))


def test_any_weights_as_scikit_learn_has_them():
    x, weights = blobs(2, dtype=np.float64), np.random.default_rng(2).uniform(0, .01, 120)
    ours = KMeans(5, init=x[:5], tol=0).fit(x, sample_weight=weights)
    theirs = SklearnKMeans(5, init=x[:5], n_init=1, tol=0).fit(x, sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-9)
    assert ours.inertia_ == pytest.approx(theirs.inertia_)
    for scale in (1e-30, 1e30): # only their ratios count
        scaled = KMeans(5, init=x[:5], tol=0).fit(x, sample_weight=weights*scale)
        np.testing.assert_array_equal(scaled.labels_, ours.labels_)
        assert scaled.inertia_ == pytest.approx(ours.inertia_*scale)


def test_lists_tensors_and_weights_of_one():
    x, weights = blobs(3), np.arange(120) % 3 + .5
    labels = KMeans(5, random_state=0).fit_predict(x, sample_weight=weights)
    np.testing.assert_array_equal(KMeans(5, random_state=0).fit_predict(x, sample_weight=weights.tolist()), labels)
    of_tensor = KMeans(5, random_state=0).fit_predict(torch.from_numpy(x), sample_weight=torch.from_numpy(weights))
    np.testing.assert_array_equal(of_tensor, labels)
    plain, of_ones = KMeans(5, random_state=0).fit(x), KMeans(5, random_state=0).fit(x, sample_weight=np.ones(120))
    np.testing.assert_array_equal(plain.cluster_centers_, of_ones.cluster_centers_)


@pytest.mark.parametrize("init", ("random", "k-means++", "k-means||"))
def test_starts_are_drawn_by_weight(init):
    x = torch.tensor([[0.], [1.], [3.]])
    table, generator = Table(x, weights=torch.tensor([1., 2., 5.]).double()), torch.Generator().manual_seed(0)
    scatter = total_scatter(table)
    drawn = torch.cat([initial_centers(table, 1, generator, init, scatter) for _ in range(60)])
    shares = [(drawn == value).double().mean().item() for value in x]
    # with one centre, k-means++ takes the first draw; k-means|| draws again among candidates, by what they stand for
    assert np.allclose(shares, [1/8, 2/8, 5/8], atol=.15)


def test_bad_weights_are_refused(tmp_path):
    x = blobs(4)
    np.save(tmp_path/"x.npy", x)
    ones = np.ones(120)
    def but(row, value): return np.where(np.arange(120) == row, value, 1.)
    seeds = Constraints(np.full(120, -1))
    for model, rows, weights, more, message in (
            (KMeans(3), x, ones[1:], {}, "give each row one weight"), (KMeans(3), x, ones[:, None], {}, "shape (120,)"),
            (KMeans(3), x, but(7, -1), {}, "row 7 has -1"), (KMeans(3), x, but(8, np.nan), {}, "row 8 has nan"),
            (KMeans(3), x, 0*ones, {}, "all weights are zero"),
            (KMeans(3), x, ones*(np.arange(120) < 2), {}, "2 rows have a weight above 0"),
            (KMeans(3, sharded=True), x, ones, {}, "torchrun"),
            (KMeans(3), x, ones, dict(constraints=seeds), "constraints"),
            (KMeans(3), np.load(tmp_path/"x.npy", mmap_mode="r"), ones, {}, "np.array(X)")):
        with pytest.raises(ValueError, match=re.escape(message)): model.fit(rows, sample_weight=weights, **more)
