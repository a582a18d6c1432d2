"""A load of the kind that one leaves running: 100,000 short clips with bad files among them, and one recording of 24 hours.

    python benchmarks/load.py [--clips 100000] [--hours 24] [--folder FOLDER] [--max-memory 1500M]

Each is put through `audioclust cluster` as a user would, in a new process and with all that it does by itself: cache, stability,
figures, listening page. Meanwhile the memory of the process and of all that it started (their proportional shares, PSS, what
two share counting once) is read three times a second; `megabytes` is the most. Libraries that other programs on the machine use at the time
count by their share, too; `resident_megabytes` counts them wholly, as --max-memory does.

clips: words of half a second (20,000 of those of scale.py, and copies), of which 2 % are damaged in eight ways, and 1 % lie forty folders deep.
clips, bounded: the same with --max-memory.
recording: `--hours` of calls of four kinds on noise at 8 kHz, one FLAC file, never whole in memory, cut by `--window 3`; a stretch of
  20 kB in its middle is overwritten, so that some windows cannot be decoded.

Nothing may be lost: every file found by its name, and every window of the recording, must be a row of clusters.csv or of
errors.csv (`missing`), and no undamaged file may be among the errors (`wrong`). A row for each goes to benchmarks/results/load.csv.
Goal: what is held, and whether it grows. Not a goal: seconds that hold elsewhere; where
others share the machine the seconds by the clock are theirs too, so CPU seconds stand beside them. 100,000 clips take 1.5 GB of disk
and 24 hours about 1 GB; all is removed.
"""
import argparse, contextlib, json, os, platform, resource, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import pandas as pd
import psutil
import soundfile as sf

from appended import commit
from scale import PART, make, memory

RATE, WINDOW, EVERY = 8000, 3., .33  # Hz, s, s between two looks


