"""What do our own readers make of files and words that nobody meant? Guided by coverage: inputs that reach new lines are kept and changed again.

    pip install --no-deps --target /tmp/atheris atheris==3.0.0   # not a dependency: Linux or macOS, CPython 3.11 to 3.13
    PYTHONPATH=/tmp/atheris python benchmarks/fuzz_parsers.py [--seconds 40] [--seed 0] [--only "run.json;edits"] [--keep FOLDER]

Everything of ours that reads what a person or another program wrote is a target: labels, tables of clips, each file of a run
folder, edits, the mark of a run at work, what a training keeps, the words of the command line, rows of the cache, the archive of a
data set. Each begins with true inputs and runs in a process of its own for so many seconds of the processor. The modules of audioclust are
instrumented, those of others are not. Half of the changes are libFuzzer's, of bytes; the others know what JSON, a table and the
header of safetensors look like, and put something odd in the place of a part. What a target may do is give a value, or refuse in
one line of ours (ValueError, or OSError with the file; for words, what argparse makes of a wrong one). Everything else is a
finding: other exceptions, messages of libraries, of several lines or of more than 600 characters (what a person typed, or the name
of a file that the system refused, may be longer), 10 seconds of the processor, 100 MB more than before. The same kind of exception
in the same function is one finding. A row for each target is appended to benchmarks/results/fuzz_parsers.csv; --keep keeps
the inputs of what was found.
Goal: does something get past what is checked? Not a goal: faults of pandas, numpy or safetensors that do no harm here, and speed.
"""
import argparse, ast, contextlib, csv, io, json, os, platform, random, re, resource, shutil, signal, struct, subprocess, sys, tempfile, time, traceback, warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
HERE = Path(__file__).parent
SECONDS, BYTES, LONGEST, WORDS = 10, 100e6, 600, 4096  # an input at most; a message; bytes of an input
ODD = [None, True, False, 0, -1, 1, 2**31, 2**63, -2**70, 10**400, .5, -.0, 1e308, float("nan"), float("inf"), "", "x", "a\nb", "\0", "\ud800", "../../x", "=1+1", "0", "-1", "nan", "content", "x"*700, [], {}, [[]], [0], [None, "x"], {"a": {}}, {"0": "1", "1": "0"}, {"class": "x"}]


# changes that know what a file looks like
def _places(x, at=()):
    "Every place in what JSON says."
    yield at
    for k,v in (x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ()): yield from _places(v, (*at, k))

def _odd_json(text, r):
    "JSON with something odd in one place, or without it."
    made = json.loads(text)
    *above, last = (None, *r.choice(list(_places(made))))
    if last is None: return json.dumps(r.choice(ODD))
    there = made
    for k in above[1:]: there = there[k]
    what = r.randrange(4)
    if what == 0: del there[last]
    elif what == 1 and isinstance(there, dict): there[r.choice(["", "x", "0", "7", "\n", *map(str, there)])] = r.choice(ODD)
    else: there[last] = r.choice(ODD) if what < 3 else [there[last]]
    return json.dumps(made)

def _odd_table(text, r):
    "A table with something odd in a cell, a row or a column too few or too many."
    rows = [line.split(",") for line in text.splitlines()]
    row = r.choice(rows)
    what = r.randrange(6)
    if what == 0: row.pop(r.randrange(len(row)))
    elif what == 1: row.append(str(r.choice(ODD)))
    elif what == 2: rows.remove(row)
    elif what == 3: rows.append(row)
    else: row[r.randrange(len(row))] = str(r.choice(ODD))
    return "\n".join(map(",".join, rows))

def changed(data, kind, r):
    "Bytes of a kind, changed in a way that suits it; an error where they are none of that kind any more."
    if kind == "safetensors":
        n = struct.unpack("<Q", data[:8])[0]
        head = json.loads(data[8:8+n])
        if "__metadata__" in head and r.random() < .7: head["__metadata__"]["state"] = _odd_json(head["__metadata__"]["state"], r)
        else: head = json.loads(_odd_json(json.dumps(head), r))
        return struct.pack("<Q", len(head := json.dumps(head).encode())) + head + data[8+n:]
    first, data = (data[:1], data[1:]) if kind[0] == "+" else (b"", data)  # a first byte that says which file
    return first + (_odd_json if kind.endswith("json") else _odd_table)(data.decode("utf-8", "surrogateescape"), r).encode("utf-8", "surrogateescape")


