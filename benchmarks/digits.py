"""The same stages on pictures: scikit-learn's 1,797 handwritten digits of 8 by 8 pixels, to see that nothing here is about sound.

    python benchmarks/digits.py [--seeds 5]

Each row of benchmarks/results/digits.csv is one run: contrast with views that move, turn and scale a picture a little, heads
on its features, FixMatch on reliable labels. The callbacks are those of the chapters; only network and views are other ones.
Goal: is the method what it says, where sound plays no part? Not a goal: the best number for these pictures.
"""
import argparse, time
from pathlib import Path

import numpy as np
import torch
from fastai.callback import progress, schedule  # noqa: F401 (they add methods to Learner)
from fastai.learner import Learner
from sklearn.datasets import load_digits
from torch import nn

from appended import append
from audioclust.encoders.augmentations import BatchRandom
from audioclust.ensembles import Consensus
from audioclust.nf_spice.contrastive import NewOrder, PairCurves, Pairs, SimCLR, projector
from audioclust.training.encoder_learner import EncoderWithHead
from audioclust.nf_spice.self_heads import SelfHeads
from audioclust.kmeans import KMeans
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.metrics import score
from audioclust.nf_spice.fixmatch import EMA, FixMatch, MatchCurves, reliable_labels
from audioclust.encoders.whitening import WithinWhiten


class Moved:
    "Pictures moved, turned, scaled and sheared; `much` of it."
    def __init__(self, much): self.much = much
    def __call__(self, batch, dice=None):
        x = batch.logmels.float()[:, None]
        if dice is None: return x
        r = torch.rand(7, len(x), generator=dice.generator).to(x.device)*2 - 1
        m, turn = self.much, r[0]*self.much*.5
        A = torch.stack([torch.stack([torch.cos(turn)*(1 + .3*m*r[1]), -torch.sin(turn) + .4*m*r[2], .35*m*r[3]], 1), torch.stack([torch.sin(turn), torch.cos(turn)*(1 + .3*m*r[4]), .35*m*r[5]], 1)], 1)
        x = nn.functional.grid_sample(x, nn.functional.affine_grid(A, x.shape, align_corners=False), align_corners=False)
        return x*(1 + .3*m*r[6])[:, None, None, None] + .1*m*torch.randn(x.shape, generator=dice.generator).to(x.device)


class Small(nn.Module):
    "Pictures -> embeddings of 128."
    dim, ignore = 128, ()
    def __init__(self):
        super().__init__()
        def layer(a, b, stride): return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
        self.net = nn.Sequential(layer(1, 32, 1), layer(32, 64, 2), layer(64, 64, 1), layer(64, 128, 2), layer(128, 128, 1), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    def network(self, x, half=False): return self.net(x)
    @torch.no_grad()
    def embed(self, store, views=None, many=8, dice=None):
        batch = store.batch(np.arange(len(store)))
        return (self.eval().net(Moved(0)(batch)) if views is None else torch.stack([self.eval().net(views(batch, dice)) for _ in range(many)], 1)).numpy()


def run(seed, epochs=120):
    pictures, truth = load_digits(return_X_y=True)
    store = LogMelStore((pictures/16).astype(np.float16).reshape(-1, 8, 8).transpose(0, 2, 1).reshape(-1, 8), np.arange(len(pictures) + 1)*8, np.zeros(len(pictures), np.float32), 8000)
    start, row = time.perf_counter(), {}
    def say(name, labels): row.update({f"{m}_{name}": round(v, 4) for m,v in score(truth, labels).items() if m in ("acc", "nmi")})
    torch.manual_seed(seed)
    encoder = Small()
    model = EncoderWithHead(encoder, projector(encoder.dim, 128, 64))
    learn = Learner(store.dataloaders(256, "cpu"), model, loss_func=nn.CrossEntropyLoss(), lr=2e-3, wd=1e-4, cbs=[Pairs(Moved(1.), seed), NewOrder(seed), SimCLR(.5), PairCurves()])
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 2e-3, pct_start=.1)
    X, R = encoder.embed(store), encoder.embed(store, Moved(1.), 6, BatchRandom(seed, "cpu"))
    say("pixels", KMeans(10, n_init=20, random_state=seed).fit_predict(pictures))
    say("kmeans", KMeans(10, n_init=20, random_state=seed).fit_predict(X/np.linalg.norm(X, axis=1, keepdims=True)))
    w = WithinWhiten(32, l2=False, equalise=False).fit(X, views=R)
    unit = lambda Z: Z/np.linalg.norm(Z, axis=-1, keepdims=True)
    Z, V = unit(w.transform(X)), np.stack([unit(w.transform(R[:, v])) for v in range(R.shape[1])])
    say("consensus", Consensus(10, dims=(8, 12, 16, 24), l2=True, random_state=seed).fit_predict(Z))
    heads = SelfHeads(10, random_state=seed).fit(Z, weak=V[0], strong=V[1:])
    say("heads", heads.labels_)
    labels = reliable_labels(Z, heads.labels_)
    row |= dict(reliable=int((labels >= 0).sum()), acc_reliable=round(score(truth[labels >= 0], labels[labels >= 0])["acc"], 4))
    torch.manual_seed(seed)
    model = EncoderWithHead(encoder.train(), nn.Linear(encoder.dim, 10))
    match = FixMatch(labels, Moved(.3), Moved(1.), 64, .95, 1., seed)
    learn = Learner(store.dataloaders(192, "cpu"), model, loss_func=match.loss, lr=2e-3, wd=1e-4, cbs=[match, EMA(.99), MatchCurves()])
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(30, 2e-3, pct_start=.1)
    with torch.no_grad(): say("match", learn.ema.network.eval()(Moved(0)(store.batch(np.arange(len(store))))).argmax(1).numpy())
    return row | dict(seconds=round(time.perf_counter() - start, 1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"digits.csv")
    args = p.parse_args()
    append(args.out, [("digits", s) for s in range(args.seeds)], lambda _, seed: dict(seed=seed, **run(seed)))


if __name__ == "__main__": main()
