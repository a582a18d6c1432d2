"""Two more collections that took no part in any choice. This text is the protocol; it was committed before either was opened.

    apt-get download csound-soundfont opl3-soundfont musescore-general-soundfont-small hedgewars-data
    for deb in *.deb; do dpkg -x $deb FOLDER/${deb%%_*}; done
    pip install tinysoundfont
    python benchmarks/unopened_second.py FOLDER --list      renders the notes; says how many clips there are and what was left out
    python benchmarks/unopened_second.py FOLDER [--only "notes;voices"] [--methods "POINTS / METHOD;…"] [--seeds 5]

**Collections.** They were chosen by the descriptions of Debian's packages alone. (1) `notes`: twelve instruments of General MIDI
(INSTRUMENTS; none of them is one of `rendered.py`, on whose notes choices were made), played from three soundfonts that other people made,
thirteen notes of each instrument from each: 468 clips. Content is the instrument, source is the soundfont. Key, strength and length
are drawn for each note, independently of the soundfont; a note is one to two seconds long and up to 12 dB below the loudest level.
A sound that is silent (peak below -60 dB) is drawn anew. An instrument that one soundfont cannot play in 50 draws is left out of all three.
(2) `voices`: the voices of the game Hedgewars, which speak short phrases. Source is the voice, that is the folder. Phrases differ in
wording, so there is no second answer to score. The nine English voices in TRIED are left out, since a rule was tried with them. Of
recordings with equal samples in two folders all are left out, of those in one folder all but one. A voice needs 20 phrases. All voices
have equally many phrases, drawn at random: 25, or as many as keep the collection below 500 clips. Whether one actor
speaks in two folders is not known; two folders count as two voices.

**Methods.** All of the verdict (METHODS), told the true number of groups, but for those that take none, and the consensus with a
number that is chosen without labels; methods for two groupings are told both numbers, so they are left out on the voices.
Beside them stands a classifier that sees labels, as a reference. Every method has its defaults, and the published ones also the
other constants of `published.py`. Five seeds, 0 to 4; a method without a seed runs once. Peers that are not installed are left out.

**Constants** are those of benchmarks/constants.json in commit 6293fc46 (30 November 2026). The script stops where a value of the
package differs from that file, and where files of the working tree are not committed. Opened once: a run that is there is not made
again, no row is removed, and no constant is changed after the first row. If the script itself fails on what it finds, what
was mended is said in the report.

**What is compared**, by NMI, mean over the seeds, on each of the three groupings (instrument, soundfont, voice):
each method with K-means on the fixed points; NF-SPICE with SPICE as published and our DeepCluster with the published one, each with the best
of its variants as well; our two trained methods with the consensus on the fixed and the untrained points side by side,
the control without training; the vote, whose encoders were trained with labels of other recordings, with all others. Three groupings allow no test of a
claim over sets; they are reported beside the verdict, whatever they are.
**What we expect**, written down beforehand: (a) the vote is first on voices and on instruments; (b) NF-SPICE and our DeepCluster are above
K-means on the fixed points on voices; (c) on the notes, which are no speech, NF-SPICE is within 0.05 of the control without training;
(d) both are above the published methods on average over the three groupings.
Goal: do the verdict's claims hold on sounds that nobody looked at, with two right answers and with real voices? Not a goal: to learn from the results.
Whoever changes a constant afterwards has to find other recordings.
"""
import argparse, hashlib, json, subprocess, tempfile, time, warnings
from contextlib import redirect_stderr
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from alternative import labels_of as alternative_labels
from appended import append, commit, keep_labels, keep_truth
from audioclust.audio import clips
from audioclust.encoders.choice import available_encoders
from audioclust.ensembles import Consensus
from constants import constants, moved
from published import model_of
from quality import first_part, group, OPTIONAL, points_of, scored
from rendered import Player, RATE
from supervised import run as classified

FROZEN = "6293fc46" # the commit whose constants.json counts
# program, from 0, and the lowest and highest note
INSTRUMENTS = dict(harpsichord=(6, 41, 77), marimba=(12, 48, 84), accordion=(21, 53, 89), steel_guitar=(25, 40, 76), picked_bass=(34, 28, 55),
                   cello=(42, 36, 72), strings=(48, 43, 79), trombone=(57, 40, 70), oboe=(68, 58, 87), pan_flute=(75, 60, 91), banjo=(105, 48, 79), kalimba=(108, 55, 84))
BANKS = {"csound": "csound-soundfont", "opl3": "opl3-soundfont", "musescore": "musescore-general-soundfont-small"} # folders of the unpacked packages
NOTES, SILENT, DRAWS = 13, 1e-3, 50 # of each instrument from each soundfont; peak; draws of a note
TRIED = {"default", "singer", "pirate", "mobster", "british", "surfer", "robot", "classic", "hillbilly"}
LEAST, EACH, MOST = 20, 25, 500 # phrases of a voice; phrases taken of it; clips of a collection

