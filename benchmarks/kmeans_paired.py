"""K-means of two versions of this project, in turn, on a machine that others use as well.

    python benchmarks/kmeans_paired.py BEFORE [--repeats 5] [--only 1000,3000]

BEFORE is a checkout of the other version. Each version, and scikit-learn, runs in a process of its own, with one thread. All take
turns on the same table from the same start or seed, and report the time of their processor, not that of the wall: what others
do on the machine then counts little. Compare the least of the repeats. Rows go to benchmarks/results/kmeans_paired.csv.

10 rounds: from k given rows, as in benchmarks/kmeans.py. fit: KMeans(k, random_state=0), one start. 20 starts: n_init=20.
until it stops: from k given rows until no label changes.
Goal: ratios. Not a goal: what several cores save, which no processor time shows.
"""
import argparse, csv, os, subprocess, sys, time, warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
OUT = ROOT/"benchmarks"/"results"/"kmeans_paired.csv"
SHAPES = ((1_000, 30, 10), (1_000, 30, 100), (3_000, 30, 10), (3_000, 30, 50), (10_000, 30, 10), (2_000, 512, 20),
          (20_000, 64, 30),
          (20_000, 64, 100), (100_000, 128, 256), (300_000, 32, 100), (20_000, 512, 1000))
OPTIONS = {"10 rounds": dict(max_iter=10, tol=0), "until it stops": dict(max_iter=1000, tol=0),
           "fit": dict(random_state=0),
           "20 starts": dict(n_init=20, random_state=0)}


def make(n, d, k, data):
    "Rows, and where to start, as in benchmarks/kmeans.py."
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d), dtype=np.float32)
    if data != "normal":
        centers = float(data.split()[1])*rng.standard_normal((k, d), dtype=np.float32)
        x += centers[rng.integers(k, size=n)]
    return x, x[rng.choice(n, k, replace=False)].copy()


def cases():
    for n, d, k in SHAPES:
        for data in "normal", "clusters 1":
            yield n, d, k, data, "10 rounds"
            if n <= 10_000: yield n, d, k, data, "20 starts"
            if n <= 20_000 and d < 512: yield n, d, k, data, "fit"
            if n >= 100_000 and data == "clusters 1": yield n, d, k, data, "until it stops"


def work(who):
    "Answer each case that comes in by its seconds."
    import torch
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if who == "scikit-learn": from sklearn.cluster import KMeans
    else: from audioclust.kmeans import KMeans
    last = None
    for line in sys.stdin:
        *case, what = line.strip().split(";")
        if case != last: x, start = make(*map(int, case[:3]), case[3])
        last, options = case, dict(OPTIONS[what])
        if "max_iter" in options: options.update(init=start, n_init=1)
        elif who == "scikit-learn": options = dict(dict(n_init=1, max_iter=100), **options)
        since = time.process_time()
        KMeans(len(start), **options).fit(x)
        print(time.process_time() - since, flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("before", type=Path)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--only", default="", help="numbers of rows")
    args = p.parse_args()
    workers = {}
    for who, folder in ("before", args.before), ("after", ROOT), ("scikit-learn", ROOT):
        env = {**os.environ, "PYTHONPATH": str(folder.resolve()), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--work", who]
        workers[who] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
                                        cwd="/")
    only = [int(n) for n in args.only.split(",") if n]
    describe = ["git", "describe", "--always", "--dirty=+"]
    commit = subprocess.run(describe, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    rows = []
    for case in cases():
        if only and case[0] not in only: continue
        seconds = {who: [] for who in workers}
        for repeat in range(-1, args.repeats):
            for who, worker in workers.items():
                print(*case, sep=";", file=worker.stdin, flush=True)
                t = float(worker.stdout.readline())
                if repeat >= 0: seconds[who].append(t)
        least = {who: min(t) for who, t in seconds.items()}
        row = dict(zip("n d k data what".split(), case), before_ms=round(1000*least["before"], 1),
                   after_to_before=round(least["after"]/least["before"], 2),
                   after_to_sklearn=round(least["after"]/least["scikit-learn"], 2), repeats=args.repeats, commit=commit)
        rows.append(row)
        print(*row.values(), flush=True)
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    old = [r for r in csv.DictReader(open(OUT, newline="")) if only and int(r["n"]) not in only] if OUT.exists() else []
    with open(OUT, "w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(sorted([*old, *rows], key=lambda r: int(r["n"])))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]: work(sys.argv[2])
    else: main()
