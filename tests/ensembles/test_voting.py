import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

from audioclust.ensembles import Consensus
from audioclust.ensembles.voting import agreement, consensus, meanings, opinions, stability
from audioclust.kmeans import KMeans
from audioclust.metrics import accuracy, ari


@parametrize_with_checks([Consensus(n_clusters=2, n_members=5, n_init=2), Consensus(n_clusters=2, n_members=4, dims=(1, 2), l2=True)])
def test_scikit_learn(estimator, check): check(estimator)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 30), st.integers(1, 6), st.integers(1, 5))
def test_half_the_squared_distance_counts_the_partitions_that_part_two_clips(seed, n, m, k):
    parts = np.random.default_rng(seed).integers(0, k, (m, n))
    B = opinions(parts, [k]*m)
    assert B.shape == (n, m*k) and B.dtype == np.float32
    np.testing.assert_allclose(((B[:, None] - B[None])**2).sum(-1)/2, (parts[:, :, None] != parts[:, None]).sum(0))


def test_noise_has_no_opinion():
    B = opinions([[0, -1, 1], [-1, -1, 0]])
    assert B.sum(1).tolist() == [1, 0, 2]
    labels = np.array([0, 0, 1])
    assert agreement(B, labels, meanings(B, labels, 2)).tolist() == [1, 0, 1]


def test_agreement_counts_the_members_that_mean_the_same():
    # two partitions that agree with the answer under other names, one that moves clip 2, one of a single cluster
    parts = [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
    labels = np.array([0, 0, 0, 1, 1, 1])
    B = opinions(parts)
    meaning = meanings(B, labels, 2)
    assert meaning.tolist() == [0, 1, 1, 0, 0, 1, 0]  # the single cluster is a tie: the first
    np.testing.assert_allclose(agreement(B, labels, meaning), [1, 1, .75, .75, .75, .75])


def test_many_bad_starts_make_a_good_answer():
    X, y = make_blobs(900, centers=12, cluster_std=.8, random_state=2)
    one = np.mean([accuracy(y, KMeans(12, init="random", max_iter=3, random_state=s).fit_predict(X)) for s in range(8)])
    parts = [KMeans(12, init="random", max_iter=3, random_state=s).fit_predict(X) for s in range(30)]
    labels, sure = consensus(parts, 12, random_state=0)
    assert accuracy(y, labels) > one + .05
    assert accuracy(y[sure > .9], labels[sure > .9]) > accuracy(y, labels)
    assert stability([y, y, y]) == 1 and stability(parts) < 1


@pytest.mark.parametrize("kind", ["numpy", "torch", "list of two"])
def test_predict_repeats_fit_and_a_seed_repeats_all(kind, tmp_path):
    X = make_blobs(200, n_features=6, centers=5, random_state=0)[0].astype(np.float32)
    X = dict(numpy=X, torch=torch.from_numpy(X), **{"list of two": [X, X[:, :3]]})[kind]
    model, same = (Consensus(5, dims=(2, 4), n_members=7, random_state=4).fit(X) for _ in range(2))
    assert isinstance(model.labels_, torch.Tensor if kind == "torch" else np.ndarray)
    np.testing.assert_array_equal(np.asarray(model.labels_), np.asarray(same.labels_))
    np.testing.assert_array_equal(np.asarray(model.labels_), np.asarray(model.predict(X)))
    assert model.partitions_.shape == (7, 200) and ((0 <= model.confidence_) & (model.confidence_ <= 1)).all()
    model.save(tmp_path)
    labels, sure = Consensus.load(tmp_path).ask(X)
    np.testing.assert_array_equal(labels, np.asarray(model.labels_))
    np.testing.assert_allclose(sure, model.confidence_)


def test_every_embedding_is_asked():
    X = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
    model = Consensus(2, dims=(2, 3, 4), n_members=5, n_init=1, random_state=0).fit([X]*5)
    assert set(model.members_[:, 0]) == set(range(5))
    with pytest.raises(ValueError, match="less than one for each"): Consensus(2, n_members=2).fit([X]*3)


def test_the_length_of_a_row_does_not_matter_with_l2():
    X = np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32)
    a, b = (Consensus(4, dims=(2, 3), l2=True, n_members=6, random_state=0).fit_predict(x) for x in (X, 2.**np.arange(80)[:, None]*X/1e9))
    assert ari(a, b) == 1


def test_wrong_input_is_told():
    X = np.zeros((9, 2), np.float32)
    for options, message in (dict(dims=()), "numbers of columns"), (dict(dims=(1.5,)), "numbers of columns"), (dict(n_members=2.5), "n_members"), (dict(n_clusters=10), "10"):
        with pytest.raises(ValueError, match=message): Consensus(**{"n_clusters": 2, **options}).fit(X)
    with pytest.raises(ValueError, match="NaN"): Consensus(2).fit([X, X*np.nan])
    with pytest.raises(ValueError, match="same clips"): consensus([[0, 1], [0, 1, 2]], 2)
    with pytest.raises(ValueError, match="same clips"): consensus([], 2)
