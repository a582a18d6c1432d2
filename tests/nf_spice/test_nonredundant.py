"Non-redundant clustering: both groupings, the search for the number of other groups, and its warnings."
import warnings

import numpy as np
import pytest

from audioclust.metrics import accuracy, ami, nmi
from audioclust.nf_spice import nonredundant
from audioclust.nf_spice.nonredundant import NonRedundantClustering, OTHER, UNSUBTRACTED, UNSUBTRACTED_LIMIT


def two_groupings(seed=2, n=400, away=1.4):
    rng = np.random.default_rng(seed)
    content, source = rng.integers(5, size=n), rng.integers(4, size=n)
    P, Q = rng.normal(size=(5, 12)), rng.normal(size=(4, 12))
    U = 1.5*P[content] + away*Q[source] + rng.normal(0, .8, (n, 12))
    W = 2*Q[source] + .7*P[content] + rng.normal(0, .8, (n, 12))
    return content, source, U.astype(np.float32), W.astype(np.float32)


OPTIONS = dict(n_other=(2, 3, 4, 6, 8), dims=(4, 6), other_dims=(3, 4), n_members=20)


def test_nonredundant_finds_both_and_predicts_new_clips(tmp_path):
    content, source, U, W = two_groupings()
    c = NonRedundantClustering(5, **OPTIONS).fit(U, other=W)
    assert accuracy(content, c.labels_) > .95 and c.removes_other_
    four = NonRedundantClustering(5, **{**OPTIONS, "n_other": 4, "limit": .5}).fit(U, other=W)
    assert accuracy(source, four.other_labels_) > .95
    assert accuracy(content, c.labels_) > accuracy(content, c.steps_[0].labels)
    np.testing.assert_array_equal(c.predict(U, W), c.labels_)
    c.save(tmp_path)
    np.testing.assert_array_equal(NonRedundantClustering.load(tmp_path).predict(U[:7], W[:7]), c.labels_[:7])
    assert not list(tmp_path.rglob("*.pkl"))


def test_nonredundant_takes_several_embeddings(tmp_path):
    content, source, U, W = two_groupings()
    c = NonRedundantClustering(5, **OPTIONS).fit([U, U[:, :8]], other=[W, W[:, :9]])
    assert c.embeddings_.shape == (400, 12) and accuracy(content, c.labels_) > .9
    c.save(tmp_path)
    loaded = NonRedundantClustering.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict([U, U[:, :8]], [W, W[:, :9]]), c.labels_)


def test_without_another_grouping_it_is_consensus():
    _, _, U, W = two_groupings()
    c = NonRedundantClustering(5, n_other=(), dims=(4, 6), n_members=20).fit(U, other=W)
    assert not c.removes_other_ and len(c.steps_) == 1 and c.other_labels_ is None
    for wrong in (1, 2.5, (2, "x"), 500):
        with pytest.raises(ValueError, match="n_other"): NonRedundantClustering(5, n_other=wrong).fit(U, other=W)
    with pytest.raises(ValueError, match="other is needed"): NonRedundantClustering(5).fit(U)
    with pytest.raises(ValueError, match="row for each clip"):
        NonRedundantClustering(5).fit(U, other=np.full_like(W, np.nan))


def test_the_number_of_other_groups_is_revised_in_each_round():
    content, source, U, W = two_groupings()
    c = NonRedundantClustering(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 3}).fit(U, other=W)
    last_other = c.steps_[-2]
    assert c.n_other_ in (2, 4)
    assert last_other.grouping == OTHER and last_other.clusterer.n_clusters == c.n_other_
    labels, agreement, Z, other = c.predict_with_embeddings(U, W)
    np.testing.assert_array_equal(other, c.other_labels_)
    np.testing.assert_array_equal(labels, c.labels_)


def test_the_search_ends_when_more_groups_look_safe_in_each_round_and_not_at_the_end(monkeypatch):
    content, source, U, W = two_groupings()
    calls = []
    def fake(a, b):
        calls.append(len(np.unique(b)))
        assert len(calls) < 40, "it goes round for ever"
        if len(calls) <= 2: return {2: .0, 4: .09}[calls[-1]]  # at first two are independent, and four are not
        return .01 if len(calls) % 2 else .06  # then four look safe in the round, and are not at the end
    monkeypatch.setattr(nonredundant, "ami", fake)
    c = NonRedundantClustering(5, **{**OPTIONS, "n_other": (2, 4), "rounds": 2}).fit(U, other=W)
    assert 4 in calls[2:] and c.n_other_ == 2


def test_a_warning_where_sources_hold_different_contents():
    "Equal shares: no warning. Two of five contents a source: nothing is subtracted, or a warning says what to do."
    def found(shares, seed, **options):
        rng = np.random.default_rng(seed)
        source = rng.integers(4, size=400)
        content = np.array([rng.choice(5, p=shares[s]) for s in source])
        P, Q = rng.normal(size=(5, 12)), rng.normal(size=(4, 12))
        wanted = 2.5*P[content] + .6*Q[source] + rng.normal(0, .6, (400, 12))
        other = 2.5*Q[source] + .6*P[content] + rng.normal(0, .6, (400, 12))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = NonRedundantClustering(5, 4, dims=(4, 6), other_dims=(3, 4), n_members=10, **options)
            model.fit(wanted, other=other)
        return model, ami(content, source), [str(w.message) for w in caught]
    equal, truth, said = found(np.full((4, 5), .2), 0)
    assert equal.removes_other_ and equal.dependence_[UNSUBTRACTED] < UNSUBTRACTED_LIMIT
    assert not said and truth < .05
    skewed = np.array([[.45, .45, .1, 0, 0], [0, .45, .45, .1, 0], [0, 0, .1, .45, .45], [.45, 0, 0, .1, .45]])
    refused, truth, said = found(skewed, 0)
    assert truth > .3 and not refused.removes_other_ and "nothing was taken away" in said[0]
    unequal, _, said = found(skewed, 0, limit=1.)
    assert unequal.removes_other_ and unequal.dependence_[UNSUBTRACTED] > UNSUBTRACTED_LIMIT
    assert "--set nonredundant=False" in said[0]


def test_a_step_that_would_harm_is_skipped_and_one_that_helps_is_kept(monkeypatch):
    "Contents that hardly differ: other groups are no surer. Contents that a source hides: other groups are."
    def tried(sizes, between, shift, seed):
        rng = np.random.default_rng(seed)
        content = np.repeat(np.arange(5), sizes)
        source = rng.integers(3, size=len(content))
        P, Q = rng.normal(size=(5, 12)), rng.normal(size=(3, 12))
        wanted = between*P[content] + shift*Q[source] + rng.normal(0, .8, (len(content), 12))
        other = 2*Q[source] + rng.normal(0, .8, (len(content), 12))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = NonRedundantClustering(5, (2, 3), rounds=2, dims=(4, 6), other_dims=(3, 4), n_members=5)
            model.fit(wanted, other=other)
        return model, nmi(content, model.labels_), nmi(content, model.steps_[0].labels), [str(w.message) for w in caught]
    model, helped, first, said = tried(40, .9, .8, 0)
    assert model.removes_other_ and not model.skipped_ and model.agreement_ < .75 and helped > first + .1
    weak = ([80, 50, 35, 25, 20], .4, .2, 2)
    model, kept, first, said = tried(*weak)
    assert not model.removes_other_ and kept == first and model.skipped_ in said[0] and "no surer" in said[0]
    monkeypatch.setattr(nonredundant, "LEAST_AGREEMENT", -1.)
    model, harmed, first, said = tried(*weak)
    assert model.removes_other_ and harmed < first
