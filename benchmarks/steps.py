"""What each step of NF-SPICE hands on, where steps may be skipped and where they may not, on seven sets, both ways.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/steps.py [--points "fixed;vote"] [--only "SET;…"] [--by "content;source"] [--how "no step skipped;skipping"] [--seeds 5] [--first 0] [--keep FOLDER] [--data FOLDER]

Each row of benchmarks/results/steps.csv is one run at the defaults, scored afterwards; labels take no part. `nmi_` and a step is
the NMI of the labels that are handed on after it: its own where they were accepted, else those before it. `said_` and a step is
that of the labels it proposed, accepted or not (of non-redundant clustering that was skipped, of those before it), and `agreement_` their adjusted mutual information with those before it.
`acc_` and a step is the accuracy of what is handed on; `acc`, `nmi`, `ari` and `nmi_other` are of the labels at the end (the last two, and all accuracies, in newer rows only).
With `skipping` false no step is skipped for too little agreement (the limit is set where it refuses nothing); where nothing
is skipped, both rows of a seed are the same run. `skipped` names the steps.
Points: `networks` are those of the whole method (the trained networks are kept in FOLDER and used again; two to six minutes of
a core a run, most of it training), `fixed` and `vote` train no network (epochs=0; half a minute; the vote is that of the
installed encoders), `vote, networks` has both. Rows are appended: a run that is there already is not made again. Published sets in --data FOLDER are run too (`known_sets.py`).
Goal: does no step do harm? Not a goal: the best settings for each set.
"""
import argparse, tempfile, time, warnings
from pathlib import Path

from appended import append
from audioclust.audio.clip_table import common_sample_rate
from audioclust.core.registry import make_clusterer, set_flat_params
from audioclust.encoders import load_encoder
from audioclust.encoders.base import OTHER_GROUPING
from audioclust.metrics import accuracy, nmi, score
from audioclust.nf_spice import estimator, nonredundant, refinement
from audioclust.nf_spice.nonredundant import UNSUBTRACTED
from made_sets import SETS
from quality import DIGITS, WORDS, downloaded, table_of, ways_of
from nf_spice import CACHE, voters

POINTS = {"networks": {}, "fixed": dict(epochs=0), "vote": dict(epochs=0), "vote, networks": {}}
NEVER = {module: dict(LEAST_AGREEMENT=-2.) for module in (nonredundant, refinement, estimator)} # Limits that refuse nothing


def set_limits(limits): # Module → name → value
    "Set the limits, and return those of before."
    before = {module: {name: getattr(module, name) for name in values} for module,values in limits.items()}
    for module,values in limits.items():
        for name,value in values.items(): setattr(module, name, value)
    return before

def fitted(table, points, by, seed, networks, skipping): # `networks`: a folder for each grouping, filled and used
    "One run."
    wanted = table["label" if by == "content" else "source"]
    model = set_flat_params(make_clusterer("nf-spice", wanted.nunique(), seed), by=by, sample_rate=common_sample_rate(table.path), **POINTS[points])
    clips, given = table[["path", "start", "end"]], {}
    if points.startswith("vote"): given = dict(frozen=voters(clips, model, CACHE)[0], cache=CACHE)
    there = "networks" in points and all((folder/"encoder.json").is_file() for folder in networks.values())
    if there: given["encoders"] = [load_encoder(networks[b]) for b in (by, OTHER_GROUPING[by])]
    before = set_limits({} if skipping else NEVER)
    try: model.fit(clips, **given)
    finally: set_limits(before)
    if "networks" in points and not there:
        for b,network in zip((by, OTHER_GROUPING[by]), model.encoders_): network.save(networks[b])
    return model

def scored(model, truth, other):
    "NMI and accuracy after each step, of what is handed on and of what was proposed, the signs, and the scores at the end."
    accepted = dict(nonredundant=model.nonredundant_.removes_other_, fair=model.fair_ is not None, heads=model.heads_ is not None, match=model.model_ is not None)
    handed = nmi(truth, model.steps_["consensus"])
    row, right = dict(nmi_consensus=round(handed, 4)), accuracy(truth, model.steps_["consensus"])
    accuracies = dict(acc_consensus=round(right, 4))
    for step,taken in accepted.items():
        said = nmi(truth, model.steps_[step]) if step in model.steps_ else None
        if taken: handed, right = said, accuracy(truth, model.steps_[step])
        accuracies[f"acc_{step}"] = round(right, 4)
        agreement = model.validity_.get(step, {}).get("agreement")
        row |= {f"nmi_{step}": round(handed, 4), f"said_{step}": "" if said is None else round(said, 4), f"agreement_{step}": "" if agreement is None else round(agreement, 3)}
    unsubtracted = model.nonredundant_.dependence_.get(UNSUBTRACTED)
    end = score(truth, model.labels_)
    return row | dict(unsubtracted="" if unsubtracted is None else round(unsubtracted, 3), skipped=" ".join(model.skipped_)) | accuracies | \
        dict(acc=round(end["acc"], 4), nmi=round(end["nmi"], 4), ari=round(end["ari"], 4), nmi_other=round(nmi(other, model.labels_), 4))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--points", default="networks", help="names, separated by semicolons")
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--by", default="content;source")
    p.add_argument("--how", default="no step skipped;skipping")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--first", type=int, default=0, help="first seed")
    p.add_argument("--keep", type=Path, help="folder of the trained networks; a temporary one if left out")
    p.add_argument("--data", help="folder above the sets that were downloaded; AUDIOCLUST_DATA if left out")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"steps.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    names = args.only.split(";") if args.only else [*SETS, WORDS, DIGITS, *downloaded(args.data)]
    with tempfile.TemporaryDirectory() as tmp:
        tables, kept = {}, args.keep or Path(tmp)/"networks"
        def one(variant, seed):
            name, by, points, skipping = variant.split(" / ")
            if name not in tables: tables[name] = table_of(name, tmp, args.data)
            table, start = tables[name], time.process_time()
            networks = {b: kept/f"{name.replace(' ', '-')}-{seed}"/points.replace(", ", "-")/b for b in OTHER_GROUPING}
            model = fitted(table, points, by, seed, networks, skipping == "skipping")
            return dict(set=name, by=by, points=points, skipping=skipping == "skipping", clips=len(table), seed=seed, **scored(model, *(table[c] for c in (("label", "source") if by == "content" else ("source", "label")))), cpu_seconds=round(time.process_time() - start))
        append(args.out, [(f"{name} / {by} / {points} / {how}", s) for points in args.points.split(";") for s in range(args.first, args.first + args.seeds) for name in names for by in args.by.split(";") if by in ways_of(name) for how in args.how.split(";")], one)


if __name__ == "__main__": main()
