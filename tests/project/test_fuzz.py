"""Damaged files in small: benchmarks/fuzz.py with one of each damage, and all that claim to be large.

Then what benchmarks/fuzz_parsers.py found."""
import contextlib
import os
import random
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from audioclust.audio import AudioError, load_audio, probe
from audioclust.cli import main
from audioclust.runs.run_folder import read_table

root = Path(__file__).parents[2]
SEED = int(os.environ.get("AUDIOCLUST_FUZZ_SEED", 0)) # that of the nightly job is the date
SECONDS = float(os.environ.get("AUDIOCLUST_FUZZ_SECONDS", .7)) # of the processor, for each target
pytestmark = pytest.mark.skipif(not (root/"benchmarks/fuzz.py").is_file() or os.name == "nt",
    reason="needs the checkout")


def script(name):
    sys.path.insert(0, str(root/"benchmarks"))
    try: return __import__(name)
    finally: sys.path.pop(0)

@pytest.fixture(scope="module")
def files(tmp_path_factory):
    fuzz = script("fuzz")
    (folder := tmp_path_factory.mktemp("fuzz")/"sounds").mkdir()
    return folder, [p for p,*_ in fuzz.damaged(folder, 1, 1)] + fuzz.odd(folder, np.random.default_rng(1))

def test_each_is_decoded_or_refused(files):
    for path in files[1]:
        since = time.monotonic()
        try: load_audio(path, 16000, 0, min(probe(path).duration, 600))
        except AudioError as e: assert e.reason and len(e.reason) < 500
        assert time.monotonic() - since < 20, path

@pytest.mark.parametrize("options", [[], ["--window", "0.25"]], ids=["whole", "windows"])
def test_each_is_accounted_for(files, tmp_path, options):
    assert main(["cluster", str(files[0]), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--stability",
        "0", "--no-cache", "--no-page", "-q", *options]) == 0
    good, bad = (set(read_table(tmp_path/"run"/n).path) for n in ("clusters.csv", "errors.csv"))
    assert {os.path.join(r, f) for r,_,names in os.walk(files[0]) for f in names} <= good | bad
    assert len(good) > 30
    assert len(bad) > 30

@pytest.mark.parametrize("claim", [2**36 - 1, 2**33, 2**28])
def test_a_header_that_claims_too_much_is_refused(tmp_path, claim):
    import soundfile as sf
    sf.write(tmp_path/"a.flac", np.random.default_rng(0).uniform(-.5, .5, 8000), 16000)
    b = bytearray((tmp_path/"a.flac").read_bytes())
    b[21] = b[21] & 0xf0 | claim >> 32
    b[22:26] = (claim & 0xffffffff).to_bytes(4, "big")
    (tmp_path/"a.flac").write_bytes(b)
    with pytest.raises(AudioError, match="no sound at the end"): probe(tmp_path/"a.flac")
    sf.write(tmp_path/"silence.flac", np.zeros(16000*100), 16000)
    assert probe(tmp_path/"silence.flac").duration == 100

def test_a_rate_of_one_sample_a_second_is_refused(tmp_path):
    import soundfile as sf
    sf.write(tmp_path/"a.wav", np.zeros(8000), 1)
    with pytest.raises(AudioError, match="1 samples a second"): probe(tmp_path/"a.wav")

@contextlib.contextmanager
def at_most(more):
    "Let this process take so many bytes of addresses more than it has, and no more."
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS,
        (int(re.search(r"VmSize:\s*(\d+)", Path("/proc/self/status").read_text())[1])*1024 + more, hard))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

def outcome(path):
    try: return len(load_audio(path, 16000, 0, min(probe(path).duration, 600))[0])
    except AudioError as e: return e.reason

