"""The vote with and without yamnet, by every method that trains nothing, on speech, machines, animals, instruments and drums.

    AUDIOCLUST_DATA=… python benchmarks/voting_methods.py FOLDER points [--klettres FOLDER] [--espeak PROGRAM] [--rendered FOLDER]
    python benchmarks/voting_methods.py FOLDER [--seeds 5] [--only "SET;…"] [--auto]

`points` embeds what `voting_kinds.py` has not embedded into the same FOLDER: half of the easy families, half of the notes and drums
that `rendered.py` wrote, and the two collections of `unopened.py` (20 clips of each language), where AUDIOCLUST_DATA has them. On those two nothing was chosen; they are read
only while the constants are those of constants.json. Each row of benchmarks/results/voting-methods.csv is one clustering, scored
afterwards, with the defaults that the command gives the method. Methods are told the true number of groups, but for HDBSCAN, mean shift and DBSCAN, which take none.
`ears` says who may vote: the five others (`without` yamnet), all (`with`), or aisfx and yamnet beside the fixed encoder (`three`). The weights
are by the rule of the package, with the partitions of seed 0; so the seeds are those of the method alone, and methods without a seed run once.
`auto` is the method that `--method auto` takes (seed 0, with yamnet). `cpu_seconds` is what the clustering took (for `auto`, the choice as well), and `embedding_seconds` what the fixed
encoder and the ears with a weight took for these clips, where it was measured (one thread; the ears that are left out cost as much as well).
Goal: which vote and which method for which sounds, and at what cost. Not a goal: the choice of weights (`voting_kinds.py`), methods that train.
"""
import argparse, json, tempfile, time, warnings
from functools import cache
from pathlib import Path

import numpy as np

import voting_kinds as kinds
from appended import append
from audioclust.core.registry import make_clusterer
from audioclust.ensembles.method_choice import choose_method
from audioclust.pipeline.cluster_step import defaults_for
from constants import constants, differences, FILE
from known_sets import find, load
from made_sets import make
from rendered import rendered

COLLECTIONS = "Sonic Pi", "Tux Paint" # opened once for `unopened.py`; reported, never chosen on
OF_EACH_LANGUAGE = 20 # names of pictures
SETS = {
    "sounds, easy": lambda folder, args: kinds.every(make("sounds, easy", folder), 2),
    "notes": lambda folder, args: kinds.every(rendered("notes", args.rendered), 2),
    "drums": lambda folder, args: kinds.every(rendered("drums", args.rendered), 2),
    "Sonic Pi": lambda folder, args: load("Sonic Pi"),
    "Tux Paint": lambda folder, args: kinds.at_most(load("Tux Paint"), OF_EACH_LANGUAGE)}
WAYS = {"Tux Paint": ("source",), **{name: ("content",) for name in ("notes", "drums", "Sonic Pi")}, **{name: ("source",) for name in kinds.ONLY_SOURCE}}
EARS = {"without": ("yamnet",), "with": (), "three": ("speech_embedding", "resemblyzer", "musicnn")} # who may not vote
SHORT = "notes", "drums", "Sonic Pi" # what people own, for which three ears are reported as well
SEEDED, UNSEEDED = ("kmeans", "consensus", "spectral"), ("agglomerative", "hdbscan", "meanshift", "dbscan")
OUT = kinds.RESULTS/"voting-methods.csv"


def write_points(args):
    "Whitened embeddings of each set that has none yet, both answers, and the seconds that each encoder took."
    with tempfile.TemporaryDirectory() as tmp:
        for name,table_of in SETS.items():
            file = kinds.file_of(args.folder, name)
            if file.is_file() or args.only and name not in args.only.split(";") or name in COLLECTIONS and not find(name): continue
            table, Z = table_of(Path(tmp)/name, args), {}
            for e in ("fixed content", "fixed source", *kinds.EARS):
                start = time.process_time()
                Z[e] = kinds.points(table, *(e.split() if e.startswith("fixed") else (e, "content")), None)
                Z[f"seconds {e}"] = time.process_time() - start
            args.folder.mkdir(parents=True, exist_ok=True)
            np.savez(file, label=np.array(table.label, dtype=str), source=np.array(table.source, dtype=str), **Z)
            print(name, len(table), {e: round(float(s), 1) for e,s in Z.items() if e.startswith("seconds")}, flush=True)

@cache
def task_of(folder, name, by, ears):
    "A task and the weights of its vote."
    t = kinds.Task(folder, name, by, 0, EARS[ears])
    return t, kinds.corrected(t)

@cache
def grouped(folder, name, by, weights, method, seed): # Weights: pairs of an encoder and a number
    "Labels, and the seconds of the processor that they took."
    t, _ = task_of(folder, name, by, "with")
    X, start = t.side_by_side(dict(weights), by), time.process_time()
    if method == "auto":
        choice = choose_method(X, t.k, seed)
        chose = time.process_time() - start
        labels, seconds, _ = grouped(folder, name, by, weights, choice.method, seed)
        return labels, chose + seconds, choice.method
    labels = make_clusterer(method, t.k, seed, **defaults_for(method, len(X), {})).fit(X).labels_
    return labels, time.process_time() - start, method

def row_of(folder, variant, seed):
    name, by, ears, method = variant.split(" / ")
    t, weights = task_of(folder, name, by, ears)
    labels, seconds, chosen = grouped(folder, name, by, tuple(weights.items()), method, seed)
    embedding = [t.Z.get(f"seconds {e}{f' {by}' if e == 'fixed' else ''}", np.nan) for e in weights]
    row = kinds.row(t, name, labels, weights)
    row["seed"] = seed # that of the method; the weights have seed 0
    if name in SETS: row["half"] = "" # of the halves on which the rule of the vote was chosen and judged
    return dict(ears=ears, method=method, **row, found=len(set(labels[labels >= 0])), coverage=round(float((labels >= 0).mean()), 4),
                chosen=chosen if method == "auto" else "", cpu_seconds=round(seconds, 2), embedding_seconds="" if np.isnan(sum(embedding)) else round(float(sum(embedding)), 1))

def variants(args):
    "What is to be run, the first seed of all first, and `auto` last."
    names = args.only.split(";") if args.only else [*kinds.SETS, *SETS]
    there = [name for name in names if kinds.file_of(args.folder, name).is_file()]
    if set(there) & set(COLLECTIONS) and (changed := differences(json.loads(FILE.read_text(encoding="utf-8")), constants())): raise SystemExit("constants differ from those that were frozen:\n" + "\n".join(changed))
    tasks = [f"{name} / {by} / {ears}" for name in there for by in WAYS.get(name, kinds.BOTH) for ears in (EARS if name in SHORT else ("without", "with"))]
    for seed in range(args.seeds):
        yield from ((f"{task} / {method}", seed) for task in tasks for method in (SEEDED if seed else SEEDED + UNSEEDED))
    if args.auto: yield from ((f"{task} / auto", 0) for task in tasks if task.endswith(" / with"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("what", nargs="?", choices=("points", "methods"), default="methods")
    p.add_argument("--klettres", help="folder with a folder for each language (default: where the package is installed)")
    p.add_argument("--espeak", default="espeak-ng", help="the program espeak-ng")
    p.add_argument("--rendered", type=Path, help="folder into which rendered.py wrote")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--auto", action="store_true", help="`--method auto` as well, which takes as long as all others together")
    p.add_argument("--out", type=Path, default=OUT)
    args = p.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if args.what == "points": return write_points(args)
        append(args.out, list(variants(args)), lambda variant, seed: row_of(args.folder, variant, seed))


if __name__ == "__main__": main()
