"Indicator matrices, relabelling and the consensus of partitions."
import numpy as np
from sklearn.datasets import make_blobs

from audioclust.ensembles.consensus import agreement, align_labels, consensus, indicator_matrix
from audioclust.ensembles.resampling import mean_ari
from audioclust.kmeans import KMeans
from audioclust.metrics import accuracy


def test_noise_has_no_vote():
    B = indicator_matrix([[0, -1, 1], [-1, -1, 0]])
    assert B.sum(1).tolist() == [1, 0, 2]
    labels = np.array([0, 0, 1])
    assert agreement(B, labels, align_labels(B, labels, 2)).tolist() == [1, 0, 1]


def test_agreement_counts_the_partitions_with_the_same_aligned_label():
    # two partitions equal to the consensus under other numbers, one that moves clip 2, one of a single cluster
    partitions = [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
    labels = np.array([0, 0, 0, 1, 1, 1])
    B = indicator_matrix(partitions)
    aligned = align_labels(B, labels, 2)
    assert aligned.tolist() == [0, 1, 1, 0, 0, 1, 0]  # the single cluster is a tie: the first
    np.testing.assert_allclose(agreement(B, labels, aligned), [1, 1, .75, .75, .75, .75])


def test_votes_for_a_single_cluster_tell_nothing_apart():
    labels, confidence = consensus([[0, 0, 0, 0], [0, 0, 0, 0]], 1)
    assert labels.tolist() == [0]*4 and np.isnan(confidence).all()
    B, labels = indicator_matrix([[0, 0, -1]]), np.array([0, 0, 1])  # the third has no vote
    np.testing.assert_array_equal(agreement(B, labels, align_labels(B, labels, 2)), [np.nan, np.nan, 0])
    votes = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)  # nobody votes for the third group
    assert agreement(votes, np.array([0, 1, 2]), np.array([0, 1, 1])).tolist() == [1, 1, 0]


def test_the_consensus_of_many_poor_partitions_is_good():
    X, y = make_blobs(900, centers=12, cluster_std=.8, random_state=2)
    def poor(seed): return KMeans(12, init="random", max_iter=3, random_state=seed).fit_predict(X)
    partitions = [poor(seed) for seed in range(30)]
    labels, confidence = consensus(partitions, 12, random_state=0)
    assert accuracy(y, labels) > np.mean([accuracy(y, p) for p in partitions[:8]]) + .05
    sure = confidence > .9
    assert accuracy(y[sure], labels[sure]) > accuracy(y, labels)
    assert mean_ari([y, y, y]) == 1 and mean_ari(partitions) < 1
