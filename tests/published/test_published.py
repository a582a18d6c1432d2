"The published methods: run, used for other recordings, interrupted and resumed, and trained as their papers say."
import json
import math

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback

from audioclust.cli import main
from audioclust.core.registry import set_flat_params
from audioclust.metrics import accuracy
from audioclust.pipeline import assign, Run
from audioclust.published import PublishedDeepCluster
from audioclust.published.scan import NeighbourHeads, scan_loss, SelfLabelling
from audioclust.training import Checkpoints

QUICK = ["--n-clusters", "3", "--epochs", "2", "--no-cache", "--no-page"]
SHORT_HEADS = ["--set", "views=2", "--set", "head_epochs=2", "--set", "heads=2"]
OPTIONS = {"deepcluster-published": [],
           "spice": [*SHORT_HEADS, "--set", "match_epochs=2", "--set", "share=.3"],
           "scan": [*SHORT_HEADS, "--set", "label_epochs=2"]}
FIRST = {"deepcluster-published": "training", "spice": "content", "scan": "content"}  # file of a checkpoint


@pytest.mark.parametrize("method", OPTIONS)
def test_a_published_method_runs_stops_and_resumes(method, few, brief, tmp_path, monkeypatch, capsys):
    def cluster(run, *more):
        return main(["cluster", str(few), "--out", str(tmp_path/run), "--method", method,
                     *OPTIONS[method], *QUICK, *more])
    assert cluster("whole") == 0, capsys.readouterr().err
    run = Run.open(tmp_path/"whole")
    np.testing.assert_array_equal(assign(run, few).cluster, run.clustering.labels)
    assert len(np.unique(run.clustering.labels)) <= 3
    assert json.loads((tmp_path/"whole/run.json").read_text())["request"]["method"] == method
    write = Checkpoints.after_epoch
    def stop(self):
        write(self)
        if self.file.stem == FIRST[method]: raise KeyboardInterrupt
    monkeypatch.setattr(Checkpoints, "after_epoch", stop)
    assert cluster("run", "-q") == 130
    monkeypatch.setattr(Checkpoints, "after_epoch", write)
    assert cluster("run", "-q", "--resume") == 0
    for name in ("clusters.csv", "embeddings.npy"):
        assert (tmp_path/"run"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes(), name


@pytest.mark.parametrize("method", OPTIONS)
def test_a_published_method_refuses_what_cannot_work(method, few, tmp_path, capsys):
    def refused(*options):
        status = main(["cluster", str(few), "--out", str(tmp_path/"run"), "--method", method, "-q", *options])
        return status, capsys.readouterr().err
    assert refused("--n-clusters", "3", "--encoder", "fixed")[0] == 2
    status, said = refused("--n-clusters", "400")
    assert status == 2 and "ask for at most" in said and said.count("\n") == 1
    assert "has no parameter 'nonredundant'" in refused("--set", "nonredundant=False")[1]


def test_published_deepcluster_trains_as_its_paper_says(words):
    "Ten pseudo-labels for a group, and SGD at a constant rate, without momentum for the head."
    seen = []
    class Watch(Callback):
        order = 80
        def before_batch(self):
            body, head = ((h["lr"], h["mom"], h["wd"]) for h in self.opt.hypers)
            seen.append((body, head, self.model.head.out_features))
    table = words[1][["path", "start", "end"]]
    model = set_flat_params(PublishedDeepCluster(3), epochs=2, passes=1, sample_rate=8000)
    model.fit(table, cbs=[Watch()])
    assert set(seen) == {((.05, .9, 1e-5), (.05, 0., 1e-5), 30)}
    assert type(model.whitening_).__name__ == "Whiten" and model.clusterer_.n_init == 20
    assert model.encoder_.n_views == 1
    by_source = set_flat_params(PublishedDeepCluster(3, "source"), epochs=0, sample_rate=8000).fit(table)
    assert by_source.encoder_.n_views == 8


def test_self_labelling_learns_from_what_is_confident_alone():
    labelling = SelfLabelling(None, None, threshold=.9)
    labelling.confident = []
    scores = torch.zeros(6, 3, requires_grad=True)
    with torch.no_grad(): scores[0, 1] = 8.  # one clip of three is confident in its weak view
    labelling.loss(scores, None).backward()
    moved = scores.grad.abs().sum(1) > 0
    assert moved.tolist() == [False, False, False, True, False, False] and scores.grad[3].argmin() == 1


def test_the_loss_of_neighbours_is_that_of_plain_loops():
    g = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 5, 3, generator=g).softmax(2).double() for _ in range(2))
    for h in range(2):
        agree = -sum(math.log(sum(a[h, i, c]*b[h, i, c] for c in range(3))) for i in range(5))/5
        mean = [sum(a[h, i, c] for i in range(5))/5 for c in range(3)]
        assert scan_loss(a, b, 5.)[h].item() == pytest.approx(agree + 5*sum(m*math.log(m) for m in mean))


def test_heads_of_neighbours_find_groups_and_keep(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 240)
    X = (4*np.eye(3)[y] + rng.normal(size=(240, 3))).astype(np.float32)
    m = NeighbourHeads(3, heads=4, epochs=40, n_neighbors=8).fit(X)
    assert accuracy(y, m.labels_) > .9
    m.save(tmp_path)
    np.testing.assert_array_equal(NeighbourHeads.load(tmp_path).predict(X), m.labels_)
    first, second = (NeighbourHeads(3, heads=4, epochs=2).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.proba_, second.proba_)
    assert len(NeighbourHeads(2, epochs=1).fit(X[:4]).labels_) == 4  # fewer neighbours than asked for
