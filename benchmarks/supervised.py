"""An upper bound: what a classifier that learns from labels makes of the points that the methods cluster.

    AUDIOCLUST_DATA=… python benchmarks/supervised.py [--only "SET;…"] [--points "NAME;…"] [--data FOLDER]

Each row of benchmarks/results/supervised.csv is a logistic regression on standardised points, in five folds: each clip is
predicted by a classifier that has seen the labels of the other four fifths (with --by-source of other sources, where there are any). The predictions are scored like groups. No
method of this project sees labels; the bound says how much of a grouping is in the points at all. Points: `fixed`, `mfcc`,
and `auto`, the vote's (those of its encoders side by side). Sets are those of quality.py.
"""
import argparse, tempfile, warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from appended import append
from known_sets import is_scored
from made_sets import SETS
from quality import DIGITS, downloaded, points_of, scored, table_of, ways_of, with_encoders, WORDS


def folds_of(table, by, seed):
    "Five folds; by content no source is in two of them, where there are sources."
    if by == "content" and table.source.nunique() >= 5: return StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    return StratifiedKFold(5, shuffle=True, random_state=seed)

def run(table, by, points, seed, cache, by_source=False):
    truth = table["label" if by == "content" else "source"].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = points_of(points, table, len(set(truth)), by, 0, cache=cache)
        X = np.asarray(getattr(X, "embeddings_", X))
        counts = is_scored(table, by)
        table, X, truth = table[counts].reset_index(drop=True), X[counts], truth[counts]
        folds = folds_of(table, by, seed) if by_source else StratifiedKFold(5, shuffle=True, random_state=seed)
        found = cross_val_predict(make_pipeline(StandardScaler(), LogisticRegression(C=1., max_iter=2000)), X, truth, groups=table.source, cv=folds)
    return dict(clips=len(table), dimensions=X.shape[1], exact=round(float((found == truth).mean()), 4), **scored(table, by, 1, np.unique(found, return_inverse=True)[1]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--points", default="fixed;mfcc;auto")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--by-source", action="store_true", help="a content is predicted for sources that the classifier has not heard")
    p.add_argument("--cache", help="folder for embeddings, to use again; a temporary one if left out")
    p.add_argument("--limit", type=int, default=3000)
    p.add_argument("--data", help="folder above the sets that were downloaded; AUDIOCLUST_DATA if left out")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"supervised.csv")
    args = p.parse_args()
    names = args.only.split(";") if args.only else [DIGITS, *SETS, WORDS, *downloaded(args.data)]
    with tempfile.TemporaryDirectory() as tmp:
        tables = {}
        def one(variant, seed):
            name, by, points = variant.split(" / ")
            if name not in tables: tables[name] = table_of(name, tmp, args.data, args.limit)
            return {"set": name, "by": by, "points": points, "seed": seed, **run(tables[name], by, points, seed, args.cache or f"{tmp}/cache", args.by_source)}
        append(args.out, [(f"{n} / {by} / {points}", s) for points in with_encoders(args.points.split(";")) for n in names for by in ways_of(n) for s in range(args.seeds)], one)


if __name__ == "__main__": main()
