"Consensus: members, prediction, files, errors."
import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

from audioclust.ensembles import Consensus
from audioclust.metrics import ari


@parametrize_with_checks([Consensus(n_clusters=2, n_members=5, n_init=2),
    Consensus(n_clusters=2, n_members=4, dims=(1, 2), l2=True)])
def test_scikit_learn(estimator, check): check(estimator)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_predict_repeats_fit_and_a_seed_repeats_all(kind, tmp_path):
    X = make_blobs(200, n_features=6, centers=5, random_state=0)[0].astype(np.float32)
    X = {"numpy": X, "torch": torch.from_numpy(X)}[kind]
    model, same = (Consensus(5, dims=(2, 4), n_members=7, random_state=4).fit(X) for _ in range(2))
    assert isinstance(model.labels_, torch.Tensor if kind == "torch" else np.ndarray)
    np.testing.assert_array_equal(np.asarray(model.labels_), np.asarray(same.labels_))
    np.testing.assert_array_equal(np.asarray(model.labels_), np.asarray(model.predict(X)))
    assert model.partitions_.shape == (7, 200)
    assert ((0 <= model.confidence_) & (model.confidence_ <= 1)).all()
    model.save(tmp_path)
    labels, confidence = Consensus.load(tmp_path).predict_with_confidence(X)
    np.testing.assert_array_equal(labels, np.asarray(model.labels_))
    np.testing.assert_allclose(confidence, model.confidence_)


def test_the_length_of_a_row_does_not_matter_with_l2():
    X = np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32)
    scaled = 2.**np.arange(80)[:, None]*X/1e9
    a, b = (Consensus(4, dims=(2, 3), l2=True, n_members=6, random_state=0).fit_predict(x) for x in (X, scaled))
    assert ari(a, b) == 1


def test_wrong_input_is_explained():
    X = np.zeros((9, 2), np.float32)
    wrong = [(dict(dims=()), "numbers of columns"), (dict(dims=(1.5,)), "numbers of columns"),
        (dict(n_members=2.5), "n_members"), (dict(n_clusters=10), "10")]
    for options, message in wrong:
        with pytest.raises(ValueError, match=message): Consensus(**{"n_clusters": 2, **options}).fit(X)
