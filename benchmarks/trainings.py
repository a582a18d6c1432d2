"""How long the methods that train take, by the number of clips and by what they do: DeepCluster and SPICE on the spoken digits.

    AUDIOCLUST_DATA=/folder/above/fsdd python benchmarks/trainings.py [--sizes 500,1500,3000] [--methods deepcluster,spice] [--seeds 1]

Runs `audioclust cluster` as a user would, in a new process, without the cache and without the page, on every sixth, second or single clip in the
order of names. The stages are those of run.json; `nmi` compares the groups with the digits, which take no part in anything.
Rows are appended to benchmarks/results/trainings.csv. Goal: where the time goes, and what more of it gains. Not a goal: seconds that hold elsewhere.
"""
import argparse, json, os, platform, subprocess, sys, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")

from appended import add_row, commit
from audioclust.audio import fsdd
from audioclust.metrics import nmi
from audioclust.runs.run_folder import read_table


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", default="500,1500,3000")
    p.add_argument("--methods", default="deepcluster,spice")
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"trainings.csv")
    args = p.parse_args()
    table, where = fsdd().sort_values("path"), f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    digit = dict(zip(map(str, table.path), table.label))
    with tempfile.TemporaryDirectory() as tmp:
        for size in map(int, args.sizes.split(",")):
            listed = Path(tmp)/f"{size}.csv"
            table.iloc[::len(table)//size][["path"]].to_csv(listed, index=False)
            for method in args.methods.split(","):
                for seed in range(args.seeds):
                    out, since = Path(tmp)/"run", time.perf_counter()
                    subprocess.run([sys.executable, "-m", "audioclust", "cluster", str(listed), "--out", str(out), "--method", method, "--n-clusters", "10",
                                    "--seed", str(seed), "--no-page", "--no-cache", "--overwrite", "-q"], check=True, env={k: v for k,v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"})
                    seconds, said, found = time.perf_counter() - since, json.loads((out/"run.json").read_text()), read_table(out/"clusters.csv")
                    stages = " ".join(f"{name} {s:.1f}" for name,s in said["made"]["seconds"].items())
                    add_row(args.out, dict(method=method, clips=len(found), seed=seed, seconds=round(seconds, 1), nmi=round(nmi([digit[p] for p in found.path], found.cluster), 3),
                                           stages=stages, commit=commit(), machine=where))


if __name__ == "__main__": main()
