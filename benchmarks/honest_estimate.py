"""Naming by listening: can the answers themselves say better how many of the names are right?

    python benchmarks/honest_estimate.py FOLDER [--seeds 3]

FOLDER holds the points that `voting_kinds.py FOLDER points` and `rules` have made; the weights are those of a vote without labels. A row of
results/honest-estimate.csv is one set, one wanted grouping, one draw of 85 % of its clips and one simulated listener (`true`, or `wrong` in one answer
of twenty), after so many clips were heard for each kind. `right` is the share of the names that are right. Three estimates of it: `now` is that of
`naming_progress`; `mixed` is 1/(1 + exp(-(a + b (1 - e) logit(c) + d e logit(l) + f e))), where c is the mean largest share of the clips with a name,
l the share of the heard clips that the others name rightly (of names heard twice, with one right and one wrong added), n how many these are, and
e = n/(n + 10); `careful` has the same form, but what is too high counts three times in the fit. Their four numbers are fitted on the sets "choose".
Goal: within .05 on average, and never more than .10 too high. Not a goal: the confidence of single clips.
"""
import argparse, csv, warnings
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from appended import commit
from audioclust.encoders.residual import IdentityWhitening
from audioclust.pipeline import name_clips, next_to_hear, Options, Request, run_of_embeddings, spread_names
from audioclust.pipeline.naming.spreading import evidence
from heard_weights import elected_weights, joined
from voting_kinds import CHOOSE, file_of, ONLY_SOURCE, SETS

A_KIND, SHARE, WRONG, MOST_HEARD = (1, 1.5, 2, 3, 4, 6, 8), .85, 1/20, .6
ENOUGH = 10 # answers that count as much as the shares

def evidence_of(run, known, is_named):
    "(mean largest share of the named clips, heard clips that the others name rightly, heard clips of a name heard twice)."
    said = evidence(run, known)
    again = ~said.is_single
    hits = said.left_out.argmax(1) == said.names
    return float(said.shares.max(1)[is_named].mean()), int(hits[again].sum()), int(again.sum())

def rows_of(folder, name, by, seed):
    with np.load(file_of(folder, name)) as f: points = {key: f[key] for key in f.files}
    truth = points["label" if by == "content" else "source"]
    k = len(set(truth))
    weights = elected_weights(folder, name, by, k)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(truth))[:round(SHARE*len(truth))])
    truth = truth[drawn]
    X = joined({e: points[f"fixed {by}" if e == "fixed" else e][drawn] for e in weights}, weights)
    request = Request(n_clusters=min(k, 20), options=Options(stability=0))
    start = run_of_embeddings(X, request=request, whitening=IdentityWhitening())
    for listener in "true", "wrong":
        rng, run, known = np.random.default_rng([seed, 1]), start, {}
        for a_kind in A_KIND:
            wanted = round(a_kind*k)
            if wanted > MOST_HEARD*len(truth): break
            while len(known) < wanted:
                answers = {}
                for row in next_to_hear(run, min(max(1, k//3), wanted - len(known))):
                    is_wrong = listener == "wrong" and rng.random() < WRONG
                    answers[row] = str(rng.choice(np.setdiff1d(truth, truth[row])) if is_wrong else truth[row])
                run = name_clips(run, answers)
                known.update(answers)
            table = spread_names(run).table
            is_named = (table.name != "").to_numpy()
            share, hits, n = evidence_of(run, known, is_named)
            yield dict(set=name, half="choose" if name in CHOOSE else "report", by=by, seed=seed, listener=listener, a_kind=a_kind,
                       heard=len(known), kinds=k, right=(table.name == truth)[is_named].mean(), now=table.name_confidence[is_named].mean(),
                       share=share, hits=hits, predicted=n)

def logit(p): return np.log(np.clip(p, .02, .98)/(1 - np.clip(p, .02, .98)))

def features(rows):
    share, hits, n = (np.array([row[key] for row in rows], float) for key in ("share", "hits", "predicted"))
    e = n/(n + ENOUGH)
    return np.stack([np.ones(len(rows)), (1 - e)*logit(share), e*logit((hits + 1)/(n + 2)), e], 1)

def fitted(rows, too_high):
    "The four numbers, where what is too high counts so many times."
    A, right = features(rows), np.array([row["right"] for row in rows])
    def loss(numbers):
        error = 1/(1 + np.exp(-A @ numbers)) - right
        return (np.where(error > 0, too_high, 1)*error**2).mean() + 1e-4*(numbers**2).sum()
    return minimize(loss, np.zeros(A.shape[1])).x

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"honest-estimate.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for seed in range(args.seeds):
        for name in SETS:
            if name == "planted pitches": continue # the digits again, with a pitch that was planted
            for by in ("content", "source"):
                if by == "source" or name not in ONLY_SOURCE: rows += rows_of(args.folder, name, by, seed)
            print(name, seed, flush=True)
    at = commit()
    for estimate,too_high in dict(mixed=1, careful=3).items():
        numbers = fitted([row for row in rows if row["half"] == "choose"], too_high)
        print(estimate, numbers.round(2))
        for row,value in zip(rows, 1/(1 + np.exp(-features(rows) @ numbers))): row[estimate] = value
    with open(args.out, "w", newline="") as f:
        writer = csv.DictWriter(f, [*rows[0], "commit"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            numbers = {key: round(float(value), 4) for key,value in row.items() if isinstance(value, (float, np.floating))}
            writer.writerow({**row, **numbers, "commit": at})


if __name__ == "__main__": main()
