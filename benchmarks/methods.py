"""Which method for which sounds? K-means, consensus, spectral clustering and HDBSCAN, and a choice among them without labels.

    python benchmarks/n_groups_tasks.py FOLDER         makes the points of all tasks
    python benchmarks/methods.py FOLDER                results/methods.csv from them (half an hour of a core)
    python benchmarks/methods.py FOLDER --encoders fixed     the part that is there (ten minutes)
    python benchmarks/methods.py --rules               what rules choose, read from that table (a second)
    python benchmarks/methods.py --candidates          results/method-candidates.csv: other sets of candidates, also read from it (two minutes)
    python benchmarks/methods.py --sizes               results/method-sizes.csv: the choice on 5,001 to 20,001 clips of a mixture, and the groups (a few minutes)

A row is one task, encoder and method. `nmi` is the mean over two seeds of the score against the truth, of at most 1,000 clips.
`agreements` are for the choice and see no labels: the method groups four subsamples of 70 % of the clips, and each number is the NMI of
two of them on the clips that they share, in the order (1, 2), (1, 3), (2, 3), (1, 4), … So the first s(s - 1)/2 belong to the first s
subsamples. Tasks of one group are left out. Clips without a group are clustered and not scored. Constants are chosen on the half
"choose" and reported on the half "report". The table that is there holds the fixed encoder, without nested and very large tasks, and four tasks with a vote of four encoders.
Methods are told the number of groups, but for HDBSCAN, which takes none; its noise counts as one more group. `mixed` is the consensus of the groups of consensus and spectral clustering; it is not chosen, and has no agreements.
`--candidates`: each method's stability plus a correction of its own (K-means: 0), and the largest sum wins. The corrections are those that are best on one half, and both
halves are reported; then the same for 40 divisions of all tasks into random halves. With more than 40 groups the first method is taken, as the package does.
Goal: is the better method chosen? Not a goal: speed, the right number.
"""
import argparse, csv, platform, resource, time, warnings
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from appended import add_row, commit
from audioclust.classical import HDBSCAN
from audioclust.ensembles import choose_method, Consensus, SpectralClustering
from audioclust.ensembles.method_choice import MOST_GROUPS
from audioclust.ensembles.consensus import consensus
from audioclust.kmeans import KMeans
from audioclust.kmeans.initialization import restarts
from audioclust.metrics import nmi
from audioclust.pipeline.cluster_step import defaults_for
from n_groups_tasks import points

OUT = Path(__file__).parent/"results"/"methods.csv"
MOST, SHARE, SUBSAMPLES, SEEDS = 1000, .7, 4, 2 # clips, share of them, subsamples, seeds of what is scored
LEFT_OUT = -2 # a clip that is not in a subsample; -1 is noise


def made(method, k, n, seed):
    "A clusterer with the defaults that the command gives it for n clips."
    if method == "kmeans": return KMeans(k, n_init=restarts(n), random_state=seed)
    if method == "hdbscan": return HDBSCAN(**defaults_for(method, n, {}))
    return (Consensus if method == "consensus" else SpectralClustering)(k, random_state=seed)

def mixed(X, k):
    "No choice: the consensus of the groups of both methods, two seeds of each."
    groups = [made(method, k, len(X), seed).fit(X).labels_ for method in ("consensus", "spectral") for seed in range(SEEDS)]
    return consensus(groups, k, random_state=0)[0]

def agreements(X, method, k, seed=0):
    "NMI of each two subsamples, on the clips that both have."
    rng, groups, found = np.random.default_rng(seed), [], []
    for i in range(SUBSAMPLES):
        rows = np.sort(rng.permutation(len(X))[:round(SHARE*len(X))])
        labels = np.full(len(X), LEFT_OUT)
        labels[rows] = made(method, min(k, len(rows)), len(rows), i).fit(X[rows]).labels_
        shared = [(labels != LEFT_OUT) & (other != LEFT_OUT) for other in groups]
        found += [float(nmi(other[both], labels[both])) for other,both in zip(groups, shared)]
        groups.append(labels)
    return found

