import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch.utils._python_dispatch import TorchDispatchMode

from audioclust.kmeans.lloyd import Assignment, e_step, inertia, loss, m_step
from audioclust.kmeans import KMeans, kmeans, reseed
from audioclust.kmeans.initialization import initial_centers
from audioclust.kmeans.nearest import nearest_centers, total_scatter
from audioclust.kmeans.table import unit_rows

seeds = st.integers(0, 2**31 - 1)

def gen(seed): return torch.Generator().manual_seed(seed)

def blobs(seed=0, n=300, d=6, k=7, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return (rng.normal(scale=4, size=(k, d))[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(dtype)

def lumpy(seed, dtype=torch.float32):
    "Rows of few distinct values, some of them nearly equal, some far away: all that makes clusters empty."
    g = gen(seed)
    n, d = (torch.randint(*r, (1,), generator=g).item() for r in ((1, 40), (1, 4)))
    x = torch.randint(0, 3, (n, d), generator=g).double()
    kind = torch.randint(0, 4, (1,), generator=g).item()
    if kind == 1: x += torch.randint(0, 2, (n, d), generator=g)*1e-5
    if kind == 2: x += 1e4
    if kind == 3: x = x*10.**torch.randint(-8, 8, (n, 1), generator=g)
    return x.to(dtype)

def assignment(x, labels, k):
    one_hot = torch.eye(k, dtype=torch.float64)[labels]
    return Assignment(labels, one_hot.T@x.double(), one_hot.sum(0).long())


def exact_loss(x, labels):
    "The least loss of a partition, in fractions: floats lose a small part of it beside a large one."
    rows = [[Fraction(v) for v in row] for row in x.tolist()]
    def scatter(column): return sum(v*v for v in column) - sum(column)**2/len(column)
    return sum(scatter(column) for c in set(labels.tolist())
               for column in zip(*(row for row,l in zip(rows, labels.tolist()) if l == c)))


# (One check asks for an environment variable, SCIPY_ARRAY_API, and is skipped where that is not set.)
@parametrize_with_checks([KMeans(n_clusters=2), KMeans(n_clusters=2, metric="cosine"),
                          KMeans(n_clusters=2, init="random", n_init=2, reseed=False)])
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("max_iter", (1, 2, 4, 300))
@pytest.mark.parametrize("n, d, k", ((100, 2, 3), (500, 5, 20), (400, 40, 9)))
def test_same_as_sklearn_from_the_same_start(n, d, k, max_iter):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, d)) + 3 + rng.integers(0, 2, (n, 1))
        init = rng.choice(x, k, replace=False)
        ours = KMeans(k, init=init, max_iter=max_iter, tol=0).fit(x)
        theirs = SklearnKMeans(k, init=init, n_init=1, max_iter=max_iter, tol=0).fit(x)
        assert ours.n_reseeds_ == 0 # the two fill empty clusters by different rules
        assert math.isclose(ours.inertia_, theirs.inertia_, rel_tol=1e-9)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-9)
        np.testing.assert_allclose(ours.transform(x), theirs.transform(x), atol=1e-6)

