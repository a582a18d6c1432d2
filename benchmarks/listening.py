"""Naming by listening: how many clips are named rightly after so many were heard?

    AUDIOCLUST_DATA=… python benchmarks/listening.py FOLDER --rendered FOLDER --klettres FOLDER [--points fixed] [--unopened FOLDER]
    AUDIOCLUST_DATA=… python benchmarks/listening.py FOLDER --real choosing --seeds 3 --out benchmarks/results/real-listening.csv

Needs the notes and drum hits of `rendered.py`, Debian's package klettres-data, and the wheels of the encoders named below.
A row of results/listening.csv is one set, one draw of 85 % of its clips, one way of asking, one last word and one simulated listener, after
so many clips were heard. A set has at most 600 clips; "digits" and "speakers" have all 3,000, in another order in each draw. Points, in FOLDER, are made once: `joint` are the fixed encoder and pretrained ones with
equal weights (speech_embedding and resemblyzer for digits and languages; yamnet for the others, and aisfx for notes and drums), for speakers
the vote of all that are installed (it takes fixed, resemblyzer and aisfx), whose weights are chosen without labels; `fixed` is the fixed encoder alone. Of real sets all clips are asked about, with the default method and the points
that it groups, up to four clips a kind, beside random clips and those that logistic regression doubts; how honest the estimate is was chosen on the sets to choose on. The constants of `audioclust.pipeline.naming` were chosen on
the sets "choose" with the points `fixed`, by two draws; the sets "report" took no part, and half of the clips of the sets "both" did. The sets "unopened" are Debian's packages sonic-pi-samples and
tuxpaint-stamps-default: they were run once, after all constants were frozen in constants.json, and are run only where --unopened names their folder.

Ways of asking: `ours` is `next_to_hear`, one clip at a time; `parts` is the same without doubt, so a division that only grows finer; `k-means`
hears the middles of as many K-means parts as may be heard, which must be known before; `random`; `margin` hears as many random clips as there are
kinds, and then those that logistic regression doubts most, five at a time. Last words: `ours`; `graph` (label spreading alone); `nearest` (the nearest
heard clip); `regression` (logistic regression); `parts` (each part has the name of its middle; after as many clips as there are kinds
this is "k groups named"); `seeds` (K-means with seeds and the true number of groups). Listeners: `true`; `wrong`, in one answer of twenty; `several` answers
*several things* where fewer than half of the five nearest clips are of the kind of the clip heard.
Each run has as many groups as kinds, which count in `ours` as heard clips do. `accuracy` is over all clips, the best name where unsure. `named` is the share of clips with a name, `right` that of these that are right, and
`estimate` what `naming_progress` says of `right`.
Goal: accuracy by clips heard, and how honest the estimate is. Not a goal: how people hear.
"""
import argparse, csv, json, warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances

from appended import commit
from audioclust.audio import fsdd
from audioclust.encoders.residual import IdentityWhitening
from audioclust.ensembles.label_spreading import spread_labels
from audioclust.kmeans import KMeans
from audioclust.kmeans.constraints import Constraints
from audioclust.pipeline import (
    AudioClusterer, name_clips, naming_progress, next_to_hear, Options, Request, run_of_embeddings, spread_names)
from audioclust.pipeline.naming.answers import known_names
from audioclust.pipeline.naming.questions import _next_row
from audioclust.pipeline.naming.spreading import geometry, spread_known
from audioclust.runs.edits import SEVERAL
from constants import constants, differences, FILE
from known_sets import CHOOSING, klettres, is_scored, load, REPORTING
from quality import ways_of
from made_sets import make
from rendered import rendered

MOST, LEAST = 600, 40 # clips of a set that is not whole, recordings of a language
SHARE, WRONG = .85, 1/20 # of the clips in a draw; of the answers
A_KIND = 1, 1.5, 2, 3, 4, 6, 8 # clips heard for each kind
SPEECH, SOUNDS, INSTRUMENTS = "fixed+speech_embedding+resemblyzer", "fixed+yamnet", "fixed+aisfx+yamnet"

