"Labels that a step proposes: corrected groups are taken over, other groups are not."
from types import SimpleNamespace

import numpy as np

from audioclust.nf_spice import refinement
from audioclust.nf_spice.estimator import skipped_steps
from audioclust.nf_spice.nonredundant import AT_END
from audioclust.nf_spice.refinement import Features, LabelSelection, make_fair, RefinementOptions, train_heads


LABELS, SOURCES = np.repeat([0, 1, 2], 40), np.tile([0, 1], 60)
CORRECTED = np.where(np.arange(120) % 20 == 0, (LABELS + 1) % 3, LABELS)  # one of twenty in another group
OTHERS = np.arange(120) % 3  # of equal sizes, and independent of the first


def selection():
    rng = np.random.default_rng(0)
    s = LabelSelection((4*np.eye(5)[LABELS] + rng.normal(size=(120, 5))).astype(np.float32), SOURCES, 3)
    s.score("nonredundant", LABELS)
    s.accept("nonredundant", np.eye(3, dtype=np.float32)[LABELS])
    return s


def fair_after(proposed, monkeypatch):
    class Proposes:
        def __init__(self, *args, **kwargs): pass
        def fit(self, *args, **kwargs): self.labels_, self.proba_ = proposed, np.eye(3, dtype=np.float32)[proposed]
    monkeypatch.setattr(refinement, "FairClustering", Proposes)
    monkeypatch.setattr(refinement, "TOLERANCE", 1.)  # the consistency refuses nothing
    s = selection()
    clusterer = SimpleNamespace(partitions_=np.stack([LABELS]))
    found = SimpleNamespace(removes_other_=True, dependence_={AT_END: 0.}, clusterer_=clusterer, other_labels_=SOURCES)
    return make_fair(Features([], [], [[s.embeddings], []]), found, s), s


def test_fair_groups_that_correct_are_kept_and_other_groups_are_skipped(monkeypatch):
    fair, s = fair_after(CORRECTED, monkeypatch)
    assert fair is not None and s.accepted == "fair" and .75 < s.validity["fair"]["agreement"] < 1
    assert not skipped_steps("", s.validity, dict(fair=fair))
    fair, s = fair_after(OTHERS, monkeypatch)
    assert fair is None and s.accepted == "nonredundant" and (s.labels == LABELS).all()
    line = "agreement -0.02: the labels of the step before are kept"
    assert skipped_steps("", s.validity, dict(fair=fair)) == {"fair": line}
    monkeypatch.setattr(refinement, "LEAST_AGREEMENT", -1.)
    fair, s = fair_after(OTHERS, monkeypatch)
    assert fair is not None and (s.labels == OTHERS).all()


def test_heads_that_find_other_groups_are_skipped(monkeypatch):
    monkeypatch.setattr(refinement, "TOLERANCE", 1.)
    def trained(clean):
        s = selection()
        options = RefinementOptions(heads=2, head_epochs=2)
        return train_heads(clean.astype(np.float32), None, np.arange(120), s, options)[1], s
    accepted, s = trained(4*np.eye(5)[LABELS])
    assert accepted and s.accepted == "heads"
    accepted, s = trained(4*np.eye(5)[OTHERS])  # what the heads see has other groups than those they start from
    assert s.validity["heads"]["agreement"] < .75 and not accepted and s.accepted == "nonredundant"
    assert list(skipped_steps("why", s.validity, dict(heads=None))) == ["nonredundant", "heads"]
