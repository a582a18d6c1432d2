"""Coarser and finer groups: what nested ones are worth, against K-means with the same number at once.

    python benchmarks/n_groups_tasks.py FOLDER     makes the points of all tasks
    python benchmarks/levels.py FOLDER             writes results/levels.csv, and results/neighbours.csv from the points

`results/levels.csv`: for each task with groups and each encoder, K-means with the number that `choose_k` takes, its clusters merged to
the coarser number and split to the finer one, and K-means with those numbers at once: AMI to the truth, and in nested tasks to the
coarse truth. `merged_by_means` is the tree of the means alone, without the spreads. `results/neighbours.csv`: K-means with a number
that is right, or wrong by up to a factor of two, and the clusterings that lie next to it on the tree: silhouette, bits that they save for
each clip, AMI. At most 1,000 clips of a task are looked at (600 for neighbours).
Goal: is a nested level worth as much as one made at once, and do neighbours show that a number is wrong? Not a goal: speed.
"""
import argparse, csv, warnings
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_mutual_info_score, pairwise_distances, silhouette_score

from appended import commit
from audioclust.ensembles.levels import merge_clusters, split_clusters
from audioclust.ensembles.membership import cluster_means
from audioclust.ensembles.n_clusters import bits_saved, choose_k
from audioclust.kmeans import KMeans
from n_groups_tasks import points

FACTORS = .5, .67, 1, 1.5, 2  # of the true number
STEPS = 1/1.5, 1/1.25, 1.25, 1.5  # to a neighbour, beside one more and one fewer


def kmeans(X, k): return np.asarray(KMeans(int(k), n_init=4, random_state=0).fit(X).labels_)

def some(task, most):
    rows = np.sort(np.random.default_rng(0).permutation(len(task["X"]))[:most])
    return task["X"][rows], task["truth"][rows], task["coarse"][rows] if len(task["coarse"]) else None

def merged_by_means(X, labels, n):
    ids, means = cluster_means(X, labels)
    return fcluster(linkage(means, "ward"), n, "maxclust")[np.searchsorted(ids, labels)]

def levels(task):
    X, truth, coarse = some(task, 1000)
    scored = truth != "-1"
    def ami(labels, truth=truth): return round(adjusted_mutual_info_score(truth[scored], labels[scored]), 4)
    choice = choose_k(X)
    row = dict(truth=len(set(truth) - {"-1"}), k=choice.k, coarser="", finer="", ami=ami(kmeans(X, choice.k)))
    labels, made = kmeans(X, choice.k), {}
    for n in choice.levels.values():
        if n == choice.k or choice.k == 1: continue
        side, nested = ("coarser", merge_clusters) if n < choice.k else ("finer", split_clusters)
        made[side] = nested(X, labels, n)
        row |= {side: n, f"{side}_ami": ami(made[side]), f"{side}_at_once": ami(kmeans(X, n))}
        if n < choice.k: row["merged_by_means"] = ami(merged_by_means(X, labels, n))
    if coarse is not None: row |= dict(coarse_truth=len(set(coarse)), coarse_ami=max(ami(l, coarse) for l in (labels, *made.values())))
    return [row]

def neighbours(task):
    X, truth, _ = some(task, 600)
    X, scored, rows = X.astype(np.float64), truth != "-1", []
    true_k = len(set(truth) - {"-1"})
    D, bits = pairwise_distances(X), bits_saved(X)
    def measures(labels):
        return dict(silhouette=round(float(silhouette_score(D, labels, metric="precomputed")), 4), saved_bits=round(bits(labels), 4),
                    ami=round(adjusted_mutual_info_score(truth[scored], labels[scored]), 4))
    for k in sorted({max(2, round(true_k*f)) for f in FACTORS}):
        if k > len(X)//6: continue
        labels = kmeans(X, k)
        rows.append(dict(truth=true_k, k=k, n=k, **measures(labels)))
        for n in sorted({k - 1, k + 1, *(round(k*s) for s in STEPS)} - {k, 1, 0}):
            rows.append(dict(truth=true_k, k=k, n=n, **measures((merge_clusters if n < k else split_clusters)(X, labels, n))))
    return rows

def write(path, rows):
    columns = list(dict.fromkeys(c for row in rows for c in row if c != "commit")) + ["commit"]
    with open(path, "w", newline="") as f:
        w = csv.DictWriter(f, columns, restval="", lineterminator="\n")
        w.writeheader()
        w.writerows(rows)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--only", choices=["levels", "neighbours"])
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    for make in levels, neighbours:
        if args.only and args.only != make.__name__: continue
        rows = []
        for task in points(args.folder):
            if len(set(task["truth"]) - {"-1"}) == 1 or make is neighbours and len(task["X"]) < 50: continue
            about = {name: task[name] for name in ("task", "by", "encoder", "half")}
            rows += [{**about, **row, "commit": commit()} for row in make(task)]
            print(about["task"], about["encoder"], rows[-1], flush=True)
        write(args.out/f"{make.__name__}.csv", rows)


if __name__ == "__main__": main()
