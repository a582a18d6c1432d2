"SPICE and its parts: what is computed, what is kept, what is refused."
import math, warnings

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st

from audioclust.spice.trained_encoder import soft_assignment
from audioclust.ensembles import Consensus
from audioclust.spice.contrastive import MoCo, Pairs, SimCLR, effective_rank, similarities
from audioclust.spice import contrastive_learner
from audioclust.spice.nonredundant import Crossed
from audioclust.audio import synthetic_words
from audioclust.spice.fair import Even
from audioclust.spice.heads import Heads, SelfHeads, assign_balanced, assign_nearest, double_softmax, prototypes
from audioclust.spice import heads_learner
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.metrics import accuracy, nmi
from audioclust.spice.neighbours import NeighbourHeads, nearest_neighbours, scan_loss, temi_loss
from audioclust.encoders import NetworkEncoder
from audioclust.spice.fixmatch import EMA, consistency, reliable
from audioclust.spice import semi_learner
from audioclust.spice import SPICE
from audioclust.deepcluster.checkpoints import Checkpoints


@pytest.fixture(scope="module")
def words(tmp_path_factory): return synthetic_words(3, 3, 8).save(tmp_path_factory.mktemp("words"))

@pytest.fixture(scope="module")
def store(words): return LogMelStore.from_clips(words, NetworkEncoder(sample_rate=8000).front)

def fit(learn, epochs=2, **options):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 1e-3, **options)
    return learn

def same(a, b): return all(torch.equal(p, q) for p,q in zip(a.state_dict().values(), b.state_dict().values()))


# contrast

def test_similarities_is_the_published_loss():
    z = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    u = (z/z.norm(dim=1, keepdim=True)).double()
    total = 0
    for i in range(12):
        j = (i + 6) % 12
        total -= math.log(math.exp(u[i] @ u[j]/.2)/sum(math.exp(u[i] @ u[m]/.2) for m in range(12) if m != i))
    s, right = similarities(z, .2)
    assert abs(torch.nn.functional.cross_entropy(s, right).item() - total/12) < 1e-5

class Seen(Callback):
    order = 3
    def before_fit(self): self.rows, self.shapes = [], []
    def before_batch(self): self.rows.append(self.yb[0].clone()); self.shapes.append(tuple(self.xb[0].shape))

def contrast(store, how=None, seed=0, cbs=()): return contrastive_learner(store.dataloaders(24, "cpu"), NetworkEncoder(sample_rate=8000, seed=seed), how, bf16=False, seed=seed, cbs=cbs)

def test_both_views_of_a_clip_are_half_a_batch_apart_and_differ(store):
    learn = fit(contrast(store, cbs=[Seen()]), 1)
    assert set(learn.seen.shapes) == {(48, 1, 64, 48)} and len(set(torch.cat(learn.seen.rows).tolist())) == 72
    x = torch.cat([learn.pairs.views(store.batch([0, 1]), learn.pairs.dice) for _ in range(2)])
    assert not torch.allclose(x[0], x[2])

def test_contrast_with_the_same_seed_is_the_same(store):
    a, b, c = (fit(contrast(store, seed=s)) for s in (1, 1, 2))
    assert same(a.model, b.model) and not same(a.model, c.model)

@pytest.mark.parametrize("how", [SimCLR, MoCo])
def test_contrast_learns_to_tell_clips_apart(store, how):
    rows = fit(contrast(store, how()), 6).curves.rows
    assert rows[-1]["alignment"] < rows[0]["alignment"] and rows[-1]["loss"] < rows[-1]["chance"]
    assert how is MoCo or rows[-1]["loss"] < rows[0]["loss"]  # MoCo's queue is random at first, so its loss begins low

def test_the_queue_turns_and_the_second_network_follows(store):
    learn = contrast(store, MoCo(queue=40, momentum=.5))
    first = {k: v.clone() for k,v in learn.model.state_dict().items()}
    fit(learn, 1)
    moco = learn.mo_co
    assert moco.at == 3*24 % 40 and torch.allclose(moco.queue.norm(dim=1), torch.ones(40), atol=1e-5)
    slow, fast = dict(moco.slow.named_parameters()), dict(learn.model.named_parameters())
    name = next(iter(fast))
    between = (slow[name] - first[name])*(fast[name] - first[name])
    assert (between >= -1e-9).float().mean() > .9 and not torch.equal(slow[name], fast[name])