def all_digits(): return fsdd(download=False).rename(columns={"speaker": "source"})

def digits(first):
    "The first or the last takes of the spoken digits."
    table = all_digits()
    return table[(table["take"] < 25) == first]

def languages(folder):
    table = klettres(folder, [])
    sizes = table.source.value_counts()
    return table[table.source.isin(sizes.index[sizes >= LEAST])]

# set → (half: constants are chosen on "choose"; by; encoders of the joint points; its clips)
SETS = {
    "digits, first takes": ("choose", "content", SPEECH, lambda args: digits(True)),
    "speakers, first takes": ("choose", "source", "auto", lambda args: digits(True)),
    "machines": ("choose", "content", SOUNDS, lambda args: make("machines", args.folder/"sounds")),
    "notes": ("choose", "content", INSTRUMENTS, lambda args: rendered("notes", args.rendered)),
    "sounds, middle": ("choose", "content", SOUNDS, lambda args: make("sounds, middle", args.folder/"sounds")),
    "digits, last takes": ("report", "content", SPEECH, lambda args: digits(False)),
    "speakers, last takes": ("report", "source", "auto", lambda args: digits(False)),
    "birds": ("report", "content", SOUNDS, lambda args: make("birds", args.folder/"sounds")),
    "drums": ("report", "content", INSTRUMENTS, lambda args: rendered("drums", args.rendered)),
    "sounds, hard": ("report", "content", SOUNDS, lambda args: make("sounds, hard", args.folder/"sounds")),
    "languages": ("report", "source", SPEECH, lambda args: languages(args.klettres)),
    "digits": ("both", "content", SPEECH, lambda args: all_digits()),
    "speakers": ("both", "source", "auto", lambda args: all_digits()),
    "Sonic Pi": ("unopened", "content", INSTRUMENTS, lambda args: load("Sonic Pi", args.unopened)),
    "Tux Paint": ("unopened", "source", SPEECH, lambda args: load("Tux Paint", args.unopened)),
}
REAL = {f"{name} / {by}": ("choose" if name in CHOOSING else "opened", by, "auto", lambda args, name=name: load(name)) for name in [*CHOOSING, *REPORTING] for by in ways_of(name)}
SETS |= REAL
WHOLE = "digits", "speakers", *REAL # with a true listener alone
LISTENERS = "true", "wrong", "several" # the others by three draws

def points(name, which, args):
    "The points of a set, and what each clip truly is [N]; made once, kept in the folder."
    _, by, joint, clips = SETS[name]
    encoder = joint if which == "joint" else "fixed"
    file = args.folder/f"points-{encoder}"/f"{name.replace(', ', '-').replace(' ', '-')}.npz"
    if not file.is_file():
        column = "label" if by == "content" else "source"
        table = clips(args)
        if name not in WHOLE: table = table.sample(min(MOST, len(table)), random_state=0)
        table = table.sort_index().reset_index(drop=True)
        options = Options(stability=0, num_workers=0, cache=args.folder/"cache")
        if name in REAL: table = table[is_scored(table, by)].reset_index(drop=True)
        model = AudioClusterer("auto" if name in REAL else "kmeans", table[column].nunique(), by, encoder=encoder, options=options)
        run = model.fit(table[["path", "start", "end"]]).run_
        truth = table.set_index(table.path.map(str))[column]
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, X=run.embeddings.X, truth=truth[run.clips.table.path.map(str)].to_numpy(str))
    with np.load(file) as f: return f["X"], f["truth"]


