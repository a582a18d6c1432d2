
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.cluster import kmeans_plusplus

from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.nearest import nearest_centers
from audioclust.kmeans.table import unit_rows

seeds = st.integers(0, 2**31 - 1)

def gen(seed): return torch.Generator().manual_seed(seed)

def direct(x, centers): # squared distances the slow way, in float64
    return ((x.double()[:, None] - centers.double())**2).sum(2)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 60), st.integers(1, 20), st.integers(1, 8),
       st.sampled_from((torch.float32, torch.float64)), st.sampled_from((0., 3., 1e4)))
def test_assign_finds_a_nearest_centre(seed, n, k, d, dtype, offset):
    g = gen(seed)
    x, c = (torch.randn(m, d, generator=g).to(dtype) + offset for m in (n, k))
    d2 = direct(x, c)
    chosen = d2.gather(1, nearest_centers(x, c)[:, None])[:, 0]
    assert torch.allclose(chosen, d2.min(1)[0], rtol=1e-4, atol=1e-4 if dtype == torch.float32 else 1e-10)

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

@pytest.mark.parametrize("size", (1e-35, 1e-12, 1., 1e30))
def test_unit_rows(size):
    x = size*torch.randn(50, 6, generator=gen(0))
    x[7] = 0
    length = unit_rows(x).norm(dim=1)
    assert length[7] == 0 and torch.allclose(length[torch.arange(50) != 7], torch.ones(49), atol=1e-6)
    assert torch.allclose(unit_rows(3*x), unit_rows(x), atol=1e-6)

@pytest.mark.parametrize("precision", ("high", "medium"))
def test_coarser_products_change_no_label(precision):
    x, c = torch.randn(20_000, 64, generator=gen(0)), torch.randn(100, 64, generator=gen(1))
    labels, before = nearest_centers(x, c), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try: again = nearest_centers(x, c)
    finally: torch.set_float32_matmul_precision(before)
    assert torch.equal(again, labels)

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
