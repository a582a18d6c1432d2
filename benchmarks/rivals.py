"""Does a rival say that K-means may give other groups if the files are renamed, so that they sort in another order?

    python benchmarks/rivals.py

Each row of benchmarks/results/rivals.csv is one grouping of synthetic words: the rival that K-means names (the adjusted Rand
index of both groupings; nothing where there is none), and the mean index of its groups and those of four other orders of the
rows. The limits of a rival were chosen on the seeds 0 to 2 ("choose"), and are judged on 3 to 5 ("report").
Goal: no rival where the groups stay the same. Not a goal: a rival wherever they do not.
"""
import tempfile
from pathlib import Path

import numpy as np

from appended import append
from audioclust.audio import synthetic_words
from audioclust.encoders import FixedEncoder
from audioclust.kmeans import KMeans
from audioclust.kmeans.initialization import restarts
from audioclust.metrics import ari


def grouped(X, k): return KMeans(k, n_init=restarts(len(X)), random_state=0).fit(X)


def in_other_orders(X, k, labels):
    "Mean agreement of the groups with those of the rows in four other orders."
    orders = [np.random.default_rng(seed).permutation(len(X)) for seed in range(4)]
    return np.mean([ari(labels[order], grouped(X[order], k).labels_) for order in orders])


VARIANTS = {f"{words} words by {voices} voices, by {by}, {k} groups": (words, voices, takes, by, k)
            for words, voices, takes in ((6, 4, 8), (3, 2, 8), (10, 6, 4)) for by in ("content", "source")
            for k in sorted({words, voices, 10})}


def run(name, seed):
    words, voices, takes, by, k = VARIANTS[name]
    with tempfile.TemporaryDirectory() as folder:
        rows = FixedEncoder(by).embed(synthetic_words(words, voices, takes, random_state=seed).save(folder))
    X = FixedEncoder(by).whitening(len(rows)).fit_transform(rows)
    model = grouped(X, k)
    return dict(seed=seed, half="choose" if seed < 3 else "report", rival=model.rival_,
                other_orders=round(in_other_orders(X, k, model.labels_), 4))


if __name__ == "__main__":
    todo = [(name, seed) for seed in range(6) for name in VARIANTS]
    append(Path(__file__).parent/"results"/"rivals.csv", todo, run)
