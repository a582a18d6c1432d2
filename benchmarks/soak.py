"""Does anything grow, or get lost, over hours? Outside CI: `make soak`, two hours and a half.

    python benchmarks/soak.py [--minutes 120] [--clips 100000] [--kills 10] [--max-memory 2G] [--only process|killed]

process: all commands, one after another, in one process, round after round until the time is over: each method once, the trainings
  in small, events on a tape, both ways, a run that grows, seeds, and then what is made of a run (page, export, sort, score,
  assign, similar, compare, duplicates). Each round has folders of its own, which are removed; the cache stays. After each round a row of
  soak.csv says what the process holds: memory, open files, threads, child processes, temporary files, shared memory; and how many
  files of its runs differ from those of the first round (those that record times are left out). The second half of the rounds
  should hold what the first half holds.
killed: one run of many clips under --max-memory, killed so many times at random moments and resumed each time. What
  it ends with must be what an uninterrupted run gives, to the byte; a row for each attempt goes to soak-killed.csv, with its most memory.

Goal: growth, and anything that is lost. Not a goal: speed; the machine may do other things.
"""
import argparse, contextlib, gc, hashlib, io, os, platform, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import psutil

from appended import add_row, commit
from killed import TIMES
from load import recording, words

HERE = Path(__file__).parent
MACHINE = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


# one process
def commands(sounds, tape, at, cache):
    "What is said to the command line, in order; at is the folder of a round."
    def run(name, *options, source=sounds): return ["cluster", str(source), "--out", str(at/name), "--cache", str(cache), "--stability", "3", *options]
    for m in "kmeans", "agglomerative", "hdbscan", "dbscan", "meanshift", "consensus", "spectral":
        yield run(m, "--method", m, *(["--n-clusters", "5"] if m in ("kmeans", "agglomerative", "consensus", "spectral") else []))
    yield run("auto", "--n-clusters", "auto", "--labels", "parent")
    yield run("both", "--by", "both", "--n-clusters", "5,4")
    yield run("untrained", "--encoder", "untrained", "--n-clusters", "5", "--no-page")
    yield run("deepcluster", "--method", "deepcluster", "--n-clusters", "5", "--epochs", "2", "--set", "passes=1", "--set", "views=2")
    yield run("nf-spice", "--method", "nf-spice", "--n-clusters", "5", "--epochs", "2", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=2")
    yield run("events", "--cut", "events", "--n-clusters", "auto", source=tape)
    yield run("seeds", "--method", "spectral", "--n-clusters", "5", "--seeds", str(at/"seeds.csv"))
    yield ["cluster", str(sounds), "--grow", str(at/"events"), "--out", str(at/"grown"), "--cache", str(cache)]
    yield ["cluster", str(sounds), "--out", str(at/"kmeans"), "--n-clusters", "6", "--overwrite", "--cache", str(cache), "--stability", "3"]
    yield ["listen", str(at/"spectral")]
    yield ["listen", str(at/"kmeans"), "--embed"]
    for to in "raven", "audacity", "csv", "parquet": yield ["export", str(at/"events"), "--to", to, "--out", str(at/(f"exported.{to}" if to in ("csv", "parquet") else to))]
    yield ["export", str(at/"spectral"), "--to", "folders", "--out", str(at/"sorted")]
    yield ["compare", str(at/"spectral"), "--labels", "parent"]
    yield ["assign", str(at/"kmeans"), str(sounds), "--out", str(at/"assigned.csv")]
    yield ["similar", str(at/"kmeans"), str(min(sounds.rglob("*.wav")))]
    yield ["compare", str(sounds), "--out", str(at/"compared"), "--methods", "kmeans,spectral", "--n-clusters", "5"]
    yield ["duplicates", str(sounds), "--out", str(at/"duplicates.csv")]

def fingerprints(at):
    "File of a round that does not record times → hash."
    return {str(p.relative_to(at)): hashlib.blake2b(p.read_bytes(), digest_size=8).hexdigest() for p in at.rglob("*") if p.is_file() and p.name not in TIMES | {"compare.csv", "compare.html"}}

def holds():
    "What this process holds."
    gc.collect()
    me = psutil.Process()
    shm = len(list(Path("/dev/shm").iterdir())) if Path("/dev/shm").is_dir() else 0
    m = me.memory_full_info()
    return dict(rss=round(m.rss/1e6, 1), own=round(m.uss/1e6, 1), files=me.num_fds(), threads=me.num_threads(), children=len(me.children(recursive=True)), temporary=len(list(Path(tempfile.gettempdir()).iterdir())), shared=shm, objects=len(gc.get_objects()))

def process(minutes, file):
    "Rounds in this process until the time is over; is anything wrong?"
    from audioclust.audio import synthetic_words
    from audioclust.cli import main
    since, first, rows = time.monotonic(), None, []
    with tempfile.TemporaryDirectory() as tmp:
        root = Path(tmp)
        (own := root/"tmp").mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(own)  # what is left of temporary files is seen there
        synthetic_words(5, 4, 5).save(sounds := root/"sounds")
        (tape := root/"tape").mkdir()
        recording(tape/"tape.flac", .05, damaged=False)
        while time.monotonic() - since < 60*minutes:
            (at := root/"round").mkdir()
            (at/"seeds.csv").write_text("path,label\n" + "".join(f"{p},{p.parent.name}\n" for p in sorted(sounds.rglob("*.wav"))[::10]))
            started, failed = time.monotonic(), []
            for argv in commands(sounds, tape, at, root/"cache"):
                said = io.StringIO()
                with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                    try: status = main(argv)
                    except SystemExit as e: status = e.code
                if status: failed.append((argv, status))
                if failed and failed[-1][0] is argv: print(status, argv, said.getvalue()[-600:], flush=True)
            now = fingerprints(at)
            first = first or now
            differ = sorted(n for n in {*first, *now} if first.get(n) != now.get(n))
            shutil.rmtree(at)
            row = dict(round=len(rows), minutes=round((time.monotonic() - since)/60, 1), seconds=round(time.monotonic() - started, 1), **holds(), failed=len(failed), compared=len(now), differ=len(differ), which=" ".join(differ)[:200], commit=commit(), machine=MACHINE)
            rows.append(row); add_row(file, row)
    return any(r["failed"] or r["differ"] for r in rows)


# one large run, killed
def attempt(command, env, until):
    "Run a command, killed after so many seconds (None: let it end): status, seconds, most memory as --max-memory counts."
    since, most = time.monotonic(), 0
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said, env=env) as p:
        tree = psutil.Process(p.pid)
        while p.poll() is None:
            with contextlib.suppress(psutil.Error): most = max(most, tree.memory_info().rss + sum(c.memory_full_info().uss for c in tree.children(recursive=True)))
            if until is not None and time.monotonic() - since > until: p.send_signal(signal.SIGKILL); p.wait()
            time.sleep(.1)
        said.seek(0); text = said.read().decode(errors="replace")
    if p.returncode not in (0, -signal.SIGKILL): raise RuntimeError(text)
    return p.returncode, time.monotonic() - since, most

