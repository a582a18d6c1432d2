"Whitening: against scikit-learn, against algebra, of few or equal rows; within clips; what its folder holds."

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from audioclust.encoders import Whiten
from audioclust.encoders.whitening import WithinWhiten


def test_whitening_matches_scikit_learn(rng):
    from sklearn.decomposition import PCA
    X = rng.standard_normal((200, 10)) @ rng.standard_normal((10, 10))
    ours = Whiten(5, floor=0, l2=False).fit_transform(X)
    theirs = PCA(5, whiten=True, svd_solver="full").fit_transform(X)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


@parametrize_with_checks([Whiten()])
def test_scikit_learns_own_checks(estimator, check): check(estimator)


def test_a_clip_that_could_not_be_decoded_stays_lost_and_other_odd_numbers_are_refused(rng):
    X = rng.standard_normal((50, 4))
    w = Whiten().fit(X)
    X[3] = np.nan
    assert np.isnan(w.transform(X)).all(1).nonzero()[0].tolist() == [3]
    X[7, 1] = np.inf
    with pytest.raises(ValueError, match="1 of them are NaN or infinite"): w.transform(X)


def test_whitening_of_few_or_equal_rows(rng, tmp_path):
    for X in (np.ones((1, 4)), np.ones((7, 4)), rng.standard_normal((3, 50)), rng.standard_normal((5, 2))):
        w = Whiten().fit(X)
        Z = w.transform(X)
        assert np.isfinite(Z).all() and Z.dtype == np.float32 and Z.shape[1] == min(X.shape[1], max(1, len(X) - 1))
        w.save(tmp_path)
        np.testing.assert_array_equal(Whiten.load(tmp_path).transform(X), Z)
    assert isinstance(Whiten().fit_transform(torch.randn(9, 4)), torch.Tensor)


def test_rows_are_whitened_in_parts():
    X = np.random.default_rng(0).standard_normal((30_000, 300)).astype(np.float32)
    X = X*np.geomspace(5, .1, 300, dtype=np.float32) + 3
    Z, U = Whiten(10, l2=False).fit_transform(X), X.astype(np.float64) - X.astype(np.float64).mean(0)
    values, axes = np.linalg.eigh(U.T @ U/(len(X) - 1))
    want = U @ axes[:, ::-1][:, :10]/np.sqrt(values[::-1][:10] + .05*values[-1])
    np.testing.assert_allclose(np.abs(Z), np.abs(want), atol=1e-4)


@pytest.mark.parametrize("shape", [(700, 640), (640, 700)])
def test_leading_axes_of_large_tables_are_those_of_the_singular_values(shape):
    X = np.random.default_rng(0).normal(size=shape)*np.exp(-np.arange(shape[1])/40)
    X -= X.mean(0)
    U = np.linalg.svd(X, full_matrices=False)[0]
    found = Whiten(20, floor=0, l2=False).fit_transform(X)
    np.testing.assert_allclose(abs(found), abs(U[:, :20])*(len(X) - 1)**.5, atol=1e-4)


def test_within_whitening_makes_views_scatter_alike():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((6, 6))
    X = rng.standard_normal((500, 6))*[9, 5, 3, 1, 1, 1]
    views = X[:, None] + rng.standard_normal((500, 4, 6)) @ A
    w = WithinWhiten(6, floor=1e-9, l2=False).fit(views.mean(1), views=views)
    flat = w.transform(views.reshape(-1, 6)).reshape(500, 4, 6)
    inner = np.cov((flat - flat.mean(1, keepdims=True)).reshape(-1, 6).T)
    # axes in which views scatter independently …
    assert np.abs(inner - np.diag(np.diag(inner))).max() < .02*np.diag(inner).max()
    np.testing.assert_allclose(np.cov(flat.mean(1).T), np.eye(6), atol=1e-2)  # … and clips alike
    assert (np.diff(np.diag(inner)) > -1e-3).all()  # the first axes are those of which most can be told
    few = WithinWhiten(30).fit(np.ones((4, 3)), views=np.ones((4, 2, 3)))
    assert few.transform(np.ones((2, 3))).tolist() == [[0, 0, 0]]*2


def test_within_whitening_says_what_is_wrong():
    X = np.zeros((4, 3))
    wrong = [(None, "views are needed"), (np.zeros((4, 1, 3)), "at least 2"), (np.zeros((4, 2, 2)), "shapes"),
             (np.full((4, 2, 3), np.nan), "NaN")]
    for views,message in wrong:
        with pytest.raises(ValueError, match=message): WithinWhiten().fit(X, views=views)
