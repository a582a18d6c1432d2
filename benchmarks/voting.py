"""Is a vote of encoders, weighted without labels, as good as the best of them? On sets with two right answers.

    AUDIOCLUST_DATA=… python benchmarks/voting.py [--seeds 3] [--only "NAME;…"] [--klettres FOLDER]

Each row of benchmarks/results/voting.csv is one consensus (`Consensus`, the number of groups given) on the points of one encoder,
or of several side by side: all alike, with the weights of the vote, or the fixed encoder beside an untrained network, scored afterwards.
The vote sees partitions and never labels.
Sets are in two halves: the rule of the vote was chosen on one ("choose") and is judged on the other ("report"). Spoken digits are FSDD, cut
in two by the number of the take; `languages` are the recordings of the Debian package klettres-data, languages with at least 40;
`planted` are the digits of the half, each through one of three rooms, at one of three pitches or at one of three levels (0, -12 and
-24 dB), which nobody asked for; the others are rendered by `made_sets.py` and `synthetic_words`. Needs the encoders of `audioclust encoders`.
Goal: a vote that is never much worse than the best encoder, which nobody knows without labels. Not a goal: speed.
"""
import argparse, tempfile, warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from scipy import signal

from appended import append
from audioclust.audio import fsdd, load_audio, synthetic_words
from audioclust.audio.clip_table import common_sample_rate
from audioclust.encoders import FixedEncoder, named_encoder
from audioclust.encoders.choice import encoder_info
from audioclust.encoders.joint import agreement, elected, vote_weights
from audioclust.ensembles import Consensus
from audioclust.metrics import score
from audioclust.pipeline import AudioClusterer, Options
from known_sets import klettres
from made_sets import make

ENCODERS = "fixed", "speech_embedding", "resemblyzer", "aisfx", "musicnn"
OF_OURS = {"untrained": {"untrained": 1.}, "fixed and untrained": {"fixed": 1., "untrained": 1.}} # with our network with random weights
LEAST = 40 # recordings of a language


def digits(first):
    table = fsdd(download=False).rename(columns={"speaker": "source"})
    return table[(table["take"] < 25) == first].iloc[::2].reset_index(drop=True)

def languages(folder, half):
    table = klettres(folder, [])
    sizes = table.source.value_counts()
    kept = sorted(sizes.index[sizes >= LEAST])[half::2]
    return table[table.source.isin(kept)].reset_index(drop=True)

def planted(folder, table, kind, seed=0):
    "The same clips, each through one of three rooms, at one of three pitches, or at one of three levels, at random."
    rng, rows = np.random.default_rng([seed, len(kind)]), []
    rooms = [rng.normal(size=2400)*np.exp(-np.arange(2400)/n) for n in (40, 300, 900)]
    for i,clip in enumerate(table.itertuples()):
        wave, rate = load_audio(clip.path)
        wave, which = wave.numpy(), int(rng.integers(3))
        if kind == "rooms": wave = signal.fftconvolve(wave, rooms[which])
        if kind == "pitches": wave = signal.resample(wave, round(len(wave)*(.8, 1, 1.25)[which]))
        gain = (1, 1/4, 1/16)[which] if kind == "levels" else 1
        path = Path(folder)/f"{i:04d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, wave/np.abs(wave).max()*.7*gain, rate)
        rows.append((path, 0., len(wave)/rate, clip.label, clip.source))
    return pd.DataFrame(rows, columns=["path", "start", "end", "label", "source"])

def words(folder, n_words, n_voices, n, seed): return synthetic_words(n_words, n_voices, n, random_state=seed).save(folder).rename(columns={"voice": "source"})

CHOOSE = {
    "digits, first takes": lambda folder, args: digits(True),
    "languages, odd": lambda folder, args: languages(args.klettres, 0),
    "words, 6 by 4": lambda folder, args: words(folder, 6, 4, 10, 0),
    "sounds, middle": lambda folder, args: make("sounds, middle", folder),
    "machines": lambda folder, args: make("machines", folder),
    "planted rooms": lambda folder, args: planted(folder, digits(True), "rooms")}