def _claims(b): return b[:40] + b"\xff\xff\xff\x7f" + b[44:144]
def _nan(b): return b[:16] + b"\x10\0\0\0\3\0\1\0\x40\x1f\0\0\0\x7d\0\0\4\0\x20\0data" + b"\x40\x1f\0\0" + b"\0\0\xc0\x7f"*2000
BAD = dict(empty=lambda b: b"", text=lambda b: b"this is no sound\n"*40, head=lambda b: b[:44], noise=lambda b: bytes(len(b)), cut=lambda b: b[:len(b)//2], claims=_claims, nan=_nan, link=None)
DECODED = {"cut", "claims"}  # what is there of it is a clip

def damage(files, share, seed=0):
    "Damage a share of the files, each kind equally often; path → kind."
    chosen = np.random.default_rng(seed).permutation(len(files))[:round(share*len(files))]
    bad = {files[i]: list(BAD)[n % len(BAD)] for n,i in enumerate(chosen)}
    for path,kind in bad.items():
        if kind == "link": path.unlink(); path.symlink_to("nowhere")
        else: path.write_bytes(BAD[kind](path.read_bytes()))
    return bad

def bury(files, root, share, deep=40, seed=1):
    "Move a share of the files into folders in folders; the files as they are then."
    files = list(files)
    for i in np.random.default_rng(seed).permutation(len(files))[:round(share*len(files))]:
        to = root.joinpath(*(f"level {k}" for k in range(i % deep + 1)))/files[i].name.replace(".wav", f" {i}.wav")
        to.parent.mkdir(parents=True, exist_ok=True)
        files[i] = files[i].rename(to)
    return files

def words(folder, n):
    "n words in folders, of which 20 parts are different and the others copies of these."
    n_parts = -(-n//PART)
    with ProcessPoolExecutor(max(1, min(os.cpu_count(), n_parts))) as pool: parts = list(pool.map(make, [folder]*min(n_parts, 20), range(min(n_parts, 20))))
    for k in range(20, n_parts):
        shutil.copytree(folder/f"{k % 20:03d}", folder/f"{k:03d}")
        parts.append([str(folder/f"{k:03d}"/Path(f).relative_to(folder/f"{k % 20:03d}")) for f in parts[k % 20]])
    made = [Path(f) for part in parts for f in part]
    order = np.random.default_rng(2).permutation(len(made))
    for i in order[n:]: made[i].unlink()
    return [made[i] for i in np.sort(order[:n])]

def recording(path, hours, seed=0, damaged=True):
    "Calls of four kinds, one every four seconds or so, on noise; written a minute at a time. A stretch in the middle may be damaged."
    rng, t = np.random.default_rng(seed), np.arange(int(.8*RATE))/RATE
    env = np.sin(np.pi*t/t[-1])**.5
    calls = [env*np.sin(2*np.pi*(400*t + 500*t**2)), env*np.sin(2*np.pi*(2800*t - 900*t**2)), env*np.sin(2*np.pi*1500*t)*(np.sin(2*np.pi*11*t) > 0), env*sum(np.sin(2*np.pi*300*k*t)/k for k in range(1, 9))]
    with sf.SoundFile(path, "w", RATE, 1, "PCM_16", format="FLAC") as f:
        for _ in range(round(60*hours)):
            x = .004*rng.standard_normal(60*RATE)
            for at in np.arange(15)*4*RATE + rng.integers(0, 3*RATE, 15): x[at:at+len(t)] += rng.uniform(.05, .5)*calls[rng.integers(4)]
            f.write(x)
    if not damaged: return
    size = path.stat().st_size
    with open(path, "r+b") as f: f.seek(size//2); f.write(rng.bytes(min(20_000, size//50)))

def watch(command, env):
    "Run a command: seconds, CPU seconds, and the most memory, libraries by their share, and as --max-memory counts."
    before, since, shared, whole = resource.getrusage(resource.RUSAGE_CHILDREN), time.time(), 0, 0
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said, env=env) as p:
        tree = psutil.Process(p.pid)
        while p.poll() is None:
            with contextlib.suppress(psutil.Error):
                shared = max(shared, memory(tree))
                whole = max(whole, tree.memory_info().rss + sum(c.memory_full_info().uss for c in tree.children(recursive=True)))
            time.sleep(EVERY)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if p.returncode: sys.exit(text)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - since, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, shared, whole

def accounted(listed, out):
    "How many of the listed (path, start) are rows of clusters.csv, of errors.csv, of neither; files that are errors."
    from audioclust.runs.run_folder import read_table
    good, bad = read_table(out/"clusters.csv"), read_table(out/"errors.csv")
    clustered = set(zip(good.path, good.start.round(3)))
    left, refused = [c for c in listed if c not in clustered], bad.path.tolist()
    for path,_ in list(left):
        if path in refused: refused.remove(path)
    lost = len(left) - (len(bad) - len(refused))
    return dict(rows=len(good), errors=len(bad), missing=lost, twice=len(good) - len(clustered) + len(refused)), set(bad.path)

def one(case, source, listed, bad, tmp, options):
    "One run of the command: a row of the results."
    out, env = tmp/f"run-{case}", {**os.environ, "AUDIOCLUST_CACHE": str(tmp/"cache"), "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-m", "audioclust", "cluster", str(source), "--out", str(out), "-q", *options]
    seconds, cpu, shared, whole = watch(command, env)
    about, (count, refused) = json.loads((out/"run.json").read_text()), accounted(listed, out)
    wrong = len(refused - set(map(str, bad))) + sum(str(p) not in refused for p,kind in bad.items() if kind not in DECODED)
    audio, cached = about["clips"]["seconds"], sum(f.stat().st_size for f in (tmp/"cache").rglob("*"))
    row = dict(case=case, files=len({p for p,_ in listed}), damaged=len(bad), listed=len(listed), **count, wrong=wrong,
        clusters=about["clustering"]["clusters"], audio_seconds=round(audio), seconds=round(seconds, 1), cpu_seconds=round(cpu, 1),
        clips_per_cpu_second=round(len(listed)/cpu, 1), times_real_time=round(audio/cpu), megabytes=round(shared/1e6),
        resident_megabytes=round(whole/1e6), cache_megabytes=round(cached/1e6),
        options=" ".join(options), **{f"s_{k}": v for k,v in about["made"]["seconds"].items()})
    print(row, flush=True)
    return row

def load(folder, n, hours, bound=None):
    "All cases: rows of the results."
    results = []
    if n:
        root = folder/"clips"
        files = bury(words(root, n), root, .01)
        bad = damage(files, .02)
        listed = [(os.path.abspath(f), 0.) for f in files]
        for case, more in {"clips": [], "clips, bounded": bound and ["--max-memory", bound]}.items():
            if more is None: continue
            row = one(case, root, listed, bad, folder, ["--n-clusters", "10", *more])
            results.append(row)
            shutil.rmtree(folder/"cache")
            if more and (folder/f"run-{case}/clusters.csv").read_bytes() != (folder/"run-clips/clusters.csv").read_bytes(): row["wrong"] += 1
        shutil.rmtree(root)
    if hours:
        (root := folder/"recording").mkdir()
        recording(root/"day.flac", hours)
        starts = np.minimum(np.arange(int(np.ceil(3600*hours/WINDOW - 1e-9)))*WINDOW, 3600*hours - WINDOW)
        day = (root/"day.flac").resolve()
        options = ["--n-clusters", "4", "--window", f"{WINDOW:g}", "--ignore", "order,level"]
        results.append(one("recording", root, [(str(day), s) for s in starts.round(3)], {day: "stretch"}, folder, options))
        shutil.rmtree(root)
        shutil.rmtree(folder/"cache")
    return results

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--clips", type=int, default=100_000)
    p.add_argument("--hours", type=float, default=24)
    p.add_argument("--folder", type=Path, help="where the sounds are made (default: a temporary folder)")
    p.add_argument("--max-memory", default="1500M", help="of the second run of the clips; an empty text leaves it out")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"load.csv")
    args = p.parse_args()
    at = commit()
    with tempfile.TemporaryDirectory(dir=args.folder) as tmp: results = load(Path(tmp), args.clips, args.hours, args.max_memory or None)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}, Python {platform.python_version()}"
    pd.DataFrame(results).assign(commit=at, machine=machine).to_csv(args.out, index=False)
    return int(any(r["missing"] or r["twice"] or r["wrong"] for r in results))


if __name__ == "__main__": sys.exit(main())
