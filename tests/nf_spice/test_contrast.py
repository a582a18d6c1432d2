"Contrastive training: its loss, its queue, its curves, and how it resumes."
import math

import pytest
import torch
from fastai.callback.core import Callback

from audioclust.encoders import NetworkEncoder
from audioclust.nf_spice import contrastive_learner
from audioclust.nf_spice.contrastive import MoCo, SimCLR, similarities
from audioclust.training import Checkpoints
from audioclust.training.curves import EndOnPlateau


def fit(learn, epochs=2, **options):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 1e-3, **options)
    return learn


class Seen(Callback):
    order = 3
    def before_fit(self): self.rows, self.shapes = [], []
    def before_batch(self):
        self.rows.append(self.yb[0].clone())
        self.shapes.append(tuple(self.xb[0].shape))


def contrast(store, how=None, seed=0, cbs=()):
    encoder = NetworkEncoder(sample_rate=8000, seed=seed)
    return contrastive_learner(store.dataloaders(24, "cpu"), encoder, how, bf16=False, seed=seed, cbs=cbs)


def test_similarities_is_the_published_loss():
    z = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    u = (z/z.norm(dim=1, keepdim=True)).double()
    total = 0
    for i in range(12):
        j = (i + 6) % 12
        others = sum(math.exp(u[i] @ u[m]/.2) for m in range(12) if m != i)
        total -= math.log(math.exp(u[i] @ u[j]/.2)/others)
    scores, target = similarities(z, .2)
    assert abs(torch.nn.functional.cross_entropy(scores, target).item() - total/12) < 1e-5


def test_both_views_of_a_clip_are_half_a_batch_apart_and_differ(store):
    learn = fit(contrast(store, cbs=[Seen()]), 1)
    assert set(learn.seen.shapes) == {(48, 1, 64, 48)} and len(set(torch.cat(learn.seen.rows).tolist())) == 72
    x = torch.cat([learn.pairs.views(store.batch([0, 1]), learn.pairs.dice) for _ in range(2)])
    assert not torch.allclose(x[0], x[2])


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
def test_contrast_resumes_where_it_stopped(store, same, tmp_path, how):
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
        end = EndOnPlateau(lambda row: 1., patience=2, write=said.append)
        return contrast(store, cbs=[end, Checkpoints(tmp_path, name="wanted"), *cbs])
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
