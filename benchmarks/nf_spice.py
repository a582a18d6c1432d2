"""NF-SPICE on the spoken digits, by content and by source: what each step reaches, and how long it takes.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/nf_spice.py [--only "NAME;…"] [--seeds 5] [--encoders FOLDER]
    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/nf_spice.py --only votes --out benchmarks/results/nf-spice-vote.csv

Each row of benchmarks/results/nf-spice.csv is one run, scored afterwards against digits and speakers at every step; labels
take no part in training, stopping or choosing. Rows are appended: a run that is there already is not made again.
With --encoders the trained networks of each seed are kept in FOLDER and used again by variants that train the same ones;
the seconds of contrast are then those of loading. `kmeans` is K-means with 20 starts on the contrastive embeddings at length 1; the other names are those of the chapter.
Goal: the numbers of the chapter on NF-SPICE. Not a goal: the best settings for these recordings.
"""
import argparse, atexit, shutil, tempfile, time, warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile as sf

from appended import append
from audioclust.audio import fsdd
from audioclust.audio.clip_table import common_sample_rate
from audioclust.core.registry import split_options
from audioclust.encoders import FixedEncoder, load_encoder
from audioclust.encoders.base import OTHER_GROUPING
from audioclust.encoders.pretrained import named_encoder
from audioclust.encoders.joint import VotingEncoder, parse_vote
from audioclust.kmeans import KMeans
from audioclust.encoders.logmel_store import TrimmedLogMel, LogMelStore
from audioclust.metrics import score
from audioclust.pipeline import Options, Request
from audioclust.pipeline.all_steps import with_chosen_encoder
from audioclust.pipeline.find_step import Observer
from audioclust.runs import Clips
from audioclust.nf_spice import NFSPICE

SIZES = (500, 430, 370, 310, 250, 210, 170, 130, 90, 50)  # clips of each digit at most, when unbalanced: there are 300 of each, so four digits are whole
VARIANTS = {"content": {}, "source": dict(by="source", n_clusters=6), "content, not crossed": dict(nonredundant=False), "content, unbalanced": dict(unbalanced=True),
            "content, noisy": dict(noisy=True), "content, k = 8": dict(n_clusters=8), "content, k = 12": dict(n_clusters=12), "content, k = 20": dict(n_clusters=20)}
# what starts from a vote needs the encoders that `audioclust encoders` lists
VOTES = {f"{by}, vote{name}": dict(vote=True, **of_by, **how) for name,how in {"": {}, ", no networks": dict(epochs=0), ", 500 clips": dict(clips=500), ", 500 clips, all epochs": dict(clips=500, early_stop=False)}.items()
         for by,of_by in {"content": {}, "source": dict(by="source", n_clusters=6)}.items()}

CACHE = tempfile.mkdtemp()  # embeddings of frozen encoders, which all runs share: the seconds of the first are those of a first run
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
COLUMNS = dict(crossed="nonredundant", even="fair") # Names in the file of results -> names in `steps_`
IN_FILE = {step: column for column,step in COLUMNS.items()}


def with_noise(table, seed, folder):
    "The same recordings with noise of a colour of its own in each, 0 to 15 dB below, written to a folder."
    rows = []
    for i,(path,start,end) in enumerate(zip(table.path, table.start, table.end)):
        rng = np.random.default_rng([seed, i])
        x, rate = sf.read(path, dtype="float32")
        noise = np.fft.rfft(rng.standard_normal(len(x)))
        noise = np.fft.irfft(noise/np.maximum(np.fft.rfftfreq(len(x), 1/rate), 50)**(rng.uniform(0, 2)/2), len(x))
        y = x + noise/noise.std()*x.std()*10**(-rng.uniform(0, 15)/20)
        rows.append(Path(folder)/Path(path).name)
        sf.write(rows[-1], (y/np.abs(y).max()*.9).astype(np.float32), rate, subtype="PCM_16")
    return table.assign(path=rows)


def fitted(model, table, at, **options): # `at`: folders of the two networks, the asked one first; empty to keep none
    "Fit with the networks that lie in `at`; what is not there is trained, and left there."
    there = bool(at) and all((a/"encoder.json").is_file() for a in at)
    model.fit(table, encoders=[load_encoder(a) for a in at] if there else None, **options)
    if at and not there and model.other_grouping.nonredundant:
        for a,e in zip(at, model.encoders_): e.save(a)
    return model


