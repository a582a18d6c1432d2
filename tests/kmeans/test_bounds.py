import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.cluster import KMeans as SklearnKMeans

from audioclust.kmeans.lloyd import e_step, m_step
from audioclust.kmeans import kmeans, reseed
from audioclust.kmeans.nearest import Centers, assign, space, start
from audioclust.kmeans.blocks import Rows, scatter, unit_rows
from audioclust.kmeans.bounds import Search

seeds = st.integers(0, 2**31 - 1)

def gen(seed): return torch.Generator().manual_seed(seed)

@settings(max_examples=80, deadline=None)
@given(seeds, st.integers(2, 300), st.integers(1, 30), st.integers(1, 9), st.sampled_from((torch.float32, torch.float64)),
       st.sampled_from((0., 50., 3e4)), st.sampled_from((1e-25, 1., 1e20)), st.sampled_from(("cloud", "grid", "places")), st.booleans())
def test_every_round_finds_what_a_full_search_finds(seed, n, k, d, dtype, offset, size, kind, remember):
    g = gen(seed)
    x = {"cloud": lambda: torch.randn(n, d, generator=g), "grid": lambda: torch.randint(0, 3, (n, d), generator=g).float(), # many ties
         "places": lambda: 9*torch.randn(5, d, generator=g)[torch.randint(5, (n,), generator=g)] + .1*torch.randn(n, d, generator=g)}[kind]()
    x = (size*(x + offset)).to(dtype)
    k = min(k, n)
    centers, search = x[torch.randperm(n, generator=g)[:k]], Search(x, remember=remember)
    for turn in range(8):
        a = e_step(search, centers)
        assert torch.equal(a.labels, assign(x, centers))
        if kind == "grid" and offset == 0 and size == 1:
            far = torch.stack([((x.double() - one.double())**2).sum(1) for one in centers], 1)
            assert (far.gather(1, a.labels[:, None])[:, 0] <= far.amin(1)*(1 + 1e-14)).all()
        if turn == 3: a, _ = reseed(search, a, g)
        centers = m_step(a, centers)
        if turn == 5: centers = centers + size*torch.randn(centers.shape, generator=g).to(dtype)*(torch.rand(k, 1, generator=g) < .2) # some leap

@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 200), st.integers(1, 12), st.integers(2, 6), st.booleans(), st.booleans())
def test_by_angle_too(seed, n, k, d, remember, coarse):
    g = gen(seed)
    x = unit_rows(torch.randint(-1, 2, (n, d), generator=g).float() if coarse else torch.randn(n, d, generator=g))
    centers, search = x[:min(k, n)], Search(x, spherical=True, remember=remember)
    for _ in range(6):
        a = e_step(search, centers, spherical=True)
        assert torch.equal(a.labels, assign(x, centers, spherical=True))
        centers = m_step(a, centers, spherical=True)

def test_little_tables_are_searched_at_once_and_others_block_by_block():
    def at_once(x, k, **how):
        search, used = Search(x, **how), []
        search._at_once = lambda *a: used.append(a) or Search._at_once(search, *a)
        assert torch.equal(e_step(search, x[:k]).labels, assign(x, x[:k]))
        return bool(used)
    x = torch.randn(4000, 8, generator=gen(0))
    assert at_once(x, 16, remember=False) and not at_once(x, 17, remember=False) and not at_once(x, 16)
    assert not at_once(torch.randn(20_000, 8, generator=gen(0)), 2, remember=False)

def test_bounds_spare_work_and_lively_centres_are_used():
    g = gen(0)
    x = 3*torch.randn(40, 16, generator=g)[torch.randint(40, (20_000,), generator=g)] + torch.randn(20_000, 16, generator=g)
    centers, search, looked, lively = x[:40].clone(), Search(x), [], 0
    plan = search._plan
    def spy(c):
        nonlocal lively
        made = plan(c)
        lively += made is not None and len(made) > 0
        return made
    search._plan = spy
    for _ in range(25):
        a = e_step(search, centers)
        assert torch.equal(a.labels, assign(x, centers))
        looked.append(search.looked)
        centers = m_step(a, centers)
    assert looked[0] == 20_000 and np.mean(looked[12:]) < 4000 and lively > 3

def test_a_full_run_is_scikit_learns():
    rng = np.random.default_rng(0)
    x = (2*rng.standard_normal((60, 24))[rng.integers(60, size=30_000)] + rng.standard_normal((30_000, 24))).astype(np.float32)
    ours = kmeans(torch.from_numpy(x), torch.from_numpy(x[:60]), gen(0), max_iter=40, tol=0, fill=False)
    theirs = SklearnKMeans(60, init=x[:60], n_init=1, max_iter=40, tol=0).fit(x.astype(np.float64))
    assert (ours.labels.numpy() == theirs.labels_).mean() > .9999 and np.isclose(ours.losses[-1], theirs.inertia_, rtol=1e-6)

@pytest.mark.parametrize("precision", ("high", "medium"))
def test_coarser_products_change_no_label(precision):
    x, c = torch.randn(20_000, 64, generator=gen(0)), torch.randn(100, 64, generator=gen(1))
    labels, before = assign(x, c), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try: again = assign(x, c)
    finally: torch.set_float32_matmul_precision(before)
    assert torch.equal(again, labels)

def test_the_error_bound_holds():
    for seed,d,offset in ((0, 3, 0.), (1, 128, 0.), (2, 512, 5.), (3, 40, 1e3)):
        x, c = torch.randn(500, d, generator=gen(seed)) + offset, torch.randn(50, d, generator=gen(seed + 9)) + offset
        where = space(torch.zeros(d, dtype=torch.float64), 1., torch.float32) # no shift: the worst that can be
        where = where._replace(origin=None)
        ready = Centers(c, where)
        weight, bias, _ = ready.factors(torch.float32)
        scores = torch.addmm(bias, x, weight).double()
        exact = (c.double()**2).sum(1) - 2*x.double()@c.double().T
        csq, sq = (c.double()**2).sum(1), (x.double()**2).sum(1)[:, None]
        g = ready.noise[torch.float32]
        assert (scores <= exact + 2*g*sq).all() and (exact <= scores + 4*g*csq + 2*g*sq).all()

@pytest.mark.parametrize("init", ("k-means++", "k-means||"))
def test_starts_of_a_share_of_rows_alike(init): # from a view and from `Rows`
    x = torch.randn(3000, 6, generator=gen(0))
    assert torch.equal(start(x, 20, gen(1), init), start(Rows(x), 20, gen(1), init, scatter(x)))

def test_parallel_start_is_about_as_good_as_plus_plus():
    g = gen(0)
    x = 5*torch.randn(30, 8, generator=g)[torch.randint(30, (6000,), generator=g)] + torch.randn(6000, 8, generator=g)
    def loss(init, seed):
        c = start(x, 30, gen(seed), init)
        return ((x - c[assign(x, c)])**2).sum().item()
    plus, parallel, random = (np.mean([loss(init, seed) for seed in range(12)]) for init in ("k-means++", "k-means||", "random"))
    assert parallel < 1.1*plus and plus < .8*random
