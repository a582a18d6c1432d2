"""Would stability choose a better number of groups? Two attempts on the curves of `n_groups.py`, beside the present rule.

    python benchmarks/n_groups_stability.py    writes results/n-groups-stability.csv from results/n-groups-curves.csv (a minute)

Only the half of the tasks on which rules are chosen is read. Attempt 1: of the three levels around the present choice, take the
finer one if it is more stable by `finer` or more and its silhouette is `silhouette` times as large; else take the coarser one if it is
more stable by `coarser` or more ("never": a rule without that part). Attempt 2: the present rule, which is fitted to three numbers by
ridge regression, with a fourth number that the stability gives, or with a stability as it is.
`more` and `fewer`: pairs for which a rule takes more groups than the present one, and fewer.
"Left out" says that the thresholds, or the weights, for a task are those that do best on all others.
Goal: does a rule beat the present one on the half that it is chosen on? Not a goal: the other half, unless one does.
"""
import csv, platform, warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from appended import commit
from audioclust.ensembles.n_clusters import _is_clear, best_number, level_numbers, NO_GROUPS, three_numbers

KEY = ["task", "by", "encoder"]
NEVER = 9.  # no stability, and no ratio of silhouettes in these tasks, is so large
GRID = list(product((.05, .1, .15, .2, .25, .3, .35, .4, NEVER), (1., 1.5, 2.), (0., .05, .1, .15, .2, NEVER)))


def curves_to_choose_on():
    "(name → curve, name → (true number, AMI at each number))."
    table = pd.read_csv(Path(__file__).parent/"results/n-groups-curves.csv")
    table, curves, known = table[table.half == "choose"], {}, {}
    for name,t in table.groupby(KEY):
        alone = t.coding[t.k == 1].item()
        curves[name] = t[t.k > 1].assign(saved_bits=alone - t.coding).reset_index(drop=True)
        known[name] = int(t.truth.iloc[0]), t.set_index("k").ami
    return curves, known

def errors(chosen, known): return {name: abs(np.log2(k/known[name][0])) for name,k in chosen.items()}

def measures(chosen, known):
    "What a rule is worth: a choice for each pair of a task and an encoder."
    truth = np.array([known[name][0] for name in chosen])
    k, error = np.array([*chosen.values()]), np.array([*errors(chosen, known).values()])
    def ami(name, n):
        values = known[name][1]
        return values.iloc[np.abs(np.log(values.index/n)).argmin()]
    grouped = [name for name in chosen if known[name][0] > 1]
    worth = np.mean([ami(name, chosen[name]) for name in grouped])/np.mean([ami(name, known[name][0]) for name in grouped])
    return dict(pairs=len(k), quarter=((k >= truth/1.25) & (k <= truth*1.25)).mean(), two=(error <= 1).mean(),
                error=error.mean(), too_many=np.log2(k/truth).mean(), ami=worth)


def by_levels(curve, finer, silhouette, coarser):
    "Attempt 1 with these thresholds."
    k = best_number(curve)
    if k == 1: return 1
    at = curve.set_index("k")
    for n in sorted(level_numbers(curve, k).values(), reverse=True):
        gain = at.stability[n] - at.stability[k]
        if n > k and gain >= finer and at.silhouette[n] >= silhouette*at.silhouette[k]: return n
        if n < k and gain >= coarser: return n
    return k

def most_stable(curve): return curve.k[curve.stability.idxmax()]
def first_peak(curve):
    before, after = curve.stability.shift(1, fill_value=2), curve.stability.shift(-1, fill_value=2)
    is_peak = (curve.stability > before) & (curve.stability >= after)
    return curve.k[is_peak].min() if is_peak.any() else most_stable(curve)
