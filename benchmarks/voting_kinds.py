"""Should an encoder that follows the source be heard when content is wanted? Rules for weights that know both groupings, and what yamnet adds.

    AUDIOCLUST_DATA=… python benchmarks/voting_kinds.py FOLDER points [--klettres FOLDER] [--espeak PROGRAM]
    python benchmarks/voting_kinds.py FOLDER rules [--seeds 1]
    python benchmarks/voting_kinds.py FOLDER second [--seeds 1]
    python benchmarks/voting_kinds.py FOLDER methods [--seeds 1] [--only "SET;…"] [--by content]

`points` embeds each set once by every encoder and keeps the whitened embeddings in FOLDER; the others read them, keep each encoder's own
partition there, and need seconds a task. Each row of benchmarks/results/voting-kinds.csv (`rules`) is one consensus of a vote with the
weights of a rule, each of voting-second.csv (`second`) says what a vote for the other grouping follows, each of voting-yamnet.csv (`methods`) one clustering of a vote by the rule of the package, with and without yamnet; the
number of groups is given, and labels score, nothing else. The halves are those of `voting.py` with fewer clips of each set (100 to 375), and more sets:
letters that five languages have by letter and language, and short phrases by voices, each once, by the synthesiser espeak-ng. The readers are of
several languages, and each has a noise, a room, and many speeds, so that the fixed encoder hears little of the phrase
(espeak-ng draws the breath of some voices anew each time, so these clips are not the same twice).
Rules: `NMI, as it was`; `AMI`, the same corrected for chance, which is the package's; `helps one` leaves out encoders that agree more with the fixed
encoder's grouping by the other answer (of ten groups); `share of agreements` multiplies by the share that is with the wanted
grouping; `difference` subtracts the other; `partial correlation` is that of being together, given the fixed encoder's other grouping.
The last five are AMI as well and use a vote of its own for the other grouping (ten groups): `not the other vote` multiplies by one minus the agreement with
it; `leaves out` drops encoders that agree more with it than with a first vote for the wanted grouping; `second reference` takes the groups of that
first vote for the reference; `other taken out` subtracts the means of the other vote's groups from all encoders but the fixed one before they
vote, and `partly taken out` only the share of one minus the agreement of the two votes; `taken out squared` the square of this share, and `taken
out of followers` the share itself, but only from encoders that agree more with the other vote than with the first wanted one.
What was written down before more than two seeds of these three were run: among the three, that with the best mean over five seeds of the half "choose" is
chosen, on which alone the last two are compared. It replaces `AMI` in the package if its mean gain is at least .01 on both halves and no task
loses more than .05 on average over the seeds.
"""
import argparse, itertools, subprocess, tempfile, warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from scipy import signal

from appended import append
from audioclust.audio import clips
from audioclust.audio.clip_table import common_sample_rate
from audioclust.encoders import FixedEncoder, named_encoder
from audioclust.encoders.choice import encoder_info
from audioclust.encoders.joint import elected, vote_weights
from audioclust.ensembles import Consensus, SpectralClustering
from audioclust.ensembles.method_choice import AutoClustering
from audioclust.kmeans import KMeans
from audioclust.metrics import ami, nmi, score
from made_sets import make
from voting import digits, languages, planted, words

ENCODERS = "fixed", "speech_embedding", "resemblyzer", "aisfx", "musicnn", "yamnet"
BOTH = "content", "source"
ENGLISH = ("good morning", "thank you very much", "where is the station", "open the window", "i am hungry", "turn left here", "see you tomorrow", "how much is it", "it is raining",
           "close the door", "have a nice day", "what time is it", "call me later", "the bus is late", "i do not know", "a cup of tea", "happy birthday", "wait a moment", "on the table",
           "come with us", "my name is anna", "no problem at all", "keep it dry", "over the bridge", "read this book", "we are ready", "blue and yellow")
GERMAN = ("guten abend", "vielen dank", "wo ist der bahnhof", "bitte warten", "es ist kalt", "bis morgen", "ich weiss es nicht", "mach das licht aus", "noch ein kaffee", "auf dem tisch",
          "komm schnell her", "wie geht es dir", "alles gute", "der zug kommt", "nicht so laut", "rechts abbiegen", "was kostet das", "schönes wetter", "unter der brücke", "kein problem")
