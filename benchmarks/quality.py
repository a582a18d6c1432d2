"""One protocol for everything that trains nothing: each set × way × points × method × seed is one run, and one row.

    AUDIOCLUST_DATA=… python benchmarks/quality.py [--data FOLDER] [--only "SET;…"] [--points "NAME;…"] [--methods "NAME;…"] [--by content] [--seeds 5] [--limit 3000] [--timed]
    AUDIOCLUST_DATA=… python benchmarks/quality.py --harder
    AUDIOCLUST_DATA=… python benchmarks/quality.py --timed --seeds 1 --only "spoken digits" --points "fixed;mfcc;auto"
    AUDIOCLUST_DATA=… python benchmarks/quality.py --points "auto;auto, order ignored;auto, noise kept" --out benchmarks/results/quality-vote.csv
    AUDIOCLUST_DATA=… python benchmarks/quality.py --harder --points auto --seeds 3 --out benchmarks/results/quality-harder-vote.csv

Each row of benchmarks/results/quality.csv is scored afterwards, against the grouping that was wanted (acc, nmi, ari,
ami) and against the other one (nmi_other). Of a source the clips count where it has at least five, and so many sources are asked for. Points are our fixed encoder's (by content also with `order` ignored as
well, or `noise` and `room` kept), those of a vote (`auto`: only where the encoders of `audioclust encoders` are installed, and with
the same two lists, which its fixed encoder follows; also without yamnet), those of each of its encoders alone, those of our small network with weights by chance (new ones with each seed), these and the fixed encoder's side by side, or
what one would take without us: mean and standard deviation over time of 20 MFCCs of librosa at its defaults,
standardised. Methods that are not told the number of groups are left alone with it; those with `number chosen` behind a
comma choose it without labels; all others are told the true one.
A method that does not depend on the seed, on points that do not, runs once. `megabytes` is the most resident memory
of the process while it clusters, with Python, torch and the points in it (on Linux; else blank). With --timed all
is done in one thread, and rows go to results/quality-cost.csv with `seconds` on the clock (clustering alone: these need a
quiet machine), `cpu_seconds` of the process (which mean something on a busy one as well), and `points_cpu_seconds`, what
it took to make the points. Sets: FSDD, what `made_sets.py` and `synthetic_words` render, and whatever of `known_sets.py`
lies in the folder. A run that is there already is not made again.
Peers that are no dependency are left out where they are not installed: UMAP (`pip install umap-learn`), and DEC, IDEC
and DCN of ClustPy (`pip install clustpy`, which compiles C). Those three have ClustPy's defaults: a feed-forward
autoencoder d-500-500-2000-10, 100 epochs of pretraining and 150 of clustering in batches of 256, and its `labels_`.
The three go on from one pretrained autoencoder for each seed. Sets of more than 1,000 clips get as many steps as 1,000
would have: 33 and 50 epochs on the spoken digits; all epochs with --timed.
With --harder K-means, consensus and spectral on the fixed encoder's points, or those of --points, get the spoken digits with one thing changed (HARDER),
and rows go to results/quality-harder.csv: fewer clips, drawn anew for each seed; noise of a colour of its own in each
clip, new for each seed; groups of which the largest keeps all its clips and the smallest a tenth, in an order that each
seed draws; half or twice as many groups as there are. All clips and the true number are rows of quality.csv.
With --draws 5 each generator of rendered sounds makes five sets, and K-means, consensus and spectral group each of them.
Goal: how good is what one gets at the defaults, and by what does it group? Not a goal: each method at its best.
"""
import argparse, io, tempfile, time, warnings
from contextlib import redirect_stderr
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

import numpy as np
import sklearn
import soundfile as sf
import torch
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import audioclust
from appended import append
from audioclust.audio import fsdd, load_audio, synthetic_words
from audioclust.encoders.choice import available_encoders
from audioclust.encoders.residual import IdentityWhitening
from audioclust.metrics import score
from audioclust.pipeline import AudioClusterer, cluster, Options, Request, run_of_embeddings
from known_sets import CHOOSING, KNOWN, REPORTING, find, is_scored, load
from made_sets import SETS, make

