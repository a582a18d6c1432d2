"""Time and memory of grouping shards: simulated ones of 100,000 and 1,000,000 clips, by K-means into 50 groups.

    python benchmarks/shards.py [--clips 100000 1000000] [--parts 16]

Each shard is written as `audioclust embed --float16` would write it, but its embeddings are random: 200 clusters in as many
numbers as the fixed encoder gives, and there is no sound. `run_of_shards` then groups them in a process of its own, and the
run is saved; the greatest anonymous memory of the process is read from /proc twenty times a second (pages of mapped files
do not count: the system takes them back when it needs them). Linux only. Results go to benchmarks/results/shards.csv.
Goal: to see that memory does not grow with the width of the embeddings. Not a goal: what is found.
"""
import argparse, csv, json, os, platform, shutil, subprocess, sys, tempfile, time
from pathlib import Path

import numpy as np
import pandas as pd

CHILD = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from audioclust.pipeline import Observer, run_of_shards
from audioclust.runs import Options, Request
observer, since = Observer(), time.monotonic()
run = run_of_shards(sys.argv[1], Request(n_clusters=50, options=Options(stability=0)), observer, scratch=sys.argv[2])
run.save(sys.argv[2] + "/run")
print(json.dumps(dict(seconds=round(time.monotonic() - since, 1), **observer.seconds)))
"""


def write(place, n, n_parts):
    "Shards of simulated clips; the bytes of their embeddings."
    from audioclust.encoders import FixedEncoder
    from audioclust.pipeline.shards import SHARD_SCHEMA, _embedding_record
    from audioclust.runs import Options, Request
    request = Request(encoder="fixed", options=Options(sample_rate=16000))
    dim, rng = FixedEncoder("content", sample_rate=16000).dim, np.random.default_rng(0)
    centres = rng.normal(0, 2, (200, dim)).astype(np.float32)
    for part in range(n_parts):
        (folder := place/f"{part:03d}").mkdir(parents=True)
        m = n//n_parts + (part < n % n_parts)
        X = np.lib.format.open_memmap(folder/"embeddings.npy", "w+", np.float16, (m, dim))
        for i in range(0, m, 10_000):
            some = min(10_000, m - i)
            X[i:i + some] = centres[rng.integers(200, size=some)] + rng.standard_normal((some, dim), dtype=np.float32)
        del X
        start = np.arange(m, dtype=float)
        pd.DataFrame(dict(path="simulated.wav", start=start, end=start + 1)).to_csv(folder/"clips.csv", index=False)
        pd.DataFrame(columns=["path", "reason"]).to_csv(folder/"errors.csv", index=False)
        about = dict(schema=SHARD_SCHEMA, part=part + 1, n_parts=n_parts, shared="simulated", half=True, recordings="simulated",
                     inputs={}, request=_embedding_record(request), encoder_choice=None, complete=True, n_clips=m)
        (folder/"shard.json").write_text(json.dumps(about))
    return n*dim*2, dim


def anonymous(pid):
    try: return next(int(line.split()[1])/1000 for line in open(f"/proc/{pid}/status") if line.startswith("RssAnon"))
    except (OSError, StopIteration): return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--parts", type=int, default=16)
    args = parser.parse_args()
    rows = []
    for n in args.clips:
        place = Path(tempfile.mkdtemp(dir="."))
        try:
            n_bytes, dim = write(place/"shards", n, args.parts)
            child = subprocess.Popen([sys.executable, "-c", CHILD, str(place/"shards"), str(place)], stdout=subprocess.PIPE, text=True)
            peak = 0
            while child.poll() is None:
                peak = max(peak, anonymous(child.pid))
                time.sleep(.05)
            said = child.stdout.read()
            if child.returncode: sys.exit(f"failed with {n} clips")
            rows.append(dict(clips=n, dim=dim, parts=args.parts, megabytes_of_shards=round(n_bytes/1e6),
                             megabytes_at_most=round(peak), **json.loads(said)))
            print(rows[-1], flush=True)
        finally: shutil.rmtree(place, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open(Path(__file__).parent/"results/shards.csv", "w", newline="") as f:
        w = csv.DictWriter(f, [*rows[-1], "commit", "machine"])
        w.writeheader()
        for row in rows: w.writerow({**row, "commit": commit, "machine": machine})


if __name__ == "__main__": main()
