"""What comes of damaged sounds, and of tables and run folders that somebody else wrote?

    python benchmarks/fuzz.py [--each 25] [--seconds 20] [--seed 0]

sounds: good files of every format are damaged, `--each` in each way, and small files claim to be large. Each is decoded with 64 MB
  of addresses more than the process has; then the command runs on all of them, and each must be in clusters.csv or in errors.csv.
readers: true tables and files of a run folder are changed, as bytes or as JSON and tables, for `--seconds` of the processor each.
  A reader gives a value, or refuses in one line of ours.

A row for each kind of input goes to benchmarks/results/fuzz.csv. What decodes to noise counts as decoded.
Goal: does something get past what is checked? Not a goal: faults of other libraries that do no harm here, and speed.
"""
import argparse, contextlib, functools, json, os, platform, random, re, struct, sys, tempfile, time, traceback, warnings
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
import numpy as np
import pandas as pd
import soundfile as sf

from audioclust.audio import AudioError, clips, label_clips, load_audio, probe, synthetic_words
from audioclust.audio.embedding_files import read_embeddings
from audioclust.cli import main as audioclust
from audioclust.listen.exporting import named_clips
from audioclust.runs import apply_edits
from audioclust.runs.request import Request, request_record
from audioclust.runs.resuming import check_same, earlier_run, saved, state
from audioclust.runs.run import run_with_model, Run
from audioclust.runs.run_folder import read_table
from audioclust.runs.seeds import read_seeds

BYTES, LONGEST = 64*10**6, 600 # memory beyond what the process has; letters of a message
QUICK = ["--stability", "0", "--no-page", "-q"]


# sounds
FORMATS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "aiff": "PCM_16"}

def good(path, number=0):
    "Write half a second of a tone with noise."
    rng = np.random.default_rng(number)
    wave = .4*np.sin(2*np.pi*rng.uniform(200, 2000)*np.arange(8000)/16000) + .02*rng.standard_normal(8000)
    sf.write(path, wave.astype(np.float32), 16000, subtype=FORMATS[path.suffix[1:]])
    return path

def bits(data, r):
    "Some bits are others, near the head or anywhere."
    data, among = bytearray(data), min(len(data), r.choice((64, len(data))))
    for _ in range(r.randrange(1, 40)): data[r.randrange(among)] ^= 1 << r.randrange(8)
    return bytes(data)

def spliced(data, r):
    "A stretch is longer, shorter, or something else: a large number, zeros or noise."
    i, n = r.randrange(min(len(data), r.choice((100, len(data))))), r.choice((2, 4, 8, r.randrange(300)))
    return data[:i] + r.choice((b"\xff"*n, bytes(n), b"\x7f" + b"\xff"*n, r.randbytes(n))) + data[i + r.choice((n, r.randrange(300))):]

def cut(data, r): return data[:r.randrange(len(data))]
def noise(data, r): return data[:16] + r.randbytes(len(data) - 16)
DAMAGE = bits, spliced, cut, noise

def damaged(folder, each, number):
    "Paths of files of every format, damaged in every way."
    made = []
    for kind in FORMATS:
        for harm in DAMAGE:
            for i in range(each):
                path = good(folder/f"{kind}-{harm.__name__}-{i}.{kind}", i)
                path.write_bytes(harm(path.read_bytes(), random.Random(f"{number} {path.name}")))
                made.append(path)
    return made

def wav(rate=16000, channels=1, claim=None, chunks=(), n=4000):
    "Bytes of a WAV file, whose data may claim another length; before them chunks, each with the length that it claims."
    data = np.random.default_rng(0).integers(-9000, 9000, n*channels, dtype=np.int16).tobytes()
    about = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate*channels*2 & 0xffffffff, channels*2 & 0xffff, 16)
    before = b"".join(name + struct.pack("<I", length) + held for name,length,held in chunks)
    return b"RIFF\xff\xff\xff\xfeWAVEfmt " + about + before + b"data" + struct.pack("<I", len(data) if claim is None else claim) + data

def greedy(folder):
    "Paths of small files that claim to be large, or hold much that is no sound."
    files = {"four-gigabytes.wav": wav(claim=0xfffffffe, n=20), "many-chunks.wav": wav(chunks=[(b"junk", 0, b"")]*100_000)}
    for n in (256, 1024, 65535): files[f"channels-{n}.wav"] = wav(channels=n, claim=0xfffffff0, n=4)
    for rate in (100, 10**6, 10**8, 2**32 - 1): files[f"hertz-{rate}.wav"] = wav(rate=rate, claim=0xfffffffe)
    flac, mp3 = (good(folder/f"true.{kind}").read_bytes() for kind in ("flac", "mp3"))
    for says,n,held in ("claims", 0x7ffff0, b"\xff"*200), ("holds", 8_000_000, bytes(8_000_000)):
        for name in (b"LIST", b"bext", b"cue ", b"smpl", b"id3 ", b"fact"):
            files[f"{says}-{name.decode().strip()}.wav"] = wav(chunks=[(name, n, held)])
        for block in range(1, 7): # of the metadata of FLAC
            files[f"{says}-{block}.flac"] = flac[:42] + bytes([block]) + n.to_bytes(3, "big") + held + flac[42:]
    files["claims-tag.mp3"] = b"ID3\4\0\0\x7f\x7f\x7f\x7f" + mp3
    for name,data in files.items(): (folder/name).write_bytes(data)
    return sorted(folder.iterdir())