class Listener:
    "Answers for a clip, by its row."
    def __init__(self, kind, truth, distances, rng):
        self.kind, self.truth, self.rng = kind, truth, rng
        near = np.argsort(distances, 1)[:, 1:6]
        self.is_mixed = (truth[near] == truth[:, None]).mean(1) < .5

    def answers(self, rows): return {row: self.answer(row) for row in rows}

    def answer(self, row):
        if self.kind == "several" and self.is_mixed[row]: return SEVERAL
        wrong = np.setdiff1d(self.truth, self.truth[row])
        if self.kind == "wrong" and self.rng.random() < WRONG: return str(self.rng.choice(wrong))
        return str(self.truth[row])

def named_by(names, rows, known): # Best name of each clip; those that were heard
    names = np.array(names, object)
    names[rows] = known
    return names

def regression(X, rows, known):
    "The names that logistic regression gives, and by how much each wins."
    if len(set(known)) == 1: return np.repeat(known[:1], len(X)), np.zeros(len(X))
    model = LogisticRegression(max_iter=300).fit(X[rows]/X.std(), known)
    shares = np.sort(model.predict_proba(X/X.std()), 1)
    return model.predict(X/X.std()), shares[:, -1] - shares[:, -2]

def last_words(run, X, distances, rows, known, words):
    "Names of all clips by each last word."
    known = np.array(known, str)
    for word in words:
        if word == "graph":
            found, number = np.unique(known, return_inverse=True)
            seeds = np.zeros((len(X), len(found)))
            seeds[rows, number] = 1
            names = found[spread_labels(geometry(run.embeddings).graph, seeds).argmax(1)]
        elif word == "nearest": names = known[distances[:, rows].argmin(1)]
        elif word == "regression": names = regression(X, rows, known)[0]
        else:
            spread = spread_known(run, dict(zip(rows, known)))
            names = spread.names[spread.shares.argmax(1)]
        yield word, named_by(names, rows, known)

def asked_by_us(run, X, distances, truth, kind, seed, counts):
    "Rows for a run in which one listens, question by question."
    listener = Listener(kind, truth, distances, np.random.default_rng([seed, 1]))
    for heard in range(1, counts[-1] + 1):
        run = name_clips(run, listener.answers(next_to_hear(run)))
        known = known_names(run)
        if heard not in counts or not known: continue
        table, progress = spread_names(run).table, naming_progress(run)
        is_named = (table.name != "").to_numpy()
        more = dict(named=is_named.mean(), right=(table.name == truth)[is_named].mean(), estimate=progress.right)
        words = ("ours", "graph", "nearest", "regression") if kind == "true" else ("ours",)
        for word,names in last_words(run, X, distances, list(known), list(known.values()), words):
            yield dict(asked="ours", word=word, heard=heard, accuracy=(names == truth).mean(), **(more if word == "ours" else {}))

def asked_otherwise(run, X, distances, truth, k, seed, counts, ways=("parts", "k-means", "random", "margin")):
    "Rows for the other ways of asking."
    rng = np.random.default_rng([seed, 2])
    chance = rng.permutation(len(X)).tolist()
    is_heard, parts = np.zeros(len(X), bool), []
    for _ in range(counts[-1]*("parts" in ways)):
        parts.append(_next_row(run, is_heard, np.ones(len(X))))
        is_heard[parts[-1]] = True
    margin = chance[:k]
    while len(margin) < counts[-1]:
        wins = regression(X, margin, truth[margin])[1]
        wins[margin] = np.inf
        margin += np.argsort(wins, kind="stable")[:5].tolist()
    for heard in counts:
        if "k-means" not in ways:
            for asked,rows in dict(random=chance[:heard], margin=margin[:heard]).items():
                for word,names in last_words(run, X, distances, rows, truth[rows], ("regression",)): yield dict(asked=asked, word=word, heard=heard, accuracy=(names == truth).mean())
            continue
        model = KMeans(heard, n_init=4, random_state=seed).fit(X)
        labels = np.asarray(model.labels_)
        middles = {c: np.flatnonzero(labels == c)[np.square(X[labels == c] - X[labels == c].mean(0)).sum(1).argmin()] for c in np.unique(labels)}
        named = np.array([truth[middles[c]] for c in labels])
        yield dict(asked="k-means", word="parts", heard=heard, accuracy=(named == truth).mean())
        orders = {"parts": parts[:heard], "k-means": [int(row) for row in middles.values()], "random": chance[:heard], "margin": margin[:heard]}
        for asked,rows in orders.items():
            words = ("regression", "ours") if asked in ("random", "margin") else ("ours",)
            for word,names in last_words(run, X, distances, rows, truth[rows], words):
                yield dict(asked=asked, word=word, heard=heard, accuracy=(names == truth).mean())
        seeds = np.full(len(X), -1)
        found, seeds[chance[:heard]] = np.unique(truth[chance[:heard]], return_inverse=True)
        groups = np.asarray(KMeans(k, n_init=4, random_state=seed).fit(X, constraints=Constraints(seeds)).labels_)
        names = np.append(found, [""]*k)[groups]
        yield dict(asked="random", word="seeds", heard=heard, accuracy=(names == truth).mean())

