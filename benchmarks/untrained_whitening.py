"""Is it the network or the whitening that makes a network with random weights useful?

    AUDIOCLUST_DATA=… python benchmarks/untrained_whitening.py [--only "SET;…"] [--seeds 3]

Each row of benchmarks/results/untrained-whitening.csv is one clustering of one set, for content or for source, with the true number of
groups, by K-means with 20 starts and by a consensus over 8 to 24 axes. A seed draws another network, other views and other
starts. The embedding of a clip is the mean over eight fixed views. In every row 32 axes are kept and rows have length 1; only
the scaling of the axes differs:

- none: principal axes, as long as they are
- all clips, 0.05 and 0.01: principal axes, scaled to the same spread, with that floor (a share of the largest variance)
- within clips: whitened by what varies among eight random views of a clip, at the defaults of `WithinWhiten`
- beside fixed: the last one and the whitened fixed encoder side by side, each with rows of length 1

The sets are those of quality.py; of the spoken digits 1,000 are drawn, as there. Rows are appended: a run that is there
already is not made again. (Fifteen minutes of a core.)
Goal: what each way of whitening is worth on points that nobody trained. Not a goal: the best floor.
"""
import argparse, tempfile, warnings
from pathlib import Path

import numpy as np

from appended import append
from audioclust.audio.clip_table import common_sample_rate
from audioclust.encoders import FixedEncoder
from audioclust.encoders.logmel_store import LogMelStore, TrimmedLogMel
from audioclust.encoders.networks import network_for
from audioclust.encoders.whitening import Whiten, WithinWhiten
from audioclust.ensembles import Consensus
from audioclust.kmeans import KMeans
from audioclust.metrics import score
from made_sets import SETS
from quality import DIGITS, WORDS, table_of

AXES, DIMS, MOST = 32, (8, 12, 16, 20, 24), 1000
WAYS = "none", "all clips, 0.05", "all clips, 0.01", "within clips", "beside fixed"


def unit(Z): return Z/np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-12)

def unscaled(X): # Embeddings [N, d]
    "The leading principal axes, as long as they are, rows of length 1."
    X = X - X.mean(0)
    return unit(X @ np.linalg.svd(X, full_matrices=False)[2][:AXES].T)

def untrained(store, rate, by, seed):
    "Embeddings [N, d] of a network with random weights, and eight random views of each clip [N, 8, d]."
    encoder = network_for(store.lengths, by, sample_rate=rate, seed=seed)
    encoder.calibrate(store, seed=seed)
    return encoder.embed_logmels(store), encoder.embed_logmels(store, views=8, seed=seed)

def whitened(X, views, fixed): # Embeddings, their views, and points of the fixed encoder
    "Name of each way → points with rows of length 1."
    within = WithinWhiten(AXES).fit(X, views=views).transform(X)
    return dict(zip(WAYS, (unscaled(X), Whiten(AXES, .05).fit_transform(X), Whiten(AXES, .01).fit_transform(X), within,
                           np.concatenate([unit(within), unit(fixed)], 1))))

def groups_of(Z, k, way, seed):
    "Method → labels."
    dims = None if way == "beside fixed" else DIMS # the columns of two encoders are not in one order
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(kmeans=KMeans(k, n_init=20, random_state=seed).fit_predict(Z), consensus=Consensus(k, dims=dims, l2=True, random_state=seed).fit_predict(Z))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"untrained-whitening.csv")
    args = p.parse_args()
    names = args.only.split(";") if args.only else [DIGITS, *SETS, WORDS]
    with tempfile.TemporaryDirectory() as tmp:
        stored, made = {}, {}
        def set_of(name):
            if name not in stored:
                table = table_of(name, tmp)
                if len(table) > MOST: table = table.sample(MOST, random_state=0).sort_index().reset_index(drop=True)
                rate = common_sample_rate(table.path)
                stored[name] = table, rate, LogMelStore.from_clips(table, TrimmedLogMel(rate))
            return stored[name]
        def found(name, by, seed):
            if (name, by, seed) not in made:
                made.clear()
                table, rate, store = set_of(name)
                k = table["label" if by == "content" else "source"].nunique()
                encoder = FixedEncoder(by, sample_rate=rate)
                fixed = encoder.whitening(len(table)).fit_transform(encoder.embed(table))
                points = whitened(*untrained(store, rate, by, seed), fixed)
                made[name, by, seed] = {way: groups_of(Z, k, way, seed) for way,Z in points.items()}
            return made[name, by, seed]
        def run(variant, seed):
            name, by, way, method = variant.split(" / ")
            table, (wanted, other) = set_of(name)[0], ("label", "source") if by == "content" else ("source", "label")
            labels = found(name, by, seed)[way][method]
            s = score(table[wanted], labels)
            return dict(set=name, by=by, whitening=way, method=method, seed=seed, clips=len(table), acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(table[other], labels)["nmi"], 4))
        append(args.out, [(f"{n} / {by} / {way} / {m}", s) for n in names for s in range(args.seeds) for by in ("content", "source") for way in WAYS for m in ("kmeans", "consensus")], run)


if __name__ == "__main__": main()