@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
def test_no_file_takes_more_memory_than_64_megabytes(tmp_path):
    fuzz = script("fuzz")
    for name in ("true", "greedy"): (tmp_path/name).mkdir()
    paths = fuzz.greedy(tmp_path/"greedy", np.random.default_rng(0))
    free = {p: outcome(p) for p in paths}
    with at_most(fuzz.BYTES):
        with pytest.raises(MemoryError): np.empty(2*fuzz.BYTES, np.uint8)
        assert {p: outcome(p) for p in paths} == free
    assert len(paths) > 60 and sum(isinstance(o, int) for o in free.values()) > 20
    for i in range(len(paths)//2): fuzz.good(tmp_path/"true"/f"{i}.wav", "wav", np.random.default_rng(i))
    def cluster(name, out):
        return main(["cluster", str(tmp_path/name), "--out", str(tmp_path/out), "--n-clusters", "3",
            "--stability", "0", "--no-cache", "--no-page", "--window", "0.25", "-q"])
    assert cluster("true", "run") == 0
    with at_most(fuzz.BYTES): assert cluster("greedy", "run2") == 0
    clustered = set(read_table(tmp_path/"run2/clusters.csv").path)
    failed = set(read_table(tmp_path/"run2/errors.csv").path)
    assert {str(p) for p in paths} == clustered | failed

def test_a_rate_that_no_sound_has_is_refused(tmp_path):
    import soundfile as sf
    sf.write(tmp_path/"a.wav", np.zeros(8000), 10**7 + 1)
    with pytest.raises(AudioError, match="has so many"): probe(tmp_path/"a.wav")


@pytest.mark.parametrize("change", [dict(sample_rate=2**31), dict(n_mels=10**7), dict(n_cepstra=10**7),
    dict(steps=10**9), dict(sample_rate=10**7, n_mels=1000)])
def test_a_model_does_not_ask_for_any_amount_of_memory(tmp_path, change):
    from audioclust.encoders import FixedEncoder
    with at_most(2**30) if sys.platform == "linux" else contextlib.nullcontext():
        with pytest.raises(ValueError, match="say at most|say a number from|ask for fewer"):
            FixedEncoder(**change)


E = b'{"schema": 1, "edits": {"content": %s}}'
FOUND = {  # of each target, the least that came to grief
    "labels, a pattern": [b"a{99999999999999999999}", b"(" * 5000, b"(?\n"],
    "labels, a table": [b"", b"path,label\n\0,x\n", b"path,label\na,\xff\n", b"path,label\na,b\nc,d,e\n", b'"',
        b"x"*700, b"label,path\nx\n"],
    "clips, a table": [b"", b"path\n\0\n", b"path,start,end\na.wav,a,b\n",
        b"path,start,end\na.wav," + b"1"*400 + b",2\n", b"path\na\nb,c,d,e\n", b"start,path\n1\n", b"x"*700],
    "data set, a table": [b"", b'a\n"', b"path,label,start,end\na.wav,x,0,y\n", b"path,label\n\0,x\n",
        b"path,label\na,\xff\n"],
    "run.json": [b'{"schema": "a\\nb"}', b'{"schema": "' + b"x"*700 + b'"}', b'{"schema": 1}', b"["*100_000],
    "embeddings.npy": [b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'f(", b"\x93NUMPY\x01\0v\0(" + b"\xff"*200],
    "clusters.csv": [b"", b"path,cluster\na,1\n", b"path,start,end,cluster,confidence\na,x,1,1,1\n",
        b"path,start,end,cluster,confidence\na\0,0,1,1,1\n", b"path,start,end,cluster,confidence\n,0,1,1,1\n",
        b"path,start,cluster,confidence\na,0,1,1\n"],
    "names.json": [E % b'""', E % b'{"names": 5}', E % b'{"names": {"0": true}}', E % b'{"merged": {"x": {}}}',
        E % b'{"merged": {"0": "1", "1": "0"}}',
        E % b'{"merged": NaN}',
        E % b'{"marks": {"0": []}}',
        E % b'{"names": {"0": "\\ud800"}}',
        b'{"schema": 1, "edits": {"x": 0}}',
        b'{"schema": 1, "edits": {}, "lost": 1}'],
    "edits": [E % b'{"names": {"9": "x"}}', E % b'{"merged": {"0": "1", "1": "0"}}',
        E % b'{"merged": {"\\n": 1}}', E % b'{"merged": {"0": "%s"}}' % (b"x"*700), E % b'{"names": {"0": "\\ud800"}}'],
    "started.json": [b'{"created": 1}', b'{"schema": 1, "request": {}}', b'{"schema": 3, "request": [{}]}',
        b'{"schema": 3, "request": {}, "inputs": [1]}', b'{"schema": 3, "request": {}, "recordings": "a\\nb"}',
        b'{"schema": 3, "request": {}, "recordings": "%s"}' % (b"x"*700)],
    "earlier.csv": [b"", b"path,start,cluster\na,0,1\n", b"path,start,cluster,by\n",
        b"path,start,cluster,by\na,0,1,../../x\n", b"path,cluster,by\na,1,content\n"],
    "model, JSON": [bytes([i]) + b for i in range(7) for b in (b"", b"\xff", b"["*100_000, b"{}", b'{"class": "x"}')],
    "model, clusterer": [b"\xbe\2\0\0\0\0\0\0" + b'"' + b"x"*701],
    "model, whitening": [b""],
    "training": [b"", b"\x02\0\0\0\0\0\0\0{}", b"\x2a\0\0\0\0\0\0\0" + b'{"__metadata__":{"state":"{\\"epoch\\":0}"}}'],
    "cache": [b"", b",|[]|", b"|O|[]|" + bytes(8), b"<f4|[-1]|abc", b"<f4|" + b"["*5000],
    "archive": [b"", b"PK\5\6" + bytes(18)]}

@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from audioclust.audio import synthetic_words
    folder = tmp_path_factory.mktemp("parsers")
    synthetic_words(2, 2, 2).save(folder/"sounds")
    assert main(["cluster", str(folder/"sounds"), "--out", str(folder/"run"), "--n-clusters", "2",
        "--stability", "2", "--no-cache", "--no-page", "-q"]) == 0
    return folder/"run"

@pytest.mark.parametrize("name", script("fuzz_parsers").TARGETS
    if (root/"benchmarks/fuzz_parsers.py").is_file() else [])
@pytest.mark.filterwarnings("ignore")
def test_what_is_read_has_a_value_or_is_refused_in_one_line(run, tmp_path, name):
    fuzz = script("fuzz_parsers")
    shutil.copytree(run, tmp_path/"run", ignore=shutil.ignore_patterns("figures"))
    take, true, _, kind = fuzz.TARGETS[name](tmp_path)
    print(f"AUDIOCLUST_FUZZ_SEED={SEED} repeats this")
    r, more, since = random.Random(SEED), [], time.process_time()
    def tried(data, must_fail=False):
        try:
            with at_most(2**32) if sys.platform == "linux" else contextlib.nullcontext(): take(data)
        except Exception as e:
            wrong = fuzz.refused(e, tmp_path, name in ("labels, a pattern", "options", "words", "cache"))
            assert not wrong, (wrong, data[:300], e)
        else: assert not must_fail, data[:300]  # that was to be refused
    for data in true: tried(data)
    for data in FOUND.get(name, []):
        tried(data, name in ("run.json", "clusters.csv", "embeddings.npy", "edits", "training"))
    for _ in range(5000 if kind else 0):
        with contextlib.suppress(ValueError, IndexError, KeyError, TypeError, AttributeError):
            more.append(fuzz.changed(r.choice(true + more[-5:]), kind, r))
        if len(more): tried(more[-1])
        if len(more) > 5 and time.process_time() - since > SECONDS: break
    assert not kind or len(more) > 5

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [15, pytest.param(250, marks=pytest.mark.slow)])
def test_any_command_line_ends_in_a_result_or_in_one_line(tmp_path, n):
    fuzz = script("fuzz_commands")
    print(f"AUDIOCLUST_FUZZ_SEED={SEED} repeats this")
    (tmp_path/"world").mkdir()
    fuzz.fuzz(fuzz.world(tmp_path/"world"), n, SEED)
    assert sum(fuzz.COUNTS.values()) >= n
    assert sum(n_ended for (_,status),n_ended in fuzz.COUNTS.items() if status == 0) > n//8

def test_a_long_name_has_a_label_track(run, tmp_path):
    from audioclust.listen import to_audacity
    from audioclust.core.files import write_table
    shutil.copytree(run, tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    names = ["a"*251 + ".wav", "é"*125 + ".flac", "a"*250 + "b.wav", "short.wav"]
    write_table(table.assign(path=[f"/x/{'' if i else 'y/'}{names[i % 4]}" for i in range(len(table))]),
        tmp_path/"run/clusters.csv")
    assert to_audacity(tmp_path/"run", tmp_path/"out") == 5 == len(made := list((tmp_path/"out").rglob("*.txt")))
    assert {"short.wav.txt"} < {p.name for p in made} and max(len(os.fsencode(p.name)) for p in made) < 255