# voices as espeak-ng names them: readers of several languages, each with a noise and a room of its own, at many speeds
READERS = "en-us+m1", "en-gb-scotland+f2", "de+m3", "fr+f4", "it+m5", "en-029+croak", "pl+f1", "en-gb-x-rp+whisper", "nl+m7"
OTHERS = "de+m2", "en-us+f3", "sv+m4", "es+f5", "de+klatt3", "pt+m6", "hu+belinda", "de+whisperf", "cs+m8", "da+max"
PHRASES = {"phrases, 27 by 9": (ENGLISH, READERS), "phrases, 20 by 10": (GERMAN, OTHERS)}


def phrases(name, folder, espeak):
    "Each phrase by each voice once, by the speech synthesiser espeak-ng."
    texts, voices = PHRASES[name]
    rng, rows = np.random.default_rng(len(texts)), []
    pitches, _, snr = rng.integers(25, 75, len(voices)), rng.integers(130, 190, len(voices)), rng.uniform(3, 20, len(voices))
    rooms = [rng.normal(size=4000)*np.exp(-np.arange(4000)/n) for n in rng.uniform(50, 900, len(voices))]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for (p,text),(v,voice) in itertools.product(enumerate(texts), enumerate(voices)):
        path = Path(folder)/f"{p:02d}-{v:02d}.wav"
        rng.integers(-3, 4), rng.uniform() # drawn and not used, as above: so the clips are those of the results
        pitch, speed, gap = pitches[v] + rng.integers(-20, 21), rng.integers(100, 260), rng.integers(0, 12)
        subprocess.run([espeak, "-v", voice, "-p", str(pitch), "-s", str(speed), "-g", str(gap), "-w", str(path), text], check=True)
        wave, rate = sf.read(path)
        wave = signal.fftconvolve(wave, rooms[v])
        wave += rng.normal(size=len(wave))*wave.std()*10**(-snr[v]/20)
        sf.write(path, wave/np.abs(wave).max()*.7, rate)
        rows.append((path, text, voice))
    return clips(pd.DataFrame(rows, columns=["path", "label", "source"]), errors=[])

def letters(table):
    "Letters and syllables that at least five languages name alike."
    return table[table.label.map(table.label.value_counts()) >= 5].reset_index(drop=True)

def at_most(table, most):
    "At most so many clips of a source."
    return table.groupby("source").head(most).reset_index(drop=True)

def every(table, step): return table.iloc[::step].reset_index(drop=True)

# the halves of `voting.py`, with two sets more in each
CHOOSE = {
    "phrases, 27 by 9": lambda folder, args: phrases("phrases, 27 by 9", folder, args.espeak),
    "digits, first takes": lambda folder, args: every(digits(True), 2),
    "languages, odd": lambda folder, args: at_most(languages(args.klettres, 0), 25),
    "letters, odd": lambda folder, args: letters(languages(args.klettres, 0)),
    "words, 6 by 4": lambda folder, args: words(folder, 6, 4, 10, 0),
    "sounds, middle": lambda folder, args: every(make("sounds, middle", folder), 2),
    "machines": lambda folder, args: every(make("machines", folder), 2)}
REPORT = {
    "phrases, 20 by 10": lambda folder, args: phrases("phrases, 20 by 10", folder, args.espeak),
    "digits, last takes": lambda folder, args: every(digits(False), 6),
    "letters, even": lambda folder, args: letters(languages(args.klettres, 1)),
    "birds": lambda folder, args: every(make("birds", folder), 3),
    "words, 10 by 6": lambda folder, args: every(words(folder, 10, 6, 8, 1), 4),
    "sounds, hard": lambda folder, args: every(make("sounds, hard", folder), 4),
    "languages, even": lambda folder, args: at_most(languages(args.klettres, 1), 15),
    "planted pitches": lambda folder, args: planted(folder, every(digits(False), 6), "pitches")}
SETS = {**CHOOSE, **REPORT}
ONLY_SOURCE = "languages, odd", "languages, even" # the letters of two languages are not the same letters
RESULTS = Path(__file__).parent/"results"


loaded = cache(named_encoder)

def points(table, name, by, cache_folder):
    "Whitened embeddings, rows of length 1."
    encoder = FixedEncoder(by, None, common_sample_rate(table.path)) if name == "fixed" else loaded(name)
    X = np.nan_to_num(encoder.embed(table, [], cache=cache_folder, num_workers=0))
    Z = encoder.whitening(len(X)).fit_transform(X)
    return Z/np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-9)

