"A method of somebody else that trains an encoder is taken as ours are."
import numpy as np
import pytest
from sklearn.base import BaseEstimator

from audioclust.audio import synthetic_words
from audioclust.core.registry import METHODS
from audioclust.encoders import FixedEncoder
from audioclust.kmeans import KMeans
from audioclust.pipeline import assign, make_run, Options, Request, Run


class Method(BaseEstimator):
    "It trains nothing, but answers as a method that does."
    training_bytes = 1e7
    proba_ = None
    def __init__(self, n_clusters=3, by="content", ignore=None, sample_rate=16000, num_workers=None, patience=2):
        self.n_clusters, self.by, self.ignore, self.sample_rate = n_clusters, by, ignore, sample_rate
        self.num_workers, self.patience = num_workers, patience

    def represent(self, clips, errors, *, progress, checkpoints, log, stage):
        self.encoder_ = FixedEncoder(self.by, self.ignore, self.sample_rate)
        with stage("train"): X = self.encoder_.embed(clips, errors, progress=progress, num_workers=self.num_workers)
        if log: log(f"trained at {self.sample_rate} Hz with patience {self.patience}")
        self.whitening_ = self.encoder_.whitening(len(X)).fit(X)
        self.clips_, self.seconds_, self.curves_ = clips, (clips.end - clips.start).to_numpy(), []
        self.embeddings_ = self.whitening_.transform(X)

    def clusterer(self): return KMeans(self.n_clusters)


@pytest.fixture
def method():
    METHODS.register("patient", Method, "for this test", trains_encoder=True)
    yield
    METHODS.unregister("patient")

def test_a_method_of_another_package_may_train_and_says_what_memory_that_takes(method, tmp_path, monkeypatch):
    words = synthetic_words(3, 2, 6, sample_rate=8000).save(tmp_path/"in")
    request = Request("patient", 3, options=Options(params=dict(patience=5), num_workers=0, stability=0))
    made = make_run(tmp_path/"in", request)
    assert made.embeddings.X.shape[0] == len(words) and made.embeddings.encoder.sample_rate == 8000
    same = make_run(tmp_path/"in", Request("kmeans", 3, options=Options(num_workers=0, stability=0)))
    np.testing.assert_allclose(made.embeddings.X, same.embeddings.X, atol=1e-5)
    made.save(tmp_path/"run")
    np.testing.assert_array_equal(Run.open(tmp_path/"run").clustering.labels, made.clustering.labels)
    monkeypatch.setattr(Method, "training_bytes", 1e15)
    with pytest.raises(ValueError, match="A network and 36 clips"): make_run(tmp_path/"in", Request("patient", 3))


TRAINED = {"nf-spice": dict(epochs=1, bs=16, views=2, head_epochs=2, heads=2, match_epochs=0, n_other=(2,)),
           "deepcluster": dict(epochs=1, passes=1, views=2)}

def frozen_encoders(run): return [type(encoder).__name__ for encoder in run.embeddings.encoder.frozen]

@pytest.mark.parametrize("method", TRAINED)
def test_a_training_starts_from_a_vote(method, few, stranger, brief, tmp_path, monkeypatch):
    anchors = []  # encoders that deepcluster takes where it is given none
    def anchor(*args):
        anchors.append(FixedEncoder(*args))
        return anchors[-1]
    monkeypatch.setattr("audioclust.deepcluster.estimator.FixedEncoder", anchor)
    options = Options(params=TRAINED[method], num_workers=0, stability=0, cache=tmp_path/"cache")
    auto = make_run(few, Request(method, 3, encoder="auto", options=options))
    named = make_run(few, Request(method, 3, encoder="fixed+stranger", options=options))
    assert auto.embeddings.encoder_choice.name == "fixed+stranger" and named.embeddings.encoder_choice is None
    assert ("for the grouping by source: fixed" in auto.embeddings.encoder_choice.why) == (method == "nf-spice")
    named.save(tmp_path/"run")
    loaded = Run.open(tmp_path/"run")
    if method == "deepcluster":
        np.testing.assert_array_equal(named.clustering.labels, auto.clustering.labels)
        assert not anchors  # the vote decides only on the first pseudo-labels
        make_run(few, Request(method, 3, options=options))
        assert len(anchors) == 1
    else:
        assert frozen_encoders(named) == ["VotingEncoder", "FixedEncoder"] == frozen_encoders(loaded)
        assert frozen_encoders(auto) == ["VotingEncoder"]*2
        assert loaded.embeddings.encoder.frozen[0].sample_rate == 16000
    for run in named, loaded: np.testing.assert_array_equal(assign(run, few).cluster, named.clustering.labels)

@pytest.mark.parametrize("request_, said", [
    (Request("patient", 3, encoder="stranger"), "patient trains an encoder of its own: leave out"),
    (Request("nf-spice", 3, encoder="untrained"), "cannot be combined with an untrained network"),
    (Request("nf-spice", 3, encoder="stranger", options=Options(max_memory=4e9)), "combined with a bound on the memory"),
    (Request("nf-spice", 3, encoder="hearing"), "encoder='hearing'")], ids=["own", "untrained", "memory", "unknown"])
def test_what_a_training_cannot_start_from(method, few, stranger, request_, said):
    with pytest.raises(ValueError, match=said): make_run(few, request_)

def test_nf_spice_without_networks(few, stranger, brief, tmp_path):
    "What is not trained can still be crossed, made fair, and refined by heads."
    params = TRAINED["nf-spice"] | dict(epochs=0, match_epochs=5)
    request = Request("nf-spice", 3, encoder="fixed+stranger", options=Options(params=params, num_workers=0, stability=0))
    made = make_run(few, request)
    found = made.embeddings.encoder
    assert len(found.networks) == 0 and found.network is None and len(found.frozen) == 2
    assert "contrast" in made.made["seconds"]
    made.save(tmp_path/"run")
    (tmp_path/"bad").mkdir()
    (tmp_path/"bad"/"letter.wav").write_text("no sound")
    for run in made, Run.open(tmp_path/"run"):
        np.testing.assert_array_equal(assign(run, few).cluster, made.clustering.labels)
        errors = []
        assert len(assign(run, tmp_path/"bad", errors)) == 0 and len(errors) == 1