# what is tried: each takes a folder to work in, and gives what takes bytes, true inputs, words that may come up, and the kind of change
def _pattern(work):
    import pandas as pd
    from audioclust.audio import label_clips
    table = pd.DataFrame(dict(path=["/a/7_jackson_32.wav", "/b/0_x-y.flac", "c\udcff.wav"]))
    return lambda b: label_clips(table, b.decode("utf-8", "surrogateescape")), [rb"^(\d)_", b"parent", b"_([a-z]+)_", b"(?P<x>a)|b", b"[^_]*"], ["(?", "(?P<", "{99999", "\\d", "(?#", "(?<=", "(?i)", "[[:"], ""

def _label_table(work):
    import pandas as pd
    from audioclust.audio import label_clips
    table = pd.DataFrame(dict(path=[str(work/"a.wav"), str(work/"b"/"c.wav")]))
    def take(b): (work/"labels.csv").write_bytes(b); label_clips(table, str(work/"labels.csv"))
    return take, [b"path,label\na.wav,dog\nb/c.wav,cat\n", b'"label","path","x"\n"a, b","c.wav",1\n', b"path;label\na.wav;x"], ["path", "label"], "table"

def _sound(work):
    import numpy as np, soundfile as sf
    for name in ("a.wav", "b.wav"): sf.write(work/name, np.zeros(1600), 1600)

def _seed_table(work):
    "Seeds and links."
    import pandas as pd
    from audioclust.runs.seeds import read_seeds
    clips = pd.DataFrame(dict(path=["/t/a.wav", "/t/b/c.wav", "/t/d.wav", "/t/d.wav"], start=[0., 0, 0, 1], end=[1., 1, 1, 2]))
    def take(b): (work/"seeds.csv").write_bytes(b); read_seeds(work/"seeds.csv", clips).record([0, 0, 1, 1])
    return take, [b"path,label\na.wav,dog\nd.wav,cat\n", b"path,start,end,label\nd.wav,0.2,0.8,x\n", b"path,start,other,other_start,link\nd.wav,0.5,d.wav,1.5,cannot\na.wav,,c.wav,,must\n"], ["path", "label", "start", "end", "other", "other_start", "link", "must", "cannot"], "table"

def _clip_table(work):
    from audioclust.audio import clips
    from audioclust.audio.opening import check_recordings_exist
    _sound(work)
    def take(b):
        (file := work/"clips.csv").write_bytes(b)
        check_recordings_exist(file); clips(file, .5, errors=[])
    return take, [b"path,start,end\na.wav,0,0.5\nb.wav,0.25,1\n", b"path\na.wav\nb.wav\n", b'\xef\xbb\xbf"path","start","end"\n"a.wav",,\n'], ["path", "start", "end", "inf", "-1", "1e999"], "table"

def _embedding_table(work):
    from audioclust.audio.embedding_files import read_embeddings
    _sound(work)
    def take(b): (work/"e.csv").write_bytes(b); read_embeddings(work/"e.csv", errors=[])
    seeds = [b'file_path,start,end,embedding\na.wav,0,0.5,"0.1,-2e3"\nb.wav,0,1,"3,4"\n', b"0\t3\t0.1,0.2\n3\t6\t0.3,4\n", b"file,start_time,end_time,0,1\na.wav,0,1,2,3\n", b"1,2\n3,4\n"]
    return take, seeds, ["embedding", "path", "start", "end", "nan", "0"], "table"

def _file(name, use, kind, words=(), more=()):
    "A target: one file of a run folder."
    def target(work):
        run, true = work/"run", {p: p.read_bytes() for p in (work/"run").rglob("*") if p.is_file()}
        def take(b):
            for p in run.rglob("*"):
                if p.is_file() and p not in true: p.unlink()
            for p,was in true.items():
                if not p.is_file() or p.read_bytes() != was: p.write_bytes(was)
            (run/name).write_bytes(b)
            use(run)
        return take, [true[run/name]] if run/name in true else list(more), list(words), kind
    return target

