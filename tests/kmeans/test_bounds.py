import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.cluster import KMeans as SklearnKMeans

from audioclust.kmeans.lloyd import e_step, m_step
from audioclust.kmeans import kmeans, reseed
from audioclust.kmeans import bounds as bounds_module
from audioclust.kmeans.bounds import BoundedSearch
from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.nearest import CenterIndex, fit_coordinates, nearest_centers, total_scatter
from audioclust.kmeans.table import Table, unit_rows

seeds = st.integers(0, 2**31 - 1)

def gen(seed): return torch.Generator().manual_seed(seed)

@settings(max_examples=80, deadline=None)
@given(seeds, st.integers(2, 300), st.integers(1, 30), st.integers(1, 9),
       st.sampled_from((torch.float32, torch.float64)),
       st.sampled_from((0., 50., 3e4)), st.sampled_from((1e-25, 1., 1e20)),
       st.sampled_from(("cloud", "grid", "places")), st.booleans())
def test_every_round_finds_what_a_full_search_finds(seed, n, k, d, dtype, offset, size, kind, keep_bounds):
    g = gen(seed)
    if kind == "cloud": x = torch.randn(n, d, generator=g)
    if kind == "grid": x = torch.randint(0, 3, (n, d), generator=g).float() # many ties
    if kind == "places":
        x = 9*torch.randn(5, d, generator=g)[torch.randint(5, (n,), generator=g)] + .1*torch.randn(n, d, generator=g)
    x = (size*(x + offset)).to(dtype)
    k = min(k, n)
    centers, search = x[torch.randperm(n, generator=g)[:k]], BoundedSearch(x, keep_bounds=keep_bounds)
    for turn in range(8):
        a = e_step(search, centers)
        assert torch.equal(a.labels, nearest_centers(x, centers))
        if kind == "grid" and offset == 0 and size == 1:
            far = torch.stack([((x.double() - one.double())**2).sum(1) for one in centers], 1)
            assert (far.gather(1, a.labels[:, None])[:, 0] <= far.amin(1)*(1 + 1e-14)).all()
        if turn == 3: a, _ = reseed(search, a, g)
        centers = m_step(a, centers)
        if turn == 5:
            leaps = torch.randn(centers.shape, generator=g).to(dtype)
            centers = centers + size*leaps*(torch.rand(k, 1, generator=g) < .2) # some leap

@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 200), st.integers(1, 12), st.integers(2, 6), st.booleans(), st.booleans())
def test_by_angle_too(seed, n, k, d, keep_bounds, coarse):
    g = gen(seed)
    x = unit_rows(torch.randint(-1, 2, (n, d), generator=g).float() if coarse else torch.randn(n, d, generator=g))
    centers, search = x[:min(k, n)], BoundedSearch(x, spherical=True, keep_bounds=keep_bounds)
    for _ in range(6):
        a = e_step(search, centers, spherical=True)
        assert torch.equal(a.labels, nearest_centers(x, centers, spherical=True))
        centers = m_step(a, centers, spherical=True)

def test_bounds_spare_work_and_fast_centres_are_used(monkeypatch):
    g, n_fast = gen(0), []
    x = 3*torch.randn(40, 16, generator=g)[torch.randint(40, (20_000,), generator=g)]
    x = x + torch.randn(20_000, 16, generator=g)
    choose = bounds_module.choose_fast_centers
    def spy(*args):
        fast = choose(*args)
        n_fast.append(0 if fast is None else len(fast))
        return fast
    monkeypatch.setattr(bounds_module, "choose_fast_centers", spy)
    centers, search, n_compared = x[:40].clone(), BoundedSearch(x), []
    for _ in range(25):
        a = e_step(search, centers)
        assert torch.equal(a.labels, nearest_centers(x, centers))
        n_compared.append(search.n_compared)
        centers = m_step(a, centers)
    assert n_compared[0] == 20_000 and np.mean(n_compared[12:]) < 4000
    assert sum(n > 0 for n in n_fast) > 3

def test_a_full_run_is_scikit_learns():
    rng = np.random.default_rng(0)
    x = 2*rng.standard_normal((60, 24))[rng.integers(60, size=30_000)] + rng.standard_normal((30_000, 24))
    x = x.astype(np.float32)
    ours = kmeans(torch.from_numpy(x), torch.from_numpy(x[:60]), gen(0), max_iter=40, tol=0, fill=False)
    theirs = SklearnKMeans(60, init=x[:60], n_init=1, max_iter=40, tol=0).fit(x.astype(np.float64))
    assert (ours.labels.numpy() == theirs.labels_).mean() > .9999
    assert np.isclose(ours.losses[-1], theirs.inertia_, rtol=1e-6)

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
