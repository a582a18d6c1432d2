"The published methods: asked for on the command line, written into a run folder, used for other recordings, stopped and gone on with."
import json

import numpy as np
import pandas as pd
import pytest
import torch

from audioclust.cli import main
from audioclust.core.registry import make_clusterer, METHODS, set_flat_params
from audioclust.pipeline import assign, Run

QUICK = ["--n-clusters", "3", "--epochs", "2", "--no-cache", "--no-page"]
OPTIONS = {"deepcluster-published": [], "spice-published": ["--set", "views=2", "--set", "head_epochs=2", "--set", "heads=2", "--set", "match_epochs=2", "--set", "share=.3"],
           "scan": ["--set", "views=2", "--set", "head_epochs=2", "--set", "heads=2", "--set", "label_epochs=2"]}
FIRST = {"deepcluster-published": "training", "spice-published": "content", "scan": "content"} # file of the first training


@pytest.mark.parametrize("method", OPTIONS)
def test_a_published_method_runs_stops_and_goes_on(method, few, brief, tmp_path, monkeypatch, capsys):
    from audioclust.training.checkpoints import Checkpoints
    def cluster(run, *more): return main(["cluster", str(few), "--out", str(tmp_path/run), "--method", method, *OPTIONS[method], *QUICK, *more])
    assert cluster("whole") == 0, capsys.readouterr().err
    grouping = Run.open(tmp_path/"whole")
    np.testing.assert_array_equal(assign(grouping, few).cluster, grouping.clustering.labels)
    assert len(np.unique(grouping.clustering.labels)) <= 3 and json.loads((tmp_path/"whole/run.json").read_text())["request"]["method"] == method
    write = Checkpoints.after_epoch
    def stop(self):
        write(self)
        if self.file.stem == FIRST[method]: raise KeyboardInterrupt
    monkeypatch.setattr(Checkpoints, "after_epoch", stop)
    assert cluster("run", "-q") == 130
    monkeypatch.setattr(Checkpoints, "after_epoch", write)
    assert cluster("run", "-q", "--resume") == 0
    for name in ("clusters.csv", "embeddings.npy"): assert (tmp_path/"run"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes(), name

@pytest.mark.parametrize("method", OPTIONS)
def test_a_published_method_takes_no_other_encoder_and_refuses_what_cannot_work(method, few, tmp_path, capsys):
    def refused(*options): return main(["cluster", str(few), "--out", str(tmp_path/"run"), "--method", method, "-q", *options]), capsys.readouterr().err
    assert refused("--n-clusters", "3", "--encoder", "fixed")[0] == 2
    status, said = refused("--n-clusters", "400")
    assert status == 2 and "ask for at most" in said and said.count("\n") == 1
    assert "has no parameter 'crossed'" in refused("--set", "crossed=False")[1]
    assert "to compare with" in METHODS[method].description

def test_published_deepcluster_trains_as_its_paper_says(words, monkeypatch):
    "Ten pseudo-labels for a group, SGD at a constant rate, no momentum for the head, and a new head in each epoch."
    from fastai.callback.core import Callback
    from audioclust.published.original_deepcluster import PublishedDeepCluster
    seen = []
    class Watch(Callback):
        order = 80
        def before_batch(self): seen.append([(h["lr"], h["mom"], h["wd"]) for h in self.opt.hypers] + [self.model.head.out_features, tuple(self.model.head.weight.std(1).detach().clamp(0, .02)[:1].tolist())])
    table = words[1]
    model = set_flat_params(PublishedDeepCluster(3), epochs=2, passes=1, sample_rate=8000)
    model.fit(table[["path", "start", "end"]], cbs=[Watch()])
    assert {tuple(s[0]) for s in seen} == {(.05, .9, 1e-5)} and {tuple(s[1]) for s in seen} == {(.05, 0., 1e-5)} and {s[2] for s in seen} == {30}
    assert model.whitening_.__class__.__name__ == "Whiten" and model.clusterer_.n_init == 20 and model.encoder_.n_views == 1
    assert set_flat_params(PublishedDeepCluster(3, "source"), epochs=0, sample_rate=8000).fit(table[["path", "start", "end"]]).encoder_.n_views == 8

def test_published_spice_has_random_heads_and_its_constants(words, monkeypatch):
    import audioclust.published.original_spice as published
    asked = {}
    class Heads(published.SelfHeads):
        def fit(self, X, **kwargs):
            asked.update(self.get_params(), start=kwargs.get("start"), lengths=np.linalg.norm(X, axis=1), strong=kwargs["strong"].shape)
            return super().fit(X, **kwargs)
    def reliable(E, labels, *args, **kwargs):
        asked.update(reliable=(args, kwargs))
        return published_reliable(E, labels, *args, **kwargs)
    published_reliable = published.reliable_labels
    monkeypatch.setattr(published, "SelfHeads", Heads)
    monkeypatch.setattr(published, "reliable_labels", reliable)
    table = words[1][["path", "start", "end"]]
    model = set_flat_params(make_clusterer("spice-published", 3, 0), epochs=1, head_epochs=2, match_epochs=1, views=2, sample_rate=8000).fit(table)
    assert asked["start"] is None and (asked["heads"], asked["assign"], asked["overlap"], asked["double"], asked["choose"]) == (10, "balanced", True, True, "best")
    np.testing.assert_allclose(asked["lengths"], 1, atol=1e-5)
    assert asked["strong"][:2] == (10, len(table)) and asked["reliable"] == ((100, .95), {"least": 0})
    assert model.contrast.bs == 128 and published.UNLABELLED == 7 and published.LABELLED_BS == 64 and model.published.threshold == .95

def test_self_labelling_learns_from_what_is_confident_alone():
    from audioclust.published.scan import SelfLabelling
    labelling = SelfLabelling(None, None, threshold=.9)
    labelling.confident = []
    scores = torch.zeros(6, 3, requires_grad=True)
    with torch.no_grad(): scores[0, 1] = 8.  # one clip of three is confident in its weak view
    labelling.loss(scores, None).backward()
    moved = scores.grad.abs().sum(1) > 0
    assert moved.tolist() == [False, False, False, True, False, False] and scores.grad[3].argmin() == 1