REPORT = {
    "digits, last takes": lambda folder, args: digits(False),
    "languages, even": lambda folder, args: languages(args.klettres, 1),
    "words, 10 by 6": lambda folder, args: words(folder, 10, 6, 8, 1),
    "sounds, easy": lambda folder, args: make("sounds, easy", folder),
    "sounds, hard": lambda folder, args: make("sounds, hard", folder),
    "birds": lambda folder, args: make("birds", folder),
    "planted pitches": lambda folder, args: planted(folder, digits(False), "pitches"),
    "planted levels": lambda folder, args: planted(folder, digits(False), "levels")}
BOTH = "content", "source"
ONLY_SOURCE = "languages, odd", "languages, even" # the letters of two languages are not the same letters


def untrained(table, by):
    "Whitened embeddings by our network with random weights, rows of length 1."
    Z = AudioClusterer(n_clusters=2, by=by, encoder="untrained", options=Options(stability=0, num_workers=0)).fit(table[["path", "start", "end"]]).embeddings_
    return Z/np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-9)

def votes(partitions):
    "Name of a vote → weights of the encoders; `vote` is the rule of the package."
    yield "all alike", dict.fromkeys(partitions, 1.)
    yield "vote", elected(vote_weights(agreement(partitions), {e: encoder_info(e).family for e in partitions}))

def points(table, name, by, cache_folder):
    "Whitened embeddings, rows of length 1."
    encoder = FixedEncoder(by, None, common_sample_rate(table.path)) if name == "fixed" else named_encoder(name)
    X = np.nan_to_num(encoder.embed(table, [], cache=cache_folder))
    Z = encoder.whitening(len(X)).fit_transform(X)
    return Z/np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-9)

def side_by_side(Z, weights): return np.concatenate([Z[e]*np.float32(w) for e,w in weights.items()], 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--klettres", help="folder with a folder for each language (default: where the package is installed)")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"voting.csv")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table(name): return {**CHOOSE, **REPORT}[name](Path(tmp)/name, args)
        @cache
        def embedded(name, by): return {e: points(table(name), e, by, Path(tmp)/"cache") for e in ENCODERS}
        @cache
        def alone(name, by, seed):
            "The consensus of each encoder, and the weights of each vote of them."
            labels = {e: grouped(name, by, seed, z) for e,z in embedded(name, by).items()}
            return labels, dict(votes(labels))
        @cache
        def network(name, by): return untrained(table(name), by)
        def groups(name, by): return table(name)["label" if by == "content" else "source"].nunique()
        def grouped(name, by, seed, Z): return Consensus(groups(name, by), random_state=seed).fit(Z).labels_
        def labelled(name, by, rule, seed):
            labels, weights = alone(name, by, seed)
            if rule in labels: return labels[rule], {rule: 1.}
            heard = weights.get(rule) or OF_OURS[rule]
            Z = {**embedded(name, by), "untrained": network(name, by)} if rule in OF_OURS else embedded(name, by)
            return grouped(name, by, seed, side_by_side(Z, heard)), heard
        def run(variant, seed):
            name, by, rule = variant.split(" / ")
            labels, weights = labelled(name, by, rule, seed)
            wanted, other = ("label", "source") if by == "content" else ("source", "label")
            s = score(table(name)[wanted], labels)
            heard = " ".join(f"{e}:{w:.2f}" for e,w in weights.items())
            return dict(set=name, by=by, rule=rule, half="choose" if name in CHOOSE else "report", clips=len(table(name)), groups=groups(name, by), seed=seed,
                        acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(table(name)[other], labels)["nmi"], 4), weights=heard)
        names = args.only.split(";") if args.only else [*CHOOSE, *REPORT]
        every = [*ENCODERS, "all alike", "vote", *OF_OURS]
        todo = [(f"{n} / {by} / {rule}", s) for n in names for by in BOTH if by == "source" or n not in ONLY_SOURCE for s in range(args.seeds) for rule in every]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            append(args.out, todo, run)


if __name__ == "__main__": main()