WAYS = {"notes": ("content", "source"), "voices": ("source",)}
ALTERNATIVE = "clustpy orth", "clustpy nrkmeans", "clustpy enrc"
AUTO = "consensus, number chosen"
TRAINED = ("deepcluster", "nf-spice", "deepcluster-published", "spice", "scan", "deepcluster-published, K pseudo-labels",
           "deepcluster-published, 128 clips a pseudo-label", "spice, our threshold and steps")
METHODS = {"mfcc": ("sklearn kmeans", "sklearn agglomerative", "sklearn spectral", "umap, kmeans", "classifier"),
           "fixed": ("kmeans", "consensus", "spectral", "agglomerative", "dbscan", "hdbscan", "meanshift", "umap, kmeans", "clustpy dec", "clustpy idec", "clustpy dcn", *ALTERNATIVE, AUTO, "classifier"),
           "both": ALTERNATIVE, "untrained": ("kmeans", "consensus", "spectral"), "fixed and untrained": ("consensus",),
           "auto": ("kmeans", "consensus", "spectral", AUTO, "classifier"), "trained": TRAINED}
ONCE = {"agglomerative", "dbscan", "hdbscan", "meanshift", "sklearn agglomerative"}


# the two collections

def soundfont(folder):
    "The soundfont of an unpacked package: the largest, where there are several."
    found = [p for p in Path(folder).rglob("*") if p.suffix.lower() in (".sf2", ".sf3") and not p.is_symlink()]
    if not found: raise SystemExit(f"there is no soundfont below {folder}: unpack the package there")
    return max(found, key=lambda p: p.stat().st_size)

def played(player, program, low, high, rng):
    "A note that is not silent, and how many decibels below the loudest it is; None where there is none in so many draws."
    for _ in range(DRAWS):
        key, velocity, seconds = int(rng.integers(low, high + 1)), int(rng.integers(40, 128)), rng.uniform(1, 2)
        try: x = player.play(0, program, key, velocity, seconds*rng.uniform(.5, .9), seconds)
        except RuntimeError: return None # no such instrument
        if np.abs(x).max() >= SILENT: return x, rng.uniform(0, 12)

def notes(folder):
    "The notes, rendered once: a table with columns path, start, end, label, source, and the instruments that were left out."
    out = Path(folder)/"rendered-notes"
    players = {} if (out/"notes.csv").is_file() else {bank: Player(soundfont(Path(folder)/package)) for bank,package in BANKS.items()}
    rows = []
    for i,(name,(program,low,high)) in enumerate(INSTRUMENTS.items() if players else ()):
        for j,(bank,player) in enumerate(players.items()):
            rng = np.random.default_rng([0, i, j])
            for n in range(NOTES):
                if (note := played(player, program, low, high, rng)) is None: break
                x, db = note
                path = out/f"{name}-{bank}-{n:02d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                sf.write(path, x/np.abs(x).max()*.9*10**(-db/20), RATE, subtype="PCM_16")
                rows.append((path.name, name, bank))
    if players: pd.DataFrame(rows, columns=["path", "label", "source"]).to_csv(out/"notes.csv", index=False)
    table = pd.read_csv(out/"notes.csv")
    counts = table.groupby("label").size()
    complete = counts.index[counts == NOTES*len(BANKS)]
    table = table[table.label.isin(complete)].assign(path=[out/p for p in table.path[table.label.isin(complete)]])
    return shuffled(clips(table.reset_index(drop=True), errors=[])), sorted({*INSTRUMENTS} - {*complete})

def sound_hash(path):
    "A hash of the samples of a recording; None where it cannot be read."
    try: x, rate = sf.read(path, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, RuntimeError): return None
    return hashlib.sha256(x.tobytes()).hexdigest() if len(x) else None

def voices(folder):
    "The phrases of the voices: a table with columns path, start, end, label (the phrase), source (the voice), and what was left out."
    paths = [p for p in sorted((Path(folder)/"hedgewars-data").rglob("*")) if p.suffix.lower() in (".ogg", ".wav") and p.parent.parent.name.lower() == "voices" and p.parent.name.lower() not in TRIED]
    if not paths: raise SystemExit(f"there are no voices below {folder}/hedgewars-data: unpack the package there")
    table = pd.DataFrame(dict(path=paths, label=[p.stem for p in paths], source=[p.parent.name for p in paths], sound=[sound_hash(p) for p in paths]))
    readable = table.dropna(subset="sound")
    of_one_voice = readable[readable.groupby("sound").source.transform("nunique") == 1].drop_duplicates("sound")
    sizes = of_one_voice.source.value_counts()
    kept = sorted(sizes.index[sizes >= LEAST])
    each = min(EACH, int(sizes[kept].min()), MOST//len(kept))
    drawn = pd.concat([of_one_voice[of_one_voice.source == voice].sample(each, random_state=0) for voice in kept])
    left_out = [f"{len(table) - len(readable)} files that cannot be read", f"{len(readable) - len(of_one_voice)} copies", *(f"{v} ({sizes[v]} phrases)" for v in sorted({*sizes.index} - {*kept}))]
    return shuffled(clips(drawn.drop(columns="sound").reset_index(drop=True), errors=[])), left_out

def shuffled(table): return table.sample(frac=1, random_state=0).reset_index(drop=True)

COLLECTIONS = dict(notes=notes, voices=voices)


# the methods

def unit_rows(model): # A fitted `AudioClusterer`
    Z = model.embeddings_
    return Z/np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-9)