OURS = ("kmeans", "consensus", "spectral", "auto", "agglomerative", "dbscan", "hdbscan", "meanshift")
PEERS = ("sklearn kmeans", "sklearn agglomerative", "sklearn spectral", "umap, kmeans", "umap, hdbscan")
CLUSTPY = ("clustpy dec", "clustpy idec", "clustpy dcn")
OPTIONAL = {"umap": "umap-learn", "clustpy": "clustpy"}  # what a method's name begins with is what is imported
# other things left aside than by default: what comes when, as well; and what is there all the time, not
IGNORE = {f"{points}, {text}": ignored for points in ("fixed", "auto") for text,ignored in (("order ignored", "order,pitch,level,noise,room"), ("noise kept", "pitch,level"))}
WITHOUT, UNTRAINED, EARS, MAIN = "auto, without yamnet", "auto, nothing installed", ("speech_embedding", "resemblyzer", "aisfx", "musicnn", "yamnet"), ("kmeans", "consensus", "spectral") # a vote, and each encoder alone
SIDE_BY_SIDE, CHOSEN = "fixed and untrained", {f"{m}, number chosen": m for m in ("kmeans", "consensus", "spectral")}
RUNS = {"fixed": (*OURS, *CHOSEN, "sklearn spectral", "umap, kmeans", "umap, hdbscan", *CLUSTPY), "mfcc": (*PEERS, *MAIN), "untrained": OURS, SIDE_BY_SIDE: ("consensus",), "auto": OURS, WITHOUT: OURS, UNTRAINED: MAIN, **{ear: MAIN for ear in EARS}} | {p: ("kmeans", "consensus", "spectral", "umap, kmeans") if p.startswith("fixed,") else ("kmeans", "spectral") for p in IGNORE}
ONCE = {"agglomerative", "dbscan", "hdbscan", "meanshift", "sklearn agglomerative"}
HARDER = {"an eighth of the clips": dict(share=1/8), "a quarter of the clips": dict(share=1/4), "half of the clips": dict(share=1/2), "noise at 20 dB": dict(snr=20), "noise at 10 dB": dict(snr=10), "noise at 0 dB": dict(snr=0),
          "unequal groups": dict(smallest=.1), "half as many groups": dict(times=.5), "twice as many groups": dict(times=2)}
DIGITS, WORDS, DRAW = "spoken digits", "words", "draw "
VERSIONS = f"torch {torch.__version__.split('+')[0]}, scikit-learn {sklearn.__version__}, audioclust {audioclust.__version__}"


def table_of(name, folder, data=None, limit=3000, draw=0):
    "The clips of a set, with columns path, start, end, label, source."
    if name == DIGITS: return fsdd(Path(data)/"fsdd" if data else None, download=False).rename(columns={"speaker": "source"})
    if name == WORDS: return synthetic_words(10, 4, 10, random_state=draw).save(Path(folder)/WORDS).rename(columns={"voice": "source"}).sample(frac=1, random_state=0).reset_index(drop=True)
    return make(name, folder, draw) if name in SETS else load(name, data, limit, draw)

def ways_of(name):
    "The groupings of a set, or of a draw of it, that have a right answer."
    return KNOWN.get(name.partition(": ")[0], (0, 0, ("content", "source")))[2]

def with_encoders(points):
    "Those points that can be made here: a vote needs encoders that others trained, and MFCCs librosa."
    for name,there,package in (*((name, len(available_encoders()) > 2, "encoders: audioclust encoders --install") for name in ("auto", WITHOUT, *EARS)), ("mfcc", find_spec("librosa") is not None, "librosa: pip install librosa")):
        if name in points and not there:
            print(f"{name} is left out, since it needs {package}")
            points = [p for p in points if p != name]
    return points

def downloaded(data): # Folder; None is AUDIOCLUST_DATA
    "Names of the published sets that lie in a folder; those to report on are opened once, by their names."
    return [name for name in KNOWN if name not in REPORTING and find(name, data)]

def noisy(table, snr, seed, folder): # Decibels; each clip by itself
    "The same clips under noise, written to a folder."
    rows = []
    for i,(p,start,end) in enumerate(zip(table.path, table.start, table.end)):
        rng, rate = np.random.default_rng([seed, i]), sf.info(p).samplerate
        x = load_audio(p, None, start, end)[0].numpy()
        noise = np.fft.rfft(rng.standard_normal(len(x)))
        noise = np.fft.irfft(noise/np.maximum(np.fft.rfftfreq(len(x), 1/rate), 50)**(rng.uniform(0, 2)/2), len(x))  # from white to that of a waterfall
        y = x + noise/noise.std()*x.std()*10**(-snr/20)
        rows.append((Path(folder)/f"{i:05d}.wav", 0., len(x)/rate))
        sf.write(rows[-1][0], (y/np.abs(y).max()*.9).astype(np.float32), rate, subtype="PCM_16")
    return table.assign(**dict(zip(("path", "start", "end"), zip(*rows))))

