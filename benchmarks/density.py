"""HDBSCAN's settings for embeddings of sounds: how many clips are in clusters, and how right are these?

    python benchmarks/n_groups_tasks.py FOLDER         makes the points of all tasks
    python benchmarks/density.py FOLDER                results/density.csv from them

A row is one task, encoder and setting: `coverage` is the share of the clips in clusters, `ami` counts what is left out as one more
group, and `ami_covered` leaves it out. The defaults of the command were chosen on the half "choose". Tasks of more than 4,000 clips
and those with one true group are left out. Clips without a group are not scored.
Goal: defaults for many kinds of sounds. Not a goal: the best setting for one.
"""
import argparse, csv, warnings
from pathlib import Path

from sklearn.metrics import adjusted_mutual_info_score

from appended import commit
from audioclust.classical import HDBSCAN
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"density.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    at, rows = commit(), []
    for t in points(args.folder):
        X, truth = t["X"], t["truth"]
        known = truth != "-1"
        if len(X) > 4000 or len(set(truth[known])) < 2: continue
        for name,params in settings(len(X)):
            labels = HDBSCAN(**params).fit_predict(X)
            covered = known & (labels >= 0)
            scores = dict(ami=adjusted_mutual_info_score(truth[known], labels[known]), ami_covered=adjusted_mutual_info_score(truth[covered], labels[covered]) if covered.any() else 0.)
            rows.append(dict(task=t["task"], by=t["by"], encoder=t["encoder"], half=t["half"], setting=name, clips=len(X), truth=len(set(truth[known])),
                             clusters=labels.max() + 1, coverage=round(float((labels >= 0).mean()), 4), **{k: round(v, 4) for k,v in scores.items()}, commit=at))
        print(t["task"], t["encoder"], rows[-len(list(settings(9))) + 1]["ami"], flush=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, list(rows[0]))
        w.writeheader()
        w.writerows(rows)


if __name__ == "__main__": main()
