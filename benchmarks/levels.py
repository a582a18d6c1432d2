"""Coarser and finer groups: what nested ones are worth, against K-means with the same number at once.

    python benchmarks/n_groups_tasks.py FOLDER     makes the points of all tasks
    python benchmarks/levels.py FOLDER             writes results/levels.csv from them

`results/levels.csv`: for each task with groups and each encoder, K-means with the number that `choose_k` takes, its clusters merged to
the coarser number and split to the finer one, and K-means with those numbers at once: AMI to the truth, and in nested tasks to the
coarse truth. `merged_by_means` is the tree of the means alone, without the spreads.
At most 1,000 clips of a task are looked at.
Goal: is a nested level worth as much as one made at once? Not a goal: speed.
"""
import argparse, csv, warnings
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_mutual_info_score

from appended import commit
from audioclust.ensembles.levels import merge_clusters, split_clusters
from audioclust.ensembles.membership import cluster_means
from audioclust.ensembles.n_clusters import choose_k
from audioclust.kmeans import KMeans
from n_groups_tasks import points


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

def write(path, rows):
    columns = list(dict.fromkeys(c for row in rows for c in row if c != "commit")) + ["commit"]
    with open(path, "w", newline="") as f:
        w = csv.DictWriter(f, columns, restval="", lineterminator="\n")
        w.writeheader()
        w.writerows(rows)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for task in points(args.folder):
        if len(set(task["truth"]) - {"-1"}) == 1: continue
        about = {name: task[name] for name in ("task", "by", "encoder", "half")}
        rows += [{**about, **row, "commit": commit()} for row in levels(task)]
        print(about["task"], about["encoder"], rows[-1], flush=True)
    write(args.out/"levels.csv", rows)


if __name__ == "__main__": main()
