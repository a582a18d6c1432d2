"Coarser and finer groups of one clustering: nested, and found where they are."
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.ensembles.levels import cluster_tree
from audioclust.ensembles.levels import merge_clusters, nested_levels, split_clusters
from audioclust.ensembles.n_clusters import level_numbers
from audioclust.kmeans import KMeans
from audioclust.metrics import ari


def is_within(finer, coarser): return (pd.Series(coarser).groupby(finer).nunique() == 1).all()

@pytest.mark.parametrize("seed", range(3))
def test_levels_are_nested_and_noise_stays_noise(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 5)).astype(np.float32)
    labels = np.asarray(KMeans(9, n_init=1, random_state=seed).fit(X).labels_)
    labels[rng.random(300) < .1] = -1
    levels = nested_levels(X, labels, dict(fine=20, middle=14, coarse=4), seed)
    assert list(levels) == ["coarse", "middle", "fine"]
    assert [len(np.unique(level[level >= 0])) for level in levels.values()] == [4, 14, 20]
    for level in levels.values():
        assert ((level < 0) == (labels < 0)).all()
        assert level.dtype == np.int64
    assert is_within(labels, levels["coarse"])
    assert is_within(levels["middle"], labels)
    assert is_within(levels["fine"], levels["middle"])


def test_a_split_goes_where_the_error_falls_most(rng):
    X, blob = make_blobs([30]*4, centers=[[0, 0], [9, 0], [40, 0], [41, 0]], cluster_std=.1, random_state=0)
    assert ari(split_clusters(X, blob//2, 3), np.array([0, 1, 2, 2])[blob]) == 1  # the pair that is further apart
    assert ari(split_clusters(X, blob//2, 4), blob) == 1
    for n in 4, 2: assert (split_clusters(X, blob, n) == blob).all()  # nothing to be done
    few = split_clusters(rng.normal(size=(23, 2)), np.repeat([0, 1], [12, 11]), 50)
    assert len(np.unique(few)) == 4  # at least five clips for each part
    assert set(split_clusters(X, np.full(120, -1), 3)) == {-1} == set(merge_clusters(X, np.full(120, -1), 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(np.unique(split_clusters(np.zeros((40, 2)), np.zeros(40, int), 3))) == 1  # all alike


def test_the_tree_looks_at_the_distances_between_clips(rng):
    X = np.concatenate([rng.normal(m, s, (n, 3)) for m,s,n in ((0, 1, 9), (5, .1, 30), (-4, 3, 20))]) + 100
    labels = np.repeat([2, 5, 9], [9, 30, 20])
    _, _, tree = cluster_tree(X, labels)
    def rms(a, b): return np.sqrt(np.square(X[labels == a][:, None] - X[labels == b][None]).sum(-1).mean())
    assert tree[0, 2] == pytest.approx(min(rms(2, 5), rms(2, 9), rms(5, 9)), rel=1e-5)
    noisy = np.append(labels, -1)
    np.testing.assert_allclose(cluster_tree(np.append(X, [[1e3]*3], 0), noisy)[2], tree)


def curve(silhouette, bits=1.):
    return pd.DataFrame(dict(k=range(2, 2 + len(silhouette)), silhouette=silhouette, error=.01, saved_bits=bits))

def test_level_numbers_by_hand():
    c = curve([.1, .3, .2, .1, .1, .1, .1, .1, .1, .2, .1])  # k from 2 to 12
    assert level_numbers(c, 6) == dict(coarse=3, middle=6, fine=11)
    assert level_numbers(c, 3) == dict(coarse=2, middle=3, fine=5)   # 5 is the first of those that are as good
    assert level_numbers(c, 3, cells=True) == dict(coarse=2, middle=3, fine=11)
    assert level_numbers(c, 12) == dict(coarse=3, fine=12)
    assert level_numbers(c[:1], 2) == dict(only=2)
    assert level_numbers(curve([.1, .1, .1], -1.), 1) == dict(coarse=1, fine=2)
