"""Spectral clustering with graphs of one number of neighbours each, and with several: does anyone have to choose?

    AUDIOCLUST_DATA=… python benchmarks/graphs.py [--only "SET;…"] [--seeds 5]
    AUDIOCLUST_DATA=… python benchmarks/graphs.py --neighbours
    OMP_NUM_THREADS=1 python benchmarks/graphs.py --cost "1000;3000;10000;30000;100000"

Each row of benchmarks/results/graphs.csv is one run on the fixed encoder's points, scored afterwards against the grouping
that was wanted and the other one; labels take no part. The sets are those of quality.py, and the true number of groups is
given. With --neighbours rows go to results/graphs-neighbours.csv: of the ten nearest clips of a clip, which share are of
its group by content, by source, and by both, and which share of the variance of the points lies between the groups of
each kind; then what it costs (Ncut) to cut the graph of ten neighbours along the true groups, and along those found.
With --cost so many points in 50 overlapping heaps, in 30 columns, are grouped into 10 and 50 instead, and rows go to
results/graphs-cost.csv, with the seconds of the processor, which mean something on a busy machine as well, and those of
K-means with 20 starts. Rows are appended: a run that is there already is not made again.
Goal: what the number of neighbours does, and whether the answer of several graphs is as good as that of the best one.
Not a goal: the best settings for each set.
"""
import argparse, tempfile, time, warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.neighbors import NearestNeighbors

from appended import append
from audioclust.kmeans import KMeans
from audioclust.metrics import score
from audioclust.ensembles import SpectralClustering
from audioclust.ensembles.neighbour_graph import connect_components
from audioclust.ensembles.neighbour_graph import shared_neighbours
from made_sets import SETS
from quality import DIGITS, WORDS, points_of, table_of

LADDER = SpectralClustering().n_neighbors
GRAPHS = {**{str(m): m for m in LADDER}, "all six": LADDER}


def ncut(W, y): # A graph and groups
    "The weight of the joints that groups cut, over the weight that they hold, summed over groups."
    d = W.sum(1)
    return sum(W[np.flatnonzero(y == u)][:, np.flatnonzero(y != u)].sum()/d[y == u].sum() for u in np.unique(y))

def neighbours(X, content, source, wanted): # Points, groups, and which of them are looked for
    "What neighbours have in common, what parts the points, and what cuts cost."
    at = NearestNeighbors(n_neighbors=10).fit(X).kneighbors(return_distance=False)
    same = [g[at] == g[:, None] for g in (content, source)]
    def between(g): return sum((g == u).sum()*((X[g == u].mean(0) - X.mean(0))**2).sum() for u in np.unique(g))/((X - X.mean(0))**2).sum()
    W, y = connect_components(shared_neighbours(at), X), SpectralClustering(len(np.unique(wanted)), n_neighbors=10, random_state=0).fit_predict(X)
    return {name: round(float(v), 4) for name,v in dict(same_content=same[0].mean(), same_source=same[1].mean(), same_both=(same[0] & same[1]).mean(), between_content=between(content), between_source=between(source), ncut_true=ncut(W, wanted), ncut_found=ncut(W, y)).items()}

def cost(variant, seed):
    "Seconds of the processor for one number of rows and of clusters."
    n, k = (int(v.split()[0]) for v in variant.split(" / "))
    X, spent = make_blobs(n, 30, centers=50, cluster_std=5., random_state=seed)[0].astype("float32"), {}
    for name,method in dict(spectral=SpectralClustering(k, device="cpu", random_state=seed), kmeans=KMeans(k, n_init=20, device="cpu", random_state=seed)).items():
        start = time.process_time()
        method.fit(X)
        spent[name] = round(time.process_time() - start, 2)
    return dict(rows=n, clusters=k, seed=seed, **spent)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--neighbours", action="store_true", help="what neighbours have in common, into another table")
    p.add_argument("--cost", help="numbers of rows, separated by semicolons")
    p.add_argument("--out", type=Path, help="results/graphs.csv; with --neighbours results/graphs-neighbours.csv, with --cost results/graphs-cost.csv")
    args = p.parse_args()
    out = args.out or Path(__file__).parent/"results"/f"graphs{'-cost'*bool(args.cost) or '-neighbours'*args.neighbours}.csv"
    if args.cost: return append(out, [(f"{n} rows / {k} clusters", 0) for n in args.cost.split(";") for k in (10, 50)], cost)
    names = args.only.split(";") if args.only else [DIGITS, WORDS, *SETS]
    with tempfile.TemporaryDirectory() as tmp:
        tables, made = {}, {}
        def one(variant, seed):
            name, by, *graphs = variant.split(" / ")
            if name not in tables: tables[name] = table_of(name, tmp)
            table, (wanted, other) = tables[name], ("label", "source") if by == "content" else ("source", "label")
            k = table[wanted].nunique()
            if (name, by) not in made:
                made.clear()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    made[name, by] = points_of("fixed", table, k, by, 0).embeddings_
            if not graphs: return dict(set=name, by=by, clips=len(table), seed=seed, **neighbours(made[name, by], *(table[c].to_numpy() for c in ("label", "source", wanted))))
            labels = SpectralClustering(k, n_neighbors=GRAPHS[graphs[0]], random_state=seed).fit_predict(made[name, by])
            s = score(table[wanted], labels)
            return dict(set=name, by=by, neighbours=graphs[0], clips=len(table), seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(table[other], labels)["nmi"], 4))
        ways = [f"{n} / {by}" for n in names for by in ("content", "source")]
        append(out, [(w, 0) for w in ways] if args.neighbours else [(f"{w} / {g}", s) for w in ways for g in GRAPHS for s in range(args.seeds)], one)


if __name__ == "__main__": main()
