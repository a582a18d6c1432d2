"""DeepCluster, SPICE and SCAN with the steps that were published, on the sets on which ours was measured.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/published.py [--only "SET;…"] [--methods "NAME;…"] [--by "content;source"] [--seeds 5] [--data FOLDER]

Each row of benchmarks/results/published.csv is one run at the method's defaults, scored afterwards against the grouping
that was wanted and against the other one; `acc_heads` and so on are those of the labels before network and head were
trained together. `reliable` is the share of clips with a reliable label (SPICE only), `cpu_seconds` what the process took,
all threads together. Rows are appended: a run that is there already is not made again. Seeds are the outer loop, so that
a run that is stopped has all sets. The groups themselves are lines of published-labels.csv.gz (the first rows were made
before that file), so that intervals over clips can be computed. Rows of our own methods that the
report shows beside them are made in the same way, with --methods "deepcluster;nf-spice" --out benchmarks/results/ours.csv; older
ones, with their single steps, are in sets.csv, nf-spice.csv and deepcluster.csv.
Published sets in --data FOLDER (`known_sets.py`) are run too, 3,000 clips of each at most (or --limit), by the groupings that they have.
Of the real sets of `real_sets.py` each seed takes clips of its own, drawn by chance; sources with fewer than five clips are not scored.
A method with a comma has other constants: "deepcluster-published, K pseudo-labels" (instead of ten a group), "…, 128 clips a pseudo-label"
(as on ImageNet; at least K), "spice, our threshold and steps" (0.8, and as many steps of joint training as NF-SPICE takes),
"spice, fixed encoder beside" (`BesideFixed`), "spice, heads as in its code" (`HeadsOfTheCode`), "spice, neighbours of 8 % of a group" (instead of 100), "nf-spice, from the vote" begins with the installed encoders, and any with "four times as long" (the epochs of each training of a network).
Goal: what do our changes add to the published methods, with the same network and time? Not a goal: what the published
methods reach with their own networks and schedules, which take months here.
"""
import argparse, tempfile, time, warnings
from functools import cache, partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from fastai.optimizer import Adam
from torch import nn

from appended import append, keep_labels, keep_truth
from audioclust.audio.clip_table import common_sample_rate
from audioclust.core.registry import make_clusterer, set_flat_params
from audioclust.encoders.fixed import FixedEncoder
from audioclust.encoders.base import OTHER_GROUPING
from audioclust.metrics import score
from audioclust.published.spice import LABELLED_BS, SPICE, UNLABELLED, with_weak_views
from audioclust.published.three_stages import leading_axes, projected, unit_embeddings
from audioclust.nf_spice import self_heads
from audioclust.nf_spice.heads import Heads
from audioclust.nf_spice.self_heads import SelfHeads
from audioclust.training.trainer import epochs_for
from made_sets import SETS
from known_sets import CHOOSING, is_scored, REPORTING
from nf_spice import CACHE, voters
from quality import DIGITS, WORDS, downloaded, groups_of, table_of, ways_of

METHODS = "deepcluster-published", "spice", "scan"
FROM_VOTE = ", from the vote" # of the installed encoders, which NF-SPICE can start from
DRAWN = {*CHOOSING, *REPORTING} # sets of which seed i is draw i of the clips, where there are more than the limit
VARIANTS = {"K pseudo-labels": lambda n, k: dict(train_clusters=k), "128 clips a pseudo-label": lambda n, k: dict(train_clusters=max(k, round(n/128))), "our threshold and steps": lambda n, k: dict(threshold=.8, match_epochs=epochs_for_steps(n)), "neighbours of 8 % of a group": lambda n, k: dict(n_neighbors=max(5, round(.08*n/k)))} # Of DeepCluster, DeepCluster, SPICE and SPICE


class BesideFixed(SPICE):
    """SPICE as published, with the fixed encoder beside the network in the second stage.

    Heads see both embeddings side by side, each of length 1, and the reliable labels are those on which neighbours in both agree.
    The network has to predict them alone, so its own head begins with the groups that the heads found.
    """
    def _train_heads(self, trainer, encoder, X, axes):
        store, fixed = trainer.store, FixedEncoder(self.by, self.ignore, self.runtime.sample_rate).embed(self.clips_)
        fixed = unit(np.asarray(fixed, np.float32))
        fixed = projected(fixed, leading_axes(fixed))
        def beside(Z): return unit(np.concatenate([Z, np.broadcast_to(fixed.reshape(len(fixed), *(1,)*(Z.ndim - 2), -1), (*Z.shape[:-1], fixed.shape[1]))], -1))
        options, seed = self.published, int(self.random_state or 0)
        weak = projected(unit_embeddings(with_weak_views(encoder), store, views=1, seed=seed)[:, 0], axes)
        strong = projected(unit_embeddings(encoder, store, views=options.strong_views, seed=seed + 1, bf16=None), axes)  # [N, R, m]
        def heads(): return SelfHeads(self.n_clusters, heads=options.heads, epochs=options.head_epochs, device=self.runtime.device, random_state=seed)
        self.both_ = beside(X)
        joint = heads().fit(self.both_, weak=beside(weak), strong=beside(strong).transpose(1, 0, 2))
        alone = heads().fit(X, weak=weak, strong=strong.transpose(1, 0, 2), start=joint.proba_)
        alone.labels_ = joint.labels_
        return alone

    def _train_network(self, trainer, model, X, heads): return super()._train_network(trainer, model, self.both_, heads)

