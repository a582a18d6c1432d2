"""All runs that the report shows, as one table, read from the tables of results. For the pages of results.

    python benchmarks/reported.py        says how many runs of each method there are

A row is one run: set, by, points, method, seed, acc, nmi, ari, nmi_other, and where they were recorded ami, k (the true
number of groups), clusters (how many were found) and coverage (the share of the clips in them). `warned` is not empty where
SPICE as published had a group without a reliable clip and left joint training out. Points are what is clustered; those of
a method that trains are called "trained".
"""
import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import xlogy

FIRST = "spoken digits", "words", "sounds, easy", "sounds, middle", "sounds, hard", "machines", "birds"
POINTS = {"mfcc": "MFCC", "fixed": "fixed", "untrained": "untrained", "trained": "trained", "auto": "vote", "vote, heads": "vote, no networks", "vote, trained": "vote, networks"}
METHODS = {"kmeans": "K-means", "consensus": "consensus", "spectral": "spectral", "agglomerative": "agglomerative", "dbscan": "DBSCAN", "hdbscan": "HDBSCAN", "meanshift": "mean shift",
           "sklearn kmeans": "K-means (scikit-learn)", "sklearn agglomerative": "agglomerative (scikit-learn)", "sklearn spectral": "spectral (scikit-learn)", "umap, kmeans": "UMAP, K-means", "umap, hdbscan": "UMAP, HDBSCAN",
           "clustpy dec": "DEC (ClustPy)", "clustpy idec": "IDEC (ClustPy)", "clustpy dcn": "DCN (ClustPy)",
           "deepcluster": "DeepCluster", "spice": "NF-SPICE", "deepcluster-published": "DeepCluster, as published", "spice-published": "SPICE, as published", "scan": "SCAN"}


def results(name): # Without folder and ending
    "A table of results."
    return pd.read_csv(Path(__file__).parent/"results"/f"{name}.csv")

def _digits(table, by, method, *, points="trained", wanted, other): # `wanted` and `other` say which columns hold the scores
    "Rows of a table that scores both groupings of the spoken digits."
    return pd.DataFrame({"set": "spoken digits", "by": by, "points": points, "method": method, "seed": table.seed, **{m: table[f"{m}_{wanted}"] for m in ("acc", "nmi", "ari")}, "nmi_other": table[other]})

def untrained_digits():
    "Runs on the digits of DeepCluster's network without its training."
    deep = results("deepcluster")
    return pd.concat([_digits(deep[deep.variant == "no training" + ", by source"*(by == "source")], by, "consensus", points="untrained", wanted=wanted, other=f"nmi_{other}")
                      for by,wanted,other in (("content", "digit", "speaker"), ("source", "speaker", "digit"))]).assign(coverage=1.)

def _of_published(name):
    "Runs that `published.py` made, with the number of groups that was wanted and the one that was found."
    wanted = results("quality").groupby(["set", "by"]).k.max()
    return results(name).rename(columns={"n_found": "clusters"}).join(wanted, on=["set", "by"]).assign(points="trained", coverage=1.)

def trained():
    "Runs of our methods that train, all made after the constants were frozen."
    return _of_published("ours")

def published():
    "Runs of the published methods."
    return _of_published("published")

def before_the_freeze():
    "Older runs of our methods that train."
    deep, spice, sets = results("deepcluster"), results("spice"), results("sets")
    rows = [sets.loc[sets.method.isin(["deepcluster", "spice"]), ["set", "by", "method", "seed", "acc", "nmi", "ari", "nmi_other"]].assign(points="trained")]
    for by,wanted,other in (("content", "digit", "speaker"), ("source", "speaker", "digit")):
        rows += [_digits(deep[deep.variant == "as it is" + ", by source"*(by == "source")], by, "deepcluster", wanted=wanted, other=f"nmi_{other}"),
                 _digits(spice[spice.variant == by], by, "spice", wanted="answer", other="other_answer")]
    return pd.concat(rows)

def voted():
    "Runs on the vote of the installed encoders."
    spice, rows = results("spice-vote"), [results("quality-vote")]
    for by in ("content", "source"):
        for points,name in (("vote, heads", f"{by}, vote, no networks"), ("vote, trained", f"{by}, vote")):
            rows.append(_digits(spice[spice.variant == name], by, "spice", points=points, wanted="answer", other="other_answer").assign(coverage=1.))
    return pd.concat(rows)

