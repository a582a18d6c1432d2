"""How time and memory grow with the number of clips: `audioclust cluster` on 1,000 to 100,000 files.

    python benchmarks/scale.py [--most 100000] [--keep FOLDER]

Makes words of about half a second (10 words, 10 speakers, 8 kHz wav, `synthetic_words` with seeds 0, 1, …), lists the
first 1,000, 3,000, 10,000, … of them in a CSV file, and runs the command on each list as a user would, in a new process
and without the cache: the whole way from a command to a run folder, the import of torch and the pictures included.
Memory is the greatest sum over all processes of the run, worker processes included, of their proportional share (PSS: what
two processes share counts once), read from /proc ten times a second; without /proc, the sum of their resident memory.
PYTHONDONTWRITEBYTECODE is taken out of the environment: with it each run compiles torch and the others again (3.5 seconds of 11
at 1,000 clips here), which users do not have; the first run may do so once.
Goal: to see whether time and memory grow in proportion. Not a goal: absolute numbers that hold on another machine.
Results go to benchmarks/results/scale.csv. 100,000 clips take 1.5 GB of disk and about ten minutes in all.
"""
import argparse, csv, json, os, platform, subprocess, sys, tempfile, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import psutil

PART = 1000
ENVIRONMENT = {k: v for k,v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def make(folder, i):
    from audioclust.audio import synthetic_words
    return [str(p) for p in synthetic_words(10, 10, PART//100, random_state=i).save(folder/f"{i:03d}").path]


def memory(process):
    "Bytes that a process and all that it started hold now."
    total = 0
    for p in [process, *process.children(recursive=True)]:
        try: m = p.memory_full_info(); total += getattr(m, "pss", m.rss)
        except psutil.Error: continue
    return total


def run(command):
    "Seconds, and the most bytes held at a time."
    start, most = time.perf_counter(), 0
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said, env=ENVIRONMENT) as p:
        tree = psutil.Process(p.pid)
        while p.poll() is None:
            try: most = max(most, memory(tree))
            except psutil.Error: pass
            time.sleep(.1)
        if p.returncode: said.seek(0); sys.exit(said.read().decode())
    return time.perf_counter() - start, most


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--most", type=int, default=100_000)
    p.add_argument("--keep", type=Path, help="where the sounds are made, and left for the next time")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"scale.csv")
    args = p.parse_args()
    sizes = [n for n in (1000, 3000, 10_000, 30_000, 100_000) if n <= args.most]
    about = dict(commit=subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip(),
                 machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        tmp, sounds = Path(tmp), args.keep or Path(tmp)/"sounds"
        sounds.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            todo = [i for i in range(max(sizes)//PART) if not (sounds/f"{i:03d}").is_dir()]
            list(pool.map(make, [sounds]*len(todo), todo))
        files = [str(f) for i in range(max(sizes)//PART) for f in sorted((sounds/f"{i:03d}").rglob("*.wav"))]
        for n in sizes:
            (tmp/"list.csv").write_text("\n".join(["path", *files[:n], ""]))
            for repeat in range(3 if n <= 10_000 else 1):
                command = [sys.executable, "-m", "audioclust", "cluster", str(tmp/"list.csv"), "--out", str(tmp/"run")]
                seconds, most = run([*command, "--n-clusters", "10", "--no-cache", "--overwrite"])
                record = json.loads((tmp/"run"/"run.json").read_text())
                stages = record["made"]["seconds"]
                rows.append(dict(clips=n, audio_seconds=record["clips"]["seconds"], repeat=repeat, seconds=round(seconds, 2),
                                 megabytes=round(most/1e6), **stages, versions=f"torch {record['made']['versions']['torch']}", **about))
                print(f"{n:>8,} clips: {seconds:7.1f} s, {most/1e6:6.0f} MB; " + ", ".join(f"{k} {v:.1f}" for k,v in stages.items()), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)
    print(f"written: {args.out}")


if __name__ == "__main__": main()