def killed(n, kills, memory, folder, file, seed=0):
    "Is a large run the same after so many kills?"
    rng = np.random.default_rng(seed)
    def command(out, *more): return [sys.executable, "-m", "audioclust", "cluster", str(root), "--out", str(out), "--n-clusters", "10", "--max-memory", memory, *more]
    with tempfile.TemporaryDirectory(dir=folder) as tmp:
        root, env = Path(tmp)/"clips", {**os.environ, "AUDIOCLUST_CACHE": str(Path(tmp)/"cache")}
        listed = words(root, n)
        at = dict(clips=len(listed), bound=memory, commit=commit(), machine=MACHINE)
        _,whole,most = attempt(command(Path(tmp)/"whole", "--no-cache"), env, None)
        add_row(file, dict(attempt="uninterrupted", killed_after="", seconds=round(whole, 1), megabytes=round(most/1e6), same="", **at))
        reference, out, done = fingerprints(Path(tmp)/"whole"), Path(tmp)/"run", 0
        while done < kills:
            until = rng.uniform(2, .9*whole)
            status,seconds,most = attempt(command(out, "--resume"), env, until)
            if status == 0: shutil.rmtree(out)  # it was quicker than its killer, since much is in the cache: begin again
            else: done += 1
            add_row(file, dict(attempt=f"kill {done}" if status else "was quicker", killed_after=round(until, 1) if status else "", seconds=round(seconds, 1), megabytes=round(most/1e6), same="", **at))
        _,seconds,most = attempt(command(out, "--resume"), env, None)
        same = fingerprints(out) == reference
        add_row(file, dict(attempt="resumed to the end", killed_after="", seconds=round(seconds, 1), megabytes=round(most/1e6), same=int(same), **at))
    return not same


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=120)
    p.add_argument("--clips", type=int, default=100_000)
    p.add_argument("--kills", type=int, default=10)
    p.add_argument("--max-memory", default="2G")
    p.add_argument("--only", choices=["process", "killed"])
    p.add_argument("--folder", type=Path, help="where the clips are made (default: a temporary folder)")
    p.add_argument("--out", type=Path, default=HERE/"results"/"soak.csv")
    args = p.parse_args()
    bad = False
    if args.only != "process": bad |= killed(args.clips, args.kills, args.max_memory, args.folder, args.out.with_name(f"{args.out.stem}-killed.csv"))
    if args.only != "killed": bad |= process(args.minutes, args.out)
    return int(bad)


if __name__ == "__main__": sys.exit(main())