def write_points(args):
    "A file of each set: whitened embeddings by each encoder, and both answers."
    with tempfile.TemporaryDirectory() as tmp:
        for name,table_of in SETS.items():
            if args.only and name not in args.only.split(";"): continue
            file = file_of(args.folder, name)
            if file.is_file(): continue
            table = table_of(Path(tmp)/name, args)
            Z = {f"fixed {by}": points(table, "fixed", by, None) for by in BOTH}
            for e in ENCODERS[1:]: Z[e] = points(table, e, "content", Path(tmp)/"cache")
            args.folder.mkdir(parents=True, exist_ok=True)
            np.savez(file, label=np.array(table.label, dtype=str), source=np.array(table.source, dtype=str), **Z)
            print(name, len(table), table.label.nunique(), table.source.nunique(), flush=True)

def file_of(folder, name): return folder/f"{name.replace(', ', '_').replace(' ', '-')}.npz"

OTHER_NUMBER = 10 # groups of the grouping that is not wanted: how many there are nobody has said
EARS = ENCODERS[1:]

class Task:
    "A set and a wanted grouping: points, answers, and partitions that are made when they are wanted. The rules see no answers."
    def __init__(self, folder, name, by, seed, without=()):
        with np.load(file_of(folder, name)) as f: self.Z = {e: f[e] for e in f.files if e not in without}
        self.kept = folder/"partitions"/file_of(folder, name).stem
        self.label, self.source = self.Z.pop("label"), self.Z.pop("source")
        self.by, self.seed, self.partitions = by, seed, {}
        self.wanted, self.unwanted = (self.label, self.source) if by == "content" else (self.source, self.label)
        self.k, self.other = len(set(self.wanted)), min(OTHER_NUMBER, len(self.label)//5)
        self.other_by = BOTH[by == "content"]
        self.ears = [e for e in EARS if e in self.Z]

    def points(self, e, by): return self.Z[f"fixed {by}" if e == "fixed" else e]

    def of(self, Z, k): return Consensus(k, random_state=self.seed).fit(Z).labels_

    def alone(self, e, by, k): # Name of an encoder -> labels
        file = self.kept/f"{e}-{by}-{k}-{self.seed}.npy"
        if (e, by, k) not in self.partitions:
            if not file.is_file():
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, self.of(self.points(e, by), k))
            self.partitions[e, by, k] = np.load(file)
        return self.partitions[e, by, k]

    def side_by_side(self, weights, by): return np.concatenate([self.points(e, by)*np.float32(w) for e,w in weights.items()], 1)

    def voted(self, weights, by, k): # Name → weight -> labels
        key = *sorted(weights.items()), by, k
        if key not in self.partitions:
            self.partitions[key] = self.of(self.side_by_side(weights, by), k)
        return self.partitions[key]

    def agreements(self, by, k): # NMI with the fixed encoder
        return {e: nmi(self.alone("fixed", by, k), self.alone(e, by if e == "fixed" else "", k)) for e in self.ears}

    def mine(self, e): return self.alone(e, "", self.k)


def weights_of(agreements):
    "The weights of a vote, from agreements of whatever kind."
    return elected(vote_weights(agreements, {e: encoder_info(e).family for e in agreements}))

def together(labels):
    "Which pairs of clips are in the same group: a row of 0 and 1."
    return (labels[:, None] == labels)[np.triu_indices(len(labels), 1)].astype(np.float32)

def partial(x, y, z):
    "Correlation of x and y with z taken into account."
    r = np.corrcoef([x, y, z])
    return float((r[0, 1] - r[0, 2]*r[1, 2])/max(np.sqrt((1 - r[0, 2]**2)*(1 - r[1, 2]**2)), 1e-9))

def as_it_was(t): return weights_of(t.agreements(t.by, t.k))

def corrected(t):
    "With agreement that is corrected for chance: the rule of the package."
    return weights_of({e: ami(t.alone("fixed", t.by, t.k), t.mine(e)) for e in t.ears})