@contextlib.contextmanager
def at_most(more):
    "Let this process take so many bytes of addresses more than it has, where the system has such a limit."
    if sys.platform != "linux": return (yield)
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(re.search(r"VmSize:\s*(\d+)", Path("/proc/self/status").read_text())[1])*1024
    resource.setrlimit(resource.RLIMIT_AS, (now + more, hard))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

def decoded(path):
    "Samples of at most ten minutes of a file, or why it is refused."
    try: return len(load_audio(path, 16000, 0, min(probe(path).duration, 600))[0])
    except AudioError as e: return e.reason

def left_out(folder, out, *options):
    "Files of a folder that are in neither table of a run that is made of it."
    assert audioclust(["cluster", str(folder), "--out", str(out), "--n-clusters", "3", "--no-cache", *QUICK, *options]) == 0
    told = set(read_table(out/"clusters.csv").path) | set(read_table(out/"errors.csv").path)
    return [p for p in folder.rglob("*") if p.is_file() and str(p) not in told]


# readers
ODD = [None, True, -1, 1, 2**63, 10**400, .5, float("nan"), float("inf"), "", "x", "a\nb", "\0", "\ud800", "../../x", "=1+1", "0",
    "nan", "x"*700, "--", "3,3", "\x1b[31m", [], {}, [[]], [0], [None, "x"], {"a": {}}, {"0": "1", "1": "0"}, {"class": "x"}]

def places(value, at=()):
    "Every place in what JSON says."
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key,one in inner: yield from places(one, (*at, key))

def odd_json(text, r):
    "JSON with something odd in one place, or without it."
    value = json.loads(text)
    at = r.choice(list(places(value)))
    if not at: return json.dumps(r.choice(ODD))
    holder = functools.reduce(lambda inner, key: inner[key], at[:-1], value)
    if r.random() < .3: del holder[at[-1]]
    else: holder[at[-1]] = r.choice(ODD)
    return json.dumps(value)

def odd_table(text, r):
    "A table with something odd in a cell, or a cell too few or too many in a row."
    rows = [line.split(",") for line in text.splitlines()]
    row = r.choice(rows)
    if r.random() < .7: row[r.randrange(len(row))] = str(r.choice(ODD))
    elif r.random() < .5: row.append(str(r.choice(ODD)))
    else: row.pop()
    return "\n".join(map(",".join, rows))

def changed(data, suffix, r):
    "The bytes of a file, changed as a file of its kind, or as bytes where it is none any more."
    change = {".json": odd_json, ".csv": odd_table}.get(suffix)
    if change and r.random() < .6:
        with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
            return change(data.decode("utf-8", "surrogateescape"), r).encode("utf-8", "surrogateescape")
    return r.choice(DAMAGE)(data.ljust(20), r)

def whole_run(work):
    "Read every part of a run."
    state(work/"run"), saved(work/"run")
    run = run_with_model(Run.open(work/"run"))
    return run.request, run.clips, run.embeddings.encoder, run.embeddings.X, run.findings, run.edits, named_clips(work/"run")

EDITS = json.dumps(dict(schema=1, edits=dict(content=dict(names={"0": "wind"}, merged={"1": "0"}, marks={"0": "good"})))).encode()
MARK = json.dumps(dict(created="2026-01-01T00:00:00+00:00", schema=3, saved=False, recordings="/sounds", inputs={},
    request=dict(method="kmeans", n_clusters=3, by="content"))).encode()
LISTED = pd.DataFrame(dict(path=["/t/a.wav", "/t/b/c.wav", "/t/d.wav"], start=[0., 0, 1], end=[1., 1, 2]))
PARTS = ("run.json", "clusters.csv", "errors.csv", "embeddings.npy", "model/encoder.json", "model/whitening.json",
    "model/clusterer.json", "model/whitening.safetensors", "model/clusterer.safetensors")
