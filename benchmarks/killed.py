"""Is a run that was killed and resumed the same as one that was never stopped? At random moments, byte for byte.

    python benchmarks/killed.py [--only "NAME;…"] [--kills 16]

`audioclust cluster` is started as a process on a hundred synthetic words, killed with SIGKILL, and continued by --resume;
every third of these is killed too, and continued once more. The process is forked from one that has loaded the libraries and
done nothing else, which saves most of the time. It shows its progress, as it does for people: on a pseudo-terminal in every other run, in the rest
to a file. Two of six runs are ended by SIGINT and SIGTERM instead. The moment is drawn (by a seed that is in the row) between the writing of the first
mark and the end of a whole run; a run that was quicker than its killer is drawn again. A cache of its own is in play where it can be: empty, or with a part of the
clips in it, as a run leaves it that is killed while it embeds. After that every file of the run folder that does not name
the moment of the run is compared with the one of a run that nobody stopped. Rows are appended to benchmarks/results/killed.csv.
Goal: is anything lost, or different? Not a goal: how long it takes.
"""
import argparse, os, platform, pty, shutil, signal, sqlite3, sys, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts in the background with this signal ignored
import numpy as np

from appended import add_row, commit
from load import recording
from audioclust.pipeline import pair as both
from audioclust.cli import one_run, two_runs  # all that a command loads
from audioclust.cli import parser as cli
from audioclust.deepcluster import estimator as deepcluster
from audioclust.listen import figures
from audioclust.listen import page as listen
from audioclust.pipeline import clusterer as pipeline
from audioclust.nf_spice import estimator as nf_spice  # all that a command loads
from audioclust.audio import synthetic_words
from audioclust.runs.resuming import state

