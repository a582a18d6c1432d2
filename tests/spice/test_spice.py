"SPICE and its parts: what is computed, what is saved, what is refused."
import json
import math
import warnings

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st

from audioclust.audio import synthetic_words
from audioclust.core.registry import SAVED, load_saved, make_clusterer
from audioclust.training.checkpoints import Checkpoints
from audioclust.encoders import NetworkEncoder, load_encoder
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.metrics import accuracy, nmi
from audioclust.spice import SPICE, contrastive_learner, fixmatch_learner, heads_learner
from audioclust.spice.contrastive import EndOnPlateau, MoCo, SimCLR, moving_average, similarities
from audioclust.spice.fair import FairClustering, balanced_assignment
from audioclust.spice.fixmatch import FixMatchOptions, consistency, reliable_labels
from audioclust.spice.self_heads import HeadsOptions, SelfHeads
from audioclust.spice.heads import FrozenViews, Heads, assign_balanced, assign_disjoint, assign_nearest, double_softmax, prototypes
from audioclust.training.trainer import NetworkTrainer
from audioclust.published.neighbour_heads import NeighbourHeads, nearest_neighbours, scan_loss, temi_loss
from audioclust.spice.nonredundant import OTHER, NonRedundantClustering
from audioclust.spice.trained_encoder import ArgmaxClusterer, IdentityWhitening, TrainedEncoder, soft_assignment


@pytest.fixture(scope="module")
def words(tmp_path_factory): return synthetic_words(3, 3, 8).save(tmp_path_factory.mktemp("words"))

@pytest.fixture(scope="module")
def store(words): return LogMelStore.from_clips(words, NetworkEncoder(sample_rate=8000).front)

def fit(learn, epochs=2, **options):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 1e-3, **options)
    return learn

def same(a, b):
    "Do two networks have the same weights and buffers?"
    a, b = a.state_dict(), b.state_dict()
    return len(a) == len(b) > 0 and all(torch.equal(p, q) for p,q in zip(a.values(), b.values()))


# contrast

def test_similarities_is_the_published_loss():
    z = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    u = (z/z.norm(dim=1, keepdim=True)).double()
    total = 0
    for i in range(12):
        j = (i + 6) % 12
        total -= math.log(math.exp(u[i] @ u[j]/.2)/sum(math.exp(u[i] @ u[m]/.2) for m in range(12) if m != i))
    scores, target = similarities(z, .2)
    assert abs(torch.nn.functional.cross_entropy(scores, target).item() - total/12) < 1e-5

@pytest.mark.parametrize("warm_up", [False, True])
def test_moving_average_is_that_of_a_plain_loop(warm_up):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    averaged = moving_average(model, .9, warm_up)
    expected = [p.detach().clone() for p in model.parameters()]
    for step in range(1, 6):
        with torch.no_grad():
            for p in model.parameters(): p += torch.randn_like(p)
            model[1].running_mean += 1
        averaged.update_parameters(model)
        m = min(.9, step/(step + 9)) if warm_up else .9
        for e,p in zip(expected, model.parameters()): e.lerp_(p.detach(), 1 - m)
    for e,p in zip(expected, averaged.module.parameters()): torch.testing.assert_close(p, e, rtol=0, atol=0)
    assert torch.equal(averaged.module[1].running_mean, model[1].running_mean)
    assert not any(p.requires_grad for p in averaged.parameters())

class Seen(Callback):
    order = 3
    def before_fit(self): self.rows, self.shapes = [], []
    def before_batch(self): self.rows.append(self.yb[0].clone()); self.shapes.append(tuple(self.xb[0].shape))

def contrast(store, how=None, seed=0, cbs=()):
    encoder = NetworkEncoder(sample_rate=8000, seed=seed)
    return contrastive_learner(store.dataloaders(24, "cpu"), encoder, how, bf16=False, seed=seed, cbs=cbs)

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