READERS = { # file → what is true (None: what is there), and what reads it in a folder
    "labels.csv": (b"path,label\na.wav,dog\nd.wav,cat\n", lambda work: label_clips(LISTED, str(work/"labels.csv"))),
    "seeds.csv": (b"path,start,end,label\nd.wav,1.2,1.8,x\n", lambda work: read_seeds(work/"seeds.csv", LISTED).record([0, 0, 1])),
    "clips.csv": (b"path,start,end\na.wav,0,0.5\nb.wav,0.1,0.4\n", lambda work: clips(work/"clips.csv", .5, errors=[])),
    "points.csv": (b"file,start_time,end_time,0,1\na.wav,0,1,2,3\n", lambda work: read_embeddings(work/"points.csv", errors=[])),
    "edits.json": (EDITS, lambda work: apply_edits(work/"run", work/"edits.json")), "run/names.json": (EDITS, whole_run),
    "run/started.json": (MARK, lambda work: check_same(work/"run", request_record(Request()), {}, "/sounds")),
    "run/earlier.csv": (b"path,start,end,cluster,by\n/a.wav,0.0,1.0,1,content\n", lambda work: earlier_run(work/"run")),
    **{f"run/{name}": (None, whole_run) for name in PARTS}}

def workshop(work):
    "What the readers read: two sounds and a run."
    for name in ("a.wav", "b.wav"): sf.write(work/name, np.zeros(1600), 1600)
    synthetic_words(2, 2, 2).save(work/"sounds")
    assert audioclust(["cluster", str(work/"sounds"), "--out", str(work/"run"), "--n-clusters", "2", "--no-cache", *QUICK]) == 0

def fault_of(error):
    "What is wrong with a refusal; an empty text where nothing is."
    if not isinstance(error, (ValueError, OSError)) or isinstance(error, UnicodeError): return repr(error)
    text = str(error).strip()
    is_ours = isinstance(error, OSError) or f"{os.sep}audioclust{os.sep}" in traceback.extract_tb(error.__traceback__)[-1].filename
    is_one_line = text and "\n" not in text and (len(text) <= LONGEST or isinstance(error, OSError))
    return "" if is_one_line and is_ours else f"no short line of ours: {text[:99]!r}"

def read(work, name, data):
    "What a reader makes of a file: True where it gives a value, an empty text where it refuses it, else what is wrong."
    before = {p: p.read_bytes() for p in (work/"run").rglob("*") if p.is_file()}
    (work/name).write_bytes(data)
    try:
        with warnings.catch_warnings(), at_most(2**32):
            warnings.simplefilter("ignore")
            READERS[name][1](work)
        return True
    except Exception as e: return fault_of(e)
    finally:
        (work/name).unlink(missing_ok=True)
        for path,was in before.items(): path.write_bytes(was)

def inputs(work, name, number):
    "What is true, and then that changed again and again, without end."
    r, data = random.Random(f"{number} {name}"), READERS[name][0] or (work/name).read_bytes()
    recent = [data]
    while True:
        yield recent[-1]
        recent = [*recent[-5:], changed(r.choice([data, *recent]), Path(name).suffix, r)[:10**6]]


def rows_of(args, tmp):
    "(part, kind of input, outcomes): True where there is a result, an empty text where it is refused, else what is wrong."
    (folder := tmp/"sounds").mkdir()
    (folder/"greedy").mkdir()
    for name,paths in {"damaged": damaged(folder, args.each, args.seed), "claims of size": greedy(folder/"greedy")}.items():
        with at_most(BYTES): yield "sounds", name, [isinstance(decoded(p), int) or "" for p in paths]
    for options in ((), ("--window", "0.25")):
        missing = left_out(folder, tmp/f"run{len(options)}", *options)
        yield "sounds", " ".join(["audioclust cluster", *options]), [str(p) if p in missing else True for p in folder.rglob("*.*")]
    (work := tmp/"world").mkdir()
    workshop(work)
    for name in READERS:
        outcomes, since = [], time.process_time()
        for data in inputs(work, name, args.seed):
            outcomes.append(read(work, name, data))
            if time.process_time() - since > args.seconds: break
        yield "readers", name, outcomes

def main():
    from appended import add_row, commit
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--each", type=int, default=25, help="files of each format and damage")
    p.add_argument("--seconds", type=float, default=20, help="of the processor, for each reader")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"fuzz.csv")
    args, n_faults = p.parse_args(), 0
    where = dict(seed=args.seed, commit=commit(), machine=f"{platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as tmp:
        for part,name,outcomes in rows_of(args, Path(tmp)):
            faults = [o for o in outcomes if o is not True and o]
            done, refused, n_faults = outcomes.count(True), outcomes.count(""), n_faults + len(faults)
            add_row(args.out, dict(part=part, input=name, tried=len(outcomes), done=done, refused=refused, faults=len(faults), **where))
            for fault in sorted(set(faults)): print(f"  {part}, {name}: {fault}", flush=True)
    return int(n_faults > 0)


if __name__ == "__main__": sys.exit(main())