def test_contrast_goes_on_where_it_stopped(store, tmp_path):
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    learn = contrast(store, cbs=[Checkpoints(tmp_path, name="wanted"), Stop()])
    with pytest.raises(KeyboardInterrupt): fit(learn, 3)
    other = contrast(store, cbs=[Checkpoints(tmp_path, name="wanted")])
    assert [p.name for p in tmp_path.iterdir()] == ["wanted.safetensors"] and other.checkpoints.load(other) == 1
    fit(other, 3, start_epoch=1)
    assert same(other.model, fit(contrast(store), 3).model)

def test_a_collapse_is_named(store):
    learn = contrast(store)
    with torch.no_grad(): learn.model.head[-1].weight.zero_()
    learn.model.head.requires_grad_(False); learn.model.head[-1].bias.data.fill_(1.)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always"); fit(learn, 2)
    assert any("collapsing" in str(w.message) for w in said)


# crossed groupings

def crossed_data(seed=2, n=400, away=1.4):
    rng = np.random.default_rng(seed)
    content, source = rng.integers(5, size=n), rng.integers(4, size=n)
    P, Q = rng.normal(size=(5, 12)), rng.normal(size=(4, 12))
    return content, source, (1.5*P[content] + away*Q[source] + rng.normal(0, .8, (n, 12))).astype(np.float32), (2*Q[source] + .7*P[content] + rng.normal(0, .8, (n, 12))).astype(np.float32)

OPTIONS = dict(n_other=(2, 3, 4, 6, 8), dims=(4, 6), other_dims=(3, 4), n_members=20)

def test_crossed_finds_both_and_answers_for_new_clips(tmp_path):
    content, source, U, W = crossed_data()
    c = Crossed(5, **OPTIONS).fit(U, other=W)
    assert accuracy(content, c.labels_) > .95 and c.crossed_
    assert accuracy(source, Crossed(5, **{**OPTIONS, "n_other": 4, "limit": .5}).fit(U, other=W).other_labels_) > .95
    assert accuracy(content, c.labels_) > accuracy(content, c.steps_[0].clusterer.labels_)
    np.testing.assert_array_equal(c.predict(U, W), c.labels_)
    c.save(tmp_path)
    np.testing.assert_array_equal(Crossed.load(tmp_path).predict(U[:7], W[:7]), c.labels_[:7])
    assert not list(tmp_path.rglob("*.pkl"))

def test_crossed_takes_several_embeddings(tmp_path):
    content, source, U, W = crossed_data()
    c = Crossed(5, **OPTIONS).fit([U, U[:, :8]], other=[W, W[:, :9]])
    assert c.embeddings_.shape == (400, 12) and accuracy(content, c.labels_) > .9
    c.save(tmp_path)
    np.testing.assert_array_equal(Crossed.load(tmp_path).predict([U, U[:, :8]], [W, W[:, :9]]), c.labels_)

def test_crossed_with_nothing_to_cross_is_consensus():
    _, _, U, W = crossed_data()
    c = Crossed(5, n_other=(), dims=(4, 6), n_members=20).fit(U, other=W)
    assert not c.crossed_ and len(c.steps_) == 1 and c.other_labels_ is None
    for wrong in (1, 2.5, (2, "x"), 500):
        with pytest.raises(ValueError, match="n_other"): Crossed(5, n_other=wrong).fit(U, other=W)
    with pytest.raises(ValueError, match="other is needed"): Crossed(5).fit(U)
    with pytest.raises(ValueError, match="row for each clip"): Crossed(5).fit(U, other=np.full_like(W, np.nan))


# heads

def plain_self_labels(scores, E, per, top):
    "The published selection in plain loops: rows and labels of one head."
    rows, labels = [], []
    for c in range(scores.shape[1]):
        best = sorted(range(len(E)), key=lambda i: -scores[i, c])[:top]
        mu = sum(E[i] for i in best)/top
        near = sorted(range(len(E)), key=lambda i: -(mu @ E[i]))[:per]
        rows += near; labels += [c]*per
    return rows, labels