def _run(run):
    from audioclust.runs.names import read_names
    from audioclust.runs.run_folder import check_run_folder
    from audioclust.runs.resuming import saved, state
    state(run); saved(run); check_run_folder(run); read_names(run)

def _clusters(run):
    from audioclust.audio import label_clips
    from audioclust.listen.exporting import named_clips
    from audioclust.listen import to_audacity
    from audioclust.metrics import score
    table = label_clips(named_clips(run), "parent")
    score(table.label, table.cluster); to_audacity(run, run/"out", join=True, overwrite=True)

def _array(run):
    from audioclust.core.files import read_array
    read_array(run/"embeddings.npy")

def _names(run):
    from audioclust.runs.names import write_name_columns
    from audioclust.runs.stable_ids import carry_names
    write_name_columns(run); carry_names(run, {0})

def _edits(run):
    from audioclust.runs.edits import apply_edits
    apply_edits(run, run/"edits.json")

def _mark(run):
    from audioclust.runs.request import Request, request_record
    from audioclust.runs.resuming import begun, check_same, saved, state
    assert state(run) == "stopped"
    since = begun(run); assert since is None or isinstance(since, str), "begun is no text"
    saved(run); check_same(run, request_record(Request()), {}, "/sounds")

def _earlier(run):
    from audioclust.runs.resuming import earlier_run
    earlier_run(run)

def _whole_run(folder):
    "Read every part of a run."
    from audioclust.runs.run import check_model, Run
    run = check_model(Run.open(folder))
    return run.request, run.clips, run.embeddings.encoder, run.findings, run.names

MODEL = "clusterer.json", "encoder.json", "whitening.json", "../run.json", "../curves.csv", "../errors.csv"
def _model(work):
    true = {name: (work/"run"/"model"/name).read_bytes() for name in MODEL if (work/"run"/"model"/name).is_file()}
    def take(b):
        for name,was in true.items(): (work/"run"/"model"/name).write_bytes(was)
        (work/"run"/"model"/list(true)[b[0] % len(true) if b else 0]).write_bytes(b[1:])
        _whole_run(work/"run")
    return take, [bytes([i]) + was for i,was in enumerate(true.values())], ["class", "params", "fitted", "KMeans", "NetworkEncoder", "PretrainedEncoder", "TrainedEncoder", "ResidualEncoder", "IdentityWhitening", "WithinWhiten"], "+json"

def _tensors(name):
    return _file(f"model/{name}.safetensors", _whole_run, "safetensors", ["F32", "I64", "dtype", "shape", "data_offsets", "BF16", "F8_E4M3"])

def _checkpoint(work):
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from audioclust.deepcluster import PseudoLabelCurves
    from audioclust.training.checkpoints import Checkpoints
    rows = [(torch.zeros(2), torch.zeros(1))]*2
    def learner(): return Learner(DataLoaders.from_dsets(rows, rows, bs=2, device="cpu"), torch.nn.Linear(2, 1), loss_func=torch.nn.MSELoss(), cbs=[PseudoLabelCurves()])
    learn = learner(); learn.create_opt()
    for p,*_ in learn.opt.all_params(): learn.opt.state[p] = dict(grad_avg=torch.zeros_like(p), step=3)
    learn.curves.rows = [dict(epoch=0, loss=1.)]; learn.epoch = 0
    keep = Checkpoints(work/"training", "a training"); keep.learn = learn; keep.after_epoch()
    true = keep.file.read_bytes()
    learn = learner()
    def take(b): keep.file.write_bytes(b); assert isinstance(keep.load(learn), int)
    return take, [true], ["state", "about", "epoch", "opt", "curves", "model.weight", "F32"], "safetensors"

def _options(work):
    from audioclust.cli.parser import COMMANDS, parser_of, whole_parser
    parser = whole_parser()
    def take(b):
        with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()):
            try: parser.parse_args([w.decode("utf-8", "surrogateescape") for w in b.split(b"\0")])
            except SystemExit as e: assert e.code in (0, 2) and "Traceback" not in err.getvalue() and "Warning" not in err.getvalue()
    options = {s for name in COMMANDS for a in parser_of(name)._actions for s in a.option_strings}
    return take, [b"cluster\0a\0--out\0b\0--n-clusters\x0012,auto\0--set\0eps=0.4\0--window\x000.5", b"cluster\0a\0--out\0b\0--set\0x=[1,{'a':(2,)}]\0--rate\x0016000", b"export\0r\0--to\0csv\0--out\0x.csv\0--without\0junk,3", b"compare\0a\0--out\0b\0--methods\0kmeans,dbscan", b"assign\0r\0a\0--none-beyond\x001.2", b"score\0r\0--labels\0parent"], sorted(options) + ["\0--set\0x=", "1e999", "nan", "auto,", "-", "((((", "[[[[", "{[]:1}", "1_0"], ""

