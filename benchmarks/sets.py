"""Rendered sounds: the methods that train, at their defaults, on sets that are rendered for it, at the rate that each was rendered at.

    python benchmarks/sets.py [--only "NAME;…"] [--methods "NAME;…"] [--by "content;source"] [--seeds 5] [--passes 40]

Each row of benchmarks/results/sets.csv is one run, scored afterwards against content and source; `made_sets.py` makes the
sounds, `synthetic_words` the words. Rows are appended: a run that is there already is not made again. `start` is the consensus on the features
that SPICE's later steps start from, for SPICE only. By source SPICE takes over the two networks that it trained for the same
seed by content, which are those that it would train again. `cpu_seconds` are those of the process, all threads together; of
SPICE by source without the training that it did not have to do. With --passes DeepCluster sees each clip so often between
two clusterings, and goes by the name "deepcluster, N passes". Methods that train nothing are in `quality.py`.
Goal: do the defaults hold for other sounds, lengths, rates and unequal groups? Not a goal: the best settings for each.
"""
import argparse, tempfile, time, warnings
from pathlib import Path

from appended import append
from audioclust.deepcluster import DeepCluster, TrainingOptions
from audioclust.metrics import score
from audioclust.audio.clip_table import common_sample_rate
from audioclust.encoders import RuntimeOptions
from audioclust.spice import SPICE
from made_sets import SETS
from quality import WORDS, table_of

METHODS = "deepcluster", "spice"
STEPS = {"": None, "_start": "consensus", "_crossed": "nonredundant", "_even": "fair", "_heads": "heads"} # Columns end with; names in `steps_`


def run(table, method, by, seed, trained): # `trained`: networks of SPICE, filled and used
    wanted, other = ("label", "source") if by == "content" else ("source", "label")
    same = dict(n_clusters=table[wanted].nunique(), by=by, runtime=RuntimeOptions(common_sample_rate(table.path)), random_state=seed)
    passes = int(method.split()[1]) if "passes" in method else None
    model = SPICE(**same) if method == "spice" else DeepCluster(**same, training=TrainingOptions(passes=passes))
    start = time.process_time()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        model.fit(table[["path", "start", "end"]], **dict(encoders=trained.get(seed) and trained[seed][::-1]) if method == "spice" and by == "source" else {})
        if method == "spice" and by == "content": trained[seed] = model.encoders_
    row = dict(cpu_seconds=round(time.process_time() - start))
    for name,step in STEPS.items():
        labels = model.labels_ if step is None else getattr(model, "steps_", {}).get(step)
        s = {} if labels is None else score(table[wanted], labels)
        row |= {f"{m}{name}": round(s[m], 4) if s else "" for m in ("acc", "nmi", "ari")}
    return row | dict(nmi_other=round(score(table[other], model.labels_)["nmi"], 4), warned="; ".join(sorted({str(w.message) for w in warned if "kept" in str(w.message) or "depend" in str(w.message)})))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--methods", help="names of methods, separated by semicolons")
    p.add_argument("--by", default="content;source")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--passes", type=int, help="of DeepCluster; the default is its own")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"sets.csv")
    args = p.parse_args()
    names, methods = args.only.split(";") if args.only else [*SETS, WORDS], args.methods.split(";") if args.methods else METHODS
    if args.passes: methods = [f"deepcluster, {args.passes} passes"]
    with tempfile.TemporaryDirectory() as tmp:
        for name in names:
            table, trained = table_of(name, tmp), {}
            def one(variant, seed):
                _,by,method = variant.split(" / ")
                return dict(set=name, by=by, method=method, clips=len(table), seed=seed, **run(table, method, by, seed, trained))
            append(args.out, [(f"{name} / {by} / {m}", s) for m in methods for s in range(args.seeds) for by in args.by.split(";")], one)


if __name__ == "__main__": main()
