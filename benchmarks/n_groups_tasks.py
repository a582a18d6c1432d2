"""Sets whose number of groups is known, from 1 to 100, for `n_groups.py`: parts of recordings that are there, and of what is rendered.

    AUDIOCLUST_DATA=… python benchmarks/n_groups_tasks.py FOLDER [--klettres FOLDER]     writes points of each task, to be read by `points`

A task is a table of clips, what to group by, and the true group of each clip. Which digits, speakers, words and clips take part is
drawn with a fixed seed. Tasks are in two halves, in turn: rules are chosen on one ("choose") and judged on the other ("report").
`clutter` adds clips of their own kind each, which belong to no group (truth -1, not scored); in `unequal` tasks the sizes follow
Zipf's law, down to a fifth of the largest; in `nested` ones each group of speaker and word together is the truth, and `coarse` has the word.
"""
import argparse, warnings
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

from audioclust.audio import fsdd, synthetic_sounds
from audioclust.audio.synthetic import _speaker, _word
from audioclust.pipeline import AudioClusterer, Options
from known_sets import klettres
from made_sets import DIFFICULTIES, make

RATE = 8000
VOTED = "digits", "families", "birds", "machines", "languages", "words", "voices"


def rendered(folder, n_words, n_voices, n, seed):
    "Words of three vowels each, by several voices, `n` times each."
    triples = np.random.default_rng(seed).permutation([t for t in np.ndindex(6, 6, 6) if len(set(t)) > 1])[:n_words]
    speakers, rows = [_speaker(s) for s in range(n_voices)], []
    Path(folder).mkdir(parents=True, exist_ok=True)
    for w,s,i in np.ndindex(n_words, n_voices, n):
        wave = np.asarray(_word(tuple(triples[w]), speakers[s], RATE, np.random.default_rng([seed, w, s, i])))
        path = Path(folder)/f"{w:03d}-{s:02d}-{i:02d}.wav"
        if not path.exists(): sf.write(path, wave/np.abs(wave).max()*.7, RATE)
        rows.append((str(path), 0., len(wave)/RATE, f"word{w}", f"voice{s}"))
    return pd.DataFrame(rows, columns=["path", "start", "end", "label", "source"])

def families(folder, difficulty):
    return synthetic_sounds(12, 60, **DIFFICULTIES[f"sounds, {difficulty}"]).save(folder).rename(columns={"voice": "source"})

class Pools:
    "Tables of clips with columns path, start, end, label, source, made when they are wanted."
    def __init__(self, folder, klettres_folder=None):
        self.folder, self.tables = Path(folder), {}
        self.makers = {"digits": lambda f: fsdd(download=False).rename(columns={"speaker": "source"}), "words": lambda f: rendered(f, 110, 6, 4, 0), "voices": lambda f: rendered(f, 10, 24, 4, 1),
                       "large": lambda f: rendered(f, 40, 10, 50, 2), "clutter": lambda f: rendered(f, 200, 1, 1, 3),
                       **{f"families, {d}": lambda f, d=d: families(f, d) for d in ("easy", "middle", "hard")}, "birds": lambda f: make("birds", f), "machines": lambda f: make("machines", f),
                       "languages": lambda f: klettres(klettres_folder, [])}

    def __getitem__(self, name):
        if name not in self.tables: self.tables[name] = self.makers[name](self.folder/name.replace(", ", "-"))
        return self.tables[name]

def part(table, rng, labels=None, sources=None, most=None, unequal=""):
    "The clips of so many labels and sources, drawn at random."
    for column,n in (("label", labels), ("source", sources)):
        if n: table = table[table[column].isin(rng.permutation(sorted(set(table[column])))[:n])]
    if unequal:
        names = rng.permutation(sorted(set(table[unequal])))
        share = dict(zip(names, np.maximum(.2, 1/np.arange(1, len(names) + 1))))
        table = pd.concat([g.sample(min(len(g), max(5, round(len(g)*share[name]))), random_state=int(rng.integers(2**31))) for name,g in table.groupby(unequal)])
    if most and len(table) > most: table = table.sample(most, random_state=int(rng.integers(2**31)))
    return table.sort_index().reset_index(drop=True)

