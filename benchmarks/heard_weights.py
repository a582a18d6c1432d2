"""Naming by listening with joined encoders: are weights by how well each encoder tells the names apart better than the weights before?

    python benchmarks/heard_weights.py FOLDER [--seeds 2]

FOLDER holds the points that `voting_kinds.py FOLDER points` and `rules` have made. A row of results/heard-weights.csv is one set, one wanted grouping,
one draw of 85 % of its clips, one kind of start and one kind of weights, after so many clips were heard for each kind. Starts: `equal` are the fixed encoder,
speech_embedding, resemblyzer, aisfx and yamnet with equal weights; `elected` has the weights that a vote without labels gives them. The questions are
those of `next_to_hear` on these points. Weights: `before`; `names`, the weights before times those of `audioclust.pipeline.naming.weights`.
`accuracy` is over all clips. The rule was chosen on the sets "choose", among seven; the sets "report" took no part.
Goal: does it help, and where. Not a goal: the best weights that there are.
"""
import argparse, csv, warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from appended import commit
from audioclust.encoders.choice import encoder_info
from audioclust.encoders.joint import agreement, elected, SMALLEST_WEIGHT, vote_weights
from audioclust.encoders.residual import IdentityWhitening
from audioclust.pipeline import name_clips, next_to_hear, Options, Request, run_of_embeddings
from audioclust.pipeline.naming.spreading import spread_known
from audioclust.pipeline.naming.weights import tells_apart
from voting_kinds import CHOOSE, file_of, ONLY_SOURCE, SETS

ENCODERS = "fixed", "speech_embedding", "resemblyzer", "aisfx", "yamnet"
A_KIND, SHARE = (1.5, 2, 3, 4, 6), .85

def joined(Z, weights):
    "Points side by side, times the weights."
    there = [e for e in Z if weights[e]]
    return (np.concatenate([Z[e]*weights[e] for e in there], 1)/np.linalg.norm([weights[e] for e in there])).astype(np.float32)

def by_names(Z, rows, names, before):
    "The weights before times how well each encoder tells the names apart."
    gains = {e: before[e]*tells_apart(Z[e][rows], names) for e in Z}
    largest = max(gains.values())
    if not largest > 0: return before
    return {e: g/largest if g/largest >= SMALLEST_WEIGHT else 0. for e,g in gains.items()}

def elected_weights(folder, name, by, k):
    "The weights of a vote without labels."
    kept = folder/"partitions"/file_of(folder, name).stem
    partitions = {e: np.load(kept/f"{e}-{by if e == 'fixed' else ''}-{k}-0.npy") for e in ENCODERS}
    return elected(vote_weights(agreement(partitions), {e: info.family if (info := encoder_info(e)) else e for e in ENCODERS}))

def rows_of(folder, name, by, seed):
    with np.load(file_of(folder, name)) as f: points = {key: f[key] for key in f.files}
    truth = points["label" if by == "content" else "source"]
    k = len(set(truth))
    drawn = np.sort(np.random.default_rng(seed).permutation(len(truth))[:round(SHARE*len(truth))])
    truth = truth[drawn]
    starts = dict(equal=dict.fromkeys(ENCODERS, 1.), elected=elected_weights(folder, name, by, k))
    for start,before in starts.items():
        if len(before) < 2: continue
        Z = {e: points[f"fixed {by}" if e == "fixed" else e][drawn] for e in before}
        request = Request(n_clusters=min(k, 20), options=Options(stability=0))
        asked = run = run_of_embeddings(joined(Z, before), request=request, whitening=IdentityWhitening())
        rows = []
        while len(rows) < min(A_KIND[-1]*k, len(truth)//2):
            new = next_to_hear(asked, max(1, k//4))
            asked = name_clips(asked, {row: str(truth[row]) for row in new})
            rows += new
        for a_kind in A_KIND:
            heard = rows[:round(a_kind*k)]
            if len(heard) < round(a_kind*k): continue
            for weights,now in dict(before=before, names=by_names(Z, heard, truth[heard], before)).items():
                weighed = replace(run, embeddings=replace(run.embeddings, X=joined(Z, now)))
                spread = spread_known(weighed, dict(zip(heard, truth[heard])))
                accuracy = (spread.names[spread.shares.argmax(1)] == truth).mean()
                yield dict(set=name, half="choose" if name in CHOOSE else "report", by=by, seed=seed, start=start, weights=weights,
                           a_kind=a_kind, heard=len(heard), kinds=k, accuracy=round(float(accuracy), 4),
                           left_out=" ".join(e for e in now if not now[e]))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--seeds", type=int, default=2)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"heard-weights.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    columns = "set half by seed start weights a_kind heard kinds accuracy left_out commit".split()
    with open(args.out, "w", newline="") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        for seed in range(args.seeds):
            for name in SETS:
                if name == "planted pitches": continue # the digits again, with a pitch that was planted
                for by in ("content", "source"):
                    if by == "content" and name in ONLY_SOURCE: continue
                    for row in rows_of(args.folder, name, by, seed): writer.writerow({**row, "commit": commit()})
                f.flush()
                print(name, seed, flush=True)


if __name__ == "__main__": main()
