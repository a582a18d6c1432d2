"""Spectral clustering with graphs of one number of neighbours each, and with several: does anyone have to choose?

    AUDIOCLUST_DATA=… python benchmarks/graphs.py [--only "SET;…"] [--seeds 5]

Each row of benchmarks/results/graphs.csv is one run on the fixed encoder's points, scored afterwards against the grouping
that was wanted and the other one; labels take no part. The sets are those of quality.py, and the true number of groups is
given. Rows are appended: a run that is there already is not made again.
Goal: what the number of neighbours does, and whether the answer of several graphs is as good as that of the best one.
Not a goal: the best settings for each set.
"""
import argparse, tempfile, warnings
from pathlib import Path

from appended import append
from audioclust.metrics import score
from audioclust.spectral import SpectralClustering
from made_sets import SETS
from quality import DIGITS, WORDS, points_of, table_of

GRAPHS = {"5": 5, "7": 7, "10": 10, "14": 14, "20": 20, "28": 28, "all six": (5, 7, 10, 14, 20, 28)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"graphs.csv")
    args = p.parse_args()
    names = args.only.split(";") if args.only else [DIGITS, WORDS, *SETS]
    with tempfile.TemporaryDirectory() as tmp:
        tables, made = {}, {}
        def one(variant, seed):
            name, by, graphs = variant.split(" / ")
            if name not in tables: tables[name] = table_of(name, tmp)
            table, (wanted, other) = tables[name], ("label", "source") if by == "content" else ("source", "label")
            k = table[wanted].nunique()
            if (name, by) not in made:
                made.clear()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    made[name, by] = points_of("fixed", table, k, by, 0).embeddings_
            labels = SpectralClustering(k, n_neighbors=GRAPHS[graphs], random_state=seed).fit_predict(made[name, by])
            s = score(table[wanted], labels)
            return dict(set=name, by=by, neighbours=graphs, clips=len(table), seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(table[other], labels)["nmi"], 4))
        append(args.out, [(f"{n} / {by} / {g}", s) for n in names for by in ("content", "source") for g in GRAPHS for s in range(args.seeds)], one)


if __name__ == "__main__": main()
