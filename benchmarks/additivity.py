"""Do content and source add up in an embedding, or does each source move each content elsewhere?

    AUDIOCLUST_DATA=… python benchmarks/additivity.py [--only "SET;…"] [--networks FOLDER]

A two-way analysis of variance of embeddings for content and for source, on the sets of quality.py: of the fixed encoder's (whitened,
rows of length 1, as they are clustered) and, with --networks, of the networks that NF-SPICE trained (whitened by what varies within
clips to 128 axes, as its non-redundant step gets them; FOLDER is that of `steps.py --points networks --keep FOLDER`; seeds that are there). Each row of benchmarks/results/additivity.csv has shares of the sum
of squares of all points around their mean: `content` and `source` are what each explains beyond the other, `interaction`
is what the means of all pairs (content, source) explain beyond the sum of both effects, and `rest` is within pairs.
Where pairs are equally frequent, as in the digits, the four add up to 1. An effect without any meaning would have the share
`chance_…`: its degrees of freedom times the mean square within pairs. `additive` is the share of what a source moves that is the same
for all contents, source/(source + interaction), with what chance explains taken from both (eta squared, corrected as epsilon
squared is). Labels are used: nothing is clustered.
Goal: may the mean of a source be subtracted? Not a goal: a test of significance.
"""
import argparse, tempfile, warnings
from pathlib import Path

import numpy as np
import pandas as pd

from appended import append
from audioclust.encoders import load_encoder
from audioclust.encoders.logmel_store import LogMelStore
from audioclust.encoders.whitening import WithinWhiten
from made_sets import SETS
from quality import DIGITS, WORDS, points_of, table_of


def explained(X, *factors): # Centred points [N, d], and a group of each clip [N] or several
    "The sum of squares that a least-squares fit by these groups explains, and its degrees of freedom."
    D = np.column_stack([np.ones(len(X)), *(pd.get_dummies(f).to_numpy(float) for f in factors)])
    u, s, _ = np.linalg.svd(D, full_matrices=False)
    u = u[:, s > 1e-9*s[0]]
    return float(np.square(u.T @ X).sum()), u.shape[1] - 1

def analysis(X, content, source): # Points [N, d], groups of each clip [N]
    "Shares of the sum of squares, and those of chance."
    X = X.astype(np.float64) - X.mean(0)
    total, dof = float(np.square(X).sum()), len(X) - 1
    parts = {name: explained(X, *factors) for name,factors in dict(c=[content], s=[source], both=[content, source], pairs=[content + "|" + source]).items()}
    def step(more, less): return parts[more][0] - parts[less][0], parts[more][1] - parts[less][1]
    effects = dict(content=step("both", "s"), source=step("both", "c"), interaction=step("pairs", "both"), rest=(total - parts["pairs"][0], dof - parts["pairs"][1]))
    error = effects["rest"][0]/effects["rest"][1] # of one degree of freedom
    beyond = {name: max(0., square - d*error) for name,(square,d) in effects.items()}
    row = {name: round(square/total, 4) for name,(square,_) in effects.items()}
    row |= {f"chance_{name}": round(d*error/total, 4) for name,(_,d) in effects.items() if name != "rest"}
    return row | {"additive": round(beyond["source"]/(beyond["source"] + beyond["interaction"]), 4), "additive_content": round(beyond["content"]/(beyond["content"] + beyond["interaction"]), 4)}


def network_folder(folder, name, seed): return Path(folder)/f"{name.replace(' ', '-')}-{seed}"/"networks"

def trained_points(table, folder): # Clips, and the folder of a network
    "Whitened embeddings of a trained network."
    encoder = load_encoder(folder)
    store = LogMelStore.from_clips(table, encoder.front)
    rows = np.random.default_rng(0).permutation(len(store))[:1000]
    views = encoder.embed_logmels(store, views=8, rows=rows)
    X = encoder.embed_logmels(store)
    return WithinWhiten(128, l2=False, equalise=False).fit(X, views=views).transform(X)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--networks", type=Path, help="folder of the trained networks")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"additivity.csv")
    args = p.parse_args()
    names = args.only.split(";") if args.only else [DIGITS, WORDS, *SETS]
    with tempfile.TemporaryDirectory() as tmp:
        tables = {}
        def run(variant, seed):
            name, by, points = variant.split(" / ")
            if name not in tables: tables[name] = table_of(name, tmp)
            table = tables[name]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if points == "trained": Z = trained_points(table, network_folder(args.networks, name, seed)/by)
                else: Z = points_of("fixed", table, 2, by, 0).embeddings_
            content, source = table.label.astype(str), table.source.astype(str)
            return dict(set=name, by=by, points=points, clips=len(table), contents=content.nunique(), sources=source.nunique(), seed=seed, **analysis(Z, content, source))
        todo = [(f"{name} / {by} / fixed", 0) for name in names for by in ("content", "source")]
        if args.networks: todo += [(f"{name} / {by} / trained", seed) for name in names for seed in range(5) for by in ("content", "source") if (network_folder(args.networks, name, seed)/by/"encoder.json").is_file()]
        append(args.out, todo, run)


if __name__ == "__main__": main()