def nearly_most_stable(curve): return curve.k[curve.stability >= .95*curve.stability.max()].min()
def least_stable(curve): return curve.k[curve.stability.idxmin()]
def mean_by_stability(curve): return np.exp(np.average(np.log(curve.k), weights=curve.stability.clip(0)**6))
READINGS = {"most stable": most_stable, "first peak": first_peak, "smallest within 5 % of the most stable": nearly_most_stable,
            "least stable": least_stable, "mean of the numbers, weighted by stability": mean_by_stability}
VALUES = {"largest stability": lambda curve: curve.stability.max(),
          "stability at the first number": lambda curve: curve.stability[curve.k == three_numbers(curve)[0]].item()}

def chosen_for(curve, target):
    "The choice for a number that a regression gives, as `best_number` makes it."
    if _is_clear(curve) or curve.saved_bits.max() <= -NO_GROUPS: return best_number(curve)
    return int(curve.k[np.abs(np.log(curve.k/max(target, min(three_numbers(curve))))).idxmin()])

def left_out(names):
    "For each task: (is it in the rest [pairs], is it in the task [pairs])."
    of = np.array([name[0] for name in names])
    for task in np.unique(of): yield of != task, of == task

def regression(curves, known, more=None):
    "Attempt 2, each task with the weights of all others; without `more` the present rule, fitted in the same way."
    names = [*curves]
    X = np.log2([three_numbers(curves[name]) for name in names])
    if more is not None: X = np.column_stack([X, [more(curves[name]) for name in names]])
    y, chosen = np.log2([known[name][0] for name in names]), {}
    for rest,own in left_out(names):
        fitted = RidgeCV(np.logspace(-3, 2, 12)).fit(X[rest], y[rest])
        for i in np.flatnonzero(own): chosen[names[i]] = chosen_for(curves[names[i]], 2**fitted.predict(X[i:i+1])[0])
    weight = RidgeCV(np.logspace(-3, 2, 12)).fit(X, y).coef_[-1] if more is not None else ""
    return chosen, weight

def main():
    warnings.simplefilter("ignore")
    curves, known = curves_to_choose_on()
    present = {name: best_number(curve) for name,curve in curves.items()}
    def measured(chosen):
        changes = np.array([chosen[name] - k for name,k in present.items()])
        return dict(measures(chosen, known), more=int((changes > 0).sum()), fewer=int((changes < 0).sum()))
    rows = [dict(attempt=0, rule="present", **measured(present))]
    rows.append(dict(attempt=0, rule="present, weights left out", **measured(regression(curves, known)[0])))
    found = {setting: {name: by_levels(c, *setting) for name,c in curves.items()} for setting in GRID}
    for setting,chosen in found.items():
        words = ["never" if value == NEVER else value for value in setting]
        rows.append(dict(attempt=1, rule="levels", finer=words[0], silhouette=words[1], coarser=words[2], **measured(chosen)))
    error, names, chosen = pd.DataFrame([errors(found[setting], known) for setting in GRID]).to_numpy(), [*curves], {}
    for rest,own in left_out(names):
        best = GRID[error[:, rest].mean(1).argmin()]
        chosen |= {names[i]: found[best][names[i]] for i in np.flatnonzero(own)}
    rows.append(dict(attempt=1, rule="levels, thresholds left out", **measured(chosen)))
    features = {name: lambda curve, read=read: np.log2(read(curve)) for name,read in READINGS.items()} | VALUES
    for name,feature in features.items():
        chosen, weight = regression(curves, known, feature)
        rows.append(dict(attempt=2, rule=f"{name}, weights left out", weight=weight, **measured(chosen)))
    columns = "attempt rule finer silhouette coarser weight pairs quarter two error too_many ami more fewer commit machine".split()
    with open(Path(__file__).parent/"results/n-groups-stability.csv", "w", newline="") as f:
        w = csv.DictWriter(f, columns, restval="", lineterminator="\n")
        w.writeheader()
        for row in rows:
            plain = {name: round(float(value), 4) if isinstance(value, (float, np.floating)) else value for name,value in row.items()}
            w.writerow(plain | dict(commit=commit(), machine=platform.machine()))


if __name__ == "__main__": main()
