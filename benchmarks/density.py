"""HDBSCAN's settings for embeddings of sounds: how many clips are in clusters, and how right are these?

    python benchmarks/n_groups_tasks.py FOLDER         makes the points of all tasks
    python benchmarks/density.py FOLDER                results/density.csv from them
    python benchmarks/density.py FOLDER --others       results/density-others.csv: DBSCAN and mean shift

A row is one task, encoder and setting: `coverage` is the share of the clips in clusters, `ami` counts what is left out as one more
group, and `ami_covered` leaves it out. The defaults of the command were chosen on the half "choose". Tasks of more than 4,000 clips
and those with one true group are left out. Clips without a group are not scored.
DBSCAN and mean shift look at 500 clips at most, on the leading axes. Their radius is the estimate of their chapters, or that times a
factor. `best by labels` takes, for each task, the axes and the factor with the largest AMI: no rule can do better with one radius.
Goal: defaults for many kinds of sounds. Not a goal: the best setting for one.
"""
import argparse, csv, warnings
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_mutual_info_score

from appended import commit
from audioclust.classical import DBSCAN, HDBSCAN, MeanShift, estimate_bandwidth, estimate_eps
from n_groups_tasks import points


def settings(n): # Name -> parameters for n clips
    "scikit-learn's defaults, those of the command, and what differs from them in one respect."
    chosen = dict(min_cluster_size=max(5, n//100), min_samples=5, n_axes=30, reach=1.1)
    yield "as scikit-learn", {}
    yield "as the command", chosen
    for axes in (5, 10, 15, 20): yield f"{axes} axes", chosen | dict(n_axes=axes)
    yield "a sixtieth of the clips", chosen | dict(min_cluster_size=max(5, n//60))
    yield "5 clips", chosen | dict(min_cluster_size=5)
    yield "10 neighbours", chosen | dict(min_samples=10)
    for reach in (1., 1.2, 1.5): yield f"reach {reach}", chosen | dict(reach=reach)


def row_of(t, setting, truth, labels, at):
    "Scores of one clustering."
    known = truth != "-1"
    covered = known & (labels >= 0)
    scores = dict(ami=adjusted_mutual_info_score(truth[known], labels[known]), ami_covered=adjusted_mutual_info_score(truth[covered], labels[covered]) if covered.any() else 0.)
    return dict(task=t["task"], by=t["by"], encoder=t["encoder"], half=t["half"], setting=setting, clips=len(labels), truth=len(set(truth[known])),
                clusters=labels.max() + 1, coverage=round(float((labels >= 0).mean()), 4), **{k: round(v, 4) for k,v in scores.items()}, commit=at)

AXES, FACTORS = (5, 10, 15, 30), (.6, .8, 1, 1.25)

def others(t, at):
    "Rows of DBSCAN and mean shift."
    rows = np.sort(np.random.default_rng(0).permutation(len(t["X"]))[:500])
    X, truth, found = t["X"][rows], t["truth"][rows], []
    for axes in AXES:
        if axes > min(X.shape[1], len(X) - 1): continue
        P = PCA(axes, random_state=0).fit_transform(X)
        eps, bandwidth = estimate_eps(P), estimate_bandwidth(P)
        for factor in FACTORS:
            for method,model in (("DBSCAN", DBSCAN(eps=eps*factor)), ("mean shift", MeanShift(bandwidth=bandwidth*factor, bin_seeding=axes < 10))):
                if method == "mean shift" and axes > 10: continue # it takes long there
                found.append(row_of(t, f"{method}, {axes} axes, estimate × {factor}", truth, np.asarray(model.fit_predict(P)), at))
    for method in "DBSCAN", "mean shift":
        best = max((r for r in found if r["setting"].startswith(method)), key=lambda r: r["ami"])
        found.append(best | dict(setting=f"{method}, best by labels"))
    return found

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--others", action="store_true")
    p.add_argument("--out", type=Path)
    args = p.parse_args()
    out = args.out or Path(__file__).parent/"results"/("density-others.csv" if args.others else "density.csv")
    warnings.simplefilter("ignore")
    at, rows = commit(), []
    for t in points(args.folder):
        X, truth = t["X"], t["truth"]
        if len(X) > 4000 or len(set(truth[truth != "-1"])) < 2: continue
        if args.others: rows += others(t, at)
        else: rows += [row_of(t, name, truth, HDBSCAN(**params).fit_predict(X), at) for name,params in settings(len(X))]
        print(t["task"], t["encoder"], rows[-1], flush=True)
    with open(out, "w", newline="") as f:
        w = csv.DictWriter(f, list(rows[0]))
        w.writeheader()
        w.writerows(rows)


if __name__ == "__main__": main()
