"""Naming by listening: is a whitening that is chosen by what was heard better than the one of the run?

    AUDIOCLUST_DATA=… python benchmarks/heard_whitening.py FOLDER --rendered FOLDER [--points fixed] [--seeds 2]

Needs what `listening.py` needs, and its points, which are made if they are not there. A row of results/heard-whitening.csv is one of its five sets
"choose", one draw of 85 % of its clips and one whitening of the points, after so many clips were heard. The questions are those of `next_to_hear`
on the points of the run. Whitenings: `run` is that of the run; `half` and `quarter` keep its largest principal axes; `equal` gives all axes the same
variance; `steep` gives each its variance once more. `heard` is the one with which the others name the most heard clips rightly, leave one out,
if these are at least two more than with that of the run. `accuracy` is over all clips.
Goal: does a choice by names help by .01. Not a goal: the best whitening that there is.
"""
import argparse, csv, warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from appended import commit
from audioclust.encoders.residual import IdentityWhitening
from audioclust.pipeline import name_clips, next_to_hear, Options, Request, run_of_embeddings
from audioclust.pipeline.naming.spreading import evidence
from listening import points, SETS, SHARE

A_KIND = 1, 2, 3, 4, 8 # clips heard for each kind

def whitenings(X):
    "Name → points."
    U, S, _ = np.linalg.svd(X - X.mean(0), full_matrices=False)
    axes = U*S
    yield "run", X
    for name,share in dict(half=.5, quarter=.25).items(): yield name, axes[:, :round(share*axes.shape[1])]
    yield "equal", U*len(X)**.5
    yield "steep", axes*S/S[0]

def rows_of(name, which, seed, args):
    X, truth = points(name, which, args)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(X))[:round(SHARE*len(X))])
    X, truth = X[drawn], truth[drawn]
    k = len(set(truth))
    run = run_of_embeddings(X, request=Request(n_clusters=k, options=Options(stability=0)), whitening=IdentityWhitening())
    asked, rows = run, []
    while len(rows) < A_KIND[-1]*k:
        rows += next_to_hear(asked)
        asked = name_clips(asked, {rows[-1]: str(truth[rows[-1]])})
    found = {whitening: {} for whitening,_ in whitenings(X)}
    for whitening,Z in whitenings(X):
        other = replace(run, embeddings=replace(run.embeddings, X=Z.astype(np.float32)))
        for a_kind in A_KIND:
            heard = rows[:a_kind*k]
            said = evidence(other, dict(zip(heard, truth[heard])))
            names = said.found[said.shares.argmax(1)]
            names[heard] = truth[heard]
            again = ~said.is_single
            found[whitening][a_kind] = (names == truth).mean(), (said.left_out.argmax(1) == said.names)[again].sum()
    for a_kind in A_KIND:
        hits = {whitening: found[whitening][a_kind][1] for whitening in found}
        best = max(hits, key=hits.get)
        if hits[best] < hits["run"] + 2: best = "run"
        for whitening in (*found, "heard"):
            accuracy = found[best if whitening == "heard" else whitening][a_kind][0]
            yield dict(set=name, points=which, seed=seed, whitening=whitening, a_kind=a_kind, accuracy=round(float(accuracy), 4))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--rendered", type=Path, help="where rendered.py has written")
    p.add_argument("--points", default="joint,fixed", help="joint, fixed or both")
    p.add_argument("--seeds", type=int, default=2)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"heard-whitening.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    at = commit()
    with open(args.out, "w", newline="") as f:
        writer = csv.DictWriter(f, "set points seed whitening a_kind accuracy commit".split(), lineterminator="\n")
        writer.writeheader()
        for which in args.points.split(","):
            for name in [name for name,(half, *_) in SETS.items() if half == "choose"]:
                for seed in range(args.seeds):
                    for row in rows_of(name, which, seed, args): writer.writerow({**row, "commit": at})
                f.flush()
                print(which, name, flush=True)


if __name__ == "__main__": main()