def test_the_queue_turns_and_the_key_encoder_follows(store):
    learn = contrast(store, MoCo(queue=40, momentum=.5))
    first = {k: v.clone() for k,v in learn.model.state_dict().items()}
    fit(learn, 1)
    moco = learn.mo_co
    assert moco.position == 3*24 % 40 and torch.allclose(moco.queue.norm(dim=1), torch.ones(40), atol=1e-5)
    slow, fast = dict(moco.key_encoder.module.named_parameters()), dict(learn.model.named_parameters())
    name = next(iter(fast))
    between = (slow[name] - first[name])*(fast[name] - first[name])
    assert (between >= -1e-9).float().mean() > .9 and not torch.equal(slow[name], fast[name])

@pytest.mark.parametrize("how", [SimCLR, MoCo])
def test_contrast_resumes_where_it_stopped(store, tmp_path, how):
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    learn = contrast(store, how(), cbs=[Checkpoints(tmp_path, name="wanted"), Stop()])
    with pytest.raises(KeyboardInterrupt): fit(learn, 3)
    other = contrast(store, how(), cbs=[Checkpoints(tmp_path, name="wanted")])
    assert [p.name for p in tmp_path.iterdir()] == ["wanted.safetensors"] and other.checkpoints.load(other) == 1
    fit(other, 3, start_epoch=1)
    assert same(other.model, fit(contrast(store, how()), 3).model)

def test_a_plateau_ends_a_training_and_a_resumed_one_in_the_same_epoch(store, tmp_path):
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 3: raise KeyboardInterrupt
    said = []
    def learner(cbs=()): # nothing rises, so that two epochs and two more are enough
        return contrast(store, cbs=[EndOnPlateau(lambda row: 1., patience=2, write=said.append), Checkpoints(tmp_path, name="wanted"), *cbs])
    with pytest.raises(KeyboardInterrupt): fit(learner([Stop()]), 9)
    for done in 3, 4: # resumed, and then there is nothing left to do
        learn = learner()
        assert learn.checkpoints.load(learn) == done
        fit(learn, 9, start_epoch=done)
        assert [row["epoch"] for row in learn.curves.rows] == [0, 1, 2, 3] and "after 4 of 9 epochs" in said[-1]
    rising = contrast(store, cbs=[EndOnPlateau(lambda row: 1.03**(row["epoch"] + 1), patience=1)])
    assert len(fit(rising, 5).curves.rows) == 5

def test_a_collapse_is_named(store):
    learn = contrast(store)
    with torch.no_grad(): learn.model.head[-1].weight.zero_()
    learn.model.head.requires_grad_(False)
    learn.model.head[-1].bias.data.fill_(1.)
    with pytest.warns(UserWarning, match="collapsing"): fit(learn, 2)


# non-redundant clustering

def crossed_data(seed=2, n=400, away=1.4):
    rng = np.random.default_rng(seed)
    content, source = rng.integers(5, size=n), rng.integers(4, size=n)
    P, Q = rng.normal(size=(5, 12)), rng.normal(size=(4, 12))
    U = 1.5*P[content] + away*Q[source] + rng.normal(0, .8, (n, 12))
    W = 2*Q[source] + .7*P[content] + rng.normal(0, .8, (n, 12))
    return content, source, U.astype(np.float32), W.astype(np.float32)

OPTIONS = dict(n_other=(2, 3, 4, 6, 8), dims=(4, 6), other_dims=(3, 4), n_members=20)

def test_nonredundant_finds_both_and_predicts_new_clips(tmp_path):
    content, source, U, W = crossed_data()
    c = NonRedundantClustering(5, **OPTIONS).fit(U, other=W)
    assert accuracy(content, c.labels_) > .95 and c.removes_other_
    assert accuracy(source, NonRedundantClustering(5, **{**OPTIONS, "n_other": 4, "limit": .5}).fit(U, other=W).other_labels_) > .95
    assert accuracy(content, c.labels_) > accuracy(content, c.steps_[0].labels)
    np.testing.assert_array_equal(c.predict(U, W), c.labels_)
    c.save(tmp_path)
    np.testing.assert_array_equal(NonRedundantClustering.load(tmp_path).predict(U[:7], W[:7]), c.labels_[:7])
    assert not list(tmp_path.rglob("*.pkl"))

