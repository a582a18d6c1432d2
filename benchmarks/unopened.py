"""Recordings that took no part in any choice, opened once, after all constants were frozen in constants.json.

    AUDIOCLUST_DATA=… python benchmarks/unopened.py [--only "SET;…"] [--methods "POINTS / METHOD;…"] [--seeds 5] [--limit 1000]

Each row of benchmarks/results/unopened.csv is one run at the defaults, scored afterwards; the groups themselves are lines of
unopened-labels.csv.gz, so that intervals over clips can be computed. Sets (see `known_sets.py`): names of pictures spoken in ten
languages, to be grouped by language (Tux Paint), and samples of musicians, to be grouped by kind (Sonic Pi). Beside them
stand all other sets of `known_sets.py` that lie in the folder. Methods are told the true number of groups, but for HDBSCAN. A method that does not depend
on the seed runs once. MFCCs are librosa's and left out where it is not installed, as are the peers UMAP and ClustPy (see
`quality.py`), and `auto` is the vote of the encoders that `audioclust encoders` lists, left out where none is installed.
`warned` says which step of a method was left out. A run that is there already is not made again.
Goal: how good are the methods on sounds that nobody looked at? Not a goal: to learn from these results. Whoever changes a
constant afterwards has to find other recordings.
"""
import argparse, json, tempfile, time, warnings
from importlib.util import find_spec
from pathlib import Path

from appended import append, keep_labels, keep_truth
from audioclust.audio.clip_table import common_sample_rate
from audioclust.core.registry import make_clusterer, set_flat_params
from audioclust.encoders.choice import available_encoders
from constants import constants, differences, FILE
from known_sets import find, KNOWN, load
from quality import first_part, group, OPTIONAL, points_of, scored

TRAINED = "deepcluster", "nf-spice", "deepcluster-published", "spice", "scan"
METHODS = {"mfcc": ("sklearn kmeans", "sklearn agglomerative", "umap, kmeans"), "fixed": ("kmeans", "consensus", "spectral", "agglomerative", "hdbscan", "umap, kmeans", "clustpy dec"),
           "untrained": ("consensus", "spectral"), "auto": ("kmeans", "consensus", "spectral"), "trained": TRAINED}
ONCE = {"sklearn agglomerative", "agglomerative", "hdbscan"}


def labels_of(table, points, method, by, k, seed, cache):
    "Groups of the clips, found without labels."
    clips = table[["path", "start", "end"]]
    if points != "trained":
        X = points_of(points, table, k, by, seed, cache=cache)
        return group(method, first_part(method, X, seed)[0] if method.startswith(tuple(OPTIONAL)) else X, k, seed)[0]
    model = set_flat_params(make_clusterer(method, k, seed), by=by, sample_rate=common_sample_rate(table.path))
    return model.fit(clips).labels_


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons; all that are there if left out")
    p.add_argument("--methods", help='such as "fixed / kmeans;trained / nf-spice"; all if left out')
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--limit", type=int, default=1000)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"unopened.csv")
    args = p.parse_args()
    if changed := differences(json.loads(FILE.read_text(encoding="utf-8")), constants()): p.error("constants differ from those that were frozen:\n" + "\n".join(changed))
    there = dict(mfcc=find_spec("librosa") is not None, auto=len(available_encoders()) > 2)
    methods = args.methods.split(";") if args.methods else [f"{points} / {m}" for points,ms in METHODS.items() if there.get(points, True) for m in ms if all(find_spec(o) for o in OPTIONAL if m.startswith(o))]
    tables = {}
    with tempfile.TemporaryDirectory() as cache:
        def run(variant, seed):
            name, by, points, method = variant.split(" / ")
            if name not in tables: tables[name] = load(name, limit=args.limit)
            table = tables[name]
            k, start = table["label" if by == "content" else "source"].nunique(), time.process_time()
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                labels = labels_of(table, points, method, by, k, seed, cache)
            keep_truth(args.out, f"{name} / {by} / truth", table["label" if by == "content" else "source"])
            keep_labels(args.out, variant, seed, labels)
            return {"set": name, "by": by, "points": points, "method": method, "seed": seed, "clips": len(table), "k": k, **scored(table, by, 1, labels), "cpu_seconds": round(time.process_time() - start),
                    "warned": "; ".join(sorted({str(w.message) for w in warned if "left out" in str(w.message)}))}
        names = args.only.split(";") if args.only else [n for n in KNOWN if find(n)]
        append(args.out, [(f"{n} / {by} / {m}", s) for s in range(args.seeds) for n in names for by in KNOWN[n][2] for m in methods if not (s and m.split(" / ")[1] in ONCE and not m.startswith("auto"))], run)


if __name__ == "__main__": main()
