"""A run that grows: half of the groups of the spoken digits first, the rest later. Do old groups stay, and are new ones found?

    AUDIOCLUST_DATA=… python benchmarks/grow.py        results/grow.csv

The first run holds half of the clips of half of the digits (or of the speakers), clustered by K-means into as many groups. Then come the
other half of these clips and all of the others. A row is a half, an encoder and a grouping: AMI of all clips with the truth after growing, with the
number of new groups chosen (`auto`) and given; with all new clips assigned to old groups; and with K-means anew on everything, with the
true number. `changed` is the share of old clips whose group changed by growing (0 by construction). The vote is that of the command.
Goal: is growing as good as beginning again? Not a goal: a rule for the number of new groups.
"""
import csv
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score as ami

from appended import commit
from audioclust.audio import fsdd
from audioclust.pipeline import Options, Request, assign, grow, make_run

VOTES = dict(content="fixed+speech_embedding", source="fixed+resemblyzer+aisfx:0.7") # what the command chooses here

def run(table, k, by, encoder):
    return make_run(table, Request(n_clusters=k, by=by, encoder=encoder, options=Options(stability=0, cache=True)))

def truth_of(table, clips, column):
    return table.set_index(table.path.map(str))[column][[str(path) for path in clips.path]].to_numpy()

def row(table, by, encoder, seed):
    column = dict(content="label", source="speaker")[by]
    rng, names = np.random.default_rng(seed), np.unique(table[column])
    known = table[column].isin(rng.permutation(names)[:len(names)//2]).to_numpy()
    is_first = known & (rng.random(len(table)) < .5)
    first, later, n_old, n_new = table[is_first], table[~is_first], known.sum() and len(names)//2, len(names) - len(names)//2
    old, everything = run(first, n_old, by, encoder), run(table, len(names), by, encoder)
    chosen, given, assigned = grow(old, later), grow(old, later, n_new), assign(old, later)
    def score(g): return round(ami(truth_of(table, g.clips.table, column), g.clustering.labels), 4)
    all_truth = np.concatenate([truth_of(table, old.clips.table, column), truth_of(table, assigned, column)])
    return dict(by=by, encoder=encoder, seed=seed, first=len(first), later=len(later), new=n_new,
                chosen=len(set(chosen.clustering.labels)) - n_old, ami_auto=score(chosen), ami_given=score(given),
                ami_assigned=round(ami(all_truth, np.concatenate([old.clustering.labels, assigned.cluster])), 4), ami_anew=score(everything),
                changed=round(float((chosen.clustering.labels[:len(old)] != old.clustering.labels).mean()), 4))

if __name__ == "__main__":
    table, at = fsdd(), commit()
    rows = []
    for by in "content", "source":
        for encoder in "fixed", VOTES[by]:
            for seed in range(5):
                rows.append(dict(row(table, by, encoder, seed), commit=at))
                print(rows[-1], flush=True)
    with open(Path(__file__).parent/"results/grow.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0], lineterminator="\n")
        writer.writeheader(); writer.writerows(rows)