def test_nonredundant_takes_several_embeddings(tmp_path):
    content, source, U, W = crossed_data()
    c = NonRedundantClustering(5, **OPTIONS).fit([U, U[:, :8]], other=[W, W[:, :9]])
    assert c.embeddings_.shape == (400, 12) and accuracy(content, c.labels_) > .9
    c.save(tmp_path)
    np.testing.assert_array_equal(NonRedundantClustering.load(tmp_path).predict([U, U[:, :8]], [W, W[:, :9]]), c.labels_)

def test_without_another_grouping_it_is_consensus():
    _, _, U, W = crossed_data()
    c = NonRedundantClustering(5, n_other=(), dims=(4, 6), n_members=20).fit(U, other=W)
    assert not c.removes_other_ and len(c.steps_) == 1 and c.other_labels_ is None
    for wrong in (1, 2.5, (2, "x"), 500):
        with pytest.raises(ValueError, match="n_other"): NonRedundantClustering(5, n_other=wrong).fit(U, other=W)
    with pytest.raises(ValueError, match="other is needed"): NonRedundantClustering(5).fit(U)
    with pytest.raises(ValueError, match="row for each clip"): NonRedundantClustering(5).fit(U, other=np.full_like(W, np.nan))


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
    rows, _ = assign_disjoint(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1)), E, 10)
    assert all(len(set(r.tolist())) == 30 for r in rows)
    assert assign_nearest(torch.eye(4)[None], torch.eye(4))[1].tolist() == [[0, 1, 2, 3]]

@pytest.mark.parametrize("k", [2, 10, 37])
def test_double_softmax_has_its_three_values(k):
    y = torch.zeros(1, 1, dtype=torch.long)
    right, wrong, uniform = torch.eye(k)[0], torch.eye(k)[1], torch.full((k,), 1/k)
    most = math.log(math.e + k - 1)
    for p, value in ((right, most - 1), (uniform, math.log(k)), (wrong, most)):
        assert abs(double_softmax(p[None, None], y).item() - value) < 1e-5

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
    options = HeadsOptions(heads=2, passes=4, bs=32)
    learn = heads_learner(FrozenViews.of(X), n_clusters=3, options=options, cbs=[Places()])
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    counts = torch.cat(learn.places.seen).bincount(minlength=180)
    assert counts.sum() == 4*160 and counts.max() <= 4
    with pytest.raises(ValueError, match="strong ones"): FrozenViews.of(X, strong=X)


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
    kept = reliable_labels(E, y, 10, .95, least)
    for c in np.unique(y): assert (kept == c).sum() >= least*(y == c).sum()
    assert ((kept == y) | (kept == -1)).all()

def match(store, labels, seed=0, cbs=(), **constants):
    encoder = NetworkEncoder(sample_rate=8000, seed=3)
    options = FixMatchOptions(bs=18, **constants)
    return fixmatch_learner(store.dataloaders(36, "cpu"), encoder, labels, 3, options=options, bf16=False, seed=seed, cbs=cbs)

def test_fixmatch_is_the_formula_and_ema_follows(words, store):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    learn = match(store, np.where(np.arange(len(y)) % 2, y, -1), threshold=.6, weight=2.)
    fixmatch = learn.fix_match
    fixmatch.sizes, fixmatch.confident = [2, 2, 2], []
    pred, right = torch.tensor([[2., 0, 0], [0, 1, 0], [3, 0, 0], [.1, 0, 0], [0, 1, 0], [0, 0, 5]]), torch.tensor([0, 2])
    ce = torch.nn.functional.cross_entropy
    assert torch.isclose(fixmatch.loss(pred, right), ce(pred[:2], right) + 2*.5*ce(pred[4:5], torch.tensor([0])))
    learn = fit(match(store, y), 3)
    assert learn.ema.averaged.n_averaged == 1 + 6 and not same(learn.ema.network, learn.model)
    assert same(learn.ema.network, fit(match(store, y), 3).ema.network)

def test_labelled_clips_come_evenly_and_only_they(words, store):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    few = np.where((y > 0) | (np.arange(len(y)) % 8 == 0), y, -1)
    class Known(Callback):
        order = 4
        def before_fit(self): self.seen = []
        def before_batch(self): self.seen.append(self.yb[0].clone())
    learn = fit(match(store, few, cbs=[Known()]), 1)
    counts = torch.cat(learn.known.seen).bincount(minlength=3)
    assert counts.max() - counts.min() <= 1

