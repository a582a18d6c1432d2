"""Rows of a table of results that is made run by run: what is there is not made again. For the scripts beside it."""
import csv, gzip, platform, subprocess
from pathlib import Path

import numpy as np
import torch

from audioclust.encoders.networks import has_bf16


def commit():
    "The commit that is checked out, with a + where files differ from it; tables of results, which a benchmark writes, do not count."
    def git(*words): return subprocess.run(["git", *words], capture_output=True, text=True, cwd=Path(__file__).parent)
    changed = git("diff", "--quiet", "HEAD", "--", ":/", ":(exclude)results").returncode
    return git("rev-parse", "--short", "HEAD").stdout.strip() + "+"*changed

def add_row(out, row): # A CSV file, and a dict
    "Add a row to a table, and print it without commit and machine."
    new = not out.is_file()
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "a", newline="") as f:
        w = csv.DictWriter(f, row)
        if new: w.writeheader()
        w.writerow(row)
    print({m: v for m,v in row.items() if m not in ("commit", "machine")}, flush=True)

def labels_file(out): # A CSV file
    "Where the groups themselves are, beside a table of scores."
    return out.with_name(f"{out.stem}-labels.csv.gz")

def keep_labels(out, variant, seed, labels): # One line of text: variant, seed, groups
    "Add the groups of a run, so that intervals over clips can be computed."
    out.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(labels_file(out), "at", encoding="utf-8") as f: f.write(f"{variant},{seed},{' '.join(map(str, np.asarray(labels)))}\n")

def keep_truth(out, variant, values):
    "Add the true groups of a set, numbered, where they are not there yet."
    known = gzip.open(labels_file(out), "rt", encoding="utf-8").readlines() if labels_file(out).is_file() else []
    if not any(line.startswith(f"{variant},") for line in known): keep_labels(out, variant, 0, np.unique(values, return_inverse=True)[1])

def append(out, todo, run): # A CSV file, (variant, seed) pairs, and what makes a dict of one
    "Add a row for each pair that has none, with commit and machine."
    where = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, Python {platform.python_version()}{', bfloat16'*has_bf16(torch.device('cpu'))}"  # what can compute with 16 bits trains with them, which takes a third of the time and ends elsewhere
    done = {(r["variant"], int(r["seed"])) for r in csv.DictReader(open(out, newline=""))} if out.is_file() else set()
    for name,seed in todo:
        if (name, seed) not in done: add_row(out, dict(variant=name, **run(name, seed), commit=commit(), machine=where))
