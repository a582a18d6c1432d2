"""Score the command on the spoken digits, both ways of `by`: K-means and spectral clustering
with five seeds, the tree and the density methods once.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/fsdd.py [--seeds 5] [--methods kmeans,agglomerative,...]
    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/fsdd.py --encoder auto --methods kmeans,consensus,spectral --out benchmarks/results/fsdd-vote.csv

The second line lets the installed encoders vote (`audioclust encoders` lists them); embeddings are computed once for all runs.
Each row of benchmarks/results/fsdd.csv is one run of `audioclust cluster`, scored afterwards against digits and
speakers. Labels take no part in the clustering. Methods that do not depend on the seed run once.
Goal: the numbers of the README, with how they were made. Not a goal: a comparison of methods at their best settings.
"""
import argparse, contextlib, csv, io, json, os, platform, subprocess, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import pandas as pd
import torch

from audioclust.cli import main as audioclust
from audioclust.audio import fsdd
from audioclust.metrics import score

ONCE = {"agglomerative", "dbscan", "hdbscan", "meanshift"}


def run(folder, method, by, seed, encoder, cache):
    k = {"content": 10, "source": 6}[by]
    with tempfile.TemporaryDirectory() as tmp, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        status = audioclust(["cluster", str(folder), "--out", f"{tmp}/run", "--method", method, "--by", by, "--n-clusters", str(k), "--seed", str(seed), *(["--no-cache"] if encoder == "fixed" else ["--encoder", encoder, "--cache", cache, "--no-page"]), "-q"])
        seconds = time.perf_counter() - start
        if status: raise SystemExit(f"{method} by {by} ended with status {status}")
        clusters = pd.read_csv(f"{tmp}/run/clusters.csv")
        about = json.loads(Path(f"{tmp}/run/run.json").read_text())
    names = clusters.path.str.extract(r"(\d)_(\w+)_\d+\.wav$")
    digit, speaker = (score(names[i], clusters.cluster) for i in (0, 1))
    heard = {} if encoder == "fixed" else dict(encoders=about["embeddings"].get("encoder_choice", {}).get("name", encoder))
    return dict(method=method, by=by, k=k, seed=seed, **heard, **{f"{m}_digit": round(digit[m], 4) for m in ("acc", "nmi", "ari")}, **{f"{m}_speaker": round(speaker[m], 4) for m in ("acc", "nmi", "ari")},
                clusters=about["clustering"]["clusters"], coverage=round(digit["coverage"], 4), seconds=round(seconds, 2), device=about["made"]["device"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--methods", default="kmeans,spectral,agglomerative,hdbscan,dbscan,meanshift")
    p.add_argument("--encoder", default="fixed", help="whatever audioclust cluster takes")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"fsdd.csv")
    args = p.parse_args()
    table = fsdd(download=False)
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    where = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, Python {platform.python_version()}"
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for method in args.methods.split(","):
            for by in ("content", "source"):
                for seed in range(1 if method in ONCE else args.seeds):
                    rows.append({**run(Path(table.path[0]).parent, method, by, seed, args.encoder, cache), "commit": commit, "machine": where})
                    print({k: v for k, v in rows[-1].items() if k not in ("commit", "machine", "device")}, flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)


if __name__ == "__main__": main()
