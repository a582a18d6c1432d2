"""Words of file names as suggestions for groups: how many groups get one, how often it fits, and how many get one by chance.

    python benchmarks/path_words.py --rendered FOLDER [--seeds 5]        results/path-words.csv (half a minute of a core)

FOLDER is what `rendered.py` wrote. The clips of a set are grouped by K-means on the fixed encoder, with the true number of kinds and with
twice as many. Each clip gets a name as people give them: with probability `named` a spelling of its kind (SPELLINGS), else a word that says nothing,
in a folder of one of twelve packs, which has a word of its own. `groups` are found, `suggested` of them have a word, and `fits` is how many of these
have a best word that spells the kind of most of their clips. In `by chance`, the names are dealt to the clips anew, so every word is false.
The limits of `path_words` are tried one by one around those of the package (`rule`). They were chosen on drums; notes are the judge.
Goal: the limits of `audioclust.runs.findings`. Not a goal: names of real libraries; nobody's spellings were counted.
"""
import argparse, platform
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from appended import add_row, commit
from audioclust.audio import clips
from audioclust.encoders import FixedEncoder
from audioclust.runs import findings as module
from rendered import rendered

SPELLINGS = {
    "drums": dict(kick="kick bd BassDrum Kick", snare="snare sd Snr", tom="tom Tom floortom", closed_hat="hh ch ClosedHat hat", open_hat="oh OpenHat hat",
                  crash="crash cym Crash", ride="ride cym", clap="clap cp Clap", cowbell="cowbell cb", conga="conga Conga perc"),
    "notes": dict(piano="piano pno Piano", vibraphone="vibes vib", organ="organ org", guitar="gtr guitar Guitar", bass="bass Bass bs", violin="violin vln", choir="choir vox Choir",
                  trumpet="trumpet tpt", clarinet="clarinet cl", flute="flute Flute", sitar="sitar", steel_drum="steel pan steeldrum")}
NOTHING = "untitled Audio sample new bounce take rec loop".split()
PACKS = "Vinyl Garage Dusty Neon Tape Club Velvet Analog Zen Lofi Metro Cosmic".split()
RULES = {"": {}, "share .05": dict(_LEAST_SHARE=.05), "share .2": dict(_LEAST_SHARE=.2), "share .4": dict(_LEAST_SHARE=.4), "ratio 2": dict(_LEAST_RATIO=2.), "ratio 5": dict(_LEAST_RATIO=5.),
         "chance .001": dict(_CHANCE=.001), "chance 1e-5": dict(_CHANCE=1e-5), "chance 1": dict(_CHANCE=1.), "files 2": dict(_LEAST_FILES=2)}

def named_paths(kinds, spellings, share, rng): # One a clip
    "Paths as people have them, and what the words of kinds mean."
    paths = []
    for i,kind in enumerate(kinds):
        says = rng.random() < share
        word = rng.choice(spellings[kind].split()) if says else rng.choice(NOTHING)
        paths.append(f"/samples/{rng.choice(PACKS)} Kit/{word}{rng.choice(['_', ' ', '-'])}{i:03d}.wav")
    return paths

def meanings(spellings): # word → kinds
    found = {}
    for kind,words in spellings.items():
        for word in words.split():
            for one in module.words_of_name(word): found.setdefault(one, set()).add(kind)
    return found

def count(paths, kinds, labels, means):
    "(groups with a word, those whose best word fits)"
    suggested = module.path_words(pd.DataFrame(dict(path=paths, cluster=labels)))
    fits = 0
    for cluster,words in suggested.items():
        most = pd.Series(kinds)[labels == cluster].mode()[0]
        fits += most in means.get(next(iter(words)), ())
    return len(suggested), fits

if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rendered", required=True)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"path-words.csv")
    args = p.parse_args()
    own = {name: getattr(module, name) for name in ("_LEAST_FILES", "_LEAST_SHARE", "_LEAST_RATIO", "_CHANCE")}
    for name in SPELLINGS:
        table = rendered(name, args.rendered)
        kinds, encoder = [Path(path).parent.name for path in table.path], FixedEncoder("content")
        X = encoder.whitening(len(table)).fit_transform(encoder.embed(clips(table)))
        for times in (1, 2):
            groups = {seed: KMeans(times*len(SPELLINGS[name]), n_init=3, random_state=seed).fit_predict(X) for seed in range(args.seeds)}
            for share in (1., .5, .25):
                for rule,changed in RULES.items():
                    vars(module).update({**own, **changed})
                    sums = np.zeros(4, int)
                    for seed,labels in groups.items():
                        rng = np.random.default_rng(seed)
                        paths = named_paths(kinds, SPELLINGS[name], share, rng)
                        dealt = rng.permutation(paths)
                        sums += [labels.max() + 1, *count(paths, kinds, labels, meanings(SPELLINGS[name])), count(dealt, kinds, labels, {})[0]]
                    n, suggested, fits, chance = sums.tolist()
                    add_row(args.out, dict(set=name, clusters=times*len(SPELLINGS[name]), named=share, rule=rule, seeds=args.seeds, groups=n, suggested=suggested,
                                           fits=fits, by_chance=chance, commit=commit(), machine=platform.machine()))