def harder(table, by, seed, folder, share=1., smallest=1., snr=None, times=1): # Values of HARDER; `times` changes no clip
    "The clips with one thing changed; what is drawn is drawn by the seed."
    if snr is not None: return noisy(table, snr, seed, folder)
    rng, group = np.random.default_rng(seed), table["label" if by == "content" else "source"]
    names = rng.permutation(sorted(set(group)))
    keep = [rng.permutation(np.flatnonzero(group == g))[:round((group == g).sum()*smallest**(i/(len(names) - 1)))] for i,g in enumerate(names)]
    keep = np.concatenate(keep) if smallest < 1 else rng.permutation(len(table))[:round(len(table)*share)]
    return table.iloc[np.sort(keep)].reset_index(drop=True)

def mfcc(table, n=20): # Shape (clips, 2n), standardised
    "What one would take without us."
    import librosa
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clips that are shorter than a frame
        for p,start,end in zip(table.path, table.start, table.end):
            y, sr = librosa.load(p, offset=start, duration=end - start)
            m = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=n)
            rows.append(np.r_[m.mean(1), m.std(1)])
    return StandardScaler().fit_transform(np.stack(rows))

def _umap(X, seed):
    from umap import UMAP  # as its documentation has it for clustering
    return UMAP(n_neighbors=30, min_dist=0., n_components=2, random_state=seed, n_jobs=1).fit_transform(X)

ENOUGH = 1000 # clips; of more, each is seen less often

def epochs_of(n): # Clips
    "ClustPy's epochs of pretraining and of clustering, fewer of each for many clips."
    return tuple(round(e*min(1, ENOUGH/n)) for e in (100, 150))

def pretrained(X, seed):
    "The autoencoder that ClustPy's methods begin with, as they would train it."
    from clustpy.deep._utils import set_torch_seed
    from clustpy.deep.neural_networks import FeedforwardAutoencoder
    set_torch_seed(seed)
    with redirect_stderr(io.StringIO()): return FeedforwardAutoencoder([X.shape[1], 500, 500, 2000, 10], random_state=seed).fit(n_epochs=epochs_of(len(X))[0], optimizer_params=dict(lr=1e-3), batch_size=256, data=X)

def deep(method, X, network, k, seed): # One of CLUSTPY, and what `pretrained` made
    "Labels of clips by ClustPy, on a copy of the network."
    import clustpy.deep
    with redirect_stderr(io.StringIO()): return getattr(clustpy.deep, method.split()[1].upper())(k, clustering_epochs=epochs_of(len(X))[1], neural_network=network, device="cpu", random_state=seed).fit(X).labels_