@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(2, 4), st.integers(12, 40))
def test_selection_is_that_of_plain_loops(seed, k, n):
    g = torch.Generator().manual_seed(seed)
    scores, E = torch.rand(3, n, k, generator=g).softmax(2).double(), torch.randn(n, 5, generator=g).double()
    per, top = n//k, max(1, n//k//2)
    rows, labels = assign_balanced(prototypes(scores, E, top), E, per)
    for h in range(3):
        r, y = plain_self_labels(scores[h].numpy(), E.numpy(), per, top)
        assert rows[h].tolist() == r and labels[h].tolist() == y

def test_without_overlap_nobody_is_in_two_groups():
    E = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    rows, _ = assign_balanced(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1)), E, 10, overlap=False)
    assert all(len(set(r.tolist())) == 30 for r in rows)
    assert assign_nearest(torch.eye(4)[None], torch.eye(4))[1].tolist() == [[0, 1, 2, 3]]

@pytest.mark.parametrize("k", [2, 10, 37])
def test_double_softmax_has_its_three_values(k):
    y = torch.zeros(1, 1, dtype=torch.long)
    for p, value in ((torch.eye(k)[0], math.log(math.e + k - 1) - 1), (torch.full((k,), 1/k), math.log(k)), (torch.eye(k)[1], math.log(math.e + k - 1))): assert abs(double_softmax(p[None, None], y).item() - value) < 1e-5

def test_heads_side_by_side_are_heads_alone():
    torch.manual_seed(0)
    h, x = Heads(6, 4, 3), torch.randn(5, 6)
    for i in range(3):
        alone = ((x @ h.w1[i] + h.b1[i]).relu() @ h.w2[i] + h.b2[i]).softmax(1)
        torch.testing.assert_close(h(x)[i], alone)
    h(x)[1].sum().backward()
    assert not h.w1.grad[0].any() and not h.w1.grad[2].any()

def blobs(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), n)
    x = rng.normal(size=(3, 8))[y]*2 + rng.normal(0, .4, (3*n, 8))
    return (x/np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y

@pytest.mark.parametrize("assign", ["balanced", "nearest"])
@pytest.mark.parametrize("choose", ["best", "consensus"])
def test_heads_find_blobs(assign, choose, tmp_path):
    X, y = blobs()
    h = SelfHeads(3, heads=4, epochs=10, assign=assign, choose=choose).fit(X)
    assert nmi(y, h.labels_) > .9
    h.save(tmp_path)
    np.testing.assert_array_equal(SelfHeads.load(tmp_path).predict_proba(X), h.proba_)

def test_only_heads_are_trained_and_each_place_comes_once_a_pass():
    X, _ = blobs()
    class Places(Callback):
        order = 50
        def before_epoch(self): self.seen = []
        def before_batch(self): self.seen.append(self.xb[0].clone())
    learn = heads_learner(X, n_clusters=3, heads=2, passes=4, bs=32, cbs=[Places()])
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    counts = torch.cat(learn.places.seen).bincount(minlength=180)
    assert counts.sum() == 4*160 and counts.max() <= 4
    with pytest.raises(ValueError, match="strong ones"): heads_learner(X, strong=X)


# reliable labels and FixMatch

@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(5, 60), st.integers(1, 8))
def test_consistency_is_that_of_plain_loops(seed, n, m):
    rng = np.random.default_rng(seed)
    E, y = rng.normal(size=(n, 4)), rng.integers(3, size=n)
    U = E/np.linalg.norm(E, axis=1, keepdims=True)
    S = U @ U.T
    np.fill_diagonal(S, -np.inf)
    near = np.argsort(-S, 1)[:, :min(m, n - 1)]
    np.testing.assert_allclose(consistency(E, y, m, block=7), (y[near] == y[:, None]).mean(1), atol=1e-6)

@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(2, 5), st.floats(0, 1))
def test_every_group_keeps_its_share(seed, k, least):
    rng = np.random.default_rng(seed)
    E, y = rng.normal(size=(80, 3)), rng.integers(k, size=80)  # labels that mean nothing
    kept = reliable(E, y, 10, .95, least)
    for c in np.unique(y): assert (kept == c).sum() >= least*(y == c).sum()
    assert ((kept == y) | (kept == -1)).all()

def semi(store, labels, seed=0, cbs=(), **options): return semi_learner(store.dataloaders(36, "cpu"), NetworkEncoder(sample_rate=8000, seed=3), labels, 3, bs=18, bf16=False, seed=seed, cbs=cbs, **options)