def test_fixmatch_resumes_where_it_stopped(words, store, tmp_path):
    y = words.label.astype("category").cat.codes.to_numpy().astype(np.int64)
    class Stop(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): fit(match(store, y, cbs=[Checkpoints(tmp_path), Stop()]), 3)
    other = match(store, y, cbs=[Checkpoints(tmp_path)])
    fit(other, 3, start_epoch=other.checkpoints.load(other))
    assert same(other.ema.averaged, fit(match(store, y), 3).ema.averaged)


# the whole method

QUICK = dict(sample_rate=8000, epochs=4, n_other=(2, 3), head_epochs=3, match_epochs=2, bs=36, views=2)

def spice(n_clusters=3, by="content", **flat):
    "With flat names of parameters, as the command line gives them."
    return make_clusterer("spice", n_clusters, by=by, **flat)

def test_flat_names_of_parameters_reach_their_objects():
    flat = dict(n_other=4, crossed=False, anchor=True, heads=2, head_epochs=7, assign="nearest", match_epochs=3,
                views=5, lr=.1, backbone="resnet18", epochs=6, bs=12, sample_rate=8000, num_workers=1, device="cpu")
    m = spice(**flat)
    objects = (m.contrast, m.other_grouping, m.refinement, m.runtime)
    assert {name: getattr(o, name) for o in objects for name in flat if hasattr(o, name)} == flat
    with pytest.raises(ValueError, match="has no parameter 'head'"): spice(head=3)

