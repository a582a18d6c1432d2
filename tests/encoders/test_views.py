
import torch
from hypothesis import given, settings, strategies as st

from audioclust.encoders import augmentations as A
from audioclust.encoders.augmentations import BatchRandom, Views
from audioclust.encoders.base import IGNORABLE
from audioclust.encoders.logmel_store import LogMelBatch

HZ = torch.linspace(60, 8000, 64)
SEEDS = st.integers(0, 2**31 - 1)

def batch(seed=0, b=6, bands=64, longest=70):
    g = torch.Generator().manual_seed(seed)
    n = torch.randint(1, longest, (b,), generator=g)
    return LogMelBatch(-12*torch.rand(b, bands, int(n.max()), generator=g).half(), n, torch.randn(b, generator=g))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(Views.strengths), st.lists(st.sampled_from(IGNORABLE), unique=True))
def test_views_are_finite_repeat_with_the_seed_and_leave_their_input_alone(seed, strength, ignore):
    x = batch(seed)
    before = [t.clone() for t in x]
    views = Views(HZ, ignore, strength)
    a, b, c = (views(x, BatchRandom(s)) for s in (seed, seed, seed + 1))
    assert a.shape == (6, 1, 64, 48) and a.isfinite().all() and torch.equal(a, b)
    if ignore or strength != "weak": assert not torch.equal(a, c)
    for t,u in zip(x, before): assert torch.equal(t, u)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from(Views.strengths), st.lists(st.sampled_from(IGNORABLE), unique=True))
def test_shared_and_clean_views_do_not_depend_on_the_batch(seed, strength, ignore):
    L, n, level = batch(seed)
    views = Views(HZ, ignore, strength)
    for rng in (lambda: None, lambda: BatchRandom(3, shared=True)):
        together = views(LogMelBatch(L, n, level), rng())
        ones = [LogMelBatch(L[i:i+1, :, :k], n[i:i+1], level[i:i+1]) for i,k in enumerate(n.tolist())]
        alone = torch.cat([views(one, rng()) for one in ones])
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_padding_is_never_read(seed):
    L, n, level = batch(seed)
    other = L.clone()
    for row,k in zip(other, n.tolist()): row[:, k:] = 99
    views = Views(HZ, IGNORABLE)
    seen = [views(LogMelBatch(one, n, level), BatchRandom(1)) for one in (L, other)]
    assert torch.equal(*seen)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(2, 40), st.integers(2, 60))
def test_reading_a_ramp_gives_the_positions(seed, n, frames):
    ramp = torch.arange(float(n)).expand(1, 64, n)
    at = torch.rand(1, frames, generator=torch.Generator().manual_seed(seed))*(n - 1)
    grid = A.SamplingGrid(at, torch.ones(1), torch.arange(64.)[None])
    read = A.sample_logmels(ramp, torch.tensor([n]), grid)
    torch.testing.assert_close(read, at[:, None].expand(1, 64, frames), atol=1e-3, rtol=1e-4)


def test_squeezing_averages():
    x = torch.tensor([0., 6.]).repeat(50).expand(1, 64, 100)
    squeezed = A.sample_logmels(x, torch.tensor([100]), A.full_grid(torch.tensor([100]), 10, 64))
    assert ((squeezed[..., 1:-1] - 3).abs() < .4).all()  # reading single frames would give 0 and 6


def test_warp_moves_a_tone_by_the_factor():
    hz = torch.linspace(100, 4000, 64)
    class Most(BatchRandom):
        def uniform(self, n, low=0., high=1.): return torch.full((n,), float(high))
    grid = A.warp(A.full_grid(torch.tensor([10]), 10, 64), Most(), hz, .1)
    at = grid.freq[0].clamp(0, 63)
    got = hz[at.long()] + (at - at.long())*(hz[1] - hz[0])
    inside = 1.1*hz < 4000
    torch.testing.assert_close(got[inside], 1.1*hz[inside], atol=1e-2, rtol=1e-4)


def test_power_adds():
    x = torch.tensor([2., 6.]).log()[:, None, None].expand(2, 4, 3)
    class Half(BatchRandom):
        def uniform(self, n, low=0., high=1.): return torch.full((n,), .25)
        def partners(self, n): return torch.tensor([1, 0])
    torch.testing.assert_close(A.mix(x, Half()).exp()[:, 0, 0], torch.tensor([.75*2 + .25*6, .75*6 + .25*2]))
    loud = A.add_noise(torch.full((50, 8, 9), -30.), BatchRandom(0), 1.)
    assert (loud > -30).all() and A.add_noise(x, BatchRandom(0), 0.).equal(x)


def test_colour_is_what_it_says():
    coloured = A.equalise(torch.zeros(400, 16, 12), BatchRandom(0), 6.)
    assert (coloured.std(2) < 1e-6).all() and coloured.abs().max() <= 6*A.DECIBEL + 1e-5
    assert coloured.mean(1).abs().max() < .2


def test_parts_are_parts():
    n = torch.tensor([15, 60, 400])
    for s in range(20):
        p = A.take_part(A.full_grid(n, 20, 64), BatchRandom(s), 20)
        assert (p.time >= 0).all() and (p.time <= (n - 1)[:, None]).all()
        torch.testing.assert_close(p.time[:, -1] - p.time[:, 0], torch.tensor([14., 19., 19.]), atol=1e-3, rtol=0)