def rows_of(name, which, seed, args):
    X, truth = points(name, which, args)
    drawn = np.random.default_rng(seed).permutation(len(X))
    if name not in WHOLE: drawn = np.sort(drawn[:round(SHARE*len(X))])
    X, truth = X[drawn], truth[drawn]
    k, distances = len(set(truth)), pairwise_distances(X)
    counts = [round(a*k) for a in ((1, 2, 4) if name in REAL else A_KIND)]
    run = run_of_embeddings(X, request=Request("auto" if name in REAL else "kmeans", k, options=Options(stability=0)), whitening=IdentityWhitening())
    about = dict(set=name, half=SETS[name][0], points=which, clips=len(X), kinds=k, seed=seed)
    for listener in LISTENERS[:1] if name in WHOLE or seed > 2 else LISTENERS:
        for row in asked_by_us(run, X, distances, truth, listener, seed, counts): yield {**about, "listener": listener, **row}
    for row in asked_otherwise(run, X, distances, truth, k, seed, counts, *[("random", "margin")]*(name in REAL)): yield {**about, "listener": "true", **row}

COLUMNS = "set half points clips kinds seed listener asked word heard accuracy named right estimate commit".split()

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--rendered", type=Path, help="where rendered.py has written")
    p.add_argument("--klettres", type=Path, help="folder of the recordings of klettres-data")
    p.add_argument("--points", default="joint", help="joint or fixed")
    p.add_argument("--unopened", type=Path, help="a folder above those of the two packages that are opened once")
    p.add_argument("--real", choices=["choosing", "reporting"], help="real sets in AUDIOCLUST_DATA")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"listening.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    names = args.only.split(";") if args.only else [name for name,(half, *_) in SETS.items() if half not in ("unopened", "opened") and name not in REAL or half == "unopened" and args.unopened]
    if args.real: names, args.points = [name for name in REAL if SETS[name][0] == dict(choosing="choose", reporting="opened")[args.real]], "joint"
    if args.unopened and (changed := differences(json.loads(FILE.read_text(encoding="utf-8")), constants())):
        p.error("constants differ from those that were frozen:\n" + "\n".join(changed))
    known = list(csv.DictReader(open(args.out, newline=""))) if args.out.is_file() else []
    done = {(row["set"], row["points"], int(row["seed"])) for row in known}
    at = commit()
    with open(args.out, "a", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, restval="", lineterminator="\n")
        if not known: writer.writeheader()
        for seed in range(args.seeds):
            for name in names:
                if (name, args.points, seed) in done: continue
                for row in list(rows_of(name, args.points, seed, args)):
                    numbers = {column: round(float(value), 4) for column,value in row.items() if isinstance(value, (float, np.floating))}
                    writer.writerow({**row, **numbers, "commit": at})
                f.flush()
                print(name, seed, flush=True)


if __name__ == "__main__": main()