def test_fixmatch_is_the_formula_and_ema_follows(words, store):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    learn = semi(store, np.where(np.arange(len(y)) % 2, y, -1), threshold=.6, weight=2.)
    match = learn.fix_match
    match.n, match.sure = (2, 2), []
    pred, right = torch.tensor([[2., 0, 0], [0, 1, 0], [3, 0, 0], [.1, 0, 0], [0, 1, 0], [0, 0, 5]]), torch.tensor([0, 2])
    ce = torch.nn.functional.cross_entropy
    assert torch.isclose(match.loss(pred, right), ce(pred[:2], right) + 2*.5*ce(pred[4:5], torch.tensor([0])))
    learn = fit(semi(store, y), 3)
    assert learn.ema.steps == 6 and not same(learn.ema.slow, learn.model)
    assert same(learn.ema.slow, fit(semi(store, y), 3).ema.slow)

def test_labelled_clips_come_evenly_and_only_they(words, store):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    few = np.where((y > 0) | (np.arange(len(y)) % 8 == 0), y, -1)
    class Known(Callback):
        order = 4
        def before_fit(self): self.seen = []
        def before_batch(self): self.seen.append(self.yb[0].clone())
    learn = fit(semi(store, few, cbs=[Known()]), 1)
    counts = torch.cat(learn.known.seen).bincount(minlength=3)
    assert counts.max() - counts.min() <= 1

def test_semi_goes_on_where_it_stopped(words, store, tmp_path):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): fit(semi(store, y, cbs=[Checkpoints(tmp_path), Stop()]), 3)
    other = semi(store, y, cbs=[Checkpoints(tmp_path)])
    fit(other, 3, start_epoch=other.checkpoints.load(other))
    assert same(other.ema.slow, fit(semi(store, y), 3).ema.slow)


# the whole

QUICK = dict(sample_rate=8000, epochs=4, n_other=(2, 3), head_epochs=3, match_epochs=2, bs=36, views=2)

