"""Which of several encoders and methods is best, and does anything tell so without labels?

    [AUDIOCLUST_DATA=/where/fsdd/lies] python benchmarks/candidates.py [--only "NAME;…"] [--encoders "NAME;…"]

Each row of benchmarks/results/candidates.csv is one candidate (an encoder and a method) on one set of sounds, grouped by
content or by source with the true number of groups, with what can be known of it without labels (stability of parts,
stability of seeds, prediction strength, silhouette, adjusted Rand index of the clusters of clips before and after the sound is
changed in what must not matter, agreement with the candidates of other encoders, and what it shares with the grouping by
the other way that the fixed encoder gives) and, to judge these by, its scores. Without AUDIOCLUST_DATA the digits are left out.
Goal: which of these would have picked a good candidate? Not a goal: the best candidate for each set.
"""
import argparse, csv, os, tempfile, time, warnings
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import soundfile as sf
from scipy import signal
from sklearn.metrics import silhouette_score

from appended import commit
from audioclust.audio import load_audio
from audioclust.audio import fsdd, synthetic_words
from audioclust.encoders.pretrained.sound_effects import EffectsEncoder
from audioclust.encoders import FixedEncoder
from audioclust.encoders.base import what_to_ignore
from audioclust.metrics import ami, ari, score
from audioclust.core.estimator import to_numpy
from audioclust.core.registry import make_clusterer
from audioclust.pipeline import AudioClusterer, Options
from audioclust.ensembles.resampling import cluster_subsamples, mean_ari
from made_sets import SETS, make

RATE = 16000


def sets(tmp):
    "Name → function that gives a table with columns path, start, end, label, source."
    made = {name: lambda name=name: make(name, tmp) for name in SETS}
    made["words"] = lambda: synthetic_words(8, 5, 12).save(f"{tmp}/words").rename(columns={"voice": "source"})
    if os.environ.get("AUDIOCLUST_DATA"): made["digits"] = lambda: fsdd(download=False).rename(columns={"speaker": "source"}).sample(1200, random_state=0).reset_index(drop=True)
    return made


def encoders(by):
    "Name → arguments of `AudioClusterer`."
    other = 30 if by == "content" else 13
    fixed = lambda **how: dict(encoder=FixedEncoder(by, sample_rate=RATE, **how))
    return {"fixed": fixed(), f"fixed, {other} cepstra": fixed(n_cepstra=other), "fixed, all bands": fixed(n_cepstra=60), "untrained": dict(encoder="untrained"),
            "untrained, seed 1": dict(encoder="untrained", random_state=1), "aisfx": dict(encoder="aisfx")}

METHODS = "kmeans", "consensus", "agglomerative"


def weakest_cluster(labels, predicted):
    "The least share, over the clusters of `labels`, of pairs that are together in `predicted`, too."
    labels, predicted = np.asarray(to_numpy(labels)), np.asarray(to_numpy(predicted))
    shares = []
    for c in np.unique(labels[labels >= 0]):
        size = (labels == c).sum()
        if size < 2: continue
        n = np.unique(predicted[(labels == c) & (predicted >= 0)], return_counts=True)[1].astype(float)
        shares.append((n*(n - 1)).sum()/(size*(size - 1)))
    return min(shares, default=0.)