@settings(max_examples=150, deadline=None)
@given(seeds, st.integers(1, 15), st.sampled_from((torch.float32, torch.float64)))
def test_reseeding_never_raises_the_loss(seed, k, dtype):
    x = lumpy(seed, dtype)
    a = assignment(x, torch.randint(0, max(1, k//2), (len(x),), generator=gen(seed)), k)
    b, filled = reseed(x, a, gen(seed))
    centers, spread = torch.zeros(k, x.shape[1], dtype=torch.float64), total_scatter(x)
    before, after = (loss(p, m_step(p, centers), spread) for p in (a, b))
    assert after <= before + 1e-9*float(spread[1])
    if filled: assert exact_loss(x, b.labels) < exact_loss(x, a.labels)
    n_before, n_after = (a.counts > 0).sum(), (b.counts > 0).sum()
    assert n_after == n_before + filled == min(k, max(n_before, n_after))
    assert filled == (a.counts == 0).sum() or all(len(x[b.labels == j].unique(dim=0)) <= 1 for j in range(k))
    again = assignment(x, b.labels, k)
    assert torch.equal(again.counts, b.counts) and torch.allclose(again.sums, b.sums, rtol=1e-9, atol=1e-9)
    moved = a.labels != b.labels
    assert (a.counts[b.labels[moved]] == 0).all() # rows only ever move into clusters that were empty

def split(x, seed):
    "Which rows of one cluster follow the centre of an empty one; None if the cluster cannot be split."
    b, filled = reseed(x, assignment(x, torch.zeros(len(x), dtype=torch.long), 2), gen(seed))
    return b.labels == 1 if filled else None

def test_split_refuses_copies_and_always_parts_the_rest():
    x = torch.full((9, 3), .1)
    assert split(x, 0) is None
    x[4, 1] = torch.nextafter(x[4, 1], torch.tensor(1.))
    follow = split(x, 0)
    assert follow.sum() in (1, 8) and follow[4] != follow[0]


@settings(max_examples=150, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 6), st.sampled_from(("random", "k-means++")),
       st.sampled_from((torch.float32, torch.float64)))
def test_no_cluster_is_left_empty(seed, k, max_iter, init, dtype):
    x = lumpy(seed, dtype)
    k = min(k, len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, init=init, max_iter=max_iter, tol=0, random_state=seed).fit(x)
    found = min(k, len(x.unique(dim=0)))
    assert model.labels_.unique().tolist() == list(range(found))
    assert model.cluster_centers_.shape == (found, x.shape[1])
    assert torch.equal(model.predict(x), model.labels_) and 1 <= model.n_iter_ <= max_iter
    d2 = torch.cdist(x.double(), model.cluster_centers_.double(), compute_mode="donot_use_mm_for_euclid_dist")**2
    assert math.isclose(model.inertia_, d2.gather(1, model.labels_[:, None]).sum(), rel_tol=1e-9, abs_tol=1e-300)

def test_a_cluster_emptied_by_the_last_step_is_filled():
    seen = 0 # starts that leave no cluster empty at first and one after the first round
    for seed in range(400):
        g = gen(seed)
        where = 10*torch.rand(6, 2, generator=g)
        x = where[torch.randint(0, 6, (60,), generator=g)] + .4*torch.randn(60, 2, generator=g)
        centers = initial_centers(x, 10, g, "random")
        after = e_step(x, m_step(e_step(x, centers), centers))
        if (after.counts > 0).all(): continue
        seen += 1
        assert (e_step(x, centers).counts > 0).all()
        run = kmeans(x, centers, g, max_iter=1)
        assert len(run.labels.unique()) == 10 and run.n_iter == 1 and run.n_reseeds >= 1
    assert seen >= 3

@settings(max_examples=60, deadline=None)
@given(seeds, st.booleans(), st.booleans())
def test_the_loss_never_rises(seed, far, spherical):
    g = gen(seed)
    x = torch.randn(80, 5, generator=g, dtype=torch.float64) + 2*torch.randint(0, 2, (80, 5), generator=g)
    x = x/x.norm(dim=1, keepdim=True) if spherical else x
    centers = initial_centers(x, 12, g, "random")
    if far: centers[::2] = -centers[::2] if spherical else centers[::2] + 50 # some start without a row
    run = kmeans(x, centers, g, tol=0, spherical=spherical)
    assert all(b <= a*(1 + 1e-12) for a,b in zip(run.losses, run.losses[1:]))
    assert math.isclose(run.losses[-1], inertia(x, run.centers, run.labels), rel_tol=1e-9)
    if far and not spherical: assert run.n_reseeds >= 1

@settings(max_examples=80, deadline=None)
@given(seeds, st.integers(2, 300), st.integers(1, 30), st.integers(1, 9),
       st.sampled_from((torch.float32, torch.float64)), st.sampled_from((0., 50., 3e4)),
       st.sampled_from((1e-25, 1., 1e20)), st.sampled_from(("cloud", "grid", "angles")))
def test_each_round_finds_the_nearest_and_their_sums(seed, n, k, d, dtype, offset, size, kind):
    g, spherical = gen(seed), kind == "angles"
    if kind == "grid": x = torch.randint(0, 3, (n, d), generator=g).float() # many ties
    else: x = torch.randn(n, d, generator=g)
    x = (unit_rows(x) if spherical else size*(x + offset)).to(dtype)
    k, assigned = min(k, n), None
    centers = x[torch.randperm(n, generator=g)[:k]]
    for turn in range(6):
        assigned = e_step(x, centers, spherical, before=assigned)
        assert torch.equal(assigned.labels, nearest_centers(x, centers, spherical))
        fresh = assignment(x, assigned.labels, k)
        assert torch.equal(assigned.counts, fresh.counts)
        assert torch.allclose(assigned.sums, fresh.sums, rtol=1e-12, atol=1e-9*float(x.abs().max()))
        if turn == 2: assigned, _ = reseed(x, assigned, g, spherical)
        centers = m_step(assigned, centers, spherical)

def test_a_full_run_is_scikit_learns():
    rng = np.random.default_rng(0)
    x = 2*rng.standard_normal((60, 24))[rng.integers(60, size=30_000)] + rng.standard_normal((30_000, 24))
    x = x.astype(np.float32)
    ours = kmeans(torch.from_numpy(x), torch.from_numpy(x[:60]), gen(0), max_iter=40, tol=0, fill=False)
    theirs = SklearnKMeans(60, init=x[:60], n_init=1, max_iter=40, tol=0).fit(x.astype(np.float64))
    assert (ours.labels.numpy() == theirs.labels_).mean() > .9999
    assert np.isclose(ours.losses[-1], theirs.inertia_, rtol=1e-6)


def test_without_reseeding_an_empty_cluster_stays_where_it_was():
    x = blobs()
    init = np.vstack([x[:3], [[1e3]*6, [-1e3]*6]])
    with pytest.warns(ConvergenceWarning, match="Found 3 of 5 clusters: .*reseed=True"):
        model = KMeans(5, init=init, reseed=False, random_state=0).fit(x)
    assert model.cluster_centers_.shape == (5, 6) and model.n_reseeds_ == 0
    np.testing.assert_array_equal(model.cluster_centers_[3:], init[3:].astype(np.float32))
    cured = KMeans(5, init=init, random_state=0).fit(x)
    assert cured.n_reseeds_ >= 2 and cured.inertia_ < model.inertia_

def test_order_of_rows_does_not_matter():
    x = blobs(dtype=np.float64)
    order = np.random.default_rng(1).permutation(len(x))
    a, b = KMeans(7, init=x[:7], tol=0).fit(x), KMeans(7, init=x[:7], tol=0).fit(x[order])
    np.testing.assert_array_equal(a.labels_[order], b.labels_)

def test_far_from_the_origin():
    x = np.round(blobs(n=1000)*128).astype(np.float32)/128 # a grid that float32 still holds at 10,000
    near, far = (KMeans(7, init=x[:7] + shift, tol=0).fit(x + shift) for shift in (np.float32(0), np.float32(1e4)))
    assert adjusted_rand_score(near.labels_, far.labels_) > .999
    np.testing.assert_allclose(far.cluster_centers_ - 1e4, near.cluster_centers_, atol=2e-3)
    assert math.isclose(far.inertia_, near.inertia_, rel_tol=1e-5)

def test_tight_groups_far_apart():
    # Four clouds of width 1, two at each of two places 10,000 apart: in float32 a score is rounded by more than 1.
    where = torch.tensor([[0., 0.], [10., 0.], [10_000., 0.], [10_010., 0.]])
    x = where.repeat_interleave(50, 0) + torch.randn(200, 2, generator=gen(0))
    model = KMeans(4, n_init=3, random_state=0).fit(x)
    assert adjusted_rand_score(model.labels_, torch.arange(200)//50) == 1

def test_inertia_is_exact_where_it_is_tiny():
    x = blobs(n=40, dtype=np.float64)
    assert KMeans(40, random_state=0).fit(x).inertia_ == 0
    pairs = np.repeat(x, 2, axis=0)
    pairs[::2, 0] += 1e-7
    assert math.isclose(KMeans(40, init=x, random_state=0).fit(pairs).inertia_, 40*2*(.5e-7)**2, rel_tol=1e-6)


def test_the_seed_decides():
    x = blobs(n=500)
    a, b = (KMeans(20, init="random", random_state=3).fit(x) for _ in range(2))
    np.testing.assert_array_equal(a.labels_, b.labels_)
    np.testing.assert_array_equal(a.cluster_centers_, b.cluster_centers_)
    assert any((KMeans(20, init="random", random_state=seed).fit_predict(x) != a.labels_).any() for seed in range(3))
    state = np.random.RandomState(0)
    c, d = (KMeans(20, init="random", random_state=state).fit(x) for _ in range(2))
    assert (c.labels_ != d.labels_).any()
    again = KMeans(20, init="random", random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(c.labels_, again.fit_predict(x))

def test_too_few_distinct_rows_give_fewer_clusters():
    x = np.array([[0.], [0.], [1.], [1.], [5.], [9.]], np.float32)
    with pytest.warns(match="Found 4 of 6"): model = KMeans(6, n_init=3, random_state=0).fit(x)
    assert len(set(model.labels_)) == 4 and model.inertia_ == 0
    with pytest.warns(match="Found 1 of 3"): model = KMeans(3, n_init=2, random_state=0).fit(np.ones((50, 4), np.float32))
    assert model.inertia_ == 0

def test_one_thread_or_more_give_the_same():
    x, fits, before = torch.randn(5000, 20, generator=gen(1)), [], torch.get_num_threads()
    try:
        for threads in 1, 2, 4:
            torch.set_num_threads(threads)
            model = KMeans(7, n_init=4, random_state=0).fit(x)
            assert torch.get_num_threads() == threads
            fits.append((model.labels_.tolist(), model.inertia_, model.cluster_centers_.tolist()))
    finally: torch.set_num_threads(before)
    assert fits[0] == fits[1] == fits[2]

def test_more_starts_are_never_worse():
    x = blobs(n=400, k=15)
    found = [KMeans(15, init="random", n_init=n_init, random_state=0).fit(x).inertia_ for n_init in (1, 3, 10)]
    assert found[0] >= found[1] >= found[2] and found[2] < found[0]

def test_tol_stops_at_the_relative_drop():
    x = torch.randn(2000, 4, generator=gen(0))
    for tol in (1e-1, 1e-2, 1e-3):
        run = kmeans(x, x[:20], gen(0), tol=tol)
        drops = [1 - b/a for a,b in zip(run.losses, run.losses[1:])]
        assert drops[-1] <= tol and all(drop > tol for drop in drops[:-1]) and run.n_iter == len(drops)


@pytest.mark.parametrize("dtype, kept", ((torch.float16, torch.float32), (torch.bfloat16, torch.float32),
                                         (torch.float32, torch.float32),
                                         (torch.float64, torch.float64), (torch.int32, torch.float64)))
def test_tensors_in_tensors_out(dtype, kept):
    x = (10*torch.from_numpy(blobs())).to(dtype)
    model = KMeans(5, random_state=0).fit(x)
    assert model.labels_.dtype == torch.int64 and model.cluster_centers_.dtype == model.transform(x).dtype == kept
    assert isinstance(model.inertia_, float) and isinstance(model.score(x), float)
    assert torch.equal(model.predict(x), model.labels_) and torch.equal(model.transform(x).argmin(1), model.labels_)
    np.testing.assert_array_equal(KMeans(5, random_state=0).fit_predict(x.to(kept).numpy()), model.labels_)

def test_bad_tensors_are_refused():
    for X, message in ((torch.zeros(5), "2-D"), (torch.zeros(0, 3), "not empty"), (torch.full((9, 2), math.nan), "NaN"),
                       (torch.zeros(9, 2, dtype=torch.complex64), "complex")):
        with pytest.raises(ValueError, match=message): KMeans(2).fit(X)

def test_bad_arguments_are_refused():
    for arguments, message in ((dict(n_clusters=2.5), "n_clusters"), (dict(n_init=0), "n_init"), (dict(tol=-1), "tol"),
                               (dict(metric="l1"), "metric"), (dict(init="best"), "init"),
                               (dict(init=np.full((8, 6), np.nan)), "finite"), (dict(n_clusters=301), "n_samples=300")):
        with pytest.raises(ValueError, match=message): KMeans(**arguments).fit(blobs())

@pytest.mark.parametrize("arguments", (dict(), dict(metric="cosine"), dict(init=blobs()[:5]),
                                       dict(tol=np.float32(1e-4), max_iter=np.int64(50), device=torch.device("cpu"))))
def test_a_kept_model_predicts_the_same(tmp_path, arguments):
    x = blobs()
    model = KMeans(5, random_state=0, **arguments).fit(x)
    model.save(tmp_path)
    again = KMeans.load(tmp_path)
    np.testing.assert_array_equal(again.predict(x), model.labels_)
    assert torch.equal(again.predict(torch.from_numpy(x)), torch.from_numpy(model.labels_))
    np.testing.assert_array_equal(again.transform(x), model.transform(x))


def test_cosine_ignores_the_length_of_rows():
    x = blobs(dtype=np.float64)
    scale = 10**np.random.default_rng(1).uniform(-3, 3, (len(x), 1))
    a, b = (KMeans(7, metric="cosine", init=x[:7], tol=0).fit(y) for y in (x, x*scale))
    np.testing.assert_array_equal(a.labels_, b.labels_)
    np.testing.assert_allclose(np.linalg.norm(a.cluster_centers_, axis=1), 1)
    cos = (x/np.linalg.norm(x, axis=1, keepdims=True)*a.cluster_centers_[a.labels_]).sum(1)
    assert math.isclose(a.inertia_, (2 - 2*cos).sum(), rel_tol=1e-9)
    np.testing.assert_allclose(a.transform(x)[np.arange(300), a.labels_]**2, 2 - 2*cos, atol=1e-9)

def test_cosine_against_plain_loops():
    x = blobs(seed=2, dtype=np.float64)
    u = x/np.linalg.norm(x, axis=1, keepdims=True)
    c = u[:6]
    for _ in range(100):
        labels = (u@c.T).argmax(1)
        sums = np.array([u[labels == j].sum(0) for j in range(6)])
        c = sums/np.linalg.norm(sums, axis=1, keepdims=True)
    model = KMeans(6, metric="cosine", init=x[:6], tol=0).fit(x)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_allclose(model.cluster_centers_, c, atol=1e-9)

def test_cosine_with_silent_rows():
    x = blobs()
    silent = np.insert(x, [0, 100], 0, axis=0)
    a, b = KMeans(5, metric="cosine", random_state=0).fit(x), KMeans(5, metric="cosine", random_state=0).fit(silent)
    rows = silent.any(1)
    np.testing.assert_array_equal(b.labels_[rows], a.labels_)
    assert (b.labels_[~rows] == 0).all() and (b.predict(silent) == b.labels_).all()
    assert math.isclose(b.inertia_, a.inertia_ + 2, rel_tol=1e-6) and math.isclose(-b.score(silent), b.inertia_)
    with pytest.raises(ValueError, match="all rows of X are zero"): KMeans(2, metric="cosine").fit(np.zeros((5, 3)))
    with pytest.warns(ConvergenceWarning, match="Found 3 of 5"):
        directions = np.repeat(np.sqrt(np.arange(1., 19)).reshape(3, 6), 10, axis=0)
        model = KMeans(5, metric="cosine", random_state=0).fit(directions*np.arange(1., 31)[:, None])
    assert model.n_reseeds_ == 0 # rows that differ by rounding only are not worth a cluster


class Largest(TorchDispatchMode):
    "Remembers how many numbers the largest tensor made inside it held."
    numel = 0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(t, torch.Tensor): self.numel = max(self.numel, t.numel())
        return out

def test_memory_does_not_grow_with_rows_times_clusters():
    x = torch.randn(60_000, 4, generator=gen(0))
    # one holds all rows, so reseeding looks at all of them
    centers = torch.cat([torch.zeros(1, 4), torch.full((39, 4), 99.)])
    with Largest() as seen: run = kmeans(x, centers, gen(0), max_iter=1)
    assert run.n_reseeds >= 39 and seen.numel <= 2**21 # 60,000 * 40 would be 2.4 million

@pytest.mark.gpu
def test_gpu_agrees():
    x = torch.from_numpy(blobs(n=20_000, d=32, k=40))
    a, b = KMeans(40, init=x[:40], tol=0).fit(x), KMeans(40, init=x[:40], tol=0).fit(x.cuda())
    assert b.labels_.is_cuda and b.cluster_centers_.is_cuda
    assert math.isclose(a.inertia_, b.inertia_, rel_tol=1e-4) and adjusted_rand_score(a.labels_, b.labels_.cpu()) > .99
    c = KMeans(40, init=x[:40].numpy(), tol=0).fit(x.numpy()) # numpy goes to the GPU by itself, and comes back as numpy
    assert isinstance(c.labels_, np.ndarray) and adjusted_rand_score(c.labels_, b.labels_.cpu()) > .99
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        few = KMeans(50, init="random", random_state=0).fit(x[:30].repeat(50, 1).cuda())
    assert len(few.labels_.unique()) == 30