def _words(work):
    from audioclust.encoders.base import what_to_ignore
    from audioclust.listen.exporting import named_clips
    from audioclust.encoders import named_encoder
    def take(b):
        which, text = b[:1], b[1:].decode("utf-8", "surrogateescape")
        if which < b"a": what_to_ignore("content", text)
        elif which < b"n": named_clips(work/"run", [t.strip() for t in text.split(",")])
        elif not text.startswith("hf:"): named_encoder(text)
    return take, [b"0order,level", b"bjunk,1,cluster 0", b"zfixed", b"zaisfx"], ["order", "pitch", "junk", "cluster", "fixed"], ""

def _cache(work):
    import sqlite3
    import numpy as np
    from audioclust.encoders.cache import ArrayCache, _checksum
    cache = ArrayCache(work/"cache"); cache.put([(b"k"*16, np.ones((2, 3), np.float32), 1.)])
    def take(b):
        dtype, shape, data = (*b.split(b"|", 2), b"", b"")[:3]
        dtype, shape = dtype.decode("latin1"), shape.decode("latin1")
        with contextlib.closing(sqlite3.connect(cache.file)) as db, db: db.execute("insert or replace into arrays values (?,?,?,?,?,?,?,?)", (b"k"*16, dtype, shape, 1., data, _checksum(b"k"*16, dtype, shape, 1., data), int(time.time()), 100))
        for _,array,_ in cache.get([b"k"*16]): assert array.dtype.kind != "O"
    return take, [b"<f4|[2, 3]|" + np.ones(6, np.float32).tobytes(), b"|u1|[]|x"], ["<f8", "|O", "[-1]", "U9", "M8"], ""

def _archive(work):
    import zipfile
    from audioclust.audio.labels import _unpack
    def made(how, *names):
        with zipfile.ZipFile(b := io.BytesIO(), "w", how) as z:
            for n in names: z.writestr(n, b"x"*50)
        return b.getvalue()
    (dest := work/"recordings").mkdir()
    def take(b):
        (work/"archive.zip").write_bytes(b)
        _unpack(work/"archive.zip", dest)
        for p in dest.iterdir(): p.unlink()
    return take, [made(zipfile.ZIP_STORED, "a/recordings/0_x_1.wav"), made(zipfile.ZIP_DEFLATED, "a/recordings/0_x_1.wav", "a/readme")], ["recordings/", "../", "PK\3\4", "PK\5\6", "PK\1\2"], ""

MARK = json.dumps(dict(created="2026-01-01T00:00:00+00:00", schema=3, saved=False, recordings="/sounds", inputs={}, request=dict(method="kmeans", n_clusters=3, by="content", ignore=None))).encode()
EDITS = json.dumps(dict(schema=1, edits=dict(content=dict(names={"0": "wind"}, merged={"1": "0"}, marks={"0": "good"})))).encode()
PAGE = b'{"schema": 1, "run": "another", "base": {"content": {"names": {"1": "wind"}}}, "clusters": {"content": {"0": ["x"], "1": ["y"]}}, "edits": {"content": {"names": {"0": "wren"}, "clips": {"x": 1}, "notes": {"0": "at dawn"}}}}'
EARLIER = b'"path","start","end","cluster","by"\n"/a.wav",0.0,1.0,1,"content"\n'
TARGETS = {"labels, a pattern": _pattern, "labels, a table": _label_table, "seeds, a table": _seed_table, "clips, a table": _clip_table, "embeddings, a table": _embedding_table, "run.json": _file("run.json", _run, "json", ["schema", "versions", "by", "complete"]),
           "clusters.csv": _file("clusters.csv", _clusters, "table", ["path", "cluster", "name", "mark"]), "embeddings.npy": _file("embeddings.npy", _array, "", ["descr", "fortran_order", "shape", "<f4", "|O", "\x93NUMPY"]),
           "names.json": _file("names.json", _names, "json", ["names", "merged", "marks", "lost", "junk"], [EDITS]), "edits": _file("edits.json", _edits, "json", ["names", "merged", "marks", "notes", "clips", "junk", "source"], [EDITS, PAGE]),
           "started.json": _file("started.json", _mark, "json", ["created", "saved", "request"], [MARK]), "earlier.csv": _file("earlier.csv", _earlier, "table", ["by", "cluster"], [EARLIER]),
           "model, JSON": _model, "model, clusterer": _tensors("clusterer"), "model, whitening": _tensors("whitening"), "training": _checkpoint, "options": _options, "words": _words, "cache": _cache, "archive": _archive}