def test_unless_told_spice_takes_epochs_from_the_clips(words, brief, monkeypatch):
    asked, fit = [], NetworkTrainer.fit
    def shorter(self, learn, epochs, stage):
        asked.append(epochs)
        fit(self, learn, 2, stage)
    monkeypatch.setattr(NetworkTrainer, "fit", shorter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may find little
        spice(**{k: v for k,v in QUICK.items() if k not in ("epochs", "match_epochs")}).fit(words)
    assert asked[:2] == [60, 60] and asked[2:] in ([40], [])  # 72 clips are few; the last needs five reliable clips in each group


@pytest.mark.parametrize("by", ["content", "source"])
def test_spice_predicts_new_clips_as_those_it_was_fitted_to(words, brief, by, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = spice(3, by, **QUICK).fit(words)
        if by == "content": np.testing.assert_array_equal(spice(3, by, **QUICK).fit(words).labels_, m.labels_)
    np.testing.assert_allclose(m.proba_.sum(1), 1, atol=1e-4)
    assert set(m.steps_) >= {"consensus", "nonredundant", "heads"} and set(m.validity_) >= {"nonredundant", "heads"}
    np.testing.assert_array_equal(m.predict(words), m.labels_)
    np.testing.assert_array_equal(m.predict(words.iloc[[5]]), m.labels_[[5]])
    X, p = m.encoder_.embed(words)
    assert p.shape == (72, 3) and X.shape == m.embeddings_.shape == m.nonredundant_.embeddings_.shape
    np.testing.assert_array_equal(p, m.predict_proba(words))
    m.save(tmp_path)
    np.testing.assert_allclose(SPICE.load(tmp_path).predict_proba(words), m.predict_proba(words), atol=1e-5)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".npy"}

def test_spice_ends_early_where_it_begins_with_frozen_encoders(words, monkeypatch):
    from audioclust.encoders import FixedEncoder
    seen = []
    monkeypatch.setattr(EndOnPlateau, "on_plateau", lambda self, rows: len(rows) == 2 and not seen.append(self.n_epoch))
    quick = {**QUICK, "heads": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spice(**quick).fit(words)
        assert not seen
        m = spice(**quick).fit(words, frozen=[FixedEncoder(by, sample_rate=8000) for by in ("content", "source")])
        assert seen[:3] == [4, 4, 3] and [row["epoch"] for row in m.curves_[:4]] == [0, 1, 0, 1]
        seen.clear()
        spice(**quick, early_stop=True).fit(words)
    assert seen[:3] == [4, 4, 3]

def test_spice_without_its_options(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = spice(**{**QUICK, "match_epochs": 0}, crossed=False, heads=0, anchor=False).fit(words)
    assert len(m.encoders_) == 1 and m.model_ is None and m.heads_ is None and not m.nonredundant_.removes_other_
    np.testing.assert_array_equal(m.labels_, m.steps_["consensus"])
    np.testing.assert_array_equal(m.predict(words), m.labels_)

def test_spice_keeps_the_better_labels(words, brief, monkeypatch):
    from audioclust.spice import refinement
    def one_group(model, store): return np.tile(np.float32([.9, .05, .05]), (len(store), 1))
    monkeypatch.setattr(refinement, "store_probabilities", one_group)
    with pytest.warns(UserWarning, match="labels of the step before are kept"): m = spice(**QUICK).fit(words)
    assert m.model_ is None and len(np.unique(m.labels_)) == 3

def test_a_network_that_is_accepted_gives_the_probabilities(words, brief, monkeypatch, tmp_path):
    from audioclust.spice import refinement
    monkeypatch.setattr(refinement, "MATCH_TOLERANCE", 9.)
    monkeypatch.setattr(refinement, "_lost_groups", lambda *args: 0)
    monkeypatch.setattr(refinement, "LEAST_RELIABLE", 0)
    m = spice(**QUICK).fit(words)
    assert m.model_ is not None
    np.testing.assert_allclose(m.predict_proba(words), m.proba_, atol=1e-5)
    m.save(tmp_path)
    np.testing.assert_allclose(SPICE.load(tmp_path).predict_proba(words), m.proba_, atol=1e-5)

OLD_NAMES = dict(TrainedEncoder="Answer", IdentityWhitening="AsIs", ArgmaxClusterer="MostProbable", FairClustering="Even")

def test_folders_with_the_former_names_of_classes_load(words, brief, tmp_path):
    m = spice(**{**QUICK, "match_epochs": 0}, heads=0).fit(words)
    X, p = m.encoder_.embed(words)
    parts = (m.encoder_, m.encoder_.whitening(len(X)).fit(X), m.clusterer().fit(p))
    for part in parts: part.save(tmp_path)
    renamed = 0
    for path in tmp_path.rglob("*.json"):
        about = json.loads(path.read_text())
        if about.get("class") not in OLD_NAMES: continue
        path.write_text(json.dumps({**about, "class": OLD_NAMES[about["class"]]}))
        renamed += 1
    assert renamed == 3 + (m.fair_ is not None)
    encoder, whitening, clusterer = load_encoder(tmp_path), load_saved(tmp_path, "whitening"), load_saved(tmp_path, "clusterer")
    assert [type(x) for x in (encoder, whitening, clusterer)] == [TrainedEncoder, IdentityWhitening, ArgmaxClusterer]
    X, p = encoder.embed(words)
    np.testing.assert_array_equal(whitening.transform(X), X)
    np.testing.assert_array_equal(clusterer.predict(p), m.labels_)
    assert all(SAVED.load(name) is SAVED.load(OLD_NAMES[name]) for name in ("TrainedEncoder", "IdentityWhitening", "ArgmaxClusterer"))

WRONG = [(dict(n_clusters=1), "at least 2"), (dict(n_clusters=2.5), "whole number"), (dict(epochs=-1), "at least 0"),
         (dict(assign="x"), "balanced"), (dict(heads=-1), "at least 0"), (dict(n_clusters=40), "two for each")]

@pytest.mark.parametrize("wrong, says", WRONG)
def test_wrong_requests(words, wrong, says):
    with pytest.raises(ValueError, match=says): spice(**{"n_clusters": 3, **QUICK, **wrong}).fit(words)

def test_soft_assignment_rows_sum_to_one_and_the_group_is_largest():
    p = soft_assignment(np.array([0, 2, 1]), np.array([1., 0., .4]), 3)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)
    assert p.argmax(1).tolist() == [0, 2, 1]


# fair clustering

@pytest.mark.parametrize("seed, weight", [(0, .7), (1, .7), (2, None), (3, 0.)])
def test_balanced_assignment_is_the_transport_problem_of_plain_loops(seed, weight):
    rng = np.random.default_rng(seed)
    n, K, softness = 20, 4, .2
    distances, shares = rng.uniform(0, 2, (n, K)), rng.dirichlet(np.ones(K))
    found, factors = balanced_assignment(distances, shares, weight=weight, softness=softness)
    exponent = 1 if weight is None else weight/(weight + softness)
    kernel = [[math.exp(-distances[i, k]/softness) for k in range(K)] for i in range(n)]
    v, u = np.ones(K), np.ones(n)
    for _ in range(60):
        v = [(shares[k]*n/sum(u[i]*kernel[i][k] for i in range(n)))**exponent for k in range(K)]
        u = [1/sum(kernel[i][k]*v[k] for k in range(K)) for i in range(n)]
    np.testing.assert_allclose(found, [[u[i]*kernel[i][k]*v[k] for k in range(K)] for i in range(n)], atol=1e-9)
    np.testing.assert_allclose(factors, v, rtol=1e-9)
    np.testing.assert_allclose(found.sum(1), 1)
    if weight is None: np.testing.assert_allclose(found.mean(0), shares, atol=.01)

def test_fair_clustering_with_all_weight_keeps_the_shares_and_with_none_ignores_them():
    rng = np.random.default_rng(0)
    y, s = np.repeat([0, 1, 2], 60), np.tile([0, 1], 90)
    X = 4*np.eye(3)[y] + rng.normal(size=(180, 3))
    X[(y == 2) & (s == 1)] += [4, 0, -4]  # this source has its third content where the first is
    start = np.where((y == 2) & (s == 1), 0, y)
    for weight,same in ((None, True), (0., False)):
        labels = FairClustering(weight=weight).fit(X, start, s).labels_
        here, there = (np.bincount(labels[s == g], minlength=3) for g in (0, 1))
        assert (abs(here - there).max() <= 4) == same


def test_fair_clustering_predicts_new_clips_and_can_be_saved(tmp_path):
    rng = np.random.default_rng(1)
    X, y, s = rng.normal(size=(90, 5)).astype(np.float32), rng.integers(0, 3, 90), rng.integers(0, 2, 90)
    fitted = FairClustering(n_axes=4).fit([X, 50*X[:, :2]], y, s)
    fitted.save(tmp_path)
    for model in (fitted, FairClustering.load(tmp_path)):
        labels, confidence, p, Z = model.predict_with_embeddings([X, 50*X[:, :2]], s)
        np.testing.assert_array_equal(labels, fitted.labels_)
        np.testing.assert_allclose(p, fitted.proba_, atol=1e-5)
        np.testing.assert_allclose(Z, fitted.embeddings_, atol=1e-5)
    assert np.isfinite(FairClustering(6).fit(X, y, np.arange(90)).proba_).all()  # a source of each clip's own, groups without members


def test_heads_begin_where_they_are_told():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 200)
    X = (3*np.eye(4)[y] + rng.normal(size=(200, 4))).astype(np.float32)
    p = np.eye(4)[(y + 1) % 4]  # the same groups by other names
    assert (SelfHeads(4, heads=3, epochs=3).fit(X, start=p).labels_ == (y + 1) % 4).mean() > .9
    with pytest.raises(ValueError, match="start must be"): SelfHeads(4).fit(X, start=p[:, :3])


def test_spice_uses_networks_that_are_there(words, brief):
    options = {**QUICK, "match_epochs": 0}
    first = spice(**options).fit(words)
    again = spice(**options).fit(words, encoders=first.encoders_)
    np.testing.assert_array_equal(again.labels_, first.labels_)
    assert not [r for r in again.curves_ if r["stage"].startswith("contrast")]
    with pytest.raises(ValueError, match="2 are needed"): spice(**options).fit(words, encoders=first.encoders_[:1])


def test_both_ways_train_the_same_networks(words, monkeypatch):
    from audioclust.spice import estimator
    class Enough(Exception): pass
    def stop(*args): raise Enough
    monkeypatch.setattr(estimator, "network_features", stop)
    content, source = (spice(3, by, **{**QUICK, "epochs": 1}) for by in ("content", "source"))
    for m in content, source:
        with pytest.raises(Enough): m.fit(words)
    assert len(content.encoders_) == len(source.encoders_) == 2
    for a,b in zip(content.encoders_, source.encoders_[::-1]): assert same(a, b)
    assert not same(*content.encoders_)


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

def test_the_number_of_other_groups_is_revised_in_each_round():
    content, source, U, W = crossed_data()
    c = NonRedundantClustering(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 3}).fit(U, other=W)
    assert c.n_other_ in (2, 4) and c.steps_[-2].grouping == OTHER and c.steps_[-2].clusterer.n_clusters == c.n_other_
    labels, agreement, Z, other = c.predict_with_embeddings(U, W)
    np.testing.assert_array_equal(other, c.other_labels_)
    np.testing.assert_array_equal(labels, c.labels_)

