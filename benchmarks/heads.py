"""Heads on the frozen embeddings of the spoken digits: SPICE's, from chance and from groups that are there, SCAN's and TEMI's.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/heads.py --encoders FOLDER [--seeds 3]

Each row of benchmarks/results/heads.csv is one kind of heads on one embedding, scored afterwards; labels take no part. The
networks are those that `spice.py --encoders FOLDER` left there. Heads see the embedding of the crossed groupings, or the
axes that part the groups, as in the chapter on SPICE.
Goal: do the kinds of heads differ, and does their start matter? Not a goal: the best settings of each.
"""
import argparse, time
from pathlib import Path

import numpy as np

from appended import append
from audioclust.answer import place, soft_assignment
from audioclust.datasets import fsdd
from audioclust.encoders import load_encoder
from audioclust.heads import SelfHeads
from audioclust.logmels import ClippedLogMel, LogMels
from audioclust.metrics import score
from audioclust.neighbours import NeighbourHeads
from audioclust.spice import SPICE

made = {}

def embeddings(table, seed, folder):
    "Clean embeddings and views, by the name of the embedding, and the groups found so far."
    if seed in made: return made[seed]
    model = SPICE(10, sample_rate=8000, heads=0, match_epochs=0, random_state=seed)
    model.fit(table, encoders=[load_encoder(folder/f"{by}_{seed}") for by in ("content", "source")])
    encoder, w, c = model.encoders_[0], model.whitenings_[0], model.crossed_
    store = LogMels.of(table, ClippedLogMel(8000))
    X, R = encoder.embed_kept(store), encoder.embed_kept(store, views=5, seed=seed + 1)
    def seen(even): return place(c, even, [w.transform(X)], c.other_labels_), np.stack([place(c, even, [w.transform(R[:, v])], c.other_labels_) for v in range(5)])
    made.clear()
    made[seed] = {"crossed": (*seen(None), soft_assignment(c.labels_, c.confidence_, 10)), **({"even": (*seen(model.even_), model.even_.proba_)} if model.even_ else {})}
    return made[seed]

KINDS = {"given": None, "SPICE": lambda s, Z, V, p: SelfHeads(10, random_state=s).fit(Z, weak=V[0], strong=V[1:]), "SPICE, from the groups given": lambda s, Z, V, p: SelfHeads(10, random_state=s).fit(Z, weak=V[0], strong=V[1:], start=p),
         "SCAN": lambda s, Z, V, p: NeighbourHeads(10, random_state=s).fit(Z), "TEMI": lambda s, Z, V, p: NeighbourHeads(10, loss="temi", random_state=s).fit(Z)}


def run(table, name, seed, folder):
    kind, where = name.split(" / ")
    Z, V, p = embeddings(table, seed, folder)[where]
    start = time.perf_counter()
    heads = KINDS[kind] and KINDS[kind](seed, Z, V, p)
    seconds = time.perf_counter() - start
    s = score(table.label, heads.labels_ if heads else p.argmax(1))
    every = [score(table.label, y)["acc"] for y in heads.partitions_] if heads else [s["acc"]]
    return dict(kind=kind, embedding=where, seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), worst_head=round(min(every), 4), best_head=round(max(every), 4), seconds=round(seconds, 1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--encoders", type=Path, required=True)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"heads.csv")
    args = p.parse_args()
    table = fsdd(download=False)
    todo = [(f"{kind} / {where}", s) for s in range(args.seeds) for where in ("crossed", "even") for kind in KINDS]
    append(args.out, todo, lambda name, seed: run(table, name, seed, args.encoders))


if __name__ == "__main__": main()