def voters(table, model, cache):
    "The encoders that vote for the wanted grouping and for the other one, and the names of the votes."
    def chosen(by, k):
        asked = Request(n_clusters=k, by=by, encoder="auto", random_state=model.random_state, options=Options(cache=cache))
        return with_chosen_encoder(Clips(table), asked, Observer())[1].name
    names = [chosen(by, k) for by,k in ((model.by, model.n_clusters), (OTHER_GROUPING[model.by], 10))]
    def member(name, by): return FixedEncoder(by, sample_rate=common_sample_rate(table.path)) if name == "fixed" else named_encoder(name)
    bys = model.by, OTHER_GROUPING[model.by]
    return [VotingEncoder([member(n, by) for n in parse_vote(name)], parse_vote(name).values()) for name,by in zip(names, bys)], names


def epochs_of(model):
    "How many epochs each training took; it may have ended early."
    done = Counter(row["stage"] for row in model.curves_)
    return {stage: done[name] for stage,name in dict(content="contrast by content", source="contrast by source", heads="heads", match="match").items()}

def run(table, seed, kept=None, unbalanced=False, noisy=False, clips=None, **options):
    if clips: table = table.iloc[np.sort(np.random.default_rng(seed).permutation(len(table))[:clips])].reset_index(drop=True)
    with tempfile.TemporaryDirectory() as tmp: return _run(with_noise(table, seed, tmp) if noisy else table, seed, kept, unbalanced, "_noisy"*noisy, **options)

def _run(table, seed, kept, unbalanced, name, vote=False, **options):
    if unbalanced:
        rng = np.random.default_rng(seed)
        table = table.iloc[np.sort(np.concatenate([rng.permutation(np.flatnonzero(table.label == d))[:n] for d,n in zip(sorted(set(table.label)), SIZES)]))].reset_index(drop=True)
    spent, said = {}, []
    @contextmanager
    def stage(name):
        start = time.perf_counter()
        yield
        spent[f"s_{name}"] = round(time.perf_counter() - start, 1)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        model = NFSPICE(**split_options(NFSPICE, {"n_clusters": 10, "sample_rate": 8000, "random_state": seed, **options}))
        bys = ("content", "source")[::1 if model.by == "content" else -1]
        at = [Path(kept)/f"{by}_{seed}{'_unbalanced'*unbalanced}{name}" for by in bys] if kept and model.contrast.epochs != 0 else []
        votes = []
        if vote:
            with stage("vote"): frozen, votes = voters(table, model, CACHE)
        fitted(model, table, at, stage=stage, **dict(frozen=frozen, cache=CACHE) if vote else {})
    steps = {**model.steps_, "answer": model.labels_}
    if model.encoders_:
        X = model.encoders_[0].embed_logmels(LogMelStore.from_clips(table, TrimmedLogMel(8000)))
        steps["kmeans"] = KMeans(model.n_clusters, n_init=20, random_state=seed).fit_predict(X/np.linalg.norm(X, axis=1, keepdims=True))
    steps |= {column: steps[step] for column,step in COLUMNS.items() if step in steps}
    wanted, other = ("label", "speaker") if model.by == "content" else ("speaker", "label")
    row = {}
    for name in ("kmeans", "consensus", "crossed", "even", "heads", "match", "answer"):
        if name not in steps: row |= {f"{m}_{name}": "" for m in ("acc", "nmi", "ari", "other")}; continue
        s = score(table[wanted], steps[name])
        row |= {f"acc_{name}": s["acc"], f"nmi_{name}": s["nmi"], f"ari_{name}": s["ari"], f"other_{name}": score(table[other], steps[name])["nmi"]}
    good = model.reliable_ >= 0
    mine = score(table[wanted][good], model.reliable_[good])["acc"]
    return {**{k: round(float(v), 4) if v != "" else "" for k,v in row.items()}, "reliable": int(good.sum()), "acc_reliable": round(float(mine), 4), "n_other": model.nonredundant_.n_other_, "dependence": round(model.nonredundant_.dependence_.get("at the end", float("nan")), 4), "kept": " ".join(k for k,v in dict(even=model.fair_, heads=model.heads_, match=model.model_).items() if v is not None),
            "evidence": "; ".join(f"{IN_FILE.get(k, k)} {e['consistency']:.3f} - {e['dependence']:.3f}" for k,e in model.validity_.items()), "warned": "; ".join(str(w.message) for w in warned if "kept" in str(w.message) or "depend" in str(w.message)), **(dict(votes=" | ".join(votes), **{f"epochs_{stage}": n for stage,n in epochs_of(model).items()}) if votes else {}), **spent}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of variants, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--encoders", type=Path)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"nf-spice.csv")
    args = p.parse_args()
    table = fsdd(download=False)
    todo = [(name, s) for name in (VOTES if args.only == "votes" else args.only.split(";") if args.only else VARIANTS) for s in range(args.seeds)]
    append(args.out, todo, lambda name, seed: dict(seed=seed, **run(table, seed, args.encoders, **(VARIANTS | VOTES)[name])))


if __name__ == "__main__": main()