QUICK = ["--stability", "3"]
METHODS = {
    **{m: ["--method", m, *QUICK] for m in ("hdbscan", "dbscan", "meanshift")},
    **{m: ["--method", m, "--n-clusters", "5", *QUICK] for m in ("consensus", "spectral")},
    "auto": ["--n-clusters", "auto", "--labels", "parent", *QUICK],
    "events": ["--cut", "events", "--n-clusters", "3", *QUICK],
    "kmeans": ["--n-clusters", "5", *QUICK],
    "kmeans, no cache": ["--n-clusters", "5", "--no-cache", *QUICK],
    "agglomerative": ["--method", "agglomerative", "--n-clusters", "5", *QUICK],
    "both": ["--by", "both", "--n-clusters", "5,4", *QUICK],
    "untrained, consensus": ["--encoder", "untrained", "--method", "consensus", "--n-clusters", "5", "--no-page", *QUICK],
    "deepcluster": ["--method", "deepcluster", "--n-clusters", "5", "--epochs", "3", "--set", "passes=1", "--set", "views=2", "--no-page", *QUICK],
    "nf-spice": ["--method", "nf-spice", "--n-clusters", "5", "--epochs", "2", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=2", "--no-page", *QUICK],
    "deepcluster-published": ["--method", "deepcluster-published", "--n-clusters", "5", "--epochs", "2", "--no-page", *QUICK],
    "spice": ["--method", "spice", "--n-clusters", "5", "--epochs", "2", "--set", "head_epochs=2", "--set", "match_epochs=2", "--no-page", *QUICK],
    "scan": ["--method", "scan", "--n-clusters", "5", "--epochs", "2", "--set", "head_epochs=2", "--set", "label_epochs=2", "--no-page", *QUICK],
}
TIMES = {"run.json", "listen.html", "both.json"}  # they say when, and how long; NMI of both is in both.csv's columns


class Process:
    "The command in a process of its own, which is forked; what it says goes to a file, or to a pseudo-terminal and from there to the file."
    def __init__(self, argv, said, terminal=False):
        self.said, self.returncode = said, None
        Path(said).write_bytes(b"")
        pid, self.terminal = pty.fork() if terminal else (os.fork(), None)
        if pid:
            self.pid = pid
            if terminal: os.set_blocking(self.terminal, False)
            return
        status = 1
        try:
            if not terminal:
                for fd,to in (1, os.devnull), (2, said): os.dup2(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
            status = cli.main(argv)
        except SystemExit as e: status = e.code
        finally: os._exit(status)
    def read(self):
        "Take from the terminal what is there, so that it is never full."
        if self.terminal is None: return
        try:
            with open(self.said, "ab") as f:
                while got := os.read(self.terminal, 65536): f.write(got)
        except BlockingIOError: pass
        except OSError: os.close(self.terminal); self.terminal = None  # the process is gone
    def poll(self):
        self.read()
        if self.returncode is None and (got := os.waitpid(self.pid, os.WNOHANG))[0]: self.returncode = os.waitstatus_to_exitcode(got[1])
        return self.returncode
    def wait(self):
        while self.terminal is not None and self.poll() is None: time.sleep(.005)
        self.read()
        if self.terminal is not None: os.close(self.terminal); self.terminal = None
        if self.returncode is None: self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode
    def send_signal(self, number): os.kill(self.pid, number)
    def err(self): return Path(self.said).read_text(errors="replace") if Path(self.said).is_file() else ""

def start(sounds, out, options, terminal=False):
    cache = [] if "--no-cache" in options else ["--cache", str(out.parent/"cache")]
    return Process(["cluster", str(sounds), "--out", str(out), *options, *cache], str(out.parent/"said"), terminal)

def begun(p, out):
    "Wait for the mark of a run; is the process still there?"
    while p.poll() is None and not (out/"started.json").is_file(): time.sleep(.005)
    return p.poll() is None

def held(out):
    "What is compared: name → bytes."
    return {str(f.relative_to(out)): f.read_bytes() for f in sorted(out.rglob("*")) if f.is_file() and f.name not in TIMES}

def cached(out, keep=None, rng=None):
    "Rows of the cache of a run; of these, a share is kept."
    file = next((out.parent/"cache").glob("*.sqlite"), None) if (out.parent/"cache").is_dir() else None
    if file is None: return 0
    db = sqlite3.connect(file)
    try:
        if keep is not None:
            keys = [k for k, in db.execute("select key from arrays order by key")]
            db.executemany("delete from arrays where key=?", [(k,) for k in keys if rng.random() > keep]); db.commit()
        return db.execute("select count(*) from arrays").fetchone()[0]
    except sqlite3.OperationalError: return 0  # killed before it had a table
    finally: db.close()

def there(out):
    "What a killed run has left, in words."
    names = [f.name for f in out.rglob("*") if f.is_file()] if out.is_dir() else []
    return f"{state(out)}, {len(names)} files" + (f", training of {len([n for n in names if n in ('training.safetensors', 'content.safetensors', 'source.safetensors', 'match.safetensors')])}" if (out/"training").is_dir() else "") + (", half a file" if any(n.startswith(".") and n != ".lock" for n in names) else "")

def whole(sounds, tmp, options):
    "The run that nobody stopped, and how long it took after its mark."
    out = tmp/"whole"/"run"
    out.parent.mkdir(parents=True)
    p = start(sounds, out, options)
    begun(p, out)
    since = time.monotonic()
    assert p.wait() == 0, p.err()
    return held(out), time.monotonic() - since

def one(sounds, tmp, options, seed, whole, seconds, signals):
    "A run that is killed once or twice; a row."
    rng, times = np.random.default_rng(seed), []
    out = tmp/f"run-{seed}"/"run"
    out.parent.mkdir()
    share, twice, part = rng.random(), seed % 3 == 0, (tmp/"whole"/"cache").is_dir() and seed % 2 == 0
    said, more, kills, terminal = [], [], 1 + twice, seed % 2 == 1
    if part:  # as if some clips had been embedded before
        shutil.copytree(tmp/"whole"/"cache", out.parent/"cache")
        n = cached(out, rng.random(), rng)
    while len(said) < kills:
        p = start(sounds, out, [*options, *more], terminal)
        if begun(p, out):
            until = time.monotonic() + share*seconds
            while time.monotonic() < until and p.poll() is None: time.sleep(.005)
        if p.poll() is not None:  # quicker than its killer
            if p.returncode: raise RuntimeError(p.err())
            if said: break
            shutil.rmtree(out); share = rng.random()
            continue
        p.send_signal(signals); p.wait()
        if signals != signal.SIGKILL and p.returncode != 128 + signals:
            assert not (out/"started.json").is_file(), (p.returncode, p.err(), there(out))
            if said: break
            shutil.rmtree(out); share = rng.random()  # all was done, and Python was about to leave
            continue
        said.append(f"{share:.3f}: {there(out)}, {cached(out)} in the cache")
        share, more = rng.random()*.9, ["--resume"]
    p = start(sounds, out, [*options, "--resume"], terminal)
    code, err = p.wait(), p.err()
    mine = held(out)
    differ = sorted(n for n in {*mine, *whole} if mine.get(n) != whole.get(n))
    row = dict(kills=len(said), signal=signals.name, terminal=int(terminal), cache="none" if not (tmp/"whole"/"cache").is_dir() else f"{n} rows" if part else "empty", there="; ".join(said), status=code, files=len(whole),
               same=int(not code and not differ), differ=" ".join(differ)[:300] or err.strip()[-300:] * bool(code))
    shutil.rmtree(out.parent)
    return row

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of methods, separated by semicolons")
    p.add_argument("--kills", type=int, default=16, help="runs of each that are killed")
    p.add_argument("--first", type=int, default=0, help="first seed")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"killed.csv")
    args = p.parse_args()
    where, bad = f"{platform.machine()}, 1 thread, Python {platform.python_version()}", 0
    with tempfile.TemporaryDirectory() as tmp:
        sounds = Path(tmp)/"sounds"
        synthetic_words(5, 4, 5).save(sounds)
        (tape := Path(tmp)/"tape").mkdir()
        recording(tape/"tape.flac", .05, damaged=False)
        for name in args.only.split(";") if args.only else METHODS:
            home = Path(tmp)/name.replace(", ", "-")
            home.mkdir()
            source = tape if name == "events" else sounds
            ref, seconds = whole(source, home, METHODS[name])
            for seed in range(args.first, args.first + args.kills):
                signals = {4: signal.SIGTERM, 5: signal.SIGINT}.get(seed % 6, signal.SIGKILL)
                row = dict(method=name, seed=seed, **one(source, home, METHODS[name], seed, ref, seconds, signals), commit=commit(), machine=where)
                bad += not row["same"]
                add_row(args.out, row)
    print(f"{bad} differ")
    return bad > 0


if __name__ == "__main__": sys.exit(main())
