"""Methods of others that look for two groupings at once, on the points that K-means clusters, on seven sets, both ways.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/alternative.py [--only "SET;…"] [--methods "NAME;…"] [--points "fixed;both"] [--seeds 5] [--data FOLDER]

They are ClustPy's: orthogonal clustering (Cui, Fern and Dy, 2007), NrKmeans (Mautz et al., 2018) and ENRC (Miklautz et al.,
2020), which trains an autoencoder (`pip install clustpy==0.0.3`). Each is told both numbers of groups, that of the wanted grouping first, and
its first grouping is scored. Points are the whitened embeddings of the fixed encoder for the wanted grouping (`fixed`), or those for both
groupings side by side (`both`), since these methods expect points that hold both. ClustPy's defaults, with the epochs
of quality.py. Each row of benchmarks/results/alternative.csv is one run, in the columns of quality.csv. Rows are appended: a run that is there already is not made again.
Goal: what do methods reach that were made for two groupings? Not a goal: their best settings.
"""
import argparse, io, tempfile, time, warnings
from contextlib import redirect_stderr
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from appended import append
from made_sets import SETS
from quality import DIGITS, WORDS, downloaded, epochs_of, points_of, scored, table_of, ways_of

METHODS = "orth", "nrkmeans", "enrc"


def labels_of(method, X, k, seed): # Two numbers of groups, that of the wanted grouping first
    "The first of two groupings."
    from clustpy.alternative import NrKmeans, OrthogonalClustering
    from clustpy.deep import ENRC
    if method == "orth": return OrthogonalClustering(k, random_state=seed).fit(X).labels_[:, 0]
    if method == "nrkmeans": return NrKmeans(k, random_state=seed).fit(X).labels_[:, 0]
    before, after = epochs_of(len(X))
    return ENRC(list(k), pretrain_epochs=before, clustering_epochs=after, device="cpu", random_state=seed).fit(X).labels_[:, 0]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--methods", default=";".join(METHODS))
    p.add_argument("--points", default="fixed;both")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--data", help="folder above the sets that were downloaded, those with two groupings; AUDIOCLUST_DATA if left out")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"alternative.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    if not find_spec("clustpy"): return print("ClustPy is not installed (pip install clustpy==0.0.3): methods for two groupings are left out")
    names = [name for name in (args.only.split(";") if args.only else [*SETS, WORDS, DIGITS, *downloaded(args.data)]) if len(ways_of(name)) == 2]
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table(name): return table_of(name, tmp, args.data)
        @cache
        def embeddings(name, by): return points_of("fixed", table(name), 2, by, 0).embeddings_
        def one(variant, seed):
            name, by, points, method = variant.split(" / ")
            wanted, other = ("label", "source") if by == "content" else ("source", "label")
            X = embeddings(name, by)
            if points == "both": X = np.hstack([X, embeddings(name, "source" if by == "content" else "content")])
            k, start = [table(name)[c].nunique() for c in (wanted, other)], time.process_time()
            with redirect_stderr(io.StringIO()): labels = labels_of(method, X.astype(np.float32), k, seed)
            return dict(set=name, by=by, points=points, method=f"clustpy {method}", seed=seed, clips=len(X), k=k[0], **scored(table(name), by, 2, labels), cpu_seconds=round(time.process_time() - start))
        append(args.out, [(f"{name} / {by} / {points} / {m}", s) for m in args.methods.split(";") for s in range(args.seeds) for points in args.points.split(";") for name in names for by in ("content", "source")], one)


if __name__ == "__main__": main()
