"Runs in lockstep end where single runs end, whatever the rows are like."
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from audioclust.kmeans import KMeans, kmeans
from audioclust.kmeans.table import map_blocks, own_threads
from audioclust.kmeans.estimator import _in_lockstep
from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.lowest import lowest_two, lowest_two_of_columns
from audioclust.kmeans.nearest import fit_coordinates, nearest_centers
from audioclust.kmeans.table import Rows, total_scatter
from audioclust.kmeans.initialization import kmeans_from_starts, least_loss
from audioclust.kmeans.starts import _Draws, _far_rows, _Table

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
    single = [kmeans(x, start, gen(0), **options) for start in x[starting_rows(x, k, n_starts, gen(seed))]]
    ours = kmeans_from_starts(x, k, n_starts, gen(seed), **options)
    assert torch.equal(ours.labels, nearest_centers(x, ours.centers)) and ours.n_iter <= max_iter
    assert len(ours.losses) >= 2 and all(b <= a*(1 + 1e-9) for a,b in zip(ours.losses, ours.losses[1:]))
    best = least_loss(single)
    if not any(run.n_reseeds for run in single):
        assert math.isclose(ours.losses[-1], best.losses[-1], rel_tol=1e-5, abs_tol=1e-6*float(spread.total))
        assert ours.n_reseeds == 0


def starting_rows(x, k, n_starts, generator):
    spread = total_scatter(x)
    return _far_rows(_Table(x, fit_coordinates(spread.mean, math.sqrt(spread.total/len(x)), x.dtype)), k, _Draws(len(x), k, n_starts, generator))

def test_starts_are_those_of_single_runs():
    "Two rows that are nearest to each other and to no other lower the potential by the same: then rounding chooses, and the starts differ from there."
    same = []
    for seed in range(40):
        x, k, generator = rows_of(seed), seed + 1, gen(seed)
        k = min(k, len(x.unique(dim=0)))
        single = torch.stack([initial_centers(x.double(), k, generator).float() for _ in range(3)]) # float64: the same draws, whatever the rows
        same += (single == x[starting_rows(x, k, 3, gen(seed))]).all(2).all(1).tolist()
    assert sum(same) >= .9*len(same), sum(same)


def test_empty_clusters_are_filled_and_too_few_rows_give_fewer():
    x = torch.tensor([[0.], [0.], [1.], [1.], [5.], [9.]])
    assert kmeans_from_starts(x, 4, 3, gen(0), spread=total_scatter(x)).losses[-1] == 0
    with pytest.warns(match="Found 4 of 6"): model = KMeans(6, n_init=3, random_state=0).fit(x.numpy())
    assert len(set(model.labels_)) == 4 and model.inertia_ == 0
    left = KMeans(6, n_init=3, random_state=0, reseed=False)
    with pytest.warns(match="reseed=True would fill them"): left.fit(x.numpy())
    assert left.cluster_centers_.shape == (6, 1)
    with pytest.warns(match="Found 1 of 3"): model = KMeans(3, n_init=2, random_state=0).fit(np.ones((50, 4), np.float32))
    assert model.inertia_ == 0


def test_only_small_tables_in_memory_go_together(tmp_path):
    x = torch.randn(1000, 8, generator=gen(0))
    assert _in_lockstep(KMeans(5, n_init=3), Rows(x)) and _in_lockstep(KMeans(5), Rows(x))
    np.save(tmp_path/"x.npy", x.numpy())
    for model,rows in ((KMeans(5), Rows(np.load(tmp_path/"x.npy", mmap_mode="r"))), (KMeans(5), Rows(x.double())), (KMeans(5, init="random"), Rows(x)),
                       (KMeans(5, metric="cosine"), Rows(x)), (KMeans(5, batch_size=100), Rows(x)), (KMeans(5, n_init=2000), Rows(x)), (KMeans(5), Rows(torch.randn(200_000, 8)))):
        assert not _in_lockstep(model, rows), model


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


def test_threads_come_back_after_an_error_and_within():
    before, cpu = torch.get_num_threads(), torch.device("cpu")
    try:
        torch.set_num_threads(4)
        with pytest.raises(KeyError), own_threads(cpu):
            assert torch.get_num_threads() == 1
            with own_threads(cpu): assert list(map_blocks(lambda i: (i, torch.get_num_threads()), [0, 1], cpu)) == [(0, 2), (1, 2)] # two blocks for four threads
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 4
    finally: torch.set_num_threads(before)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 90), st.integers(1, 60))
def test_two_lowest(seed, k, n):
    scores = np.random.default_rng(seed).integers(-3, 9, (n, k)).astype(np.float32)
    ordered = np.sort(np.column_stack([scores, np.full(n, np.inf)]), 1)
    for labels,lowest,second in (lowest_two(torch.from_numpy(scores.copy())), lowest_two_of_columns(np.ascontiguousarray(scores.T))):
        assert np.array_equal(labels, scores.argmin(1)) and np.array_equal(lowest, ordered[:, 0]) and np.array_equal(second, ordered[:, 1])