def tasks(pools):
    "(name, half, by, table, truth, coarse truth or None) of all tasks."
    i = 0
    def task(name, pool, by, draw, truth=None, coarse=None):
        nonlocal i
        half, seed = ("choose", "report")[i % 2], [28, i]
        i += 1
        def made(): # the same each time
            table = draw(pools[pool], np.random.default_rng(seed))
            of = truth(table) if truth else table["label" if by == "content" else "source"]
            return table, np.asarray(of), None if coarse is None else np.asarray(coarse(table))
        return f"{pool}: {name}", half, pool, by, made
    def both(t): return t.label.astype(str) + t.source.astype(str)
    for draw in range(2):
        for k in range(1, 11): yield task(f"{k} digits, {draw}", "digits", "content", lambda t, r, k=k: part(t, r, k, int(r.integers(2, 7))))
        for k in range(1, 7): yield task(f"{k} speakers, {draw}", "digits", "source", lambda t, r, k=k: part(t, r, int(r.integers(2, 11)), k))
    for d,s in (2, 2), (3, 3), (6, 3), (4, 6), (7, 5), (9, 5), (10, 6), (5, 2): yield task(f"nested, {d} by {s}", "digits", "both", lambda t, r, d=d, s=s: part(t, r, d, s), both, lambda t: t.label)
    for k in 5, 8, 10: yield task(f"{k} digits, unequal", "digits", "content", lambda t, r, k=k: part(t, r, k, 6, unequal="label"))
    for k in 4, 6: yield task(f"{k} speakers, unequal", "digits", "source", lambda t, r, k=k: part(t, r, 10, k, unequal="source"))
    def cluttered(t, r, k, by):
        t = part(t, r, k if by == "content" else 6, 4 if by == "content" else k, most=800)
        odd = pools["clutter"].sample(len(t)//5, random_state=int(r.integers(2**31)))
        return pd.concat([t.assign(own=True), odd.assign(own=False)], ignore_index=True)
    for k,by in (3, "content"), (6, "content"), (10, "content"), (4, "source"):
        yield task(f"{k} with clutter, by {by}", "digits", by, lambda t, r, k=k, by=by: cluttered(t, r, k, by), lambda t, by=by: np.where(t.own, t["label" if by == "content" else "source"].astype(str), "-1"))
    for k in 1, 3, 7, 12, 16, 20, 26, 33, 41, 50, 60, 70, 85, 100: yield task(f"{k} words", "words", "content", lambda t, r, k=k: part(t, r, k, 6))
    for k in 15, 40: yield task(f"{k} words, unequal", "words", "content", lambda t, r, k=k: part(t, r, k, 6, unequal="label"))
    for k in 1, 2, 4, 7, 10, 14, 18, 24: yield task(f"{k} voices", "voices", "source", lambda t, r, k=k: part(t, r, None, k))
    for d in "easy", "middle": 
        for k in 1, 3, 5, 8, 12: yield task(f"{k} families", f"families, {d}", "content", lambda t, r, k=k: part(t, r, k))
    for k in 6, 12: yield task(f"{k} families", "families, hard", "content", lambda t, r, k=k: part(t, r, k))
    for k in 2, 5, 8: yield task(f"{k} species", "birds", "content", lambda t, r, k=k: part(t, r, k))
    for k in 2, 5: yield task(f"{k} conditions", "machines", "content", lambda t, r, k=k: part(t, r, k))
    for k in 2, 3, 4: yield task(f"{k} machines", "machines", "source", lambda t, r, k=k: part(t, r, None, k))
    for k in 4, 7, 11, 16: yield task(f"{k} languages", "languages", "source", lambda t, r, k=k: part(t, r, None, k))
    for k,n in (15, 7500), (40, 20000): yield task(f"{k} words, {n} clips", "large", "content", lambda t, r, k=k: part(t, r, k))


def write(folder, klettres_folder, names=None, without=(), encoders=("fixed", "auto")):
    "Points of each task by the fixed encoder, and by the vote, in .npz files."
    folder = Path(folder)
    for name,half,pool,by,made in tasks(Pools(folder/"sounds", klettres_folder)):
        if any(n in name for n in without): continue
        for encoder in encoders if pool.split(",")[0] in VOTED and by != "both" else set(encoders) - {"auto"}:
            file = folder/f"{name.replace(': ', '__').replace(', ', '_').replace(' ', '-')}__{by}__{encoder}.npz"
            if file.exists() or names and not any(n in name for n in names): continue
            table, truth, coarse = made()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = AudioClusterer("kmeans", 2, "content" if by == "both" else by, () if by == "both" else None, encoder=encoder, options=Options(stability=0, num_workers=0, cache=folder/"cache"))
                X = model.fit(table[["path", "start", "end"]]).embeddings_
            np.savez(file, X=X.astype(np.float32), truth=truth.astype(str), coarse=np.array([]) if coarse is None else coarse.astype(str), task=name, half=half, by=by, encoder=encoder)
            print(file.name, X.shape, len(set(truth)), flush=True)

def points(folder):
    "What `write` wrote, one after the other."
    for file in sorted(Path(folder).glob("*.npz")):
        with np.load(file) as f: yield {name: f[name] if f[name].ndim else f[name].item() for name in f.files}


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--klettres")
    p.add_argument("--only", nargs="*")
    p.add_argument("--without", nargs="*", default=[], help="tasks to leave out, such as large")
    p.add_argument("--encoders", nargs="*", default=["fixed", "auto"])
    args = p.parse_args()
    write(args.folder, args.klettres, args.only, args.without, args.encoders)
