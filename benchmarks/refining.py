"""Where one grouping refines the other: what the indices decide, and what the step does to the groups.

    AUDIOCLUST_DATA=… python benchmarks/refining.py [--data FOLDER] [--cache FOLDER] [--only "SET;…"] [--points "auto;fixed"] [--methods "kmeans;spectral"] [--seeds 3]

Each row of benchmarks/results/refining.csv is one grouping of one draw: its NMI to the truth as it is (`nmi`) and without the means of the
other's groups (`nmi_without`), whether the indices of `audioclust.pipeline.pair` say yes (`refined`), and these indices. Seed i is draw i of the
clips (1,500 at most) and of rendered sets. Numbers of groups are the true ones; where a set has one grouping only, the other is asked for
as many groups. No method sees labels. The steps are tried one by one, none after another: `refine` of the package takes them in turn.
Rows are appended: a run that is there already is not made again.
Goal: is any step harmful that the indices allow, and which gains do they miss? Not a goal: the best groups.
"""
import argparse, tempfile, time, warnings
from functools import cache
from pathlib import Path

from appended import append
from audioclust.metrics import nmi
from audioclust.pipeline import AudioClusterer, Options
from audioclust.pipeline import pair
from known_sets import is_scored
from made_sets import SETS
from quality import DIGITS, downloaded, groups_of, table_of, ways_of, with_encoders, WORDS

LIMIT, TRUTH = 1500, dict(content="label", source="source") # clips; columns


def clips_of(name, folder, data, draw):
    "A draw of a set."
    table = table_of(name, f"{folder}/{draw}", data, LIMIT, draw)
    return table.sample(min(LIMIT, len(table)), random_state=draw).reset_index(drop=True)

def run_by(by, table, k, points, method, seed, cached):
    "Groups of one kind, which nothing is measured of."
    options = Options(stability=0, num_workers=0, cache=cached)
    return AudioClusterer(method, k, by, encoder=points, random_state=seed, options=options).fit(table[["path", "start", "end"]]).run_

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="folder above the sets; AUDIOCLUST_DATA if left out")
    p.add_argument("--cache", help="folder for embeddings, to use again")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--points", default="auto;fixed")
    p.add_argument("--methods", default="kmeans;spectral")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"refining.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    names = args.only.split(";") if args.only else [DIGITS, WORDS, *SETS, *downloaded(args.data)]
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table(name, draw): return clips_of(name, tmp, args.data, draw)
        @cache
        def runs(name, points, method, seed):
            k = {by: groups_of(table(name, seed), by) for by in ways_of(name)}
            return {by: run_by(by, table(name, seed), k.get(by, min(k.values())), points, method, seed, args.cache or f"{tmp}/cache") for by in TRUTH}
        def one(variant, seed):
            name, by, points, method = variant.split(" / ")
            both, counts = runs(name, points, method, seed), is_scored(table(name, seed), by)
            own, other = both[by], both["source" if by == "content" else "content"]
            def worth(run): return round(float(nmi(table(name, seed)[TRUTH[by]][counts], run.clustering.labels[counts])), 4)
            start = time.process_time()
            refined, why = pair._refined(own, other)
            seconds, without = time.process_time() - start, pair.cluster_residuals(own, other)
            before, gain, error = pair.stability_gain(own, other)
            clear = [pair.silhouette(run) for run in (own, without)]
            return dict(set=name, by=by, points=points, method=method, seed=seed, clips=len(own), nmi=worth(own), nmi_without=worth(without), refined=refined is not own,
                        silhouette=round(clear[0], 4), silhouette_without=round(clear[1], 4), stability=round(before, 4), gain=round(gain, 4), error=round(error, 4), why=why, cpu_seconds=round(seconds, 1))
        append(args.out, [(f"{name} / {by} / {points} / {method}", seed) for points in with_encoders(args.points.split(";")) for seed in range(args.seeds)
                          for name in names for method in args.methods.split(";") for by in ways_of(name)], one)


if __name__ == "__main__": main()
