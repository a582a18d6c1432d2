"DeepCluster: its parts, its estimator, and how it resumes."
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st

from audioclust.audio import synthetic_words
from audioclust.core.registry import make_clusterer
from audioclust.deepcluster import DeepCluster, deepcluster_learner, LearnerOptions, TrainingOptions
from audioclust.deepcluster.learner import default_passes
from audioclust.deepcluster.pseudolabels import AveragedViews, PseudoLabeller, UnchangedClips
from audioclust.encoders import NetworkEncoder, RuntimeOptions
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.training.balanced_sampling import balanced_sample
from audioclust.training.checkpoints import Checkpoints, training_fingerprint

BRIEF = TrainingOptions(epochs=2, passes=2, views=2)
AT_8_KHZ = RuntimeOptions(sample_rate=8000)


@pytest.fixture(scope="module")
def words(tmp_path_factory): return synthetic_words(3, 2, 8).save(tmp_path_factory.mktemp("words"))

@pytest.fixture(scope="module")
def store(words): return LogMelStore.from_clips(words, NetworkEncoder(sample_rate=8000).front)

def learner(store, seed=0, k=5, bs=16, cbs=(), bf16=False, **kwargs):
    encoder, options = NetworkEncoder(sample_rate=8000, seed=seed), LearnerOptions(passes=2, bf16=bf16)
    dls = store.dataloaders(bs, "cpu")
    return deepcluster_learner(dls, encoder, k, options=options, seed=seed, cbs=cbs, **kwargs)

def fit(learn, epochs=2, **options):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 1e-3, **options)
    return learn


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31 - 1), st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 300))
def test_balanced_counts_are_even(seed, sizes, n):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(-1, len(sizes) - 1), sizes))
    if not (labels >= 0).any(): return
    rows = balanced_sample(labels, n, np.random.default_rng(seed))
    counts = np.bincount(labels[rows], minlength=len(sizes))[np.unique(labels[labels >= 0])]
    assert len(rows) == n and (labels[rows] >= 0).all() and np.ptp(counts) <= 1
    seen = np.bincount(rows, minlength=len(labels))
    for i in np.unique(labels[labels >= 0]): assert np.ptp(seen[labels == i]) <= 1


def test_seeds(store):
    a, b = (fit(learner(store, seed=s)) for s in (1, 2))
    torch.manual_seed(99)  # chance from elsewhere does not matter
    again = fit(learner(store, seed=1))
    np.testing.assert_array_equal(a.pseudo_labels.labels, again.pseudo_labels.labels)
    assert all(torch.equal(p, q) for p,q in zip(a.model.parameters(), again.model.parameters()))
    assert not all(torch.equal(p, q) for p,q in zip(a.model.parameters(), b.model.parameters()))


LABELLERS = [(UnchangedClips(), 1), (UnchangedClips(), 4), (AveragedViews(dims=(4, 900)), 3),
             (AveragedViews(batch=20), 1)]

@pytest.mark.parametrize("embed, n_members", LABELLERS, ids=str)
def test_labellers(store, embed, n_members):
    labeller = PseudoLabeller(6, embed=embed, n_members=n_members)
    labels = labeller(NetworkEncoder(sample_rate=8000), store, 0, False)
    assert labels.shape == (48,) and set(labels) == set(range(6))


def test_a_resumed_training_ends_like_one_that_was_not_interrupted(store, tmp_path):
    class Stop(Callback):
        order = -9
        def before_epoch(self):
            if self.epoch == 2: raise KeyboardInterrupt
    mine, another = '{"name": "a"}', '{"name": "b"}'  # fingerprints
    uninterrupted = fit(learner(store), 4)
    stopped = learner(store, cbs=[Checkpoints(tmp_path, mine), Stop()])
    with pytest.raises(KeyboardInterrupt): fit(stopped, 4)
    resumed = learner(store, cbs=[Checkpoints(tmp_path, mine)])
    assert resumed.checkpoints.load(resumed) == 2
    fit(resumed, 4, start_epoch=2)
    weights = zip(uninterrupted.model.state_dict().values(), resumed.model.state_dict().values())
    assert all(torch.equal(p, q) for p, q in weights)
    np.testing.assert_array_equal(uninterrupted.pseudo_labels.labels, resumed.pseudo_labels.labels)
    assert json.dumps(uninterrupted.curves.rows) == json.dumps(resumed.curves.rows)
    other = learner(store, cbs=[Checkpoints(tmp_path, another)])
    with pytest.raises(ValueError, match="another training"): other.checkpoints.load(other)
    assert [p.name for p in tmp_path.iterdir()] == ["training.safetensors"]


