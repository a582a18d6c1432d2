"Heads on frozen embeddings: their pseudo-labels, their loss, and their training."

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st

from audioclust.metrics import nmi
from audioclust.nf_spice import heads_learner
from audioclust.nf_spice.heads import assign_balanced, prototypes
from audioclust.nf_spice.self_heads import SelfHeads


def plain_self_labels(scores, E, per, top):
    "The published selection in plain loops: rows and labels of one head."
    rows, labels = [], []
    for c in range(scores.shape[1]):
        best = sorted(range(len(E)), key=lambda i: -scores[i, c])[:top]
        mu = sum(E[i] for i in best)/top
        near = sorted(range(len(E)), key=lambda i: -(mu @ E[i]))[:per]
        rows += near
        labels += [c]*per
    return rows, labels


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(2, 4), st.integers(12, 40))
def test_selection_is_that_of_plain_loops(seed, k, n):
    g = torch.Generator().manual_seed(seed)
    scores, E = torch.rand(3, n, k, generator=g).softmax(2).double(), torch.randn(n, 5, generator=g).double()
    per, top = n//k, max(1, n//k//2)
    rows, labels = assign_balanced(prototypes(scores, E, top), E, per)
    for h in range(3):
        r, y = plain_self_labels(scores[h].numpy(), E.numpy(), per, top)
        assert rows[h].tolist() == r and labels[h].tolist() == y


def blobs(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), n)
    x = rng.normal(size=(3, 8))[y]*2 + rng.normal(0, .4, (3*n, 8))
    return (x/np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@pytest.mark.parametrize("assign", ["balanced", "nearest"])
def test_heads_find_blobs(assign, tmp_path):
    X, y = blobs()
    h = SelfHeads(3, heads=4, epochs=10, assign=assign).fit(X)
    assert nmi(y, h.labels_) > .9
    h.save(tmp_path)
    np.testing.assert_array_equal(SelfHeads.load(tmp_path).predict_proba(X), h.proba_)


def test_only_heads_are_trained_and_each_place_comes_once_a_pass():
    X, _ = blobs()
    class Places(Callback):
        order = 50
        def before_epoch(self): self.seen = []
        def before_batch(self): self.seen.append(self.xb[0].clone())
    learn = heads_learner(X, n_clusters=3, heads=2, passes=4, cbs=[Places()])
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    counts = torch.cat(learn.places.seen).bincount(minlength=180)
    assert counts.sum() == 4*128 and counts.max() <= 4
    with pytest.raises(ValueError, match="strong ones"): heads_learner(X, strong=X)


def test_heads_begin_where_they_are_told():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 200)
    X = (3*np.eye(4)[y] + rng.normal(size=(200, 4))).astype(np.float32)
    p = np.eye(4)[(y + 1) % 4]  # the same groups by other names
    assert (SelfHeads(4, heads=3, epochs=3).fit(X, start=p).labels_ == (y + 1) % 4).mean() > .9
    with pytest.raises(ValueError, match="start must be"): SelfHeads(4).fit(X, start=p[:, :3])
