"""What comes of files that are no sound, or no longer: is each accounted for, and does nothing crash, hang or eat the memory?

    python benchmarks/fuzz.py [--each 25] [--seed 0]

Good files of every format are damaged in a dozen ways (by a seed), and odd files and names are added. Each is probed and decoded
in a process that is watched: a signal, an exception other than `AudioError`, and 20 seconds are faults. So is memory: after a good
file the process may take 64 MB of addresses more and no more, where the system has such a limit, and what comes of a file must be
the result without the limit; files that claim to be large, or to hold a great deal, are added for this. Then
`audioclust cluster` is run on all of them, with clips as they are and cut into windows, and each file must be in
clusters.csv or in errors.csv; it may take 64 MB more than on half as many good files. A row for each format and kind of damage, and one for each run, is written to
benchmarks/results/fuzz.csv. What the decoder makes noise of counts as decoded: it is the damage that is listened to, not the
listener.
"""
import argparse, json, os, platform, resource, select, struct, subprocess, sys, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
import numpy as np
import pandas as pd
import soundfile as sf

FORMATS = {"wav": ("WAV", "PCM_16"), "wav float": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS"), "aiff": ("AIFF", "PCM_16")}
SECONDS, BYTES = 20, 64*10**6  # a file at most: time, and memory beyond what the process has anyway


def good(path, kind, rng):
    "Write half a second of a tone with noise."
    fmt, sub = FORMATS[kind]
    x = .4*np.sin(2*np.pi*rng.uniform(200, 2000)*np.arange(8000)/16000) + .02*rng.standard_normal(8000)
    sf.write(os.fsencode(path), x.astype(np.float32), 16000, format=fmt, subtype=sub)
    return path

def _bits(b, rng):
    for i in rng.integers(0, len(b)*8, rng.integers(1, 40)): b[i//8] ^= 1 << (i % 8)
    return b
def _head_bits(b, rng):
    for i in rng.integers(0, min(len(b), 64)*8, rng.integers(1, 8)): b[i//8] ^= 1 << (i % 8)
    return b
def _cut(b, rng): return b[:rng.integers(0, len(b))]
def _insert(b, rng): i = rng.integers(0, len(b)); return b[:i] + rng.bytes(int(rng.integers(1, 300))) + b[i:]
def _remove(b, rng): i = rng.integers(0, len(b)); return b[:i] + b[i + int(rng.integers(1, 300)):]
def _zeros(b, rng): i, n = rng.integers(0, len(b)), int(rng.integers(1, 2000)); return b[:i] + bytes(len(b[i:i+n])) + b[i+n:]
def _lie(b, rng):
    "A number of two, four or eight bytes near the head, or of the last page, says something else."
    n = int(rng.choice([2, 4, 8]))
    i = int(rng.integers(4, min(len(b) - n, 100))) if rng.random() < .7 or (last := b.rfind(b"OggS")) < 0 else last + 6
    b[i:i+n] = [b"\xff"*n, bytes(n), b"\x7f" + b"\xff"*(n - 1), b"\xff"*(n - 1) + b"\x7f", b"\x01" + bytes(n - 1), rng.bytes(n)][rng.integers(6)]
    return b
def _huge(b, rng):
    "A hundred bytes that claim to be four gigabytes."
    for name,at in ((b"data", 4), (b"SSND", 4), (b"RIFF", 4), (b"FORM", 4)):
        if (i := b.find(name)) >= 0: b[i+at:i+at+4] = b"\xff\xff\xff\xfe"
    if b[:4] == b"fLaC": b[21] |= 0x0f; b[22:26] = b"\xff"*4  # 36 bits of samples
    if (i := b.rfind(b"OggS")) >= 0: b[i+6:i+14] = struct.pack("<q", int(2**rng.integers(32, 63)))  # of samples at the end
    return b[:100] if rng.random() < .5 else b
def _twice(b, rng): return b + b
def _other(b, rng): return bytearray([b"RIFF\xff\xff\xff\xffWAVEfmt ", b"fLaC", b"OggS", b"ID3\x04", b"FORM", b"\xff\xfb\x90", b"caff", b".snd", b"riff"][rng.integers(9)]) + b[12:]
def _noise(b, rng): return b[:16] + rng.bytes(len(b) - 16)
DAMAGE = dict(bits=_bits, head=_head_bits, cut=_cut, inserted=_insert, removed=_remove, zeros=_zeros, lies=_lie, huge=_huge, twice=_twice, other=_other, noise=_noise)

NAMES = ["a\nb.wav", "tab\there.wav", "it's \"quoted\".wav", "=cmd|' !A0.wav", "+1.wav", "-rf.wav", "@sum.wav", "<script>alert(1)<", "\x1b[31mred\x1b[0m.wav", "\x07bell.wav", "%s%n{0}$HOME`id`.wav", "‮gpj.wav", "e\u0301.wav", "é.wav", "a"*251 + ".wav", " .wav", "b'.wav", "-.wav", "a,b;c.wav", "NA.wav", "nan.wav", "1e5.wav", "🎵.wav", "c\\d.wav"]

def odd(folder, rng):
    "Files with odd names that are good, files with good names that are odd; paths."
    made = []
    for name in NAMES:
        made.append(good(folder/(name if name.endswith(".wav") else name.replace("<", "‹").replace(">", "›") + ".wav"), "wav", rng))
    made.append(good(folder/"<script>alert(1)<b>.wav", "wav", rng))
    for raw in (b"\xff\xfe.wav", b"caf\xe9.wav", b"\x80\x81.flac"): made.append(good(Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)), "flac" if raw.endswith(b"flac") else "wav", rng))
    bad = {"empty.wav": b"", "text.wav": b"this is no sound\n"*40, "zeros.flac": bytes(5000), "one.mp3": b"\xff", "html.ogg": b"<!doctype html><p>not found", "id3.mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f", "loop.aiff": b"FORM\0\0\0\0AIFF"*50,
           "bomb.wav": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\xff\xff\xff\xff" + bytes(56), "many.wav": b"RIFF\x60\0\0\0WAVEfmt \x10\0\0\0\1\0\xff\xff\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\0\0\0" + bytes(64)}
    for name,text in bad.items(): (folder/name).write_bytes(text); made.append(folder/name)
    (folder/"folder.wav").mkdir(); made.append(good(folder/"folder.wav"/"inside.wav", "wav", rng))
    (folder/"gone.wav").symlink_to("nowhere"); (folder/"itself.wav").symlink_to("itself.wav"); os.mkfifo(folder/"pipe.wav")
    return made + [folder/n for n in ("gone.wav", "itself.wav", "pipe.wav")]

def damaged(folder, each, seed):
    "(path, format, damage) of damaged files."
    out = []
    for kind in FORMATS:
        for name,harm in DAMAGE.items():
            for i in range(each):
                rng = np.random.default_rng([seed, i, list(FORMATS).index(kind), list(DAMAGE).index(name)])
                path = good(folder/f"{kind.replace(' ', '-')}-{name}-{i}.{kind.split()[0]}", kind, rng)
                path.write_bytes(bytes(harm(bytearray(path.read_bytes()), rng)))
                out.append((path, kind, name))
    return out

def greedy(folder, rng):
    "Small files that claim to be large, or to hold much: of samples, channels, hertz and words."
    def wav(name, *chunks, rate=16000, channels=1, claim=None, n=4000):
        data = rng.integers(-9000, 9000, n*channels, dtype=np.int16).tobytes()
        fmt = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate*channels*2 & 0xffffffff, channels*2 & 0xffff, 16)
        (folder/name).write_bytes(b"RIFF" + b"\xff\xff\xff\xfe" + b"WAVEfmt " + fmt + b"".join(c + struct.pack("<I", m) + d for c,m,d in chunks) + b"data" + struct.pack("<I", len(data) if claim is None else claim) + data)
    wav("four-gigabytes.wav", claim=0xfffffffe, n=20)
    for n in (256, 1024, 65535): wav(f"channels-{n}.wav", channels=n, n=4, claim=0xfffffff0); wav(f"channels-{n}-true.wav", channels=n, n=500 if n < 2000 else 8)
    for hz in (100, 10**6, 10**8, 2**31 - 1, 2**32 - 1): wav(f"hertz-{hz}.wav", rate=hz); wav(f"hertz-{hz}-claimed.wav", rate=hz, claim=0xfffffffe)
    for kind in (b"LIST", b"bext", b"cart", b"cue ", b"smpl", b"PEAK", b"id3 ", b"junk", b"fact"):
        wav(f"claims-{kind.decode().strip()}.wav", (kind, 0x7ffffff0, b"\xff"*200)); wav(f"holds-{kind.decode().strip()}.wav", (kind, 8_000_000, bytes(8_000_000)))
    wav("many-chunks.wav", *[(b"junk", 0, b"")]*100_000); wav("many-cues.wav", (b"cue ", 24*100_000 + 4, struct.pack("<I", 100_000) + bytes(24*100_000))); wav("cues-claimed.wav", (b"cue ", 28, struct.pack("<I", 0x7fffffff) + bytes(24)))
    true = {k: good(folder/f"true.{k}", k, rng).read_bytes() for k in ("flac", "mp3", "ogg", "aiff")}
    def flac(name, *blocks): (folder/name).write_bytes(true["flac"][:4] + b"\0" + true["flac"][5:42] + b"".join(bytes([t]) + m.to_bytes(3, "big") + d for t,m,d in blocks) + b"\x81\0\0\0" + true["flac"][true["flac"].index(b"\xff\xf8", 42):])
    words = struct.pack("<II", 0, 0x0fffffff)
    for t,name in enumerate(("padding", "application", "seektable", "comments", "cuesheet", "picture"), 1): flac(f"claims-{name}.flac", (t, 0xffffff, b"\xff"*200)); flac(f"holds-{name}.flac", (t, 8_000_000, bytes(8_000_000)))
    flac("comments-claimed.flac", (4, 16, words + b"x"*8)); flac("comment-claimed.flac", (4, 16, struct.pack("<III", 0, 1, 0xffffffff) + bytes(4)))
    for claim in (2**31, 2**36 - 1): b = bytearray(true["flac"]); b[21] = b[21] & 0xf0 | claim >> 32; b[22:26] = (claim & 0xffffffff).to_bytes(4, "big"); (folder/f"samples-{claim}.flac").write_bytes(b)
    b = bytearray(true["flac"]); b[8:12] = b"\xff"*4; (folder/"blocks.flac").write_bytes(b)
    for name,tag in {"claimed": b"ID3\4\0\0\x7f\x7f\x7f\x7f", "frame": b"ID3\4\0\0\0\0\x20\0APIC\x7f\x7f\x7f\x7f\0\0" + bytes(4080), "held": b"ID3\4\0\0\4\0\0\0" + bytes(2**23)}.items(): (folder/f"tag-{name}.mp3").write_bytes(tag + true["mp3"])
    i, j = true["ogg"].index(b"\3vorbis") + 7, true["ogg"].rfind(b"OggS") + 6
    (folder/"vendor.ogg").write_bytes(true["ogg"][:i] + b"\xff\xff\xff\x7f" + true["ogg"][i+4:]); (folder/"position.ogg").write_bytes(true["ogg"][:j] + struct.pack("<q", 2**40) + true["ogg"][j+8:])
    for kind in (b"MARK", b"ANNO", b"COMT", b"INST", b"APPL", b"NAME"):
        for says,data in ((0x7ffffff0, b"\xff"*60), (8_000_000, bytes(8_000_000))): (folder/f"{kind.decode()}-{says}.aiff").write_bytes(true["aiff"].replace(b"SSND", kind + struct.pack(">I", says) + data + b"SSND", 1))
    (folder/"claims.sph").write_bytes(b"NIST_1A\n   1024\nchannel_count -i 1000\nsample_count -i 4000000000\nsample_rate -i 2000000000\nsample_n_bytes -i 2\nsample_byte_format -s2 01\nsample_coding -s3 pcm\nend_head\n".ljust(1024) + bytes(2000))
    (folder/"claims.au").write_bytes(b".snd" + struct.pack(">IIIII", 24, 0xffffffff, 3, 16000, 1024) + bytes(4096))
    caf = b"caff\0\1\0\0desc" + struct.pack(">qd4sIIIII", 32, 16000., b"lpcm", 0, 2, 1, 1, 16)
    for name,rest in {"data": b"data" + struct.pack(">qI", 2**40, 0), "info": b"info" + struct.pack(">qI", 2**31, 2**31 - 1) + b"data" + struct.pack(">qI", 1004, 0), "free": b"free" + struct.pack(">q", 2**40) + b"data" + struct.pack(">qI", 1004, 0)}.items(): (folder/f"claims-{name}.caf").write_bytes(caf + rest + bytes(1000))
    return sorted(folder.iterdir())

WATCHED = """
import json, os, re, resource, sys, time
from audioclust.audio import AudioError, load_audio, probe
free, most = resource.getrlimit(resource.RLIMIT_AS), int(sys.argv[1])
def limit(more): resource.setrlimit(resource.RLIMIT_AS, (int(re.search(r"VmSize:\\s*(\\d+)", open("/proc/self/status").read())[1])*1024 + more, free[1]) if more else free)
def look(path):
    try:
        length = probe(path).duration
        load_audio(path, 16000, 0, min(length, 600)) if length > 0 else None
    except AudioError as e: return f"refused: {e.reason}"
    except BaseException as e: return f"{type(e).__name__}: {e}"
    return "decoded"
look(os.fsdecode(bytes.fromhex(next(sys.stdin))))  # what is filled at the first time
limited = sys.platform == "linux"
for line in sys.stdin:
    path, before = os.fsdecode(bytes.fromhex(line)), time.perf_counter()
    if limited: limit(most)
    said = look(path)
    if limited: limit(0)
    if limited and said != "decoded" and (again := look(path)) != said: said = f"more than {most/1e6:.0f} MB: {said}; else {again}"
    print(json.dumps([said, time.perf_counter() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]), flush=True)
"""

class Watched:
    "A process that probes and decodes, with a limit of memory, and is begun anew when it dies."
    def __init__(self, true): self.p, self.true = None, true  # a good file
    def __call__(self, path):
        if self.p is None:
            self.p = subprocess.Popen([sys.executable, "-c", WATCHED, str(BYTES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.p.stdin.write(os.fsencode(self.true).hex() + "\n")
        self.p.stdin.write(os.fsencode(path).hex() + "\n"); self.p.stdin.flush()
        since = time.monotonic()
        ready = select.select([self.p.stdout], [], [], SECONDS + 20)[0]  # the first waits for its libraries
        line = self.p.stdout.readline() if ready else ""
        if not line:
            code = self.p.poll() if ready else None
            if not ready: self.p.kill()
            self.p.wait(); self.p = None
            return ("hung" if not ready else f"died ({code})"), time.monotonic() - since, 0
        said, seconds, kb = json.loads(line)
        return said if seconds < SECONDS else f"took {seconds:.0f} s", seconds, kb*1000
    def close(self):
        if self.p: self.p.stdin.close(); self.p.wait()

def look(todo):
    "What comes of each file alone: rows by format and damage."
    watched, rows = Watched(next(p for p,kind,_ in todo if p.name.startswith("true"))), {}
    for path,kind,name in todo:
        said, seconds, size = watched(path)
        r = rows.setdefault((kind, name), dict(part="file", format=kind, damage=name, files=0, decoded=0, refused=0, faults=0, seconds=0., megabytes=0, said=""))
        r["files"] += 1
        what = said.split(":")[0] if said.startswith(("decoded", "refused:")) else "faults"
        r[what] += 1
        if what == "faults": r["said"] = f"{path.name}: {said}"[:200]
        r["seconds"], r["megabytes"] = round(max(r["seconds"], seconds), 2), max(r["megabytes"], round(size/1e6))
    watched.close()
    return list(rows.values())

def command(folder, out, options=(), bound=300):
    "What comes of the whole command: a row; every file of the folder must be accounted for."
    files = {os.path.join(root, f) for root,_,names in os.walk(folder) for f in names}
    since = time.monotonic()
    p = subprocess.Popen([sys.executable, "-m", "audioclust", "cluster", str(folder), "--out", str(out), "--n-clusters", "3", "--stability", "0", "--no-cache", "--no-page", "-q", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try: said, err = p.communicate(timeout=bound)
    except subprocess.TimeoutExpired: p.kill(); return dict(part="command", format=" ".join(options) or "whole files", damage="all", files=len(files), decoded=0, refused=0, faults=len(files), seconds=bound, megabytes=0, said="hung")
    faults = [] if p.returncode == 0 and b"Traceback" not in err else [f"status {p.returncode}: {err[-200:].decode(errors='replace')}"]
    from audioclust.runs.run_folder import read_table
    good, bad = (set(read_table(out/n).path) if not faults else set() for n in ("clusters.csv", "errors.csv"))
    missing = {os.path.abspath(f) for f in files} - good - bad
    return dict(part="command", format=" ".join(options) or "whole files", damage="all", files=len(files), decoded=len(good), refused=len(bad - good), faults=len(missing), seconds=round(time.monotonic() - since, 1),
                megabytes=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1e3), said="; ".join(faults + [repr(m[-60:]) for m in sorted(missing)[:3]]))

def main():
    from appended import commit
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--each", type=int, default=25, help="files of each format and damage")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"fuzz.csv")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        (folder := Path(tmp)/"sounds").mkdir()
        todo = damaged(folder, args.each, args.seed)
        todo += [(f, "odd", "names and contents") for f in odd(folder, np.random.default_rng(args.seed))]
        (folder/"greedy").mkdir()
        todo += [(f, "greedy", "claims of size") for f in greedy(folder/"greedy", np.random.default_rng(args.seed))]
        (true := Path(tmp)/"true").mkdir()
        for i in range(len(todo)//2): good(true/f"{i}.wav", "wav", np.random.default_rng([args.seed, i]))
        least = command(true, Path(tmp)/"run", ("--window", "0.25"))["megabytes"]  # of good files only
        rows = look(todo) + [command(folder, Path(tmp)/f"run{i}", o) for i,o in enumerate([(), ("--window", "0.25"), ("--workers", "2")])]
    for r in rows:
        if r["part"] == "command": r["more"] = r["megabytes"] - least
        if r.get("more", 0) > BYTES/1e6: r["faults"], r["said"] = r["faults"] + 1, f"{r['more']} MB more than for good files; {r['said']}"
    table = pd.DataFrame(rows).assign(seed=args.seed, commit=commit(), machine=f"{platform.machine()}, Python {platform.python_version()}, libsndfile {sf.__libsndfile_version__}")
    table.to_csv(args.out, index=False)
    print(table[table.faults > 0].to_string() if table.faults.any() or table.said.any() else "", f"\n{table[table.part == 'file'].files.sum()} files, {table.faults.sum()} faults", sep="")
    return bool(table.faults.any())


if __name__ == "__main__": sys.exit(main())
