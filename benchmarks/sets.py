"""Other sounds than speech: every method that a user would try, at its defaults but all at 16 kHz, on sets that are rendered for it.

    python benchmarks/sets.py [--only "NAME;…"] [--methods "NAME;…"] [--seeds 3]

Each row of benchmarks/results/sets.csv is one run, scored afterwards against content and source; `made_sets.py` makes the
sounds. Rows are appended: a run that is there already is not made again. `start` is K-means with consensus on the features
that SPICE's later steps start from, for SPICE only. Nothing was set with these scores in sight but what the notebooks say.
Goal: do the defaults hold for other sounds, lengths, rates and unequal groups? Not a goal: the best settings for each.
"""
import argparse, tempfile, time, warnings
from pathlib import Path

from appended import append
from audioclust.metrics import score
from audioclust.pipeline import AudioClusterer
from audioclust.spice import SPICE
from made_sets import SETS, make

METHODS = {"kmeans": {}, "consensus": {}, "agglomerative": {}, "untrained, consensus": dict(method="consensus", encoder="untrained"), "deepcluster": {}, "spice": {}}


def run(table, method, by, seed):
    options = {"method": method, **METHODS[method]}
    wanted, other = ("label", "source") if by == "content" else ("source", "label")
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        same = dict(n_clusters=table[wanted].nunique(), by=by, random_state=seed, sample_rate=16000)
        model = (SPICE(**same) if method == "spice" else AudioClusterer(**same, **options)).fit(table[["path", "start", "end"]])
    row = dict(seconds=round(time.perf_counter() - start, 1))
    steps = getattr(model, "steps_", {})
    for name,labels in {"": model.labels_, "_start": steps.get("consensus"), "_crossed": steps.get("crossed"), "_even": steps.get("even"), "_heads": steps.get("heads")}.items():
        s = {} if labels is None else score(table[wanted], labels)
        row |= {f"{m}{name}": round(s[m], 4) if s else "" for m in ("acc", "nmi")}
    return row | dict(nmi_other=round(score(table[other], model.labels_)["nmi"], 4), warned="; ".join(sorted({str(w.message) for w in warned if "kept" in str(w.message) or "depend" in str(w.message)})))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--methods", help="names of methods, separated by semicolons")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"sets.csv")
    args = p.parse_args()
    names, methods = args.only.split(";") if args.only else SETS, args.methods.split(";") if args.methods else METHODS
    with tempfile.TemporaryDirectory() as tmp:
        tables = {name: make(name, tmp) for name in names}
        todo = [(f"{name} / {by} / {m}", s) for s in range(args.seeds) for name in names for by in ("content", "source") for m in methods]
        def one(variant, seed):
            name, by, method = variant.split(" / ")
            return dict(set=name, by=by, method=method, clips=len(tables[name]), seed=seed, **run(tables[name], method, by, seed))
        append(args.out, todo, one)


if __name__ == "__main__": main()