def corrected_helps_one(t):
    "The same, without encoders whose groups agree more with the fixed encoder's groups of the other grouping."
    reference, other = t.alone("fixed", t.by, t.k), t.alone("fixed", t.other_by, t.other)
    agreements = {e: (ami(reference, t.mine(e)), ami(other, t.mine(e))) for e in t.ears}
    return weights_of({e: own if own >= others else 0. for e,(own,others) in agreements.items()})

def helps_one(t):
    "As it was, without encoders whose groups agree more with the fixed encoder's groups of the other grouping."
    reference, other = t.alone("fixed", t.by, t.k), t.alone("fixed", t.other_by, t.other)
    return weights_of({e: a if ami(reference, t.mine(e)) >= ami(other, t.mine(e)) else 0. for e,a in t.agreements(t.by, t.k).items()})

def difference(t):
    "By how much the agreement with the fixed encoder's wanted groups is larger than that with the others."
    reference, other = t.alone("fixed", t.by, t.k), t.alone("fixed", t.other_by, t.other)
    return weights_of({e: ami(reference, t.mine(e)) - max(0, ami(other, t.mine(e))) for e in t.ears})

def given_fixed(t):
    "Partial correlation of the pairs that are together, the fixed encoder's groups of the other grouping taken into account."
    reference, other = together(t.alone("fixed", t.by, t.k)), together(t.alone("fixed", t.other_by, t.other))
    return weights_of({e: partial(together(t.mine(e)), reference, other) for e in t.ears})

def discounted(t):
    "Agreement as it was, times the share of an encoder's agreements that is with the wanted grouping."
    reference, other = t.alone("fixed", t.by, t.k), t.alone("fixed", t.other_by, t.other)
    shares = {}
    for e,a in t.agreements(t.by, t.k).items():
        own, others = max(0, ami(reference, t.mine(e))), max(0, ami(other, t.mine(e)))
        shares[e] = a*own/max(own + others, 1e-9)
    return weights_of(shares)

def other_vote(t):
    "The groups of a vote for the other grouping, in ten groups."
    reference = t.alone("fixed", t.other_by, t.other)
    return t.voted(weights_of({e: ami(reference, t.alone(e, "", t.other)) for e in t.ears}), t.other_by, t.other)

def not_the_other(t):
    "AMI, times one minus the agreement with the groups of the other vote."
    reference, other = t.alone("fixed", t.by, t.k), other_vote(t)
    return weights_of({e: ami(reference, t.mine(e))*(1 - max(0, ami(other, t.mine(e)))) for e in t.ears})

def leaves_out(t):
    "AMI, without encoders whose groups agree more with the other vote than with the wanted one."
    reference, wanted, other = t.alone("fixed", t.by, t.k), t.voted(corrected(t), t.by, t.k), other_vote(t)
    return weights_of({e: ami(reference, t.mine(e)) if ami(wanted, t.mine(e)) >= ami(other, t.mine(e)) else 0. for e in t.ears})

def second_reference(t):
    "AMI with the groups of a first vote in the place of those of the fixed encoder."
    wanted = t.voted(corrected(t), t.by, t.k)
    return weights_of({e: ami(wanted, t.mine(e)) for e in t.ears})

def taken_out(t, share, of=None):
    "AMI, after a share of the means of the other vote's groups was subtracted from encoders, all but the fixed one if None are named: (weights, groups)."
    other = other_vote(t)
    Z = {e: t.points(e, t.by) for e in ("fixed", *t.ears)}
    for e in t.ears if of is None else of:
        means = {g: Z[e][other == g].mean(0) for g in np.unique(other)}
        Z[e] = Z[e] - share*np.stack([means[g] for g in other])
        Z[e] /= np.maximum(np.linalg.norm(Z[e], axis=1, keepdims=True), 1e-9)
    reference = t.alone("fixed", t.by, t.k)
    weights = weights_of({e: ami(reference, t.of(Z[e], t.k)) for e in t.ears})
    return weights, t.of(np.concatenate([Z[e]*np.float32(w) for e,w in weights.items()], 1), t.k)

def all_taken_out(t): return taken_out(t, 1.)

def first_vote(t): return t.voted(corrected(t), t.by, t.k)

def share_apart(t): return 1 - max(0, ami(first_vote(t), other_vote(t)))

def partly_taken_out(t): return taken_out(t, share_apart(t))

def taken_out_squared(t): return taken_out(t, share_apart(t)**2)

