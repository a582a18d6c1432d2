import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from audioclust.audio import fsdd
from audioclust.encoders import FixedEncoder
from audioclust.encoders.base import BY
from audioclust.encoders.fixed import segment_means

LISTS = [("order", "room"), ("pitch", "level", "noise", "room"), ("order", "level"), ()]


def waves(n=6, seed=0):
    rng = np.random.default_rng(seed)
    def wave(): return rng.standard_normal(int(rng.integers(1, 9000))).astype(np.float32)*rng.uniform(.01, 1)
    return [torch.from_numpy(wave()) for _ in range(n)]

def embed_one(encoder, wave): return encoder(wave[None], torch.tensor([len(wave)]))[0]


def batch_of(ws):
    lengths = torch.tensor([len(w) for w in ws])
    b = torch.zeros(len(ws), int(lengths.max()))
    for row, w in zip(b, ws): row[:len(w)] = w
    return b, lengths


@pytest.mark.parametrize("ignore", LISTS)
def test_embedding_depends_on_the_clip_alone(ignore):
    encoder, ws = FixedEncoder(ignore=ignore, sample_rate=8000), waves()
    together = encoder(*batch_of(ws))
    assert together.shape == (len(ws), encoder.dim) and together.dtype == torch.float32
    for z, w in zip(together, ws): torch.testing.assert_close(embed_one(encoder, w), z, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(encoder(*batch_of(ws)), together, atol=0, rtol=0)


def test_odd_waves_give_finite_embeddings():
    waves = {"silence": torch.zeros(800), "one sample": torch.ones(1), "tiny": torch.full((3,), 1e-30),
             "huge": torch.full((800,), 1e20)}
    def is_finite(ignore, wave):
        return torch.isfinite(embed_one(FixedEncoder(ignore=ignore, sample_rate=8000), wave)).all()
    assert [(ignore, name) for ignore in LISTS for name, wave in waves.items() if not is_finite(ignore, wave)] == []


def test_level_is_ignored_exactly_when_asked():
    ws = waves(3)
    quiet = [w/8 for w in ws]
    for by in BY:
        e = FixedEncoder(by, sample_rate=8000)
        torch.testing.assert_close(e(*batch_of(ws)), e(*batch_of(quiet)), atol=1e-3, rtol=1e-4)
    e = FixedEncoder(ignore="order", sample_rate=8000)
    difference = e(*batch_of(ws)) - e(*batch_of(quiet))
    expected = torch.full((3,), 20*np.log10(8), dtype=torch.float32) # dB
    torch.testing.assert_close(difference[:, -1], expected, atol=1e-2, rtol=0)


def test_order_is_ignored_exactly_when_asked():
    x = torch.randn(8000, generator=torch.Generator().manual_seed(0))*torch.linspace(.3, 1, 8000)
    def moved(by):
        encoder = FixedEncoder(by, sample_rate=8000)
        there, back = embed_one(encoder, x), embed_one(encoder, x.flip(0))
        return (there - back).norm()/there.norm()
    assert moved("source") < .02 and moved("content") > .1


def test_silence_around_a_sound_does_not_matter():
    x = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([torch.zeros(1600), x, torch.zeros(2400)])
    for by in BY:
        e = FixedEncoder(by, sample_rate=8000)
        a, b = e(x[None], torch.tensor([4000])), e(padded[None], torch.tensor([8000]))
        assert (a - b).norm() < .2*a.norm(), by


@given(st.integers(1, 40), st.integers(0, 5), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_segment_means_match_a_plain_loop(n, first, steps):
    x = torch.from_numpy(np.random.default_rng(n).standard_normal((1, 3, first + n + 4)))
    got = segment_means(x, torch.tensor([first]), torch.tensor([n]), steps)[0]
    for i in range(steps):
        lo, hi = first + i*n//steps, first + -(-(i + 1)*n//steps)
        torch.testing.assert_close(got[:, i], x[0, :, lo:hi].mean(-1))


# what they find

@pytest.mark.data
def test_fsdd_reaches_what_was_promised():
    from audioclust.kmeans import KMeans
    from audioclust.metrics import accuracy, nmi
    digits = fsdd(download=False)
    promised = ("content", digits.label, 10, .62, .58), ("source", digits.speaker, 6, .75, .68)
    for by, truth, k, acc_least, nmi_least in promised:
        e = FixedEncoder(by, sample_rate=8000)
        Z = e.whitening(len(digits)).fit_transform(e.embed(digits))
        runs = [KMeans(k, n_init=10, random_state=s).fit_predict(Z) for s in range(5)]
        assert np.mean([accuracy(truth, labels) for labels in runs]) >= acc_least
        assert np.mean([nmi(truth, labels) for labels in runs]) >= nmi_least