# one target, in a process of its own
def refused(e, work, argued):
    "What is wrong with a refusal, else None. What a person typed may come back as it was, however long."
    if not isinstance(e, (ValueError, OSError)) or isinstance(e, UnicodeError): return type(e).__name__
    said, ours = str(e), f"{os.sep}audioclust{os.sep}" in traceback.extract_tb(e.__traceback__)[-1].filename
    if not said.strip(): return "no message"
    if argued: return None
    if "\n" in said.strip(): return "a message of several lines"
    if len(said) > LONGEST and not isinstance(e, OSError): return "a long message"
    if not ours and not isinstance(e, OSError): return f"a message of a library that names no file ({type(e).__name__})"

def where(e):
    "The line of ours that an exception came from."
    lines = [f for f in traceback.extract_tb(e.__traceback__) if f"{os.sep}audioclust{os.sep}" in f.filename]
    return f"{Path(lines[-1].filename).stem}.{lines[-1].name}" if lines else "fuzz_parsers"

def one(name, seconds, seed, work, keep):
    "Fuzz a target; what was found goes to found.json. libFuzzer ends the process."
    import atheris
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["audioclust"]):
        import audioclust.cli.parser
        import audioclust.audio.labels
        import audioclust.deepcluster.estimator
        import audioclust.training.encoder_learner
        import audioclust.listen.exporting
        import audioclust.runs.names
        import audioclust.runs.edits
        import audioclust.runs.stable_ids
        import audioclust.audio.embedding_files
        import audioclust.pipeline.clusterer
        import audioclust.encoders.pretrained.transformers_models
        import audioclust.runs.resuming
        import audioclust.spice.estimator
        import audioclust.pipeline.pair
    take, seeds, words, kind = TARGETS[name](work)
    argued, found, fewest = name in ("labels, a pattern", "options", "words", "cache"), {}, [0]
    (corpus := work/"corpus").mkdir()
    for i,b in enumerate(seeds): (corpus/f"seed{i}").write_bytes(b)
    (work/"words").write_text("".join('"' + "".join(f"\\x{c:02x}" for c in w.encode("latin1")) + '"\n' for w in words if w))
    with contextlib.suppress(Exception): take(seeds[0])  # what is imported and filled at the first time
    def note(what, e, data):
        if (key := f"{what} in {where(e)}") in found: return
        found[key] = repr(data[:200])
        if keep: (keep/re.sub(r"[^\w.-]+", "-", f"{name} {key}")).write_bytes(data)
        (work/"found.json").write_text(json.dumps(found))
    def test(data):
        if time.process_time() - began > seconds: os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer ends, and says what it did
        before, since = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        try: take(data)
        except Exception as e:
            if (wrong := refused(e, work, argued)): note(wrong, e, data)
        more, took = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)*1e3, time.process_time() - since
        if more > BYTES: note(f"{more/1e6:.0f} MB", Exception(), data)
        if took > SECONDS: note(f"{took:.0f} s", Exception(), data)
    def mutate(data, most, number):
        r = random.Random(number)
        if kind and r.random() < .5:
            with contextlib.suppress(ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error, OverflowError, RecursionError): return changed(bytes(data), kind, r)[:most]
        return atheris.Mutate(data, most)
    resource.setrlimit(resource.RLIMIT_AS, (int(re.search(r"VmSize:\s*(\d+)", Path("/proc/self/status").read_text())[1])*1024 + 2*2**30,)*2) if Path("/proc/self/status").is_file() else None
    atheris.Setup([sys.argv[0], str(corpus), f"-dict={work/'words'}", f"-max_total_time={50*seconds}", f"-seed={seed + 1}", f"-max_len={max(WORDS, 2*max(map(len, seeds)))}", f"-timeout={12*SECONDS}", "-rss_limit_mb=0", "-print_final_stats=1", "-len_control=0", f"-artifact_prefix={work}{os.sep}"], test, custom_mutator=mutate)
    began = time.process_time()
    atheris.Fuzz()

