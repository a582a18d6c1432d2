"""The gain of NF-SPICE over SPICE, divided: nine changes, one at a time and all but one, by content.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/divided.py --keep FOLDER [--only "SET;…"] [--by "content"] [--seeds 3] [--variants "none;all;…"]

The changes are: SimCLR instead of MoCo (`contrast`), the fixed encoder beside the network where there are fewer than 1,000 clips
(`fixed encoder`), whitening within clips instead of principal axes of embeddings of length 1 (`whitening`), a consensus of forty K-means
instead of one on each embedding (`consensus`), heads that start from the groups before instead of at random (`start`), FixMatch with a threshold of 0.8
and NF-SPICE's number of steps instead of 0.95 and SPICE's (`threshold`), non-redundant clustering (`nonredundant`), fair clustering (`fair`,
which needs it: without non-redundant clustering it does nothing), and the rules that refuse labels (`rules`).
A row `none` has none of them, `none + NAME` one, `all - NAME` all but one. What stays of ours in `none`: a new head in FixMatch, 30 neighbours
and at least half of each group reliable, heads of whitened size. SPICE as published is in published.csv.
Each row of benchmarks/results/divided.csv is one run, scored afterwards; `nmi_` and a step is the NMI of what that step proposed. Networks are kept in FOLDER and shared by variants
(the same folder as steps.py's). Rows are appended: a run that is there already is not made again. One to three minutes of a core a run on small sets.
Goal: which changes carry the gain? Not a goal: the best combination.
"""
import argparse, re, tempfile, time, warnings
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np

from appended import append
from audioclust.audio.clip_table import common_sample_rate
from audioclust.core.registry import make_clusterer, set_flat_params
from audioclust.encoders import load_encoder
from audioclust.encoders.base import OTHER_GROUPING
from audioclust.metrics import nmi, score
from audioclust.published.spice import LABELLED_BS, UNLABELLED
from audioclust.nf_spice import estimator, nonredundant, refinement
from audioclust.nf_spice.contrastive import MoCo, train_contrast
from audioclust.training.trainer import epochs_for
from quality import DIGITS, WORDS, table_of

CHANGES = "contrast", "fixed encoder", "whitening", "consensus", "start", "threshold", "nonredundant", "fair", "rules"
VARIANTS = ["none", "all", *(f"none + {c}" for c in CHANGES if c != "fair"), *(f"all - {c}" for c in CHANGES)]


def changes_of(variant):
    "The changes that a variant has."
    if variant not in VARIANTS: raise ValueError(f"there is no variant {variant!r}; choose from {'; '.join(VARIANTS)}")
    first, *change = re.split(r" [+-] ", variant)
    return {*CHANGES} - {*change} if first == "all" else {*change}


class PrincipalAxes:
    "Embeddings of length 1 on their principal axes, not whitened, where NF-SPICE has `WithinWhiten`."
    def __init__(self, n, **_): self.n = n

    def fit(self, X, views=None):
        X = self._unit(X)
        self.mean = X.mean(0)
        self.axes = np.linalg.svd(X - self.mean, full_matrices=False)[2][:self.n].T
        return self

    def transform(self, X): return ((self._unit(X) - self.mean) @ self.axes).astype(np.float32)

    def _unit(self, X): return X/np.maximum(np.linalg.norm(X, axis=-1, keepdims=True), 1e-12)

class FromRandom(refinement.SelfHeads):
    "Heads that do not start from groups."
    def fit(self, *args, start=None, **kwargs): return super().fit(*args, **kwargs)

class Single(nonredundant.NonRedundantClustering):
    "Each grouping is found by one K-means on each embedding."
    def fit(self, X, y=None, other=None):
        self.set_params(n_members=len(X), dims=(40,), other_dims=(16,))
        return super().fit(X, other=other)

