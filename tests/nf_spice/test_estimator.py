"The whole method: its settings, its steps, and what it refuses."
import warnings

import numpy as np
import pytest

from audioclust.core.registry import make_clusterer
from audioclust.encoders import FixedEncoder
from audioclust.nf_spice import estimator, nonredundant, refinement, NFSPICE
from audioclust.nf_spice.trained_encoder import ArgmaxClusterer
from audioclust.training.curves import EndOnPlateau


QUICK = dict(sample_rate=8000, epochs=4, n_other=(2, 3), head_epochs=3, match_epochs=2, bs=36, views=2)


def nf_spice(n_clusters=3, by="content", **flat):
    "With flat names of parameters, as the command line gives them."
    return make_clusterer("nf-spice", n_clusters, by=by, **flat)


def test_flat_names_of_parameters_reach_their_objects():
    flat = dict(n_other=4, nonredundant=False, anchor=True, heads=2, head_epochs=7, assign="nearest", match_epochs=3,
                views=5, lr=.1, backbone="resnet18", epochs=6, bs=12, sample_rate=8000, num_workers=1, device="cpu")
    m = nf_spice(**flat)
    objects = (m.contrast, m.other_grouping, m.refinement, m.runtime)
    assert {name: getattr(o, name) for o in objects for name in flat if hasattr(o, name)} == flat
    with pytest.raises(ValueError, match="has no parameter 'head'"): nf_spice(head=3)


@pytest.mark.parametrize("by", ["content", pytest.param("source", marks=pytest.mark.slow)])
def test_nf_spice_predicts_new_clips_as_those_it_was_fitted_to(words, brief, by, tmp_path, monkeypatch):
    monkeypatch.setattr(nonredundant, "LEAST_AGREEMENT", -1.)  # no step is skipped
    monkeypatch.setattr(refinement, "LEAST_AGREEMENT", -1.)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = nf_spice(3, by, **QUICK).fit(words)
    np.testing.assert_allclose(m.proba_.sum(1), 1, atol=1e-4)
    assert set(m.steps_) >= {"consensus", "nonredundant", "heads"} and set(m.validity_) >= {"nonredundant", "heads"}
    np.testing.assert_array_equal(m.predict(words), m.labels_)
    np.testing.assert_array_equal(m.predict(words.iloc[[5]]), m.labels_[[5]])
    X, p = m.encoder_.embed(words)
    assert p.shape == (72, 3) and X.shape == m.embeddings_.shape == m.nonredundant_.embeddings_.shape
    np.testing.assert_array_equal(p, m.predict_proba(words))
    m.save(tmp_path)
    np.testing.assert_allclose(NFSPICE.load(tmp_path).predict_proba(words), m.predict_proba(words), atol=1e-5)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".npy"}


def test_nf_spice_ends_early_where_it_begins_with_frozen_encoders(words, monkeypatch):
    seen = []
    def after_two(self, rows):
        if len(rows) == 2: seen.append(self.n_epoch)
        return len(rows) == 2
    monkeypatch.setattr(EndOnPlateau, "on_plateau", after_two)
    quick = {**QUICK, "heads": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nf_spice(**quick).fit(words)
        assert not seen
        frozen = [FixedEncoder(by, sample_rate=8000) for by in ("content", "source")]
        m = nf_spice(**quick).fit(words, frozen=frozen)
        assert seen[:3] == [4, 4, 3] and [row["epoch"] for row in m.curves_[:4]] == [0, 1, 0, 1]


def test_nf_spice_without_its_options(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = nf_spice(**{**QUICK, "match_epochs": 0}, nonredundant=False, heads=0, anchor=False).fit(words)
    assert len(m.encoders_) == 1 and m.model_ is None and m.heads_ is None and not m.nonredundant_.removes_other_
    np.testing.assert_array_equal(m.labels_, m.steps_["consensus"])
    np.testing.assert_array_equal(m.predict(words), m.labels_)


def test_nf_spice_keeps_the_better_labels(words, brief, monkeypatch):
    def one_group(model, store): return np.tile(np.float32([.9, .05, .05]), (len(store), 1))
    monkeypatch.setattr(refinement, "store_probabilities", one_group)
    with pytest.warns(UserWarning, match="labels of the step before are kept"): m = nf_spice(**QUICK).fit(words)
    assert m.model_ is None and len(np.unique(m.labels_)) == 3


def test_a_network_that_is_accepted_gives_the_probabilities(words, brief, monkeypatch, tmp_path):
    monkeypatch.setattr(refinement, "MATCH_TOLERANCE", 9.)
    monkeypatch.setattr(refinement, "LEAST_KEPT", 0.)
    monkeypatch.setattr(refinement, "LEAST_RELIABLE", 0)
    m = nf_spice(**QUICK).fit(words)
    assert m.model_ is not None
    np.testing.assert_allclose(m.predict_proba(words), m.proba_, atol=1e-5)
    m.save(tmp_path)
    np.testing.assert_allclose(NFSPICE.load(tmp_path).predict_proba(words), m.proba_, atol=1e-5)


def test_nf_spice_uses_networks_that_are_there(words, brief):
    options = {**QUICK, "match_epochs": 0}
    first = nf_spice(**options).fit(words)
    again = nf_spice(**options).fit(words, encoders=first.encoders_)
    np.testing.assert_array_equal(again.labels_, first.labels_)
    assert not [r for r in again.curves_ if r["stage"].startswith("contrast")]
    with pytest.raises(ValueError, match="2 are needed"): nf_spice(**options).fit(words, encoders=first.encoders_[:1])


def test_both_ways_train_the_same_networks(words, same, monkeypatch):
    class Enough(Exception): pass
    def stop(*args): raise Enough
    monkeypatch.setattr(estimator, "network_features", stop)
    content, source = (nf_spice(3, by, **{**QUICK, "epochs": 1}) for by in ("content", "source"))
    for m in content, source:
        with pytest.raises(Enough): m.fit(words)
    assert len(content.encoders_) == len(source.encoders_) == 2
    for a,b in zip(content.encoders_, source.encoders_[::-1]): assert same(a, b)
    assert not same(*content.encoders_)


WRONG = [(dict(n_clusters=1), "at least 2"), (dict(n_clusters=2.5), "whole number"),
         (dict(n_clusters=40), "needs 2 for each"), (dict(epochs=-1), "at least 0"), (dict(heads=-1), "at least 0"),
         (dict(assign="x"), "balanced")]


@pytest.mark.parametrize("wrong, says", WRONG)
def test_wrong_requests(words, wrong, says):
    with pytest.raises(ValueError, match=says): nf_spice(**{"n_clusters": 3, **QUICK, **wrong}).fit(words)


def test_embeddings_are_no_probabilities():
    with pytest.raises(ValueError, match="40 columns: give the probabilities of the 3 groups"):
        ArgmaxClusterer(3).fit(np.zeros((5, 40)))
