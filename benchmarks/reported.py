"""All runs that the report shows, as one table, read from the tables of results. For the pages of results.

    python benchmarks/reported.py        says how many runs of each method there are

A row is one run: set, by, points, method, seed, acc, nmi, ari, nmi_other, and where they were recorded ami, k (the true
number of groups), clusters (how many were found) and coverage (the share of the clips in them). `warned` is not empty where
SPICE as published had a group without a reliable clip and left joint training out. Points are what is clustered; those of
a method that trains are called "trained". Rows of NF-SPICE are those of steps.csv, the newest, for each set and grouping that is there.
"""
from pathlib import Path

import pandas as pd

from inference import block_means, holm, sign_flip, smallest_p, t_interval

FIRST = "spoken digits", "words", "sounds, easy", "sounds, middle", "sounds, hard", "machines", "birds"
UNFOUND = {"content": ("letters",), "source": ("sounds, easy", "sounds, middle", "sounds, hard")} # groupings that no method finds
SHORT = {"spoken digits": "digits", "sounds, easy": "easy", "sounds, middle": "middle", "sounds, hard": "hard"}
SIDE_BY_SIDE = "fixed and untrained"
POINTS = {"mfcc": "MFCC", "fixed": "fixed", "both": "fixed, for both", "untrained": "untrained", SIDE_BY_SIDE: SIDE_BY_SIDE, "trained": "trained",
          "auto": "vote", "vote, heads": "vote, no networks", "vote, trained": "vote, networks"}
METHODS = {"kmeans": "K-means", "kmeans, number chosen": "K-means, number chosen", "consensus": "consensus", "consensus, number chosen": "consensus, number chosen", "spectral": "spectral", "spectral, number chosen": "spectral, number chosen", "agglomerative": "agglomerative", "dbscan": "DBSCAN", "hdbscan": "HDBSCAN", "meanshift": "mean shift",
           "sklearn kmeans": "K-means (scikit-learn)", "sklearn agglomerative": "agglomerative (scikit-learn)", "sklearn spectral": "spectral (scikit-learn)", "umap, kmeans": "UMAP, K-means", "umap, hdbscan": "UMAP, HDBSCAN",
           "clustpy dec": "DEC (ClustPy)", "clustpy idec": "IDEC (ClustPy)", "clustpy dcn": "DCN (ClustPy)",
           "clustpy orth": "Orth (ClustPy)", "clustpy nrkmeans": "NrKmeans (ClustPy)", "clustpy enrc": "ENRC (ClustPy)",
           "deepcluster": "DeepCluster", "nf-spice": "NF-SPICE", "deepcluster-published": "DeepCluster, as published", "spice": "SPICE, as published", "scan": "SCAN",
           "deepcluster-published, K pseudo-labels": "DeepCluster, K pseudo-labels", "deepcluster-published, 128 clips a pseudo-label": "DeepCluster, 128 clips a pseudo-label",
           "spice, our threshold and steps": "SPICE, our threshold and steps", "spice, fixed encoder beside": "SPICE, fixed encoder beside",
           **{f"{m}, four times as long": f"{name}, four times as long" for m,name in {"deepcluster-published": "DeepCluster", "spice": "SPICE", "scan": "SCAN"}.items()}, "classifier": "classifier"}
KINDS = "no training", "trained by us", "published, trained here", "encoders trained with labels"
BASE = "fixed", "kmeans" # with which the verdict compares
VERDICT = (BASE, ("mfcc", "sklearn kmeans"), ("mfcc", "sklearn agglomerative"), ("mfcc", "umap, kmeans"), ("fixed", "consensus"), ("fixed", "spectral"), ("fixed", "agglomerative"), ("fixed", "umap, kmeans"),
           ("fixed", "clustpy dec"), *((points, f"clustpy {m}") for m in ("orth", "nrkmeans", "enrc") for points in ("fixed", "both")), ("untrained", "consensus"), ("untrained", "spectral"), (SIDE_BY_SIDE, "consensus"),
           ("trained", "deepcluster"), ("trained", "nf-spice"), ("trained", "deepcluster-published"), ("trained", "spice"), ("trained", "scan"), ("auto", "kmeans"), ("auto", "consensus"), ("auto", "spectral"))


def kind_of(points, method):
    "One of KINDS."
    if points.startswith(("auto", "vote")): return KINDS[3]
    if method in ("deepcluster", "nf-spice"): return KINDS[1]
    deep = "deepcluster-published", "spice", "scan", "clustpy dec", "clustpy idec", "clustpy dcn", "clustpy enrc"
    return KINDS[2] if method.startswith(deep) else KINDS[0]

