"""Heads on the frozen embeddings of the spoken digits: SPICE's, from chance and from groups that are there, and SCAN's.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/heads.py --encoders FOLDER [--seeds 5]
    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/heads.py --encoders FOLDER --number [--seeds 5]

Each row of benchmarks/results/heads.csv is one kind of heads on one embedding, scored afterwards; labels take no part. The
networks are those that `nf_spice.py --encoders FOLDER` left there; what is not there is trained, and left there. Heads see the
embedding of the non-redundant clustering, or the axes that part the groups, as in the chapter on NF-SPICE.
With --number rows go to results/heads-number.csv: SPICE's heads again, 40 of them side by side, of which none sees another;
so any m of them are nearly what a run with m heads would have trained, and the one that would have been chosen is known.
(Nearly: the loss is the mean over the heads, and Adam's epsilon does not shrink with it.) `acc` and `nmi` are means over all
ways to take m of the 40, `acc_sd` is the standard deviation over them, `acc_best` the mean of what the best of the m has,
which takes labels to know.
Goal: do the kinds of heads differ, does their start matter, and how many does it take? Not a goal: the best settings of each.
"""
import argparse, math, time
from pathlib import Path

import numpy as np
import torch
from fastai.callback.core import Callback

from appended import append
from audioclust.nf_spice.trained_encoder import head_embeddings, soft_assignment
from audioclust.audio import fsdd
from audioclust.nf_spice.self_heads import SelfHeads
from audioclust.encoders.logmel_store import TrimmedLogMel, LogMelStore
from audioclust.metrics import score
from audioclust.published.scan import NeighbourHeads
from audioclust.nf_spice import NFSPICE
from audioclust.encoders import RuntimeOptions
from audioclust.nf_spice.refinement import RefinementOptions
from nf_spice import fitted

made, trained = {}, {} # what `embeddings` and `many` made last

def embeddings(table, seed, folder):
    "Clean embeddings and views, by the name of the embedding, and the groups found so far."
    if seed in made: return made[seed]
    model = fitted(NFSPICE(10, refinement=RefinementOptions(heads=0, match_epochs=0), runtime=RuntimeOptions(sample_rate=8000), random_state=seed), table, [folder/f"{by}_{seed}" for by in ("content", "source")])
    encoder, w, c = model.encoders_[0], model.encoder_.whitenings[0], model.nonredundant_
    store = LogMelStore.from_clips(table, TrimmedLogMel(8000))
    X, R = encoder.embed_logmels(store), encoder.embed_logmels(store, views=5, seed=seed + 1)
    def seen(even): return head_embeddings(c, even, [w.transform(X)], c.other_labels_), np.stack([head_embeddings(c, even, [w.transform(R[:, v])], c.other_labels_) for v in range(5)])
    made.clear()
    made[seed] = {"crossed": (*seen(None), soft_assignment(c.labels_, c.confidence_, 10)), **({"even": (*seen(model.fair_), model.fair_.proba_)} if model.fair_ else {})}
    return made[seed]

KINDS = {"given": None, "SPICE": lambda s, Z, V, p: SelfHeads(10, random_state=s).fit(Z, weak=V[0], strong=V[1:]), "SPICE, from the groups given": lambda s, Z, V, p: SelfHeads(10, random_state=s).fit(Z, weak=V[0], strong=V[1:], start=p),
         "SCAN": lambda s, Z, V, p: NeighbourHeads(10, random_state=s).fit(Z)}


def run(table, name, seed, folder):
    kind, where = name.split(" / ")
    Z, V, p = embeddings(table, seed, folder)[where]
    start = time.perf_counter()
    heads = KINDS[kind] and KINDS[kind](seed, Z, V, p)
    seconds = time.perf_counter() - start
    s = score(table.label, heads.labels_ if heads else p.argmax(1))
    every = [score(table.label, y)["acc"] for y in heads.partitions_] if heads else [s["acc"]]
    return dict(kind=kind, embedding=where, seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), worst_head=round(min(every), 4), best_head=round(max(every), 4), seconds=round(seconds, 1))


MANY = 40 # heads side by side, for --number
NUMBERS = 1, 2, 3, 5, 10, 20, MANY

class Each(Callback):
    "What each head says after each epoch, and its loss, as `KeepBest` sees it."
    order = 76
    def __init__(self): self.loss, self.said = [], []
    @torch.no_grad()
    def after_epoch(self):
        labels = self.learn.self_labels
        self.loss.append(labels.losses().numpy()); self.said.append(self.model(labels.views.clean).argmax(2).to(torch.uint8).numpy())

def chosen(n, m): # Heads in all, and taken
    "How likely each place in the order of least losses is that of the head that is chosen, when m of n are taken: shape (n,)."
    return np.array([math.comb(n - 1 - r, m - 1)/math.comb(n, m) for r in range(n)])

def many(table, name, seed, folder): # Kept until the next name or seed: one training has the rows of all numbers
    "Accuracy and NMI of each of MANY heads at the epoch of its least loss, the least loss first."
    if (name, seed) not in trained:
        kind, where = name
        Z, V, p = embeddings(table, seed, folder)[where]
        each = Each()
        whole = SelfHeads(10, heads=MANY, random_state=seed).fit(Z, weak=V[0], strong=V[1:], start=p if "given" in kind else None, cbs=[each])
        loss = np.stack(each.loss)  # [epochs, H]
        epoch = loss.argmin(0)
        order = np.argsort(loss.min(0), kind="stable")
        scores = [score(table.label, each.said[epoch[h]][h]) for h in order]
        assert scores[0] == score(table.label, whole.labels_)  # what all of them together would have chosen
        trained.clear()
        trained[name, seed] = np.array([[s["acc"], s["nmi"]] for s in scores])
    return trained[name, seed]

def run_number(table, name, seed, folder):
    kind, where, m = name.split(" / ")
    s, m = many(table, (kind, where), seed, folder), int(m)
    w = chosen(len(s), m)
    mean = w @ s
    return dict(kind=kind, embedding=where, heads=m, seed=seed, acc=round(mean[0], 4), acc_sd=round(math.sqrt(max(0, w @ (s[:, 0] - mean[0])**2)), 4), nmi=round(mean[1], 4), acc_best=round(w @ np.sort(s[:, 0])[::-1], 4))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--encoders", type=Path, required=True)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--number", action="store_true", help="SPICE's heads, from 1 to 40 of them")
    p.add_argument("--out", type=Path, help="results/heads.csv; with --number results/heads-number.csv")
    args = p.parse_args()
    table = fsdd(download=False)
    out = args.out or Path(__file__).parent/"results"/f"heads{'-number'*args.number}.csv"
    if args.number: todo = [(f"{kind} / {where} / {m}", s) for s in range(args.seeds) for where in ("crossed", "even") for kind in KINDS if kind.startswith("SPICE") for m in NUMBERS]
    else: todo = [(f"{kind} / {where}", s) for s in range(args.seeds) for where in ("crossed", "even") for kind in KINDS]
    append(out, todo, lambda name, seed: (run_number if args.number else run)(table, name, seed, args.encoders))


if __name__ == "__main__": main()