def patched(changes, by): # A set of CHANGES
    "What is replaced in the modules where changes are left out."
    patches = []
    def replace(where, name, value): patches.append(patch.object(where, name, value))
    def moco(trainer, grouping, ignore):
        ours = grouping != by
        return train_contrast(trainer, grouping, ignore, None if ours else MoCo(.2, queue=max(trainer.options.bs, len(trainer.store)//4), seed=trainer.seed))
    if "contrast" not in changes: replace(estimator, "train_contrast", moco)
    if "whitening" not in changes: replace(refinement, "WithinWhiten", PrincipalAxes)
    if "consensus" not in changes: replace(refinement, "NonRedundantClustering", Single)
    if "start" not in changes: replace(refinement, "SelfHeads", FromRandom)
    if "threshold" not in changes: replace(refinement, "FixMatchOptions", lambda threshold: refinement_options(threshold=.95))
    if "fair" not in changes: replace(estimator, "make_fair", lambda *_: None)
    if "rules" not in changes:
        for module in (nonredundant, refinement, estimator): replace(module, "LEAST_AGREEMENT", -2.)
        replace(refinement, "TOLERANCE", 9.)
        replace(estimator, "MATCH_TOLERANCE", 9.)
        replace(refinement, "_lost_groups", lambda *_: 0)
        replace(refinement.LabelSelection, "corrects", lambda *_: True)
    return patches

refinement_options = refinement.FixMatchOptions

def match_epochs(n): # Clips
    "Epochs of FixMatch in which ours takes as many steps as SPICE as published."
    steps = epochs_for(n, 36000, 4, 40)*max(1, n//min(UNLABELLED*LABELLED_BS, n))
    return max(1, round(steps/max(1, n//192)))

def fitted(table, by, changes, seed, folder):
    "One run."
    wanted = table["label" if by == "content" else "source"]
    model = set_flat_params(make_clusterer("nf-spice", wanted.nunique(), seed), by=by, sample_rate=common_sample_rate(table.path), nonredundant="nonredundant" in changes,
                            **{} if "fixed encoder" in changes else dict(anchor=False), **{} if "threshold" in changes else dict(match_epochs=match_epochs(len(table))))
    places = [folder/("networks" if "contrast" in changes else "moco")/by, folder/"networks"/OTHER_GROUPING[by]][:1 + model.other_grouping.nonredundant]
    there = all((p/"encoder.json").is_file() for p in places)
    with ExitStack() as stack:
        for p in patched(changes, by): stack.enter_context(p)
        model.fit(table[["path", "start", "end"]], encoders=[load_encoder(p) for p in places] if there else None)
    if not there:
        for place,network in zip(places, model.encoders_): network.save(place)
    return model


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keep", type=Path, required=True)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--by", default="content")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--first", type=int, default=0, help="first seed")
    p.add_argument("--variants", default=";".join(VARIANTS))
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"divided.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    names = args.only.split(";") if args.only else [WORDS, "birds", "sounds, middle", DIGITS]
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table_for(name): return table_of(name, tmp)
        def one(row, seed):
            name, by, variant = row.split(" / ")
            table, start = table_for(name), time.process_time()
            changes = changes_of(variant)
            model = fitted(table, by, changes, seed, args.keep/f"{name.replace(' ', '-')}-{seed}")
            truth = table["label" if by == "content" else "source"]
            end = score(truth, model.labels_)
            steps = {f"nmi_{s}": round(nmi(truth, model.steps_[s]), 4) if s in model.steps_ else "" for s in ("consensus", "nonredundant", "fair", "heads", "match")}
            return dict(set=name, by=by, changes=variant, clips=len(table), seed=seed, **{m: round(end[m], 4) for m in ("acc", "nmi", "ari")}, **steps, cpu_seconds=round(time.process_time() - start))
        todo = [(f"{name} / {by} / {v}", s) for s in range(args.first, args.first + args.seeds) for name in names for by in args.by.split(";") for v in args.variants.split(";")]
        append(args.out, [(row, s) for row,s in todo if "fixed encoder" not in row or len(table_for(row.split(" / ")[0])) < estimator.FEW_CLIPS], one)


if __name__ == "__main__": main()