def test_the_search_ends_when_more_groups_look_safe_in_each_round_and_not_at_the_end(monkeypatch):
    from audioclust.spice import nonredundant
    content, source, U, W = crossed_data()
    calls = []
    def fake(a, b):
        calls.append(len(np.unique(b)))
        assert len(calls) < 40, "it goes round for ever"
        if len(calls) <= 2: return {2: .0, 4: .09}[calls[-1]]  # at first two groups are independent, and four are not
        return .01 if len(calls) % 2 else .06  # then four look safe in the round, and are not at the end
    monkeypatch.setattr(nonredundant, "ami", fake)
    c = NonRedundantClustering(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 2}).fit(U, other=W)
    assert 4 in calls[2:] and c.n_other_ == 2

def test_spice_refuses_fair_groups_that_lose_one(words, brief, monkeypatch):
    from audioclust.spice import refinement
    class Emptied(FairClustering):
        def fit(self, X, labels, *args, **kwargs):
            super().fit(X, labels, *args, **kwargs)
            self.labels_ = np.zeros_like(self.labels_)  # all in one group, with which every neighbour agrees
            return self
    monkeypatch.setattr(refinement, "FairClustering", Emptied)
    m = spice(**{**QUICK, "match_epochs": 0}, heads=0).fit(words)
    assert m.nonredundant_.removes_other_ and m.fair_ is None and len(np.unique(m.labels_)) == 3