def row_of(t, method):
    "Scores of one method on one task."
    rows = np.sort(np.random.default_rng(0).permutation(len(t["X"]))[:MOST])
    X, truth, start = t["X"][rows], t["truth"][rows], time.process_time()
    known = truth != "-1"
    k = len(set(truth[known]))
    if method == "mixed": scores = [nmi(truth[known], mixed(X, k)[known])]
    else: scores = [nmi(truth[known], made(method, k, len(X), seed).fit(X).labels_[known]) for seed in range(SEEDS)]
    after = time.process_time()
    stable = "" if method == "mixed" else " ".join(f"{value:.4f}" for value in agreements(X, method, k))
    return dict(task=t["task"], by=t["by"], encoder=t["encoder"], half=t["half"], clips=len(t["X"]), looked_at=len(X), groups=k, method=method, nmi=round(float(np.mean(scores)), 4),
                agreements=stable, score_seconds=round(after - start, 2), choice_seconds=round(time.process_time() - after, 2))

def measure(folder, out, encoders, methods, only):
    "A row for each task, encoder and method that has none."
    where, at = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, Python {platform.python_version()}", commit()
    done = {(r["task"], r["by"], r["encoder"], r["method"]) for r in csv.DictReader(open(out, newline=""))} if out.is_file() else set()
    warnings.simplefilter("ignore")
    for t in points(folder):
        if t["encoder"] not in encoders or only and not any(o in t["task"] for o in only) or len(set(t["truth"]) - {"-1"}) < 2: continue
        for method in methods:
            if (t["task"], t["by"], t["encoder"], method) not in done: add_row(out, {**row_of(t, method), "commit": at, "machine": where})


def read(out, methods=("kmeans", "spectral")):
    "A row for each task and encoder: the NMI of each method, and the agreements of each."
    table = pd.read_csv(out)
    table = table[table.method.isin(methods)]
    table["agreements"] = [np.array(text.split(), float) for text in table.agreements]
    wide = table.pivot(index=["task", "by", "encoder", "half", "groups"], columns="method", values=["nmi", "agreements"]).dropna()
    return wide.reset_index()

def chosen(wide, margin, subsamples):
    "The method of each row: spectral where it is at least as stable as K-means, less the margin."
    n = subsamples*(subsamples - 1)//2
    stable = {m: np.array([a[:n].mean() for a in wide["agreements"][m]]) for m in ("kmeans", "spectral")}
    return np.where(stable["spectral"] >= stable["kmeans"] - margin, "spectral", "kmeans")

def worth(wide, methods):
    "What a choice is worth beside the best single method."
    scores = wide["nmi"][["kmeans", "spectral"]].astype(float)
    got = np.where(methods == "spectral", scores.spectral, scores.kmeans)
    behind = scores.max(axis=1).to_numpy() - got
    return dict(tasks=len(got), nmi=got.mean(), behind=behind.mean(), worst=behind.max(), beyond=int((behind > .1).sum()), spectral=(methods == "spectral").mean())

MARGINS = (-.05, -.03, -.02, -.01, 0, .01, .02, .03, .05, .08, .1)

def rules(out):
    "Each margin and number of subsamples on both halves, beside each method alone."
    wide = read(out)
    rows = []
    for half in "choose", "report":
        part = wide[wide["half"] == half]
        ways = {"best by labels": np.where(part["nmi"]["spectral"] > part["nmi"]["kmeans"], "spectral", "kmeans"), "kmeans": np.full(len(part), "kmeans"), "spectral": np.full(len(part), "spectral")}
        ways |= {f"margin {margin}, {s} subsamples": chosen(part, margin, s) for s in range(2, SUBSAMPLES + 1) for margin in MARGINS}
        for name,methods in ways.items():
            for encoder in (*sorted(set(part["encoder"])), "all"):
                which = np.ones(len(part), bool) if encoder == "all" else (part["encoder"] == encoder).to_numpy()
                rows.append(dict(half=half, rule=name, encoder=encoder, **worth(part[which], methods[which])))
    return pd.DataFrame(rows)

CANDIDATES = ("kmeans", "spectral"), ("consensus", "spectral"), ("kmeans", "spectral", "consensus"), ("kmeans", "spectral", "hdbscan"), ("kmeans", "spectral", "consensus", "hdbscan")
CORRECTIONS = np.round(np.arange(-.3, .31, .02), 2)
DIVISIONS = 40 # into random halves

def corrected(scores, stable, corrections):
    "NMI of the method with the largest stability plus correction in each row, for all corrections at once."
    which = (stable[None] + corrections[:, None]).argmax(-1)
    return np.take_along_axis(np.broadcast_to(scores, (len(which), *scores.shape)), which[..., None], -1)[..., 0]

