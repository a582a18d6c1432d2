"Matched clusters and stability, against plain computations."
import numpy as np

from audioclust.ensembles import stability_of
from audioclust.ensembles.resampling import align_cluster_ids, jaccard_matrix
from audioclust.ensembles.resampling import cluster_subsamples, count_different
from audioclust.kmeans import KMeans


def test_the_jaccard_matrix_against_sets(rng):
    a, b = rng.integers(-1, 4, 200), rng.integers(-1, 5, 200)
    ids_a, ids_b, J = jaccard_matrix(a, b)
    assert J.shape == (4, 5)
    for i,row in zip(ids_a, J):
        for j,similarity in zip(ids_b, row):
            one, other = set(np.flatnonzero(a == i)), set(np.flatnonzero(b == j))
            assert np.isclose(similarity, len(one & other)/len(one | other))


def test_new_clusters_get_free_numbers():
    before, now = np.repeat([0, 1, 3], 10), np.repeat([0, 1, 2, 3, 4], 6)
    aligned = align_cluster_ids(before, now, taken=[2])
    assert len(set(aligned.values())) == 5 and sorted(aligned) == [0, 1, 2, 3, 4]
    new = {c for c in aligned.values() if c not in (0, 1, 3)}
    assert new == {2, 4}  # 2 is taken, and no other number below five is free


def test_stability_of_what_never_changes_and_of_chance(rng):
    y = rng.integers(0, 4, 400)
    same = stability_of(y, np.arange(400), [rng.permutation(4)[y] for _ in range(5)])
    assert same.overall == 1 and set(same.clusters.values()) == {1.} and (same.clips == 1).all()
    chance = stability_of(y, np.arange(400), [rng.integers(0, 4, 400) for _ in range(5)])
    assert abs(chance.overall) < .05 and max(chance.clusters.values()) < .35


def test_clips_outside_the_sample_have_no_stability(rng):
    X, y = rng.normal(size=(500, 2)), rng.integers(0, 2, 500)
    rows, partitions = cluster_subsamples(lambda seed: KMeans(2, random_state=seed), X, 3, most=100)
    stable = stability_of(y, rows, partitions)
    assert partitions.shape == (3, 100) and np.isnan(stable.clips).sum() == 400


def test_different_rows_are_counted(rng):
    X = np.repeat(rng.normal(size=(7, 3)), 100, 0)
    assert count_different(X, 5) == 5 and count_different(X, 100) == 7  # the first rows are copies
    assert count_different(np.array([[0.], [-0.]]), 2) == 1
