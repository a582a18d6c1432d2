"Runs in lockstep end where single runs end, whatever the rows are like."
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from audioclust.kmeans import KMeans, kmeans
from audioclust.kmeans.initialization import initial_centers, kmeans_from_starts, least_loss, plus_plus_starts
from audioclust.kmeans.nearest import first_argmin, nearest_centers, total_scatter

def gen(seed): return torch.Generator().manual_seed(seed)

def rows_of(seed):
    "Rows with structure or without, far from the origin or near, of any scale."
    g = gen(seed)
    n, d, kind = (int(torch.randint(*r, (1,), generator=g)) for r in ((2, 400), (1, 40), (0, 5)))
    x = torch.randn(n, d, generator=g)
    if kind == 1: x += 3*torch.randn(5, d, generator=g)[torch.randint(5, (n,), generator=g)]
    if kind == 2: x = 1e4 + x
    if kind == 3: x *= 1e-20
    if kind == 4: x[torch.rand(n, generator=g) < .3] = x[0].clone()
    return x


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 70), st.integers(1, 6), st.sampled_from((1, 2, 5, 100)))
def test_the_best_of_all_is_the_best_of_single_runs(seed, k, n_starts, max_iter):
    x = rows_of(seed)
    k, spread = min(k, len(x.unique(dim=0))), total_scatter(x)
    options = dict(max_iter=max_iter, tol=1e-4, spread=spread)
    starts = plus_plus_starts(x, k, n_starts, gen(seed), spread)
    single = [kmeans(x, start, gen(0), **options) for start in starts]
    ours = least_loss(kmeans_from_starts(x, starts, gen(seed), **options))
    assert torch.equal(ours.labels, nearest_centers(x, ours.centers)) and ours.n_iter <= max_iter
    assert len(ours.losses) >= 2 and all(b <= a*(1 + 1e-9) for a,b in zip(ours.losses, ours.losses[1:]))
    best = least_loss(single)
    if not any(run.n_reseeds for run in single):
        assert math.isclose(ours.losses[-1], best.losses[-1], rel_tol=1e-5, abs_tol=1e-6*float(spread.total))
        assert ours.n_reseeds == 0


def test_starts_are_those_of_single_runs():
    # Two rows that are nearest to each other and to no other lower the potential by the same amount:
    # then rounding chooses, and the starts differ from there.
    same = []
    for seed in range(40):
        x, k, generator = rows_of(seed), seed + 1, gen(seed)
        k = min(k, len(x.unique(dim=0)))
        # float64: the same draws, whatever the rows
        single = torch.stack([initial_centers(x.double(), k, generator).float() for _ in range(3)])
        same += (single == plus_plus_starts(x, k, 3, gen(seed), total_scatter(x))).all(2).all(1).tolist()
    assert sum(same) >= .9*len(same), sum(same)


def test_empty_clusters_are_filled_and_too_few_rows_give_fewer():
    x = torch.tensor([[0.], [0.], [1.], [1.], [5.], [9.]])
    starts = plus_plus_starts(x, 4, 3, gen(0), total_scatter(x))
    assert least_loss(kmeans_from_starts(x, starts, gen(0), spread=total_scatter(x))).losses[-1] == 0
    with pytest.warns(match="Found 4 of 6"): model = KMeans(6, n_init=3, random_state=0).fit(x.numpy())
    assert len(set(model.labels_)) == 4 and model.inertia_ == 0
    left = KMeans(6, n_init=3, random_state=0, reseed=False)
    with pytest.warns(match="reseed=True would fill them"): left.fit(x.numpy())
    assert left.cluster_centers_.shape == (6, 1)
    with pytest.warns(match="Found 1 of 3"):
        model = KMeans(3, n_init=2, random_state=0).fit(np.ones((50, 4), np.float32))
    assert model.inertia_ == 0


@pytest.mark.parametrize("params", (dict(), dict(n_init=3), dict(init="given")))
def test_small_tables_find_what_tables_in_float64_find(params): # which go run by run
    for seed in range(5):
        x = torch.randn(300, 6, generator=gen(seed)) + 2*torch.randint(0, 2, (300, 6), generator=gen(seed + 9))
        given = dict(params, init=x[:5]) if "init" in params else params
        small, large = (KMeans(5, random_state=seed, **given).fit(table) for table in (x, x.double()))
        assert torch.equal(small.labels_, large.labels_) and math.isclose(small.inertia_, large.inertia_, rel_tol=1e-6)


def test_one_thread_or_two_give_the_same():
    x, found, before = torch.randn(5000, 20, generator=gen(1)), [], torch.get_num_threads()
    try:
        for threads in 1, 2, 4:
            torch.set_num_threads(threads)
            model = KMeans(7, n_init=4, random_state=0).fit(x)
            assert torch.get_num_threads() == threads
            found.append((model.labels_.tolist(), model.inertia_, model.cluster_centers_.tolist()))
    finally: torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_first_argmin_takes_the_first_of_equals():
    scores = np.random.default_rng(0).integers(-3, 9, (500, 20)).astype(np.float32)
    assert np.array_equal(first_argmin(torch.from_numpy(scores)), scores.argmin(1))