def test_unless_told_spice_takes_epochs_from_the_clips(words, brief, monkeypatch):
    asked, fit = [], SPICE._fit
    monkeypatch.setattr(SPICE, "_fit", lambda self, learn, epochs, keep: (asked.append(epochs), fit(self, learn, 2, keep)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may find little
        SPICE(3, **{k: v for k,v in QUICK.items() if k not in ("epochs", "match_epochs")}).fit(words)
    assert asked[:2] == [60, 60] and asked[2:] in ([40], [])  # 72 clips are few; the last needs five reliable clips in each group


@pytest.mark.parametrize("by", ["content", "source"])
def test_spice_answers_for_new_clips_as_for_those_it_knew(words, brief, by, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = SPICE(3, by, **QUICK).fit(words)
        if by == "content": np.testing.assert_array_equal(SPICE(3, by, **QUICK).fit(words).labels_, m.labels_)
    np.testing.assert_allclose(m.proba_.sum(1), 1, atol=1e-4)
    assert set(m.steps_) >= {"consensus", "crossed", "heads"} and set(m.evidence_) >= {"crossed", "heads"}
    np.testing.assert_array_equal(m.predict(words), m.labels_)
    np.testing.assert_array_equal(m.predict(words.iloc[[5]]), m.labels_[[5]])
    m.save(tmp_path)
    np.testing.assert_allclose(SPICE.load(tmp_path).predict_proba(words), m.predict_proba(words), atol=1e-5)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".npy"}

def test_spice_without_its_options(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = SPICE(3, **{**QUICK, "match_epochs": 0}, crossed=False, heads=0, anchor=False).fit(words)
    assert len(m.encoders_) == 1 and m.model_ is None and m.heads_ is None and not m.crossed_.crossed_
    np.testing.assert_array_equal(m.labels_, m.steps_["consensus"])
    np.testing.assert_array_equal(m.predict(words), m.labels_)

def test_spice_keeps_the_better_answer(words, brief, monkeypatch):
    from audioclust.spice import estimator as spice
    monkeypatch.setattr(spice, "probabilities_kept", lambda model, store: np.tile(np.float32([.9, .05, .05]), (len(store), 1)))  # all in one group
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        m = SPICE(3, **QUICK).fit(words)
    assert m.model_ is None and len(np.unique(m.labels_)) == 3 and any("answer from before is kept" in str(w.message) for w in said)

@pytest.mark.parametrize("wrong, says", [(dict(n_clusters=1), "at least 2"), (dict(n_clusters=2.5), "whole number"), (dict(epochs=0), "at least 1"), (dict(assign="x"), "balanced"), (dict(heads=-1), "at least 0"), (dict(n_clusters=40), "two for each")])
def test_wrong_requests(words, wrong, says):
    with pytest.raises(ValueError, match=says): SPICE(**{"n_clusters": 3, **QUICK, **wrong}).fit(words)

def test_soft_assignment_rows_sum_to_one_and_the_group_is_largest():
    p = soft_assignment(np.array([0, 2, 1]), np.array([1., 0., .4]), 3)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)
    assert p.argmax(1).tolist() == [0, 2, 1]


# shares that hold for every source

@pytest.mark.parametrize("seed", range(3))
def test_even_is_the_transport_problem_of_plain_loops(seed):
    rng = np.random.default_rng(seed)
    Z, s, K = rng.normal(size=(40, 3)), rng.integers(0, 3, 40), 4
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    e, T = Even(weight=.7, own=.3, softness=.2), np.eye(K)[rng.integers(0, K, 40)]
    e.mean_ = np.zeros((3, 3))
    found, P, bias = e._assign(Z, s, T)
    share = T.mean(0)
    for g in range(3):
        rows = np.flatnonzero(s == g)
        v, u = np.ones(K), np.ones(len(rows))
        cost = [[np.exp(-((Z[i] - P[g, k])**2).sum()/.2) for k in range(K)] for i in rows]
        for _ in range(60):
            v = [(share[k]*len(rows)/sum(u[i]*cost[i][k] for i in range(len(rows))))**(.7/.9) for k in range(K)]
            u = [1/sum(cost[i][k]*v[k] for k in range(K)) for i in range(len(rows))]
        np.testing.assert_allclose(found[rows], [[u[i]*cost[i][k]*v[k] for k in range(K)] for i in range(len(rows))], atol=1e-9)
        np.testing.assert_allclose(bias[g], np.log(v), atol=1e-9)
    np.testing.assert_allclose(found.sum(1), 1)


def test_even_with_all_weight_keeps_the_shares_and_with_none_ignores_them():
    rng = np.random.default_rng(0)
    y, s = np.repeat([0, 1, 2], 60), np.tile([0, 1], 90)
    X = 4*np.eye(3)[y] + rng.normal(size=(180, 3))
    X[(y == 2) & (s == 1)] += [4, 0, -4]  # this source has its third content where the first is
    start = np.where((y == 2) & (s == 1), 0, y)
    for weight,same in ((None, True), (0., False)):
        labels = Even(weight=weight).fit(X, start, s).labels_
        here, there = (np.bincount(labels[s == g], minlength=3) for g in (0, 1))
        assert (abs(here - there).max() <= 4) == same


def test_even_places_new_clips_where_it_placed_them_and_is_kept(tmp_path):
    rng = np.random.default_rng(1)
    X, y, s = rng.normal(size=(90, 5)).astype(np.float32), rng.integers(0, 3, 90), rng.integers(0, 2, 90)
    e = Even(n_axes=4).fit([X, 50*X[:, :2]], y, s)
    e.save(tmp_path)
    for model in (e, Even.load(tmp_path)):
        labels, sure, p, Z = model.predict_with_confidence([X, 50*X[:, :2]], s)
        np.testing.assert_array_equal(labels, e.labels_)
        np.testing.assert_allclose(p, e.proba_, atol=1e-5)
        np.testing.assert_allclose(Z, e.embeddings_, atol=1e-5)
    assert np.isfinite(Even(6).fit(X, y, np.arange(90)).proba_).all()  # a source of each clip's own, groups without members


def test_heads_begin_where_they_are_told():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 200)
    X = (3*np.eye(4)[y] + rng.normal(size=(200, 4))).astype(np.float32)
    p = np.eye(4)[(y + 1) % 4]  # the same groups by other names
    assert (SelfHeads(4, heads=3, epochs=3).fit(X, start=p).labels_ == (y + 1) % 4).mean() > .9
    with pytest.raises(ValueError, match="start must be"): SelfHeads(4).fit(X, start=p[:, :3])


def test_spice_uses_networks_that_are_there(words, brief):
    options = {**QUICK, "match_epochs": 0}
    first = SPICE(3, **options).fit(words)
    again = SPICE(3, **options).fit(words, encoders=first.encoders_)
    np.testing.assert_array_equal(again.labels_, first.labels_)
    assert not [r for r in again.curves_ if r["stage"].startswith("contrast")]
    with pytest.raises(ValueError, match="2 are needed"): SPICE(3, **options).fit(words, encoders=first.encoders_[:1])


def test_both_ways_train_the_same_networks(words, monkeypatch):
    class Enough(Exception): pass
    def stop(*args): raise Enough
    monkeypatch.setattr(SPICE, "_cross", stop)
    content, source = (SPICE(3, by, **{**QUICK, "epochs": 1}) for by in ("content", "source"))
    for m in content, source:
        with pytest.raises(Enough): m.fit(words)
    assert all(same(a, b) for a,b in zip(content.encoders_, source.encoders_[::-1])) and not same(*content.encoders_)


# heads that agree with neighbours

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

def test_neighbours_are_the_nearest_and_never_oneself():
    E = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    U = torch.nn.functional.normalize(E)
    near = nearest_neighbours(E, 7, block=13)
    for i in range(60):
        order = [j for j in (U @ U[i]).argsort(descending=True).tolist() if j != i]
        assert near[i].tolist() == order[:7]

@pytest.mark.parametrize("loss", ["scan", "temi"])
def test_heads_of_neighbours_find_groups_and_keep(loss, tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 240)
    X = (4*np.eye(3)[y] + rng.normal(size=(240, 3))).astype(np.float32)
    m = NeighbourHeads(3, loss=loss, heads=4, epochs=40, n_neighbors=8).fit(X)
    assert accuracy(y, m.labels_) > .9
    m.save(tmp_path)
    np.testing.assert_array_equal(NeighbourHeads.load(tmp_path).predict(X), m.labels_)
    np.testing.assert_array_equal(NeighbourHeads(3, loss=loss, heads=4, epochs=2).fit(X).proba_, NeighbourHeads(3, loss=loss, heads=4, epochs=2).fit(X).proba_)
    assert len(NeighbourHeads(2, loss=loss, epochs=1).fit(X[:4]).labels_) == 4  # fewer neighbours than asked for

def test_crossed_looks_again_when_the_wanted_groups_are_better_known():
    content, source, U, W = crossed_data()
    c = Crossed(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 3}).fit(U, other=W)
    assert c.n_other_ in (2, 4) and c.steps_[-2].which == 1 and c.steps_[-2].clusterer.n_clusters == c.n_other_
    labels, sure, Z, other = c.predict_with_confidence(U, W)
    np.testing.assert_array_equal(other, c.other_labels_)
    np.testing.assert_array_equal(labels, c.labels_)

