import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.cluster import kmeans_plusplus
from torch.utils._python_dispatch import TorchDispatchMode

from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.nearest import CenterIndex, fit_coordinates, first_argmin, nearest_centers, total_scatter
from audioclust.kmeans.table import float64_blocks, row_blocks, Table, unit_rows

seeds = st.integers(0, 2**31 - 1)

def gen(seed): return torch.Generator().manual_seed(seed)

def direct(x, centers): # squared distances the slow way, in float64
    return ((x.double()[:, None] - centers.double())**2).sum(2)


class Largest(TorchDispatchMode):
    "Remembers how many numbers the largest tensor made inside it held."
    def __init__(self):
        super().__init__()
        self.numel = 0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(t, torch.Tensor): self.numel = max(self.numel, t.numel())
        return out


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 60), st.integers(1, 20), st.integers(1, 8),
       st.sampled_from((torch.float32, torch.float64)), st.sampled_from((0., 3., 1e4)))
def test_assign_finds_a_nearest_centre(seed, n, k, d, dtype, offset):
    g = gen(seed)
    x, c = (torch.randn(m, d, generator=g).to(dtype) + offset for m in (n, k))
    d2 = direct(x, c)
    chosen = d2.gather(1, nearest_centers(x, c)[:, None])[:, 0]
    assert torch.allclose(chosen, d2.min(1)[0], rtol=1e-4, atol=1e-4 if dtype == torch.float32 else 1e-10)

def test_assign_takes_the_first_of_equals():
    grid = torch.cartesian_prod(*[torch.arange(-3., 4.)]*2)
    corners = torch.tensor([[-2., -2.], [2., -2.], [-2., 2.], [2., 2.]])
    assert torch.equal(nearest_centers(grid, corners), direct(grid, corners).argmin(1))
    twice = corners.repeat(2, 1)
    assert torch.equal(nearest_centers(grid, twice), direct(grid, corners).argmin(1))

@pytest.mark.parametrize("power", (-90, -20, 20, 60))
def test_assign_does_not_see_the_unit(power):
    x, c = torch.randn(200, 5, generator=gen(0)), torch.randn(9, 5, generator=gen(1))
    assert torch.equal(nearest_centers(x*2.**power, c*2.**power), nearest_centers(x, c))

@pytest.mark.parametrize("dtype, gap", ((torch.float32, 1e-3), (torch.float32, 2e-7), (torch.float64, 1e-9),
                                        (torch.float64, 1e-15)))
@pytest.mark.parametrize("unit", (2.**-20, 1., 2.**20))
def test_assign_tells_near_twins_apart(dtype, gap, unit):
    c = unit*torch.tensor([[1., 2.], [1. + gap, 2.], [-30., 5.], [0., 70.]], dtype=dtype)
    assert (c[0] != c[1]).any()
    assert torch.equal(nearest_centers(c, c), torch.arange(4))

def test_by_angle_silence_goes_to_the_first():
    x = torch.cat([torch.zeros(3, 4), torch.randn(20, 4, generator=gen(0))])
    c = unit_rows(torch.randn(5, 4, generator=gen(1)))
    labels = nearest_centers(unit_rows(x), c, spherical=True)
    assert (labels[:3] == 0).all()
    assert torch.equal(labels[3:], (x[3:]@c.T).argmax(1))

def test_scores_of_all_rows_never_exist_at_once():
    x, c = torch.randn(300_000, 8), torch.randn(64, 8)
    with Largest() as seen: nearest_centers(x, c)
    assert seen.numel <= 2**21 # 300,000 * 64 scores would be 19 million
    with Largest() as seen: total_scatter(x)
    assert seen.numel <= 2**21

def test_blocks_cover_rows_once():
    for n,d,k in ((1, 1, 1), (1000, 3, 2), (50_000, 7, 300), (5, 10**6, 1)):
        parts = row_blocks(torch.empty(n, d), k)
        assert [s.start for s in parts[1:]] == [s.stop for s in parts[:-1]]
        assert (parts[0].start, parts[-1].stop) == (0, n)

def test_in_float64_visits_members_and_leaves_x_alone():
    x = torch.randn(400_000, 8, generator=gen(0))
    kept, members = x.clone(), torch.randperm(400_000, generator=gen(1))[:300_000]
    parts = [(s, rows.clone(), rows.zero_())[:2] for s,rows in float64_blocks(x, members)]
    assert len(parts) > 1 and torch.equal(torch.cat([rows for _,rows in parts]), x[members].double())
    assert torch.equal(x, kept)

@pytest.mark.parametrize("size", (1e-35, 1e-12, 1., 1e30))
def test_unit_rows(size):
    x = size*torch.randn(50, 6, generator=gen(0))
    x[7] = 0
    length = unit_rows(x).norm(dim=1)
    assert length[7] == 0 and torch.allclose(length[torch.arange(50) != 7], torch.ones(49), atol=1e-6)
    assert torch.allclose(unit_rows(3*x), unit_rows(x), atol=1e-6)

def test_scatter_far_from_the_origin():
    x = torch.randn(5000, 3, generator=gen(0), dtype=torch.float64) + 1e8
    mean, total = total_scatter(x)
    assert torch.allclose(mean, x.mean(0), rtol=1e-12)
    assert math.isclose(total, ((x - x.mean(0))**2).sum(), rel_tol=1e-6)


@pytest.mark.parametrize("precision", ("high", "medium"))
def test_coarser_products_change_no_label(precision):
    x, c = torch.randn(20_000, 64, generator=gen(0)), torch.randn(100, 64, generator=gen(1))
    labels, before = nearest_centers(x, c), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try: again = nearest_centers(x, c)
    finally: torch.set_float32_matmul_precision(before)
    assert torch.equal(again, labels)