def peer(method, X, k, seed): # One of PEERS; X is a map by UMAP where the method begins with it, points and a network for CLUSTPY
    "Labels of clips by what others use."
    if method in CLUSTPY: return deep(method, *X, k, seed)
    if method == "umap, hdbscan": return HDBSCAN(min_cluster_size=max(5, len(X)//100), copy=True).fit_predict(X)
    if method in ("sklearn kmeans", "umap, kmeans"): return KMeans(k, n_init=10, random_state=seed).fit_predict(X)
    if method == "sklearn agglomerative": return AgglomerativeClustering(k).fit_predict(X)
    return SpectralClustering(k, affinity="nearest_neighbors", assign_labels="kmeans", random_state=seed).fit_predict(X)

def unit_rows(X): return X/np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)

def points_of(points, table, k, by, seed, device=None, cache=None):
    "What is clustered: a fitted `AudioClusterer`, or an array."
    if points == "mfcc": return AudioClusterer.of(run_of_embeddings(mfcc(table), request=Request(n_clusters=k, options=Options(stability=0)), whitening=IdentityWhitening()))
    if points == SIDE_BY_SIDE:
        X = np.hstack([unit_rows(points_of(p, table, k, by, seed, device, cache).embeddings_) for p in ("fixed", "untrained")])
        return AudioClusterer.of(run_of_embeddings(X, request=Request(n_clusters=k, options=Options(stability=0)), whitening=IdentityWhitening()))
    hidden = {WITHOUT: {"yamnet"}, UNTRAINED: set(EARS)}.get(points, set())
    with patch("audioclust.encoders.choice.available_encoders", lambda: [e for e in available_encoders() if e not in hidden]):
        return AudioClusterer("kmeans", k, by, IGNORE.get(points), encoder=points.partition(",")[0], random_state=seed, options=Options(stability=0, device=device, num_workers=0, cache=cache)).fit(table[["path", "start", "end"]])

def group(method, points, k, seed): # Points may be an `AudioClusterer`
    "Labels, and the seconds that they took."
    start = time.perf_counter()
    if method in (*PEERS, *CLUSTPY): return peer(method, getattr(points, "embeddings_", points), k, seed), time.perf_counter() - start
    run = points.run_
    asked = replace(run.request, method=CHOSEN.get(method, method), n_clusters="auto" if method in CHOSEN else k, random_state=seed)
    return cluster(run.clips, run.embeddings, asked).labels, time.perf_counter() - start

def _peak(start=False):
    "The most resident memory in MB since `start`; None where the system does not say (it is Linux that does)."
    try:
        if start: return Path("/proc/self/clear_refs").write_text("5")
        return next(int(l.split()[1])/1024 for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
    except OSError: return None

def measured(work): # A function of nothing that returns a result and seconds
    "The result, the seconds, those of the processor, and the peak of memory in MB, None if unknown."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known, start = _peak(start=True) is not None, time.process_time()
        return (*work(), time.process_time() - start, _peak() if known else None)

def first_part(method, points, seed): # What is the same for all methods of one name
    "The map by UMAP, or the points and ClustPy's autoencoder, and the seconds that it took."
    X, start = getattr(points, "embeddings_", points), time.perf_counter()
    return _umap(X, seed) if method.startswith("umap") else (X, pretrained(X, seed)), time.perf_counter() - start

def scored(table, by, ways, labels):
    "The part of a row that says how good."
    wanted, other = ("label", "source") if by == "content" else ("source", "label")
    counts, counts_other = is_scored(table, by), is_scored(table, "content" if by == "source" else "source")
    labels = np.asarray(labels)
    s = score(table[wanted][counts], labels[counts])
    row = {m: round(s[m], 4) for m in ("acc", "nmi", "ari", "ami")}
    return row | dict(nmi_other=round(score(table[other][counts_other], labels[counts_other])["nmi"], 4) if table.source.nunique() > 1 and (ways > 1 or table.groupby("source").label.nunique().mean() > 1.5) else "", clusters=s["n_clusters"], coverage=round(s["coverage"], 4))

def groups_of(table, by): # Those that are scored
    "The true number of groups."
    return table["label" if by == "content" else "source"][is_scored(table, by)].nunique()

def todo_of(names, points, methods, seeds, ways): # What is to be run
    "(variant, seed) pairs, in an order in which points are made once."
    return [(f"{n} / {by} / {p} / {m}", s) for p in points for n in names for by in ways(n) if by == "content" or p not in IGNORE for s in range(seeds) for m in RUNS[p]
            if (not methods or m in methods) and not (s and m in ONCE and not p.startswith(("untrained", "auto", SIDE_BY_SIDE)))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="folder above the sets that were downloaded; AUDIOCLUST_DATA if left out")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--points", help="names, separated by semicolons; all but the votes if left out")
    p.add_argument("--methods", help="names of methods, separated by semicolons")
    p.add_argument("--by", choices=("content", "source"), help="both if left out")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--limit", type=int, default=3000, help="clips of a downloaded set at most; of any, for untrained, a third of it")
    p.add_argument("--cache", help="folder for embeddings, to use again; a temporary one if left out")
    p.add_argument("--timed", action="store_true", help="one thread, with seconds, into another table")
    p.add_argument("--harder", action="store_true", help="the digits with one thing changed, into another table")
    p.add_argument("--draws", type=int, help="so many draws of each rendered set, for three methods; give --points and --out")
    p.add_argument("--out", type=Path, help="results/quality.csv; with --timed results/quality-cost.csv, with --harder results/quality-harder.csv")
    args = p.parse_args()
    args.out = args.out or Path(__file__).parent/"results"/f"quality{'-cost'*args.timed or '-harder'*args.harder}.csv"
    args.points = args.points or ("fixed" if args.harder else ";".join(p for p in RUNS if not p.startswith(("auto", *EARS))))
    if args.draws: args.methods, args.only = "kmeans;consensus;spectral", args.only or ";".join(f"{name}: {DRAW}{i}" for name in (*SETS, WORDS) for i in range(args.draws))
    if args.harder: args.methods, args.only = "kmeans;consensus;spectral", args.only or ";".join(f"{DIGITS}: {h}" for h in HARDER)
    if args.timed:
        global ENOUGH
        ENOUGH = float("inf")
        torch.set_num_threads(1), threadpool_limits(1)
    names = args.only.split(";") if args.only else [DIGITS, *SETS, WORDS, *downloaded(args.data)]
    def ways(name): return [by for by in ways_of(name) if args.by in (None, by)]
    points, methods = with_encoders(args.points.split(";")), args.methods.split(";") if args.methods else None
    for module,package in OPTIONAL.items():
        if find_spec(module) or methods and not any(m.startswith(module) for m in methods): continue
        print(f"{package} is not installed (pip install {package}): its rows are left out")
        methods = [m for m in methods or dict.fromkeys(m for ms in RUNS.values() for m in ms) if not m.startswith(module)]
    if any(m.startswith("umap") for m in methods or PEERS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _umap(np.random.default_rng(0).normal(size=(100, 5)), 0)  # compiled once, here
    with tempfile.TemporaryDirectory() as tmp:
        tables, kept, made, begun = {}, {}, {}, {}
        def run(variant, seed):
            whole, by, enc, method = variant.split(" / ")
            name, _, change = whole.partition(": ")
            if change.startswith(DRAW): # the set is another one
                if whole not in tables: tables[whole] = table_of(name, f"{tmp}/{change}", args.data, args.limit, int(change.removeprefix(DRAW)))
                name, change = whole, ""
            change = HARDER[change] if change else {}
            drawn = bool(change.keys() - {"times"})
            if name not in tables: tables[name] = table_of(name, tmp, args.data, args.limit)
            if drawn and (whole, by, seed) not in tables: tables[whole, by, seed] = harder(tables[name], by, seed, tmp, **change)
            table = tables[(whole, by, seed) if drawn else name]
            if enc == "untrained" and len(table) > args.limit//3: table = table.sample(args.limit//3, random_state=0).sort_index().reset_index(drop=True)
            k, key = round(groups_of(table, by)*change.get("times", 1)), (whole, enc, by if enc != "mfcc" else "", seed if enc.startswith(("untrained", "auto", SIDE_BY_SIDE)) or drawn else 0)
            if key not in kept:
                kept.clear(), begun.clear()
                start = time.process_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    kept[key] = points_of(enc, table, k, by, seed, cache=(args.cache or f"{tmp}/cache") if enc.startswith(("auto", *EARS)) else None)
                made[key] = time.process_time() - start
            kept[key].n_clusters = k
            X, before, cpu_before, peak = kept[key], 0, 0, 0
            if (module := next((m for m in OPTIONAL if method.startswith(m)), None)):  # one map, or one autoencoder, for all that is done with it
                if (this := (*key, module, seed)) not in begun: begun[this] = measured(lambda: first_part(method, X, seed))
                X, before, cpu_before, peak = begun[this]
            labels, seconds, cpu, megabytes = measured(lambda: group(method, X, k, seed))
            seconds, cpu, megabytes = seconds + before, cpu + cpu_before, megabytes and max(megabytes, peak)
            timed = dict(seconds=round(seconds, 3), cpu_seconds=round(cpu, 3), points_cpu_seconds=round(made[key], 3)) if args.timed else dict(seconds="")
            return {"set": whole, "by": by, "points": enc, "method": method, "seed": seed, "clips": len(table), "k": k, **scored(table, by, len(ways_of(name)), labels),
                    **timed, "megabytes": round(megabytes) if megabytes else "", "device": "cpu", "versions": VERSIONS + (f", {OPTIONAL[module]} {version(OPTIONAL[module])}" if module else "")}
        append(args.out, todo_of(names, points, methods, args.seeds, ways), run)


if __name__ == "__main__": main()