def _cpu():
    "Seconds of the processor that processes took which have ended, their start among them."
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime

def tried(name, run, seconds, seed, keep):
    "The row of a target."
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as work:
        shutil.copytree(run, Path(work)/"run")
        since, cpu = time.perf_counter(), _cpu()
        p = subprocess.run([sys.executable, __file__, "--one", name, "--seconds", str(seconds), "--seed", str(seed), "--work", work, *(["--keep", str(keep)] if keep else [])], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        found = json.loads(f.read_text()) if (f := Path(work)/"found.json").is_file() else {}
        if p.returncode: found[f"the process ended with {p.returncode}: {(p.stderr.strip().splitlines() or [''])[-1][-150:]}"] = ""
        done = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", p.stderr)[-1:] or [(0, 0, 0)]
        runs, peak = (int((re.findall(rf"stat::{s}:\s*(\d+)", p.stderr) or [0])[-1]) for s in ("number_of_executed_units", "peak_rss_mb"))
        for k,v in found.items(): print(f"  {name}: {k}: {v}", flush=True)
        return dict(target=name, seed=seed, runs=runs, edges=int(done[0][0]), features=int(done[0][1]), corpus=int(done[0][2]), findings=len(found), seconds=round(time.perf_counter() - since, 1), cpu=round(_cpu() - cpu, 1), megabytes=peak, said="; ".join(found))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=40, help="of the processor, for each target, beside some ten for its start")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--only", default="", help="names of targets, between semicolons")
    p.add_argument("--keep", type=Path, help="folder for the inputs of what was found")
    p.add_argument("--out", type=Path, default=HERE/"results"/"fuzz_parsers.csv")
    p.add_argument("--one", help=argparse.SUPPRESS); p.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    args = p.parse_args()
    try: import atheris
    except ImportError: print("this needs atheris, which is no part of audioclust: pip install --no-deps --target /tmp/atheris atheris==3.0.0, and PYTHONPATH=/tmp/atheris before the command", file=sys.stderr); return 2
    if args.one: return one(args.one, args.seconds, args.seed, args.work, args.keep)
    if unknown := [n for n in args.only.split(";") if n and n not in TARGETS]: p.error(f"no target {unknown[0]!r}: there are {'; '.join(TARGETS)}")
    from appended import commit
    from audioclust.cli import main as command
    from audioclust.audio import synthetic_words
    if args.keep: args.keep.mkdir(parents=True, exist_ok=True)
    about = dict(commit=commit(), machine=f"{platform.machine()}, Python {platform.python_version()}, " + ", ".join(f"{m} {version(m)}" for m in ("atheris", "numpy", "pandas", "safetensors")))
    with tempfile.TemporaryDirectory() as tmp:
        synthetic_words(2, 2, 2).save(Path(tmp)/"sounds")
        assert command(["cluster", str(Path(tmp)/"sounds"), "--out", str(run := Path(tmp)/"run"), "--n-clusters", "2", "--stability", "2", "--no-cache", "--no-page", "-q"]) == 0
        shutil.rmtree(run/"figures")
        left = 0
        for name in args.only.split(";") if args.only else TARGETS:
            row = {**tried(name, run, args.seconds, args.seed, args.keep), **about}
            new, left = not args.out.is_file(), left + row["findings"]
            with open(args.out, "a", newline="") as f:
                w = csv.DictWriter(f, row)
                if new: w.writeheader()
                w.writerow(row)
            print({k: v for k,v in row.items() if k not in ("commit", "machine", "said")}, flush=True)
    return bool(left)


if __name__ == "__main__": sys.exit(main())
