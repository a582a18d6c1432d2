"""DeepCluster on the spoken digits: as it is, with parts taken out, and as published; what its steps cost.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/deepcluster.py [--only "NAME;…"] [--seeds 5] [--ablation-seeds 3]

Each row of benchmarks/results/deepcluster.csv is one training, scored afterwards against digits and speakers; labels
take no part in training, stopping or choosing. Rows are appended: a run that is there already is not made again.
`seconds` is all of one run but reading the files; `cluster`, `embed` and `train` are its parts over all epochs, and
`augment` is the part of `train` that makes the views. The last epoch is what is scored.
Goal: the numbers of the chapter on DeepCluster. Not a goal: the best settings for each variant.
"""
import argparse, time
from pathlib import Path

import numpy as np

from appended import append
from audioclust.encoders import Views
from audioclust.encoders.augmentations import shift_bands
from audioclust.encoders.augmentations import warp
from audioclust.encoders.augmentations import full_grid
from audioclust.ensembles import Consensus
from audioclust.audio import fsdd
from audioclust.deepcluster import LearnerOptions, deepcluster_learner
from audioclust.deepcluster.learner import ResetHead
from audioclust.encoders import FixedEncoder, Whiten
from audioclust.kmeans import KMeans
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.metrics import score
from audioclust.encoders.networks import network_for
from audioclust.deepcluster.pseudolabels import AveragedViews, PseudoLabeller, UnchangedClips
from audioclust.encoders.whitening import WithinWhiten

PUBLISHED = dict(within=False, members=1, anchor=False)
VARIANTS = {  # by, pseudo-labels, then what differs
    "as it is": ("content", 10, {}), "as it is, by source": ("source", 6, {}), "no training": ("content", 10, dict(epochs=0)), "no training, by source": ("source", 6, dict(epochs=0)),
    "as published": ("content", 100, PUBLISHED), "as published, k = 10": ("content", 10, PUBLISHED), "no anchor": ("content", 10, dict(anchor=False)), "one K-means, anchor in the first epoch": ("content", 10, dict(members=1)),
    "whitened by all points": ("content", 10, dict(within=False)), "no augmentation": ("content", 10, dict(augment=False)), "not balanced": ("content", 10, dict(balance=False)),
    "head kept": ("content", 10, dict(renew=False)), "k = 30": ("content", 30, {}), "k = 100": ("content", 100, {}), "as published, no reseeding": ("content", 100, dict(PUBLISHED, reseed=False)),
    **{f"views without {part}": ("content", 10, dict(leave_out=part)) for part in ("pitch", "noise", "room", "time")},
}


class Timed:
    "Adds the seconds of calls to an entry of a dict."
    def __init__(self, f, spent, name): self.f, self.spent, self.name = f, spent, name
    def __call__(self, *args, **kwargs):
        start = time.perf_counter()
        try: return self.f(*args, **kwargs)
        finally: self.spent[self.name] = self.spent.get(self.name, 0) + time.perf_counter() - start


def without(views, part):
    "The same views, in training, labels and whitening, but for one of the things that they change: pitch, noise, room, or where in time the clip lies."
    if part == "time": views.grid = lambda n, dice=None: Views.grid(views, n) if dice is None else shift_bands(warp(full_grid(n, views.frames, len(views.hz)), dice, views.hz.to(n.device), .08), dice, .06)
    else: views.ignore = tuple(i for i in views.ignore if i != part)
    return views


def run(table, by, k, seed, epochs=10, anchor=True, within=True, members=16, reseed=True, leave_out=None, renew=True, **options):
    wanted, spent = dict(content=10, source=6)[by], {}
    fixed = FixedEncoder(by, sample_rate=8000)
    z = fixed.whitening(len(table)).fit_transform(fixed.embed(table)) if anchor else None
    encoder = network_for([37], by, sample_rate=8000, seed=seed)
    store = LogMelStore.from_clips(table, encoder.front)
    start = time.perf_counter()
    if epochs:
        dls, options = store.dataloaders(256), LearnerOptions(**options)
        embed = AveragedViews() if within else UnchangedClips()
        labeller = PseudoLabeller(k, z, embed=embed, n_members=members, reseed=reseed, seed=seed)
        labeller.cluster, labeller.anchor_partitions, labeller.embed = Timed(labeller.cluster, spent, "cluster"), Timed(labeller.anchor_partitions, spent, "cluster"), Timed(labeller.embed, spent, "embed")
        learn = deepcluster_learner(dls, encoder, k, labeller=labeller, options=options, seed=seed)
        if not renew: learn.remove_cb(ResetHead)
        if leave_out: without(learn.view_transform.views, leave_out)
        learn.view_transform.views = Timed(learn.view_transform.views, spent, "augment")
        learn._do_epoch_train = Timed(learn._do_epoch_train, spent, "train")
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 2e-3, pct_start=.1)
        encoder.eval()
    else: encoder.calibrate(store, seed=seed)
    curves = learn.curves.rows if epochs else []
    X = encoder.embed_logmels(store)
    if within:
        Z = WithinWhiten().fit(X, views=encoder.embed_logmels(store, views=8, seed=seed)).transform(X)
        labels = Consensus(wanted, dims=(8, 12, 16, 24), l2=True, random_state=seed).fit_predict(Z)
    else:
        Z = Whiten(256, floor=.01).fit_transform(X)
        labels = KMeans(wanted, n_init=20, random_state=seed).fit_predict(Z)
    plain = KMeans(wanted, n_init=20, random_state=seed).fit_predict(X/np.linalg.norm(X, axis=1, keepdims=True))
    seconds = time.perf_counter() - start
    digit, speaker, raw = score(table.label, labels), score(table.speaker, labels), score(table.label if by == "content" else table.speaker, plain)
    return dict(acc_digit=digit["acc"], nmi_digit=digit["nmi"], ari_digit=digit["ari"], acc_speaker=speaker["acc"], nmi_speaker=speaker["nmi"], ari_speaker=speaker["ari"], acc_plain=raw["acc"], nmi_plain=raw["nmi"],
                nmi_previous=curves[-1]["nmi_previous"] if curves else "", alive=min(r["alive"] for r in curves) if curves else "", loss=curves[-1]["loss"] if curves else "",
                seconds=seconds, **{name: spent.get(name, 0) for name in ("cluster", "embed", "train", "augment")})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of variants, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--ablation-seeds", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"deepcluster.csv")
    args = p.parse_args()
    table = fsdd(download=False)
    todo = [(name, s) for name in (args.only.split(";") if args.only else VARIANTS) for s in range(args.seeds if name.startswith(("as it is", "no training")) else args.ablation_seeds)]
    def one(name, seed):
        by, k, options = VARIANTS[name]
        return dict(by=by, k=k, seed=seed, **{m: round(v, 4) if isinstance(v, float) else v for m,v in run(table, by, k, seed, **options).items()})
    append(args.out, todo, one)


if __name__ == "__main__": main()
