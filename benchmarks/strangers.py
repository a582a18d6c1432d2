"""Strangers among new clips: how many does `--none-beyond auto` leave out, and how many known ones does it lose?

    AUDIOCLUST_DATA=… python benchmarks/strangers.py [CACHE]        results/strangers.csv

Of a real set some kinds, or some individuals of all kinds (sources), are held out, other ones in each draw. A run of the rest, at most 960 clips, by the vote and the default method with the true number of groups, gets a fifth more known clips and at most 400 of those held out. A row has the area under the ROC curve of the strangeness, the share of known clips that are lost, and the share of the others that are left out: high for kinds, low for individuals.
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from appended import append
from audioclust.pipeline import assign, make_run, Options, Request
from known_sets import is_scored, load
TASKS = {("esc10", "content", "kinds"): 3, ("drummachines", "content", "kinds"): 4, ("dirt", "content", "kinds"): 30, ("arabic", "content", "kinds"): 10,
         ("ravdess", "source", "kinds"): 8, ("arabic", "content", "individuals"): 10, ("drummachines", "content", "individuals"): 23} # how many are held out

if __name__ == "__main__":
    cache = sys.argv[1] if len(sys.argv) > 1 else None
    def run(variant, draw):
        name, by, what = variant.split(" / ")
        own, table, rng = dict(content="label", source="source")[by], load(name), np.random.default_rng([64, draw])
        table = table[is_scored(table, by)]
        column = own if what == "kinds" else dict(label="source", source="label")[own]
        is_out = table[column].isin(rng.permutation(sorted(set(table[column])))[:TASKS[name, by, what]])
        known, out = (part.sample(min(most, len(part)), random_state=draw) for part,most in ((table[~is_out], 1200), (table[is_out], 400)))
        later, first = known[:len(known)//5], known[len(known)//5:]
        made = make_run(first[["path", "start", "end"]].reset_index(drop=True), Request("auto", first[own].nunique(), by, encoder="auto", options=Options(stability=0, cache=cache)))
        found = assign(made, pd.concat([later, out])[["path", "start", "end"]].reset_index(drop=True), none_beyond="auto")
        is_late, left_out = np.arange(len(found)) >= len(later), (found.cluster < 0).to_numpy()
        return dict(set=name, by=by, held_out=what, seed=draw, clips=len(first), limit=round(found.attrs["none_beyond"], 3), auc=round(roc_auc_score(is_late, found.strangeness), 3),
                    lost=round(left_out[~is_late].mean(), 3), left_out=round(left_out[is_late].mean(), 3))
    append(Path(__file__).parent/"results"/"strangers.csv", [(" / ".join(task), draw) for task in TASKS for draw in range(3)], run)