def test_each_sign_of_a_collapse_is_named_once(store):
    learn = learner(store, k=6, labeller=lambda *_: np.where(np.arange(48) < 1, 0, 2))
    with pytest.warns(UserWarning) as caught: fit(learn, 2)
    messages = [str(w.message) for w in caught if "DeepCluster" in str(w.message)]
    assert len(messages) == 2 and "only 2 of 6" in messages[0] and "98% of the clips" in messages[1]
    row = learn.curves.rows[-1]
    assert row["alive"] == 2 and row["entropy"] < .1
    assert row["nmi_previous"] == 1 and row["moved"] == 0  # agreement with itself is perfect


def test_a_training_that_diverges_stops_with_an_error(store):
    class Break(Callback):
        order = -50
        def after_loss(self): self.learn.loss = self.loss*float("nan")
    with pytest.raises(ValueError, match="diverged in epoch 0"): fit(learner(store, cbs=[Break()]), 1)


def test_the_estimator(words, tmp_path):
    model = DeepCluster(3, runtime=AT_8_KHZ, training=BRIEF).fit(words)
    assert model.embeddings_.shape[0] == 48 and len(model.curves_) == 2
    assert ((0 <= model.confidence_) & (model.confidence_ <= 1)).all()
    model.save(tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded = DeepCluster.load(tmp_path)
    assert loaded.get_params() == model.get_params()
    np.testing.assert_array_equal(loaded.predict(words.iloc[5:9]), model.labels_[5:9])
    np.testing.assert_allclose(loaded.embed(words), model.embeddings_, atol=1e-3)


def test_methods_are_made_with_flat_names():
    model = make_clusterer("deepcluster", 3, epochs=1, passes=1, views=2, anchor=False, train_clusters=4,
                           sample_rate=8000)
    assert not model.anchor
    assert model.training == TrainingOptions(epochs=1, passes=1, views=2, train_clusters=4)
    with pytest.raises(ValueError, match="no parameter 'training'"):
        make_clusterer("deepcluster", training=BRIEF)


def test_a_checkpoint_whose_fingerprint_was_changed_is_damaged(words, store, tmp_path):
    fit(learner(store, cbs=[Checkpoints(tmp_path, "no JSON")]), 1)
    other = learner(store, cbs=[Checkpoints(tmp_path, training_fingerprint({}, words))])
    with pytest.raises(ValueError, match="is damaged .* remove it"): other.checkpoints.load(other)


def test_the_estimator_without_training_and_with_broken_files(words, tmp_path):
    bad = tmp_path/"bad.wav"
    bad.write_bytes(b"no")
    mixed = pd.concat([pd.DataFrame([dict(path=bad, start=0., end=1.)]), words], ignore_index=True)
    errors = []
    model = DeepCluster(3, by="source", runtime=AT_8_KHZ, training=TrainingOptions(epochs=0))
    model.fit(mixed, errors=errors)
    assert [row for row,_ in errors] == [0] and len(model.labels_) == 48 and model.curves_ == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert model.predict(mixed)[0] == -1


WRONG = [(dict(n_clusters=49), "only 48"), (dict(n_clusters=0), "at least 1"),
         (dict(train_clusters=1), "at least 2"), (dict(epochs=-1), "whole number"), (dict(passes=0), "above 0"),
         (dict(by="x"), "say 'content'"), (dict(backbone="x"), "no backbone")]

@pytest.mark.parametrize("options, message", WRONG)
def test_wrong_requests(words, options, message):
    options = {"n_clusters": 3, **options}
    with pytest.raises(ValueError, match=message):
        make_clusterer("deepcluster", sample_rate=8000, **options).fit(words)


def test_fewer_passes_over_longer_clips_but_four_where_there_are_few():
    for clips,frames,passes in ((3000, 43, 4), (30_000, 43, 1), (375, 48, 32), (400, 96, 15), (300, 2000, 10),
                                (2000, 300, 4), (6000, 300, 2)):
        assert default_passes(np.full(clips, frames)) == passes
