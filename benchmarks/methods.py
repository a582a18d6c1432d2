"""Which method for which sounds? K-means, consensus and spectral clustering, and a choice between the first and the last without labels.

    python benchmarks/n_groups_tasks.py FOLDER              makes the points of all tasks
    python benchmarks/methods.py FOLDER                     results/methods.csv from them (ten minutes of a core)
    python benchmarks/methods.py --samples DATA --cache C   results/method-samples.csv: spectral clustering of a part of the clips, which the others join; and what two kinds of confidence are worth

A row of methods.csv is one task, encoder and method. `nmi` is the mean over two seeds of the score against the truth, of at most 1,000 clips.
`agreements` are for the choice and see no labels: NMI of each two of four subsamples, in the order (1, 2), (1, 3), …, by the quick clusterers that the
package compares. Tasks of one group are left out. Clips without a group are clustered and not scored. The margin is chosen on the half
"choose" and reported on the half "report". Methods are told the number of groups. On real sets `quality.py` has the same methods, and `auto`.
Goal: is the better method chosen? Not a goal: speed, the right number.
"""
import argparse, csv, platform, time, warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from appended import add_row, append, commit
from audioclust.ensembles import Consensus
from audioclust.ensembles.membership import confidence_and_representatives
from audioclust.ensembles.method_choice import _makers, agreement_matrix, AutoClustering, N_SUBSAMPLES
from audioclust.metrics import nmi
from known_sets import CHOOSING, is_scored
from n_groups_tasks import points
from quality import DIGITS, groups_of, points_of, table_of, ways_of

OUT = Path(__file__).parent/"results"/"methods.csv"
METHODS, MOST, SEEDS = ("kmeans", "spectral", "consensus"), 1000, 2 # clips, seeds of what is scored


def made(method, k, n, seed):
    "A clusterer with the defaults that the command gives it for n clips."
    return Consensus(k, random_state=seed) if method == "consensus" else AutoClustering(k, random_state=seed).unfitted(method, n)

def row_of(t, method):
    "Scores of one method on one task."
    rows = np.sort(np.random.default_rng(0).permutation(len(t["X"]))[:MOST])
    X, truth, start = t["X"][rows], t["truth"][rows], time.process_time()
    known = truth != "-1"
    k = len(set(truth[known]))
    scores = [nmi(truth[known], made(method, k, len(X), seed).fit(X).labels_[known]) for seed in range(SEEDS)]
    after, compared = time.process_time(), _makers(k, None, None)
    pairs = agreement_matrix(compared[method], X)[np.triu_indices(N_SUBSAMPLES, 1)] if method in compared else ()
    return dict(task=t["task"], by=t["by"], encoder=t["encoder"], half=t["half"], clips=len(t["X"]), looked_at=len(X), groups=k, method=method, nmi=round(float(np.mean(scores)), 4),
                agreements=" ".join(f"{value:.4f}" for value in pairs), score_seconds=round(after - start, 2), choice_seconds=round(time.process_time() - after, 2))

def measure(folder, out):
    "A row for each task, encoder and method that has none."
    where, at = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, Python {platform.python_version()}", commit()
    done = {(r["task"], r["by"], r["encoder"], r["method"]) for r in csv.DictReader(open(out, newline=""))} if out.is_file() else set()
    for t in points(folder):
        if len(set(t["truth"]) - {"-1"}) < 2: continue
        for method in METHODS:
            if (t["task"], t["by"], t["encoder"], method) not in done: add_row(out, {**row_of(t, method), "commit": at, "machine": where})

PARTS = {"spectral": 1, "spectral of a half": 2, "spectral of a quarter": 4, "consensus": 1} # all clips, or a part of them

def auc(confidence, labels, truth):
    "How well a confidence ranks the clips whose label is the most frequent one of their cluster before the others."
    most = pd.Series(truth).groupby(labels).transform(lambda g: g.mode()[0])
    return round(float(roc_auc_score(most.to_numpy() == truth, np.nan_to_num(confidence))), 4)

def sampled(X, truth, scored, k, name, seed):
    "Clusters of all clips or of a part of them, which the others join. Of all clips also what their confidence is worth."
    part, start = PARTS[name], time.process_time()
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:len(X)//part])
    model = made(name.split()[0], k, len(rows), seed).fit(X[rows])
    labels, seconds = np.asarray(model.predict(X)), time.process_time() - start
    kinds = dict(members=model.confidence_, silhouette=confidence_and_representatives(X, labels)[0]) if part == 1 else {}
    return dict(fitted=len(rows), groups=k, nmi=round(float(nmi(truth[scored], labels[scored])), 4), cpu_seconds=round(seconds, 2),
                **{f"auc_{kind}": auc(kinds[kind][scored], labels[scored], truth[scored]) if kinds else "" for kind in ("members", "silhouette")})

def samples(data, cache, out, seeds=3):
    "A row for each grouping of a real set, method, part and seed."
    for name in (DIGITS, *CHOOSING):
        for by in ways_of(name):
            table, column = table_of(name, None, data), "label" if by == "content" else "source"
            k = groups_of(table, by)
            X, truth, scored = points_of("auto", table, k, by, 0, cache=cache).embeddings_, table[column].to_numpy(), is_scored(table, by)
            append(out, [(f"{name} / {by} / {part}", seed) for seed in range(seeds) for part in PARTS],
                   lambda variant, seed: dict(set=name, by=by, method=variant.split(" / ")[2], seed=seed, clips=len(X), **sampled(X, truth, scored, k, variant.split(" / ")[2], seed)))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, nargs="?", help="points of tasks")
    p.add_argument("--samples", metavar="DATA", help="folder above the real sets")
    p.add_argument("--cache", help="folder for embeddings, to use again")
    p.add_argument("--out", type=Path, help="another table")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    if args.folder: measure(args.folder, args.out or OUT)
    if args.samples: samples(args.samples, args.cache, args.out or OUT.with_name("method-samples.csv"))


if __name__ == "__main__": main()