def name_of(points, method):
    "Points and method in the words of the verdict."
    short = METHODS[method].replace("agglomerative", "Ward").replace(" (scikit-learn)", "").replace(" (ClustPy)", "")
    return short if points == "trained" else f"{short} on {POINTS[points]}"

def short(name): return SHORT.get(name, name)


# the rows

def results(name): # Without folder and ending
    "A table of results."
    return pd.read_csv(Path(__file__).parent/"results"/f"{name}.csv")

def results_if_there(name):
    "A table of results, without rows where it was not made."
    try: return results(name)
    except FileNotFoundError: return pd.DataFrame()

def _digits(table, by, method, *, points="trained", wanted, other): # `wanted` and `other` say which columns hold the scores
    "Rows of a table that scores both groupings of the spoken digits."
    return pd.DataFrame({"set": "spoken digits", "by": by, "points": points, "method": method, "seed": table.seed, **{m: table[f"{m}_{wanted}"] for m in ("acc", "nmi", "ari")}, "nmi_other": table[other]})

def untrained_digits():
    "Runs on the digits of DeepCluster's network without its training."
    deep = results("deepcluster")
    return pd.concat([_digits(deep[deep.variant == "no training" + ", by source"*(by == "source")], by, "consensus", points="untrained", wanted=wanted, other=f"nmi_{other}")
                      for by,wanted,other in (("content", "digit", "speaker"), ("source", "speaker", "digit"))]).assign(coverage=1.)

def side_by_side():
    "Consensus of the fixed and the untrained points: rows of `voting.py` for the sets that `quality.py` has not run."
    quality, voting = results("quality"), results("voting").query("rule == @SIDE_BY_SIDE").rename(columns={"groups": "k"})
    there = set(quality[quality.points == SIDE_BY_SIDE]["set"])
    rows = voting[voting["set"].isin(FIRST) & ~voting["set"].isin(there)]
    return rows[["set", "by", "seed", "clips", "k", "acc", "nmi", "nmi_other"]].assign(points=SIDE_BY_SIDE, method="consensus", coverage=1.)

def _of_published(table):
    "Runs that `published.py` made, with the number of groups that was wanted and the one that was found."
    wanted = results("quality").groupby(["set", "by"]).k.max()
    return table.rename(columns={"n_found": "clusters"}).join(wanted, on=["set", "by"]).assign(points="trained", coverage=1.)

def ours():
    "Runs of our methods that `published.py` made, NF-SPICE before the rule that skips steps."
    return _of_published(results("ours"))

def steps_of_today():
    "NF-SPICE in steps.csv, with all its networks and with steps skipped, in the runs that have all scores."
    steps = results("steps")
    whole = steps[(steps.points == "networks") & steps.skipping.astype(bool)]
    return whole.dropna(subset=["acc", "nmi", "ari"]) if "nmi" in whole else whole.iloc[:0]

def change_by_steps():
    "What non-redundant and fair clustering changed in accuracy and NMI: a row a run of NF-SPICE in steps.csv."
    steps = steps_of_today()
    return steps[["set", "by", "seed"]].assign(**{score: steps[f"{score}_fair"] - steps[f"{score}_consensus"] for score in ("acc", "nmi")})

def trained():
    "Runs of our methods that train, all made after the constants were frozen."
    older, newest = results("ours"), steps_of_today()
    n_older = older[older.method == "nf-spice"].groupby(["set", "by"]).seed.nunique()
    n_newest = newest.groupby(["set", "by"]).seed.nunique()
    there = {task for task,n in n_newest.items() if n >= n_older.get(task, 0)} # a first seed does not replace several
    newest = newest[[task in there for task in zip(newest["set"], newest.by)]]
    replaced = [method == "nf-spice" and key in there for method,key in zip(older.method, zip(older["set"], older.by))]
    newest = newest.assign(method="nf-spice")
    newest = newest[[c for c in older if c in newest]]
    return _of_published(pd.concat([older[[not r for r in replaced]], newest], ignore_index=True))

def published(variants=False):
    "Runs of the published methods; with other constants as well, or without these."
    rows = _of_published(results("published"))
    return rows if variants else rows[~rows.method.str.contains(", ")]