def test_crossed_ends_when_more_groups_look_safe_in_each_round_and_not_at_the_end(monkeypatch):
    from audioclust.spice import nonredundant as crossed
    content, source, U, W = crossed_data()
    calls = []
    def fake(a, b):
        calls.append(len(np.unique(b)))
        assert len(calls) < 40, "it goes round for ever"
        if len(calls) <= 2: return {2: .0, 4: .09}[calls[-1]]  # at first two groups are independent, and four are not
        return .01 if len(calls) % 2 else .06  # then four look safe in the round, and are not at the end
    monkeypatch.setattr(crossed, "ami", fake)
    c = Crossed(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 2}).fit(U, other=W)
    assert 4 in calls[2:] and c.n_other_ == 2

def test_spice_keeps_every_group_when_shares_are_evened(words, brief, monkeypatch):
    from audioclust.spice import estimator as spice
    class Emptied(spice.Even):
        def fit(self, X, labels, *args, **kwargs):
            super().fit(X, labels, *args, **kwargs)
            self.labels_ = np.zeros_like(self.labels_)  # all in one group, which every neighbour agrees with
            return self
    monkeypatch.setattr(spice, "Even", Emptied)
    m = SPICE(3, **{**QUICK, "match_epochs": 0}, heads=0).fit(words)
    assert m.crossed_.crossed_ and m.even_ is None and len(np.unique(m.labels_)) == 3