def prediction_strength(make, X, n=5, most=2000, random_state=0):
    "The share of pairs of one half's weakest cluster that the other half's clusterer puts together (Tibshirani and Walther 2005)."
    X = np.asarray(to_numpy(X))
    rng = np.random.default_rng(random_state)
    strengths = []
    for _ in range(n):
        rows = rng.permutation(len(X))[:most]
        halves = [X[rows[:len(rows)//2]], X[rows[len(rows)//2:]]]
        first, second = (make(int(rng.integers(2**31 - 1))).fit(half) for half in halves)
        strengths.append(weakest_cluster(second.labels_, first.predict(halves[1])))
        strengths.append(weakest_cluster(first.labels_, second.predict(halves[0])))
    return float(np.mean(strengths))


def changed(wave, ignore, rng):
    "A waveform that differs in what must not matter."
    if "order" in ignore:
        n = int(len(wave)*rng.uniform(.5, .8))
        at = int(rng.integers(len(wave) - n + 1))
        wave = wave[at:at + n]
    if "pitch" in ignore: wave = signal.resample(wave, max(64, int(len(wave)*2**(rng.uniform(-1.5, 1.5)/12))))
    if "room" in ignore:
        b = signal.firwin2(65, [0, .05, .2, .5, 1], 10**(rng.uniform(-6, 6, 5)/20))
        wave = signal.lfilter(b, 1, wave)
    if "noise" in ignore: wave = wave + rng.standard_normal(len(wave))*wave.std()*10**(-rng.uniform(15, 30)/20)
    return wave*(10**(rng.uniform(-6, 6)/20) if "level" in ignore else 1)


def changed_clips(table, ignore, folder):
    rng, rows = np.random.default_rng(0), []
    folder.mkdir(parents=True, exist_ok=True)
    for i,(p,s,e) in enumerate(zip(table.path, table.start, table.end)):
        wave, _ = load_audio(p, RATE, s, e)
        x = changed(wave.numpy().astype(float), ignore, rng)
        sf.write(folder/f"{i:05d}.wav", (x/max(1e-9, np.abs(x).max())*.5 if "level" in ignore else x).astype(np.float32), RATE, subtype="FLOAT")
        rows.append((folder/f"{i:05d}.wav", 0., len(x)/RATE))
    return table[["path"]].assign(path=[r[0] for r in rows], start=0., end=[r[2] for r in rows])


def study(name, table, by, names, tmp):
    "Rows of all candidates on one set."
    wanted, nuisance = ("label", "source") if by == "content" else ("source", "label")
    k, clips, views = table[wanted].nunique(), table[["path", "start", "end"]], None
    views = changed_clips(clips, what_to_ignore(by), Path(tmp)/f"changed-{name}-{by}".replace(", ", "-"))
    rows, found = [], []
    reverse = AudioClusterer("consensus", k, "source" if by == "content" else "content", options=Options(sample_rate=RATE, stability=0)).fit(clips).labels_
    for e,how in encoders(by).items():
        if e not in names: continue
        start = time.perf_counter()
        model = AudioClusterer(**{**dict(n_clusters=k, by=by, options=Options(sample_rate=RATE, stability=0)), **how}).fit(clips)
        X, V = model.embeddings_, model.whitening_.transform(model.encoder_.embed(views))
        spent = time.perf_counter() - start
        for m in METHODS:
            quick = dict(n_init=3) if m == "kmeans" else dict(n_members=8) if m == "consensus" else {}
            part = lambda seed, k=k: make_clusterer(m, k, seed, **quick)
            c = make_clusterer(m, k, 0, **(dict(n_init=20) if m == "kmeans" else {})).fit(X)
            s = score(table[wanted], c.labels_)
            found.append(np.asarray(c.labels_))
            rows.append(dict(set=name, by=by, encoder=e, method=m, clips=len(table), acc=s["acc"], nmi=s["nmi"], nmi_other=score(table[nuisance], c.labels_)["nmi"],
                parts=mean_ari(cluster_subsamples(part, X, 10)[1]), seeds=mean_ari(np.stack([np.asarray(part(seed).fit(X).labels_) for seed in range(5)])), strength=prediction_strength(part, X),
                silhouette=float(silhouette_score(X, c.labels_)), shared=ami(reverse, c.labels_), changed=ari(c.labels_, np.asarray(c.predict(V))), seconds=spent))
    for i,r in enumerate(rows): r["agreement"] = float(np.mean([ami(found[i], found[j]) for j in range(len(rows)) if j != i and rows[j]["encoder"] != r["encoder"]]))
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--encoders", help="names of encoders, separated by semicolons (default: all; aisfx only where its package is installed)")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"candidates.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as tmp:
        every = sets(tmp)
        done = {(r["set"], r["by"]) for r in csv.DictReader(open(args.out, newline=""))} if args.out.is_file() else set()
        for name in args.only.split(";") if args.only else every:
            table = None
            for by in "content", "source":
                if (name, by) in done: continue
                table = every[name]() if table is None else table
                names = args.encoders.split(";") if args.encoders else [e for e in encoders(by) if e != "aisfx" or EffectsEncoder.is_installed()]
                rows = [{**{k: round(v, 4) if isinstance(v, float) else v for k,v in r.items()}, "commit": commit()} for r in study(name, table, by, names, tmp)]
                new = not args.out.is_file()
                with open(args.out, "a", newline="") as f:
                    w = csv.DictWriter(f, rows[0])
                    if new: w.writeheader()
                    w.writerows(rows)
                print(name, by, max(r["nmi"] for r in rows), flush=True)


if __name__ == "__main__": main()