def test_embeddings_are_no_probabilities():
    with pytest.raises(ValueError, match="40 columns: give the probabilities of the 3 groups"): ArgmaxClusterer(3).fit(np.zeros((5, 40)))


def test_a_warning_where_sources_hold_different_contents():
    "Equal shares: no warning. Each source has two of five contents only: nothing is subtracted, or a warning names the mend."
    from audioclust.metrics import ami
    from audioclust.spice.nonredundant import NonRedundantClustering, UNSUBTRACTED, UNSUBTRACTED_LIMIT
    def found(shares, seed, **options):
        rng = np.random.default_rng(seed)
        source = rng.integers(4, size=400)
        content = np.array([rng.choice(5, p=shares[s]) for s in source])
        P, Q = rng.normal(size=(5, 12)), rng.normal(size=(4, 12))
        wanted = 2.5*P[content] + .6*Q[source] + rng.normal(0, .6, (400, 12))
        other = 2.5*Q[source] + .6*P[content] + rng.normal(0, .6, (400, 12))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = NonRedundantClustering(5, 4, dims=(4, 6), other_dims=(3, 4), n_members=10, **options).fit(wanted, other=other)
        return model, ami(content, source), [str(w.message) for w in caught]
    equal, truth, said = found(np.full((4, 5), .2), 0)
    assert equal.removes_other_ and equal.dependence_[UNSUBTRACTED] < UNSUBTRACTED_LIMIT and not said and truth < .05
    skewed = np.array([[.45, .45, .1, 0, 0], [0, .45, .45, .1, 0], [0, 0, .1, .45, .45], [.45, 0, 0, .1, .45]])
    refused, truth, said = found(skewed, 0)
    assert truth > .3 and not refused.removes_other_ and "nothing was taken away" in said[0]
    unequal, _, said = found(skewed, 0, limit=1.)
    assert unequal.removes_other_ and unequal.dependence_[UNSUBTRACTED] > UNSUBTRACTED_LIMIT and "--set crossed=False" in said[0]