class HeadsOfTheCode(SPICE):
    "SPICE as published, whose heads begin with the weights of `nn.Linear` and learn by Adam as in its code (second decay .999, epsilon 1e-8)."
    def _train_heads(self, trainer, encoder, X, axes):
        class Linear(Heads):
            def __init__(self, d, *args, **kwargs):
                super().__init__(d, *args, **kwargs)
                for weights in self.parameters():
                    fan_in = d if weights is self.w1 or weights is self.b1 else self.w2.shape[1]
                    nn.init.uniform_(weights, -fan_in**-.5, fan_in**-.5)
        with patch.multiple(self_heads, Heads=Linear, Adam=partial(Adam, sqr_mom=.999, eps=1e-8)):
            return super()._train_heads(trainer, encoder, X, axes)

def unit(X): return X/np.maximum(np.linalg.norm(X, axis=-1, keepdims=True), 1e-12)


def epochs_for_steps(n): # Clips
    "Epochs of joint training in which SPICE as published takes as many steps as NF-SPICE does."
    ours = epochs_for(n, 36000, 4, 40)*max(1, n//192)
    return round(ours/max(1, n//min(UNLABELLED*LABELLED_BS, n)))

def four_times(model, n, by):
    "Epochs of the trainings of a published method, four times those of its defaults; heads have the published number already."
    if hasattr(model, "training"): return dict(epochs=4*model.training.epochs) # DeepCluster
    joint = 4*epochs_for(n, 36000, 4, 40)
    return {"epochs": 4*epochs_for(n, 90000 if by == "content" else 60000, 10, 60), "label_epochs" if hasattr(model, "scan") else "match_epochs": joint}

def model_of(method, table, k, by, seed): # Perhaps with a variant behind a comma
    "The method, with its own constants or those of the variant."
    method, _, variant = method.partition(", ")
    model = make_clusterer(method, k, seed)
    others = {"fixed encoder beside": BesideFixed, "heads as in its code": HeadsOfTheCode}
    if variant in others: model, how = others[variant](**model.get_params(deep=False)), {}
    elif variant == "four times as long": how = four_times(model, len(table), by)
    else: how = VARIANTS[variant](len(table), k) if variant else {}
    return set_flat_params(model, by=by, sample_rate=common_sample_rate(table.path), **how)

def run(table, method, by, seed):
    "The labels of one run, and its scores."
    wanted, other = ("label", "source") if by == "content" else ("source", "label")
    counts, counts_other = is_scored(table, by), is_scored(table, OTHER_GROUPING[by])
    def scores(labels): return score(table[wanted][counts], labels[counts])
    model = model_of(method.removesuffix(FROM_VOTE), table, groups_of(table, by), by, seed)
    start = time.process_time()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        clips = table[["path", "start", "end"]]
        given = dict(frozen=voters(clips, model, CACHE)[0], cache=CACHE) if method.endswith(FROM_VOTE) else {}
        model.fit(clips, **given)
    row = dict(cpu_seconds=round(time.process_time() - start))
    for name,labels in {"": model.labels_, "_heads": getattr(model, "steps_", {}).get("heads")}.items():
        s = {} if labels is None else scores(labels)
        row |= {f"{m}{name}": round(s[m], 4) if s else "" for m in ("acc", "nmi", "ari", "ami")}
    reliable = getattr(model, "reliable_", None)
    return model.labels_, row | dict(nmi_other=round(score(table[other][counts_other], model.labels_[counts_other])["nmi"], 4), n_found=len(np.unique(model.labels_)),
                      reliable="" if reliable is None else round(float((reliable >= 0).mean()), 4), warned="; ".join(sorted({str(w.message) for w in warned if "left out" in str(w.message)})))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--methods", help="names of methods, separated by semicolons")
    p.add_argument("--by", default="content;source")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--limit", type=int, default=3000, help="clips of a downloaded set at most")
    p.add_argument("--data", help="folder above the sets that were downloaded; AUDIOCLUST_DATA if left out")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"published.csv")
    args = p.parse_args()
    names, methods = args.only.split(";") if args.only else [*SETS, WORDS, DIGITS, *downloaded(args.data)], args.methods.split(";") if args.methods else METHODS
    with tempfile.TemporaryDirectory() as tmp:
        @cache
        def table_at(name, draw): return table_of(name, tmp, args.data, args.limit, draw)
        def one(variant, seed):
            name, by, method = variant.split(" / ")
            table = table_at(name, seed if name in DRAWN else 0)
            labels, scores = run(table, method, by, seed)
            if name not in DRAWN:
                keep_truth(args.out, f"{name} / {by} / truth", table["label" if by == "content" else "source"])
                keep_labels(args.out, variant, seed, labels)
            return dict(set=name, by=by, method=method, clips=len(table), seed=seed, **scores)
        append(args.out, [(f"{name} / {by} / {m}", s) for s in range(args.seeds) for name in names for m in methods for by in args.by.split(";") if by in ways_of(name)], one)


if __name__ == "__main__": main()
