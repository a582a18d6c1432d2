"""Seeds and the digits: how much does it help to say of a few clips what they are?

    AUDIOCLUST_DATA=… python benchmarks/seeds.py        results/seeds.csv

A row is a grouping, a method, a share of clips with seeds, all groups named or half of them, and a draw of the seeds (at least one of each named
group). The accuracy is that of the clips that are no seeds. The embeddings are those of the fixed encoder; the number of groups is given.
Goal: the gain by method and share. Not a goal: a classifier.
"""
import csv, warnings
from pathlib import Path

import numpy as np

from appended import commit
from audioclust.audio import fsdd
from audioclust.ensembles import Consensus, SpectralClustering
from audioclust.kmeans import KMeans
from audioclust.kmeans.constraints import Constraints
from audioclust.metrics import accuracy
from audioclust.pipeline import Options, Request, make_run

def drawn_seeds(truth, share, named, rng):
    "Groups of the clips that are seeds, -1 of all others."
    seeds, n = np.full(len(truth), -1), max(len(named), round(share*len(truth)))
    first = [rng.choice(np.flatnonzero(truth == c)) for c in named]
    others = np.setdiff1d(np.flatnonzero(np.isin(truth, named)), first)
    rows = np.r_[first, rng.choice(others, n - len(named), replace=False)].astype(int)
    seeds[rows] = [list(named).index(c) for c in truth[rows]]
    return seeds

def rows_of(table, by, column, draws=5):
    k = table[column].nunique()
    g = make_run(table, Request(n_clusters=k, by=by, encoder="fixed", options=Options(stability=0, cache=True)))
    truth = np.unique(table.set_index(table.path.map(str))[column][[str(p) for p in g.clips.table.path]], return_inverse=True)[1]
    for share in 0, .003, .01, .03, .1:
        for called,n_named in ((("all", k),) if not share else (("all", k), ("half", k//2))):
            for seed in range(draws):
                rng = np.random.default_rng(seed)
                seeds = drawn_seeds(truth, share, rng.permutation(k)[:n_named], rng) if share else np.full(len(truth), -1)
                known, rest = Constraints(seeds) if share else None, seeds < 0
                for name,model in dict(kmeans=KMeans(k, n_init=20, random_state=seed), consensus=Consensus(k, random_state=seed),
                                       spectral=SpectralClustering(k, random_state=seed)).items():
                    labels = model.fit(g.embeddings.X, constraints=known).labels_
                    yield dict(by=by, method=name, share=share, named=called, seed=seed, n_seeds=int((~rest).sum()),
                               accuracy=round(accuracy(truth[rest], labels[rest]), 4))

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    table, at, rows = fsdd(), commit(), []
    for by,column in ("content", "label"), ("source", "speaker"):
        for row in rows_of(table, by, column):
            rows.append(dict(row, commit=at))
            print(rows[-1], flush=True)
    with open(Path(__file__).parent/"results/seeds.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0], lineterminator="\n")
        writer.writeheader(); writer.writerows(rows)
