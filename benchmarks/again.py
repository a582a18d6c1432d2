"""What changes when rows of a table of results are made again: each row before and after, and then the new rows in their place.

    python benchmarks/again.py TABLE NEW

TABLE is a name in benchmarks/results, such as quality; NEW is a CSV file that the same script made with --out on newer code.
Each row that both have becomes a row of benchmarks/results/again.csv, with both scores, commits and machines, and the new
row takes the place of the old one in TABLE. Rows that NEW alone has are left out, and named.
Goal: to know whether older rows may stand beside newer ones. Not a goal: to explain the differences.
"""
import argparse
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent/"results"
SCORES = "acc", "nmi", "ari", "ami", "nmi_other"


def pairs(table, old, new): # A name, and two tables with columns variant, seed, scores, commit and machine
    "The rows that both tables have, before and after."
    both = old.merge(new, on=["variant", "seed"], suffixes=("_before", "_after"))
    shown = {f"{c}_{when}": both[f"{c}_{when}"] for c in (*SCORES, "commit", "machine") if f"{c}_before" in both for when in ("before", "after")}
    return pd.DataFrame({"table": table, "variant": both.variant, "seed": both.seed, **shown})

def replaced(old, new):
    "The old table with the new rows in the places of the old ones."
    key = ["variant", "seed"]
    rows, newer = old.set_index(key), new.set_index(key)
    both = rows.index.intersection(newer.index)
    rows.loc[both] = newer.loc[both].reindex(columns=rows.columns)
    return rows.reset_index()[old.columns]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table")
    p.add_argument("new", type=Path)
    args = p.parse_args()
    file, log = RESULTS/f"{args.table}.csv", RESULTS/"again.csv"
    # as text, so that what is not made again stays as it is
    old, new = (pd.read_csv(f, dtype=str, keep_default_na=False) for f in (file, args.new))
    made = pairs(args.table, old, new)
    if unknown := sorted({*zip(new.variant, new.seed)} - {*zip(old.variant, old.seed)}): print("not in the table:", unknown)
    if log.is_file(): made = pd.concat([pd.read_csv(log, dtype=str, keep_default_na=False), made])
    made.to_csv(log, index=False)
    replaced(old, new).to_csv(file, index=False)
    print(f"{args.table}: {len(new) - len(unknown)} of {len(old)} rows made again")


if __name__ == "__main__": main()
