"""What the other grouping of the same clips is worth to a run: with its means and without them, on real sets.

    AUDIOCLUST_DATA=… python benchmarks/refining.py [--data FOLDER] [--cache FOLDER] [--sets "NAME;…"] [--seeds 3] [--numbers "true;auto;true, tied;…"]

Each row of benchmarks/results/refining.csv is one grouping of a draw of clips by the vote and the default method, with the true number of
groups or one that is chosen: NMI to the truth as a plain run finds it (`plain`), with the step whatever the indices say (`without`; the
indices stand beside it), and as the default decides (`default`, `refined`, `why`). With the true number, 150 further clips are assigned to
both runs (`new_plain`, `new_default`), and the step is taken with the true groups of the other kind (`known`, as by --ignore-column). Seconds
are of a core, and embeddings are cached. What is changed stands behind the number: `100 clips`; `tied`, of each group three fifths come from one sixth of the groups of the other
kind, others for each; `random`, ten other groupings of random points, of which `refined` counts those that were
taken, while `without` is the mean NMI of all and `default` the worst that is kept. No method but `known` sees labels. Rows are appended: a run that is there already is not made again.
Goal: does the step earn its place, and where does it harm?
"""
import argparse, tempfile, time, warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from appended import append
from audioclust.core.estimator import unit_rows
from audioclust.encoders.residual import accept_residuals, compare_groupings, Grouping, stability_gain
from audioclust.kmeans import KMeans
from audioclust.metrics import nmi
from audioclust.pipeline import all_steps, assign, make_run, Options, Request
from audioclust.pipeline.examine_step import _grouping, cluster_residuals, FEWEST_OF_KNOWN
from known_sets import CHOOSING, is_scored
from quality import DIGITS, table_of, ways_of

N_CLIPS, N_NEW, TRUTH = 1000, 150, dict(content="label", source="source") # clips; columns
INDICES = "without groups_beside silhouette silhouette_without shared shared_without stability gain error".split()

def tied(table, by, seed): # three fifths of each group are of a sixth of the others
    rng, parts = np.random.default_rng([65, seed]), []
    own, other = TRUTH[by], TRUTH["source" if by == "content" else "content"]
    for _,group in table.groupby(own):
        others = rng.permutation(sorted(set(table[other])))
        is_home = group[other].isin(others[:max(1, len(others)//6)])
        away = group[~is_home]
        parts += [group[is_home], away.sample(min(len(away), round(2/3*is_home.sum())), random_state=seed)]
    return pd.concat(parts).sort_index().reset_index(drop=True)

def beside_random(own, other, worth, n=10):
    "What groupings of random points do: how many of them are taken, the mean NMI, the worst that is kept."
    rng, k, found = np.random.default_rng(66), len(set(other.clustering.labels)), []
    for _ in range(n):
        X = unit_rows(rng.normal(size=other.embeddings.X.shape)).astype(np.float32)
        of = KMeans(k, n_init=3, random_state=0).fit(X)
        chance = replace(other, embeddings=replace(other.embeddings, X=X), clustering=replace(other.clustering, labels=np.asarray(of.labels_), clusterer=of))
        new = cluster_residuals(own, chance)
        groupings = _grouping(own), _grouping(new), Grouping(X, of.labels_, KMeans(k, n_init=3), "chance")
        found.append((worth(new.clustering.labels), bool(accept_residuals(*groupings)[0])))
    kept = [score for score,is_taken in found if is_taken] or [worth(own.clustering.labels)]
    return dict(refined=len(found) and sum(is_taken for _,is_taken in found), without=round(float(np.mean([score for score,_ in found])), 4), default=min(kept))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="folder above the sets; AUDIOCLUST_DATA if left out")
    p.add_argument("--cache", help="folder for embeddings, to use again")
    p.add_argument("--sets", default=";".join([DIGITS, *CHOOSING]))
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--numbers", default="true;auto")
    p.add_argument("--share", default="0/1", help="i/n: this process does each n-th row")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"refining.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def drawn(name, seed, by, change): # the clips to group, and those that come later
            table = table_of(name, f"{tmp}/sounds", args.data, None)
            if change == "tied": table = tied(table, by, seed)
            table = table.sample(min(N_CLIPS + N_NEW, len(table)), random_state=seed).reset_index(drop=True)
            if change == "100 clips": return table[:100], table[:0]
            n = min(N_CLIPS, len(table) - N_NEW) if len(table) > 2*N_NEW else len(table)
            return table[:n], table[n:].reset_index(drop=True)
        def one(variant, seed):
            name, by, number = variant.split(" / ")
            number, _, change = number.partition(", ")
            table, later = drawn(name, seed, by, change)
            options = Options(stability=0, num_workers=0, cache=args.cache or f"{tmp}/cache")
            other = TRUTH["source" if by == "content" else "content"]
            def worth(labels, table):
                counts = np.asarray(is_scored(table, by))
                return round(float(nmi(table[TRUTH[by]][counts], np.asarray(labels)[counts])), 4)
            k = table[TRUTH[by]][is_scored(table, by)].nunique()
            request = Request(n_clusters=k if number == "true" else "auto", by=by, encoder="auto", random_state=seed, options=options)
            row, runs, decide = dict(set=name, by=by, number=variant.split(" / ")[2], seed=seed, clips=len(table), truth=k) | dict.fromkeys(INDICES, ""), {}, all_steps.refined
            extra = []
            def watched(own, other):
                begun = time.process_time()
                if min(len(set(one.clustering.labels)) for one in (own, other)) < 2: return decide(own, other)
                new = cluster_residuals(own, other)
                groupings = [_grouping(one) for one in (own, new, other)]
                (shared, shared_without), (clear, clear_without), _ = compare_groupings(*groupings)
                before, gain, error = stability_gain(groupings[0], groupings[2])
                found = worth(new.clustering.labels, table), len(set(other.clustering.labels)), clear, clear_without, shared, shared_without, before, gain, error
                row.update(zip(INDICES, [round(float(value), 4) for value in found]))
                if change == "random": row["chance"] = beside_random(own, other, lambda labels: worth(labels, table))
                extra.append(time.process_time() - begun)
                return decide(own, other)
            all_steps.refined = watched
            for how in "plain", "default":
                start = time.process_time()
                runs[how] = make_run(table[["path", "start", "end"]], request, refines=how == "default")
                row |= {how: worth(runs[how].clustering.labels, table), f"{how}_groups": len(set(runs[how].clustering.labels)), f"{how}_seconds": round(time.process_time() - start - sum(extra), 1)}
                counts = not change and number == "true" and len(later)
                row[f"new_{how}"] = worth(assign(runs[how], later[["path", "start", "end"]]).cluster, later) if counts else ""
            asks = not change and number == "true" and other in table and (table[other].value_counts() >= FEWEST_OF_KNOWN).sum() > 1
            known = replace(request, options=replace(options, ignore_column=other))
            row["known"] = worth(make_run(table[["path", "start", "end", other]], known).clustering.labels, table) if asks else ""
            all_steps.refined, by_chance = decide, row.pop("chance", {})
            refinement = runs["default"].embeddings.refinement or {}
            return row | dict(refined="without" in refinement, method=runs["plain"].method, method_default=runs["default"].method, why=refinement.get("why", "")) | by_chance
        turn, of = map(int, args.share.split("/"))
        rows = [(f"{name} / {by} / {number}", seed) for seed in range(args.seeds) for name in args.sets.split(";") for by in ways_of(name) for number in args.numbers.split(";")]
        append(args.out, rows[turn::of], one)


if __name__ == "__main__": main()