def trained_labels(table, method, by, k, seed):
    "Groups by a method that trains, with other constants where its name has a comma."
    return model_of(method, table, k, by, seed).fit(table[["path", "start", "end"]]).labels_

def for_two_groupings(table, points, method, by, k, seed):
    "Groups by a method of ClustPy that looks for both groupings."
    both = by, *([b for b in WAYS["notes"] if b != by] if points == "both" else [])
    X = np.hstack([points_of("fixed", table, 2, b, 0).embeddings_ for b in both]).astype(np.float32)
    numbers = k, table["source" if by == "content" else "label"].nunique()
    with redirect_stderr(StringIO()): return alternative_labels(method.split()[1], X, numbers, seed)

def labels_of(table, points, method, by, k, seed, cache):
    "Groups of the clips, found without labels."
    if points == "trained": return trained_labels(table, method, by, k, seed)
    if method in ALTERNATIVE: return for_two_groupings(table, points, method, by, k, seed)
    if points == "fixed and untrained":
        X = np.hstack([unit_rows(points_of(p, table, k, by, seed, cache=cache)) for p in ("fixed", "untrained")])
        return Consensus(k, random_state=seed).fit(X).labels_
    X = points_of(points, table, k, by, seed, cache=cache)
    if method == AUTO: return X.regroup("consensus", n_clusters="auto", random_state=seed).labels_
    return group(method, first_part(method, X, seed)[0] if method.startswith(tuple(OPTIONAL)) else X, k, seed)[0]

def changed():
    "Constants of the package that differ from those that count; those that are new do not count."
    text = subprocess.run(["git", "show", f"{FROZEN}:benchmarks/constants.json"], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
    return [line for line in moved(json.loads(text), constants()) if ": not there before" not in line]

def installed(points, method):
    "Is what the method needs on this machine?"
    if points == "mfcc": there = find_spec("librosa") is not None
    elif points == "auto": there = len(available_encoders()) > 2
    else: there = True
    return there and all(find_spec(module) for module in OPTIONAL if method.startswith(module))

def todo_of(names, methods, seeds):
    "(variant, seed) pairs; seeds are the outer loop, so that a run that is stopped has all methods."
    return [(f"{name} / {by} / {points} / {method}", s) for s in range(seeds) for name in names for by in WAYS[name] for points,method in methods
            if not (s and method in ONCE) and (len(WAYS[name]) == 2 or method not in ALTERNATIVE)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, help="above the unpacked packages")
    p.add_argument("--list", action="store_true")
    p.add_argument("--only", default=";".join(WAYS))
    p.add_argument("--methods", help='such as "fixed / kmeans;trained / nf-spice"; all if left out')
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"unopened-second.csv")
    args = p.parse_args()
    if found := changed(): p.error("constants differ from those that were frozen:\n" + "\n".join(found))
    if commit().endswith("+"): p.error("files are not committed, so that no row could say what made it")
    names = args.only.split(";")
    read = cache(lambda name: COLLECTIONS[name](args.folder))
    for name in names:
        table, left_out = read(name)
        print(f"{name}: {len(table)} clips, {table.end.min():.2f} to {table.end.max():.2f} s, {table.label.nunique()} by content, {table.source.nunique()} by source; left out: {', '.join(left_out) or 'nothing'}", flush=True)
    if args.list: return
    wanted = [tuple(m.split(" / ")) for m in args.methods.split(";")] if args.methods else [(points, m) for points,ms in METHODS.items() for m in ms]
    with tempfile.TemporaryDirectory() as tmp:
        def run(variant, seed):
            name, by, points, method = variant.split(" / ")
            table = read(name)[0]
            truth = table["label" if by == "content" else "source"]
            row, start = {"set": name, "by": by, "points": points, "method": method, "seed": seed, "clips": len(table), "k": truth.nunique()}, time.process_time()
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                if method == "classifier": scores = {m: v for m,v in classified(table, by, points, seed, tmp).items() if m not in ("clips", "dimensions", "exact")}
                else:
                    labels = labels_of(table, points, method, by, row["k"], seed, tmp)
                    scores = scored(table, by, len(WAYS[name]), labels)
                    keep_truth(args.out, f"{name} / {by} / truth", truth)
                    keep_labels(args.out, variant, seed, labels)
            return {**row, **scores, "cpu_seconds": round(time.process_time() - start), "warned": "; ".join(sorted({str(w.message) for w in warned if "left out" in str(w.message)}))}
        append(args.out, todo_of(names, [m for m in wanted if installed(*m)], args.seeds), run)


if __name__ == "__main__": main()
