"Heads that agree with their neighbours: the losses of SCAN and TEMI."
import math

import numpy as np
import pytest
import torch

from audioclust.metrics import accuracy
from audioclust.published.neighbour_heads import NeighbourHeads, scan_loss, temi_loss


def test_losses_of_neighbours_are_those_of_plain_loops():
    g = torch.Generator().manual_seed(0)
    a, b, ta, tb = (torch.rand(2, 5, 3, generator=g).softmax(2).double() for _ in range(4))
    prior = torch.rand(2, 3, generator=g).softmax(1).double()
    for h in range(2):
        agree = -sum(math.log(sum(a[h, i, c]*b[h, i, c] for c in range(3))) for i in range(5))/5
        mean = [sum(a[h, i, c] for i in range(5))/5 for c in range(3)]
        assert scan_loss(a, b, 5.)[h].item() == pytest.approx(agree + 5*sum(m*math.log(m) for m in mean))
        total = 0
        for i in range(5):
            w = sum(sum(ta[k, i, c]*tb[k, i, c] for c in range(3)) for k in range(2))/2
            def one(p, q): return -math.log(sum((p[h, i, c]*q[h, i, c])**.6/prior[h, c] for c in range(3)))
            total += w*(one(a, tb) + one(b, ta))/2
        assert temi_loss(a, b, ta, tb, prior)[h].item() == pytest.approx(float(total/5))


@pytest.mark.parametrize("loss", ["scan", "temi"])
def test_heads_of_neighbours_find_groups_and_keep(loss, tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 240)
    X = (4*np.eye(3)[y] + rng.normal(size=(240, 3))).astype(np.float32)
    m = NeighbourHeads(3, loss=loss, heads=4, epochs=40, n_neighbors=8).fit(X)
    assert accuracy(y, m.labels_) > .9
    m.save(tmp_path)
    np.testing.assert_array_equal(NeighbourHeads.load(tmp_path).predict(X), m.labels_)
    first, second = (NeighbourHeads(3, loss=loss, heads=4, epochs=2).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.proba_, second.proba_)
    assert len(NeighbourHeads(2, loss=loss, epochs=1).fit(X[:4]).labels_) == 4  # fewer neighbours than asked for