def taken_out_of_followers(t):
    wanted, other = first_vote(t), other_vote(t)
    return taken_out(t, share_apart(t), [e for e in t.ears if ami(other, t.mine(e)) > ami(wanted, t.mine(e))])

RULES = {"NMI, as it was": as_it_was, "AMI": corrected, "AMI, helps one": corrected_helps_one, "NMI, helps one": helps_one, "NMI, share of agreements": discounted, "AMI, difference": difference, "partial correlation": given_fixed,
         "AMI, not the other vote": not_the_other, "AMI, leaves out": leaves_out, "AMI, second reference": second_reference, "AMI, other taken out": all_taken_out, "AMI, partly taken out": partly_taken_out,
         "AMI, taken out squared": taken_out_squared, "AMI, taken out of followers": taken_out_of_followers}
METHODS = {"kmeans": KMeans, "consensus": Consensus, "spectral": SpectralClustering, "auto": AutoClustering}


def row(task, name, labels, weights): # What both tables have
    s = score(task.wanted, labels)
    return dict(set=name, by=task.by, half="choose" if name in CHOOSE else "report", clips=len(labels), groups=task.k, seed=task.seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4),
                nmi_other=round(nmi(task.unwanted, labels), 4), weights=" ".join(f"{e}:{w:.2f}" for e,w in weights.items()))

def compare_rules(args):
    @cache
    def task(name, by, seed): return Task(args.folder, name, by, seed)
    def run(variant, seed):
        name, by, rule = variant.split(" / ")
        t = task(name, by, seed)
        found = RULES[rule](t)
        weights, labels = found if isinstance(found, tuple) else (found, t.voted(found, by, t.k))
        return dict(rule=rule, **row(t, name, labels, weights))
    append(args.out or RESULTS/"voting-kinds.csv", [(f"{name} / {by} / {rule}", s) for s in range(args.seeds) for rule in (args.rules.split(";") if args.rules else RULES) for name,by in tasks_of(args)], run)

def compare_second(args):
    "What the vote for the other grouping follows, and the share that `partly taken out` takes."
    def run(variant, seed):
        name, by = variant.split(" / ")
        t = Task(args.folder, name, by, seed)
        other = other_vote(t)
        return dict(set=name, by=by, half="choose" if name in CHOOSE else "report", clips=len(other), seed=seed, ami_wanted=round(ami(t.wanted, other), 4),
                    ami_other=round(ami(t.unwanted, other), 4), share=round(share_apart(t), 4))
    append(args.out or RESULTS/"voting-second.csv", [(f"{name} / {by}", s) for s in range(args.seeds) for name,by in tasks_of(args)], run)

def compare_methods(args):
    "With and without yamnet, the weights by the rule of the package."
    @cache
    def weighted(name, by, seed, ears):
        t = Task(args.folder, name, by, seed, () if ears == "with" else ("yamnet",))
        return t, corrected(t)
    def run(variant, seed):
        name, by, ears, method = variant.split(" / ")
        t, weights = weighted(name, by, seed, ears)
        Z = t.side_by_side(weights, by)
        return dict(yamnet=ears, method=method, **row(t, name, METHODS[method](t.k, random_state=seed).fit(Z).labels_, weights))
    append(args.out or RESULTS/"voting-yamnet.csv", [(f"{name} / {by} / {ears} / {method}", s) for s in range(args.seeds) for name,by in tasks_of(args) for ears in ("without", "with") for method in METHODS], run)

def tasks_of(args):
    "Names of sets that are in the folder, each with the groupings that it has."
    for name in args.only.split(";") if args.only else SETS:
        if not file_of(args.folder, name).is_file(): raise SystemExit(f"no points of {name}: run it with `points` first")
        for by in args.by.split(","):
            if by == "source" or name not in ONLY_SOURCE: yield name, by


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("what", choices=("points", "rules", "second", "methods"))
    p.add_argument("--klettres", help="folder with a folder for each language (default: where the package is installed)")
    p.add_argument("--espeak", default="espeak-ng", help="the program espeak-ng")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--rules", help="names of rules, separated by semicolons")
    p.add_argument("--by", default="content,source")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--out", type=Path)
    args = p.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dict(points=write_points, rules=compare_rules, second=compare_second, methods=compare_methods)[args.what](args)


if __name__ == "__main__": main()
