"""How many groups? What `choose_k` says without labels about sounds whose truth is known, with several seeds.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/choose.py [--seeds 5] [--only WORD]
    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/choose.py --only "spoken digits"     what results/choose.csv has

Each row of benchmarks/results/choose.csv is one set and one seed: the number of classes, the choice, and what other
measures would have chosen. Without AUDIOCLUST_DATA the digits are left out. `n_groups.py` compares rules on many tasks, one draw each.
Goal: does the choice depend on the draw? Not a goal: a rule for these sets.
"""
import argparse, os, tempfile
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
from appended import append
from scipy.sparse.csgraph import laplacian
from sklearn.neighbors import kneighbors_graph
from audioclust.ensembles import choose_k
from audioclust.audio import fsdd, synthetic_sounds, synthetic_words
from audioclust.pipeline import AudioClusterer, Options
from made_sets import make


def sets(tmp):
    "Name, table, by, column of the truth."
    for n in 5, 10, 12:
        for name,how in dict(easy=dict(pitch=1., snr=(20., 40.)), middle=dict(pitch=2., snr=(5., 25.))).items():
            yield f"{n} synthetic families, {name}", synthetic_sounds(n, 40, **how).save(f"{tmp}/{n}{name}"), "content", "label"
    for words,voices in (6, 4), (8, 3), (4, 8), (10, 5):
        table = synthetic_words(words, voices, 12).save(f"{tmp}/{words}by{voices}")
        for by,truth in ("content", "label"), ("source", "voice"): yield f"{words} synthetic words by {voices} voices, by {by}", table, by, truth
    if os.environ.get("AUDIOCLUST_DATA"):
        for by,truth in ("content", "label"), ("source", "speaker"): yield f"spoken digits, by {by}", fsdd(download=False), by, truth
    for name in "birds", "machines":
        for by,truth in ("content", "label"), ("source", "source"): yield f"{name}, by {by}", make(name, f"{tmp}/{name}"), by, truth


def eigengap(X, seed, neighbours=10, most=40):
    "The number of eigenvalues of the Laplacian of a graph of neighbours before the largest gap, at least 2."
    X = X[np.sort(np.random.default_rng(seed).permutation(len(X))[:1000])] # those that `choose_k` looks at
    A = kneighbors_graph(X, neighbours)
    gaps = np.diff(np.linalg.eigvalsh(laplacian((A + A.T).toarray()/2, normed=True))[:most + 1])
    return int(gaps[1:].argmax()) + 2


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--only", default="", help="part of the names of the sets")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"choose.csv")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        points, every = {}, {name: rest for name,*rest in sets(tmp)}
        def one(name, seed):
            table, by, truth = every[name]
            if name not in points: points[name] = AudioClusterer(n_clusters=2, by=by, options=Options(stability=0)).fit(table[[c for c in ("path", "start", "end") if c in table]]).embeddings_
            c = choose_k(points[name], random_state=seed)
            at = c.curve.set_index("k")
            return dict(sounds=name, truth=table[truth].nunique(), chosen=c.k, stability=round(at.stability[c.k], 2), silhouette=int(at.silhouette.idxmax()), eigengap=eigengap(points[name], seed), seed=seed)
        append(args.out, [(name, seed) for seed in range(args.seeds) for name in every if args.only in name], one)


if __name__ == "__main__": main()
