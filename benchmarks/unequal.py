"""Non-redundant and fair clustering where sources hold different contents: spoken digits, of which each speaker says some more often.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/unequal.py [--seeds 3] [--encoders FOLDER]

Each speaker has 200 clips. Of a share `skew` of them only four of the ten digits are drawn, other ones for each speaker;
the rest are equally of all digits. So skew 0 has 20 of each digit and speaker, and skew 1 has 50 of four and none of six.
Each row of benchmarks/results/unequal.csv is one run of NF-SPICE, with both steps (`crossed`) or without, scored afterwards at
each step. `truth` is the adjusted mutual information of digits and speakers in the clips that were drawn; `at_end` and
`unsubtracted` are what the method measures without labels. Both variants of a seed have the same networks.
Goal: what does the assumption of equal shares cost where it does not hold, and can the method notice?
"""
import argparse, warnings
from pathlib import Path

import numpy as np

from appended import append
from audioclust.audio import fsdd
from audioclust.encoders import RuntimeOptions
from audioclust.metrics import ami, score
from audioclust.nf_spice import OtherGroupingOptions, NFSPICE

SKEWS = 0., .25, .5, .75, 1.
CLIPS, FAVOURED = 200, 4 # of each speaker; digits that a speaker favours


def drawn(table, skew, seed):
    "Clips with unequal shares of the digits in each speaker's clips."
    rng, rows = np.random.default_rng(seed), []
    digits = sorted(set(table.label))
    for s,speaker in enumerate(sorted(set(table.speaker))):
        favoured = [digits[(len(digits)*s//6 + j) % len(digits)] for j in range(FAVOURED)]
        for digit in digits:
            n = round(CLIPS*((1 - skew)/len(digits) + skew*(digit in favoured)/FAVOURED))
            rows.append(rng.permutation(np.flatnonzero((table.speaker == speaker) & (table.label == digit)))[:n])
    return table.iloc[np.sort(np.concatenate(rows))].reset_index(drop=True)


def run(table, by, crossed, seed, trained):
    wanted = "label" if by == "content" else "speaker"
    model = NFSPICE(10 if by == "content" else 6, by, other_grouping=OtherGroupingOptions(nonredundant=crossed), runtime=RuntimeOptions(8000), random_state=seed)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        model.fit(table, encoders=trained)
    row = dict(truth=round(ami(table.label, table.speaker), 4), clips=len(table))
    for step in ("consensus", "nonredundant", "fair", "heads", "match"):
        row |= {f"{m}_{step}": round(score(table[wanted], model.steps_[step])[m], 4) if step in model.steps_ else "" for m in ("acc", "nmi")}
    row |= {f"{m}_final": round(score(table[wanted], model.labels_)[m], 4) for m in ("acc", "nmi")}
    found = model.nonredundant_.dependence_
    row |= dict(n_other=model.nonredundant_.n_other_, at_end=round(found.get("at the end", np.nan), 4), unsubtracted=round(found.get("nothing subtracted", np.nan), 4))
    return row | dict(warned="; ".join(sorted({str(w.message) for w in warned if "depend" in str(w.message)}))), model.encoders_


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--by", default="content;source")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"unequal.csv")
    args = p.parse_args()
    digits, networks = fsdd(download=False), {}
    def one(variant, seed):
        by, skew, crossed = variant.split(" / ")
        row, trained = run(drawn(digits, float(skew), seed), by, crossed == "crossed", seed, networks.get((skew, seed, by)))
        if crossed == "crossed":
            networks.clear()
            networks.update({(skew, seed, "content"): trained[::1 if by == "content" else -1], (skew, seed, "source"): trained[::-1 if by == "content" else 1]})
        return dict(by=by, skew=skew, crossed=crossed, seed=seed, **row)
    append(args.out, [(f"{by} / {skew} / {crossed}", s) for s in range(args.seeds) for skew in SKEWS for by in args.by.split(";") for crossed in ("crossed", "not crossed")], one)


if __name__ == "__main__": main()