def test_the_error_bound_holds():
    for seed,d,offset in ((0, 3, 0.), (1, 128, 0.), (2, 512, 5.), (3, 40, 1e3)):
        x, c = torch.randn(500, d, generator=gen(seed)) + offset, torch.randn(50, d, generator=gen(seed + 9)) + offset
        coordinates = fit_coordinates(torch.zeros(d, dtype=torch.float64), 1., torch.float32)
        coordinates = coordinates._replace(origin=None) # no shift: the worst that can be
        index = CenterIndex(c, coordinates)
        weight, bias, _ = index.terms(torch.float32)
        scores = torch.addmm(bias, x, weight).double()
        exact = (c.double()**2).sum(1) - 2*x.double()@c.double().T
        csq, sq = (c.double()**2).sum(1), (x.double()**2).sum(1)[:, None]
        g = index.relative_error[torch.float32]
        assert (scores <= exact + 2*g*sq).all() and (exact <= scores + 4*g*csq + 2*g*sq).all()

def test_first_argmin_takes_the_first_of_equals():
    scores = np.random.default_rng(0).integers(-3, 9, (500, 20)).astype(np.float32)
    assert np.array_equal(first_argmin(torch.from_numpy(scores)), scores.argmin(1))


def potential(x, c): return direct(x, c).min(1)[0].sum().item()

def test_plus_plus_starts_as_well_as_sklearn():
    x = torch.randn(400, 4, generator=gen(0)) + 6*torch.randint(0, 3, (400, 4), generator=gen(1))
    ours = [potential(x, initial_centers(x, 10, gen(seed))) for seed in range(60)]
    theirs = [potential(x, torch.from_numpy(kmeans_plusplus(x.numpy(), 10, random_state=seed)[0]))
              for seed in range(60)]
    random = [potential(x, initial_centers(x, 10, gen(seed), "random")) for seed in range(60)]
    assert abs(np.mean(ours)/np.mean(theirs) - 1) < .05
    assert np.mean(ours) < .9*np.mean(random)

@pytest.mark.parametrize("dtype", (torch.float32, torch.float64))
def test_plus_plus_never_draws_a_copy(dtype):
    points = torch.randn(12, 3, generator=gen(0)).to(dtype) + 50
    x = points.repeat(9, 1)
    for seed in range(20): assert len(initial_centers(x, 12, gen(seed)).unique(dim=0)) == 12

def test_plus_plus_sees_small_distances_beside_large_ones():
    # Two places 20,000 apart, four small clouds at each: in float32 the clouds of a place are one blur.
    four = torch.tensor([[0., 0.], [8., 0.], [0., 8.], [8., 8.]])
    places = torch.cat([four, four + 20_000])
    x = places.repeat(25, 1) + .3*torch.randn(200, 2, generator=gen(0))
    reached = [len(nearest_centers(initial_centers(x, 8, gen(seed)), places).unique()) for seed in range(20)]
    assert np.mean(reached) > 7.5

@pytest.mark.parametrize("init", ("random", "k-means++"))
def test_start_is_rows_and_the_seed_alone_decides(init):
    x = torch.randn(50, 3, generator=gen(0))
    state = torch.random.get_rng_state()
    a, b, other = (initial_centers(x, 6, gen(seed), init) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, other)
    assert torch.equal(state, torch.random.get_rng_state())
    assert (direct(a, x).min(1)[0] == 0).all() and len(a.unique(dim=0)) == 6

def test_start_with_every_row():
    x = torch.arange(5.)[:, None]
    for init in ("random", "k-means++"): assert initial_centers(x, 5, gen(0), init).unique().tolist() == [0, 1, 2, 3, 4]

@pytest.mark.parametrize("init", ("k-means++", "k-means||"))
def test_starts_of_a_share_of_rows_alike(init): # from a tensor and from a `Table`
    x = torch.randn(3000, 6, generator=gen(0))
    of_table = initial_centers(Table(x), 20, gen(1), init, total_scatter(x))
    assert torch.equal(initial_centers(x, 20, gen(1), init), of_table)

def test_parallel_start_is_about_as_good_as_plus_plus():
    g = gen(0)
    x = 5*torch.randn(30, 8, generator=g)[torch.randint(30, (6000,), generator=g)] + torch.randn(6000, 8, generator=g)
    def loss(init, seed):
        c = initial_centers(x, 30, gen(seed), init)
        return ((x - c[nearest_centers(x, c)])**2).sum().item()
    plus, parallel, random = (np.mean([loss(init, seed) for seed in range(12)])
                              for init in ("k-means++", "k-means||", "random"))
    assert parallel < 1.1*plus and plus < .8*random


@pytest.mark.gpu
def test_gpu_agrees():
    x, c = torch.randn(50_000, 32, generator=gen(0)), torch.randn(100, 32, generator=gen(1))
    for offset in (0, 1e4):
        on_gpu = nearest_centers((x + offset).cuda(), (c + offset).cuda()).cpu()
        assert (on_gpu != nearest_centers(x + offset, c + offset)).float().mean() < 1e-3
    assert torch.equal(initial_centers(x.cuda(), 9, gen(0), "random").cpu(), initial_centers(x, 9, gen(0), "random"))


@pytest.mark.parametrize("shape", [(3000, 16, 40), (3000, 16, 200), (500, 3, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_equal_centres_the_first_is_found(shape, dtype):
    n, d, k = shape
    x, centers = torch.randn(n, d, generator=gen(0), dtype=dtype), torch.randn(k, d, generator=gen(1), dtype=dtype)
    centers[-1] = centers[0]
    labels = nearest_centers(x, centers)
    assert torch.equal(labels, direct(x, centers).argmin(1)) and (labels < k - 1).all()
