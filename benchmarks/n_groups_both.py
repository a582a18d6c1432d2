"""The number of groups by the points for one grouping, and by those for both, on the tasks of `n_groups_tasks.py` and on real sets.

    AUDIOCLUST_DATA=… python benchmarks/n_groups_both.py FOLDER [--klettres FOLDER] [--data FOLDER] [--sets "NAME;…"] [--share 0/2]
    … --few --out benchmarks/results/n-groups-few.csv     draws of 5, 8 and 12 clips of 4, 10 and 20 groups, and of one

Each row of `results/n-groups-both.csv` is a task: `k` is what `choose_k` takes with the votes for both groupings, `alone` what it takes
with the vote for the wanted one, `largest` the number with the largest silhouette, and `seconds` of a core what the first takes
beyond the second. Points are those of a run with `n_clusters="auto"`. Real sets (`--data`: the folder above them) are asked
as draws of 1,000 clips at most, and changed: fewer clips; groups whose sizes follow Zipf's law; a third of the clips in three takes (two
of them at another level, with noise); a twentieth more clips of silence and noise, which are not scored. With --few, `before` is what
the rule for many clips would take, and `given` the NMI of K-means that is told the number. FOLDER keeps sounds and embeddings. Goal: which number does a run say?
"""
import argparse, time, warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from appended import append
from audioclust.encoders.base import OTHER_GROUPING
from audioclust.ensembles.n_clusters import best_number, candidates, choose_k, number_beside, try_numbers
from audioclust.kmeans import KMeans
from audioclust.metrics import nmi
from audioclust.pipeline import Options, Request, embed, find
from audioclust.pipeline.all_steps import with_chosen_encoder
from audioclust.pipeline.find_step import Observer
from known_sets import CHOOSING, is_scored
from n_groups_tasks import Pools, part, tasks
from quality import DIGITS, noisy, table_of, ways_of

HALVES = {"1,000 clips": 5, "300 clips": 3, "100 clips": 3, "by Zipf": 3, "three takes": 1, "with junk": 1} # what is asked of a real set, and how often
FEW = {**{f"{n} of {k}": 3 for n in (5, 8, 12) for k in (4, 10, 20)}, "25 of one": 2, "50 of one": 2} # clips of so many groups, in a table of their own


def voted(table, by, cache):
    "The points of the votes for the wanted grouping, and for the other one."
    request = Request("kmeans", "auto", by, encoder="auto", options=Options(stability=0, num_workers=0, cache=cache))
    clips = find(table[["path", "start", "end"]], request)
    asked, _, other = with_chosen_encoder(clips, request, Observer(), len(clips))
    return [embed(clips, replace(asked, n_clusters=2, by=way, encoder=name))[1].X for way,name in ((by, asked.encoder), (OTHER_GROUPING[by], other or asked.encoder))]

def changed(table, how, by, draw, folder):
    "A draw of a real set."
    column, rng = "label" if by == "content" else "source", np.random.default_rng([63, draw])
    if how == "by Zipf": return part(table, rng, most=1000, unequal=column)
    if " of " in how:
        n, k = (int(word.replace("one", "1")) for word in how.split(" of "))
        rng, counts = np.random.default_rng([k, n, draw]), table.truth[table.truth != "-1"].value_counts()
        names = sorted(counts.index[counts >= (n if k > 1 else min(n, 40))])
        chosen = rng.choice(names, k, replace=False) if k > 1 else [rng.choice(names)]
        return pd.concat([table[table.truth == name].sample(min(n, counts[name]), random_state=draw) for name in chosen]).reset_index(drop=True)
    some = table.sample(min(len(table), dict([("300 clips", 300), ("100 clips", 100), ("three takes", 333)]).get(how, 1000)), random_state=draw)
    for i in 1, 2: (folder/f"take{i}").mkdir(parents=True, exist_ok=True)
    if how == "three takes": some = pd.concat([some, *(noisy(some, 25, 10*draw + i, folder/f"take{i}") for i in (1, 2))])
    if how == "with junk":
        for i,path in enumerate(paths := [folder/f"junk{i}.wav" for i in range(len(some)//20)]): sf.write(path, i % 2*rng.normal(scale=.1, size=16000), 16000)
        some = pd.concat([some, pd.DataFrame(dict(path=paths, start=0., end=1.))])
    return some.reset_index(drop=True)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--klettres")
    p.add_argument("--data", help="folder above the real sets; AUDIOCLUST_DATA if left out")
    p.add_argument("--sets", default=";".join([DIGITS, *CHOOSING]), help='names of real sets, separated by semicolons; "" leaves them out')
    p.add_argument("--halves", default=";".join(HALVES), help="what is asked of real sets, separated by semicolons")
    p.add_argument("--few", action="store_true", help="few clips of each group, in place of --halves")
    p.add_argument("--tasks", action="store_true", help="those of n_groups_tasks.py, too")
    p.add_argument("--share", default="0/1", help="i/n: this process does each n-th task")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"n-groups-both.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    (turn, of), made = map(int, args.share.split("/")), {}
    for name in filter(None, args.sets.split(";")):
        whole = table_of(name, args.folder/"sounds", args.data, None)
        for by in ways_of(name):
            truth = whole["label" if by == "content" else "source"].where(is_scored(whole, by), "-1")
            counts = truth[truth != "-1"].value_counts()
            for how in FEW if args.few else args.halves.split(";"):
                if args.few and (counts >= int(how.split()[0])).sum() < int(how.split()[2].replace("one", "0")): continue
                for draw in range((HALVES | FEW)[how] if len(whole) > 1000 or how != "1,000 clips" else 1):
                    def table(name=name, whole=whole.assign(truth=truth), how=how, by=by, draw=draw): return changed(whole, how, by, draw, args.folder/"sounds"/name/how.replace(",", ""))
                    made[f"{name}, {how} / {by}", draw] = "real", table
    for name,half,pool,by,task in tasks(Pools(args.folder/"sounds", args.klettres)) if args.tasks else ():
        if by == "both" or pool == "large": continue
        def table(task=task): return task()[0].assign(truth=task()[1])
        made[f"{name} / {by}", 0] = half, table
    def run(variant, draw):
        (half, table), (task, by) = made[variant, draw], variant.split(" / ")
        table = table()
        X, Y = voted(table, by, args.folder/"cache")
        start, alone = time.process_time(), choose_k(X)
        between, choice = time.process_time(), choose_k(X, other=Y)
        few = {}
        if args.few:
            own, other = (try_numbers(points, candidates(len(points))) for points in (X, Y))
            given = KMeans(table.truth.nunique(), n_init=3, random_state=0).fit(X).labels_
            few = dict(before=number_beside(own, other)[0] or best_number(own.curve), given=round(nmi(table.truth, given), 4))
        return dict(task=task, by=by, half=half, seed=draw, clips=len(table), truth=len(set(table.truth.fillna("-1")) - {"-1"}), k=choice.k, alone=alone.k, largest=int(alone.curve.k[alone.curve.silhouette.idxmax()]),
                    silhouette=round(float(alone.curve.silhouette.max()), 4), levels=" ".join(map(str, choice.levels.values())), **few, seconds=round(time.process_time() - 2*between + start, 1), why=choice.why.split(": ", 1)[-1].partition("; coarser")[0].partition("; finer")[0])
    append(args.out, list(made)[turn::of], run)


if __name__ == "__main__": main()
