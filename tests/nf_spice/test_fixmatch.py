"Reliable labels, and the training on them."
import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st

from audioclust.encoders import NetworkEncoder
from audioclust.nf_spice import fixmatch_learner
from audioclust.nf_spice.fixmatch import consistency, FixMatchOptions, nearest_neighbours, reliable_labels
from audioclust.training import Checkpoints


def fit(learn, epochs=2, **options):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 1e-3, **options)
    return learn


def test_neighbours_are_the_nearest_and_never_oneself():
    E = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    U = torch.nn.functional.normalize(E)
    near = nearest_neighbours(E, 7, block=13)
    for i in range(60):
        order = [j for j in (U @ U[i]).argsort(descending=True).tolist() if j != i]
        assert near[i].tolist() == order[:7]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(5, 60), st.integers(1, 8))
def test_consistency_is_that_of_plain_loops(seed, n, m):
    rng = np.random.default_rng(seed)
    E, y = rng.normal(size=(n, 4)), rng.integers(3, size=n)
    U = E/np.linalg.norm(E, axis=1, keepdims=True)
    S = U @ U.T
    np.fill_diagonal(S, -np.inf)
    near = np.argsort(-S, 1)[:, :min(m, n - 1)]
    np.testing.assert_allclose(consistency(E, y, m, block=7), (y[near] == y[:, None]).mean(1), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(2, 5), st.floats(0, 1))
def test_every_group_keeps_its_share(seed, k, least):
    rng = np.random.default_rng(seed)
    E, y = rng.normal(size=(80, 3)), rng.integers(k, size=80)  # labels that mean nothing
    kept = reliable_labels(E, y, 10, .95, least)
    for c in np.unique(y): assert (kept == c).sum() >= least*(y == c).sum()
    assert ((kept == y) | (kept == -1)).all()


def match(store, labels, seed=0, cbs=(), **constants):
    encoder = NetworkEncoder(sample_rate=8000, seed=3)
    options = FixMatchOptions(bs=18, **constants)
    dls = store.dataloaders(36, "cpu")
    return fixmatch_learner(dls, encoder, labels, 3, options=options, bf16=False, seed=seed, cbs=cbs)


def test_fixmatch_is_the_formula_and_ema_follows(numbers, store, same):
    y = numbers
    learn = match(store, np.where(np.arange(len(y)) % 2, y, -1), threshold=.6)
    fixmatch = learn.fix_match
    fixmatch.sizes, fixmatch.confident = [2, 2, 2], []
    pred = torch.tensor([[2., 0, 0], [0, 1, 0], [3, 0, 0], [.1, 0, 0], [0, 1, 0], [0, 0, 5]])
    right = torch.tensor([0, 2])
    ce = torch.nn.functional.cross_entropy
    assert torch.isclose(fixmatch.loss(pred, right), ce(pred[:2], right) + .5*ce(pred[4:5], torch.tensor([0])))
    learn = fit(match(store, y), 3)
    assert learn.ema.averaged.n_averaged == 1 + 6 and not same(learn.ema.network, learn.model)
    assert same(learn.ema.network, fit(match(store, y), 3).ema.network)


def test_fixmatch_resumes_where_it_stopped(numbers, store, same, tmp_path):
    y = numbers
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): fit(match(store, y, cbs=[Checkpoints(tmp_path), Stop()]), 3)
    other = match(store, y, cbs=[Checkpoints(tmp_path)])
    fit(other, 3, start_epoch=other.checkpoints.load(other))
    assert same(other.ema.averaged, fit(match(store, y), 3).ema.averaged)