def all_runs():
    "All runs of the verdict and of the appendix."
    return pd.concat([results("quality"), untrained_digits(), trained(), published(), voted()], ignore_index=True)

def sets_of(runs):
    "The sets of a table in the order of the report, and behind them those that a reader has added."
    return [*(s for s in FIRST if s in set(runs["set"])), *sorted(set(runs["set"]) - set(FIRST))]

def spread(x, digits=3): # A column of a table
    "Mean ± standard deviation as text; – where there is no run."
    x = x.dropna()
    return "–" if not len(x) else f"{x.mean():.{digits}f} ± {x.std():.{digits}f}" if len(x) > 1 else f"{x.iloc[0]:.{digits}f}"

def scored(runs, column="nmi", digits=2): # Of `pick`
    "Mean ± standard deviation of a score as text, with † where a run left joint training out."
    return spread(runs[column], digits) + "†"*bool("warned" in runs and runs.warned.notna().any())

def n_runs(picked): # Results of `pick`, some of them perhaps empty
    "How many runs each has, as text: one number, or the least and the most."
    counts = [len(runs) for runs in picked if len(runs)]
    return " to ".join(map(str, sorted({min(counts), max(counts)}))) if counts else "–"

def pick(runs, name, by, points, method): return runs[(runs["set"] == name) & (runs.by == by) & (runs.points == points) & (runs.method == method)]


# intervals over clips

def groups(*names): # Tables of results whose scripts keep the groups
    "Labels of the clips of each run, by variant (set, by, …, method); the truth has the method \"truth\"."
    found = {}
    for name in names:
        with gzip.open(Path(__file__).parent/"results"/f"{name}-labels.csv.gz", "rt", encoding="utf-8") as f:
            for line in f:
                *variant, _, labels = line.rstrip("\n").split(",")
                key = tuple(",".join(variant).split(" / "))
                if key[-1] != "truth" or key not in found: found.setdefault(key, []).append(np.array(labels.split(), int))
    return found

def nmi_of_shares(truth, labels, share): # [clips], [clips] from 0, [clips, draws] -> [draws]
    "NMI in each draw, of which a clip is so large a share, with the geometric mean of the entropies."
    def entropy(groups):
        members = sparse.csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))))
        p = members @ share # [groups, draws]
        return -xlogy(p, p).sum(0)
    a, b, both = entropy(truth), entropy(labels), entropy(truth*(labels.max() + 1) + labels)
    return (a + b - both)/np.maximum(np.sqrt(a*b), 1e-12)

def weighted_nmi(truth, labels, weights): # [clips], [clips] from 0, [clips, draws] -> [draws]
    "NMI in each draw, where clips count as often as their weight says."
    return nmi_of_shares(truth, labels, weights/weights.sum(0))

@cache
def draws(n_clips, n_ours, n_theirs, n):
    "Shares of the clips in each draw, [clips, draws], and the runs of both methods that it holds, [runs, draws]."
    rng = np.random.default_rng(0)
    def draw(n): return rng.integers(n, size=n)
    clips, ours, theirs = zip(*((draw(n_clips), draw(n_ours), draw(n_theirs)) for _ in range(n)))
    weights = np.stack([np.bincount(c, minlength=n_clips) for c in clips], 1).astype(float)
    return weights/weights.sum(0), np.stack(ours, 1), np.stack(theirs, 1)

def drawn_differences(truth, ours, theirs, n=1000): # Labels of the runs of two methods
    "Differences in NMI, with clips and runs drawn anew with replacement, the same clips for both methods."
    share, of_ours, of_theirs = draws(len(truth), len(ours), len(theirs), n)
    def of_draws(runs, drawn): # Mean over the runs that each draw holds
        scores = np.array([nmi_of_shares(truth, labels - labels.min(), share) for labels in runs]) # [runs, draws]
        return np.take_along_axis(scores, drawn, 0).mean(0)
    return of_draws(ours, of_ours) - of_draws(theirs, of_theirs)

def interval(differences):
    "Mean and the middle 95 % as text, in bold where the interval has no 0."
    low, high = np.quantile(differences, [.025, .975])
    text = f"{np.mean(differences):+.2f} ({low:+.2f} to {high:+.2f})".replace("-", "−")
    return f"<b>{text}</b>" if low > 0 or high < 0 else text


if __name__ == "__main__":
    runs = all_runs()
    print(runs.groupby(["points", "method"]).size().to_string())