def before_the_freeze():
    "Older runs of our methods that train."
    deep, nf_spice, sets = results("deepcluster"), results("nf-spice"), results("sets")
    rows = [sets.loc[sets.method.isin(["deepcluster", "nf-spice"]), ["set", "by", "method", "seed", "acc", "nmi", "ari", "nmi_other"]].assign(points="trained")]
    for by,wanted,other in (("content", "digit", "speaker"), ("source", "speaker", "digit")):
        rows += [_digits(deep[deep.variant == "as it is" + ", by source"*(by == "source")], by, "deepcluster", wanted=wanted, other=f"nmi_{other}"),
                 _digits(nf_spice[nf_spice.variant == by], by, "nf-spice", wanted="answer", other="other_answer")]
    return pd.concat(rows)

def voted():
    "Runs on the vote of the installed encoders."
    nf_spice, rows = results("nf-spice-vote"), [results("quality-vote")]
    for by in ("content", "source"):
        for points,name in (("vote, heads", f"{by}, vote, no networks"), ("vote, trained", f"{by}, vote")):
            rows.append(_digits(nf_spice[nf_spice.variant == name], by, "nf-spice", points=points, wanted="answer", other="other_answer").assign(coverage=1.))
    return pd.concat(rows)

def all_runs():
    "All runs of the verdict and of the appendix."
    return pd.concat([results("quality"), untrained_digits(), side_by_side(), results_if_there("alternative"), trained(), published(variants=True), voted()], ignore_index=True)

def paired_scores(runs, by, variant, own):
    "NMI of a variant of a trained method, by set: the mean of the method over its seeds, and the change of the variant in pairs of the same seed."
    of = runs[(runs.by == by) & (runs.points == "trained")].set_index(["set", "seed"]).groupby("method").nmi
    whole, other = of.get_group(own), of.get_group(variant)
    return whole.groupby("set").mean() + (other - whole).dropna().groupby("set").mean()

def pick(runs, name, by, points, method): return runs[(runs["set"] == name) & (runs.by == by) & (runs.points == points) & (runs.method == method)]

def sets_of(runs):
    "The sets of a table in the order of the report, and behind them those that a reader has added."
    return [*(s for s in FIRST if s in set(runs["set"])), *sorted(set(runs["set"]) - set(FIRST))]

def verdict_sets(runs, by):
    "The sets on which our methods that train and the vote were run, without those of which no method finds the grouping."
    needed = ("trained", "nf-spice"), ("trained", "deepcluster"), ("auto", "kmeans")
    there = [s for s in sets_of(runs) if all(len(pick(runs, s, by, *key)) for key in needed)]
    return [s for s in there if s not in UNFOUND[by]]


# comparisons over sets

def mean_scores(runs, by, key, score="nmi"): # (points, method)
    "Set → mean score over the runs."
    return runs[(runs.by == by) & (runs.points == key[0]) & (runs.method == key[1])].groupby("set")[score].mean().dropna()

def gains(runs, by, key, base, score="nmi"): # (points, method), twice
    "Set → gain of one method over another, on the sets of the verdict."
    gain = (mean_scores(runs, by, key, score) - mean_scores(runs, by, base, score)).dropna()
    return {name: gain[name] for name in verdict_sets_or_all(runs, by) if name in gain}

def verdict_sets_or_all(runs, by):
    "The sets of the verdict, or all, where no method of ours that trains was run."
    return verdict_sets(runs, by) or sets_of(runs)

def comparisons(runs, by, pairs, score="nmi"): # Name → (points, method) and that with which it is compared
    "Each comparison over blocks of sets: mean gain, interval of 95 % by t, exact p, and p corrected by Holm for all of them."
    rows = {}
    for name,(key,base) in pairs.items():
        of_sets = gains(runs, by, key, base, score)
        if len(of_sets) < len(verdict_sets_or_all(runs, by)): continue # not run on all sets
        blocks = block_means(of_sets)
        low, high = t_interval(blocks)
        rows[name] = dict(mean=blocks.mean(), low=low, high=high, blocks=len(blocks), better=f"{(blocks > 0).sum()} of {len(blocks)}", p=sign_flip(blocks), smallest=smallest_p(len(blocks)))
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.assign(holm=holm(table.p)) if len(table) else table


# texts of tables

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

def span(values, digits=2):
    "The least and the largest as text; one number where they are equal."
    return " to ".join(dict.fromkeys(signed(v, digits) for v in (values.min(), values.max())))

def signed(value, digits=2): return f"{value:+.{digits}f}".replace("-", "−") if round(value, digits) else f"{0:.{digits}f}"


if __name__ == "__main__":
    runs = all_runs()
    print(runs.groupby(["points", "method"]).size().to_string())