def best_corrections(behind):
    "Of all corrections that are as good as the best: the middle ones, since the best ones lie side by side."
    best = np.flatnonzero(behind <= behind.min() + 1e-9)
    return best[len(best)//2]

def judged(scores, stable, best, corrections, chosen_on, judged_on):
    "What the corrections that are best on some tasks are worth on others."
    lost = best - corrected(scores, stable, corrections)
    i = best_corrections(lost[:, chosen_on].mean(1))
    row = {f"{name}_{what}": round(float(value), 4) for name,part in (("chosen_on", chosen_on), ("judged_on", judged_on))
           for what,value in (("behind", lost[i, part].mean()), ("worst", lost[i, part].max()), ("beyond", (lost[i, part] > .1).sum()), ("nmi", (best - lost[i])[part].mean()))}
    return corrections[i], row

def candidates(out, seed=0):
    "A row for each set of candidates and each division of the tasks into two halves."
    everything = tuple(dict.fromkeys(m for methods in CANDIDATES for m in methods))
    wide = read(out, everything)
    wide = wide[wide["encoder"] == "fixed"]
    is_report, rows = (wide["half"] == "report").to_numpy(), []
    rng = np.random.default_rng(seed)
    divisions = [("choose", ~is_report), ("report", is_report)] + [(f"random {i}", rng.permutation(len(wide)) < len(wide)//2) for i in range(DIVISIONS)]
    few = (wide["groups"] <= MOST_GROUPS).to_numpy()
    best = wide["nmi"][list(everything[:-1])].astype(float).max(axis=1).to_numpy() # of those that are told the number
    for methods in CANDIDATES:
        scores = wide["nmi"][list(methods)].to_numpy(float)
        scores = np.where(few[:, None], scores, scores[:, :1])
        stable = np.array([[a.mean() for a in wide["agreements"][m]] for m in methods]).T
        corrections = np.array([(0, *c) for c in product(CORRECTIONS, repeat=len(methods) - 1)])
        if len(methods) > 3: corrections = corrections[np.random.default_rng(seed).permutation(len(corrections))[:5000]]
        for name,chosen_on in divisions:
            taken, row = judged(scores, stable, best, corrections, chosen_on, ~chosen_on)
            rows.append(dict(candidates=", ".join(methods), chosen_on=name, corrections=" ".join(f"{m}:{c:+.2f}" for m,c in zip(methods, taken)), tasks=int((~chosen_on).sum()), **row))
    return pd.DataFrame(rows)

SIZES, GROUPS = (5001, 20_000, 20_001), (10, 40)

def sizes():
    "How long the choice takes for many clips, and what the chosen method needs to group them; `megabytes` is the most of the process so far."
    for k in GROUPS:
        rng = np.random.default_rng(k)
        centers, group = rng.normal(size=(k, 30)), rng.integers(k, size=max(SIZES))
        X = (centers[group] + rng.normal(size=(max(SIZES), 30))).astype(np.float32)
        for n in SIZES:
            start = time.process_time()
            choice = choose_method(X[:n], k)
            chose = time.process_time() - start
            labels = made(choice.method, k, n, 0).fit(X[:n]).labels_
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024
            yield dict(clips=n, groups=k, method=choice.method, why=choice.why, choice_seconds=round(chose, 2), fit_seconds=round(time.process_time() - start - chose, 2), nmi=round(float(nmi(group[:n], labels)), 4), megabytes=round(megabytes))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, nargs="?")
    p.add_argument("--encoders", nargs="*", default=["fixed", "auto"])
    p.add_argument("--methods", nargs="*", default=["kmeans", "spectral", "consensus", "hdbscan", "mixed"])
    p.add_argument("--only", nargs="*")
    p.add_argument("--rules", action="store_true")
    p.add_argument("--candidates", action="store_true")
    p.add_argument("--sizes", action="store_true")
    p.add_argument("--out", type=Path, default=OUT)
    args = p.parse_args()
    if args.folder: measure(args.folder, args.out, args.encoders, args.methods, args.only)
    if args.rules: print(rules(args.out).round(4).to_string(index=False))
    if args.candidates: candidates(args.out).to_csv(OUT.with_name("method-candidates.csv"), index=False)
    if args.sizes:
        at, machine = commit(), f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, Python {platform.python_version()}"
        for row in sizes(): add_row(OUT.with_name("method-sizes.csv"), {**row, "commit": at, "machine": machine})


if __name__ == "__main__": main()
