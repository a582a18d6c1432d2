"""Damaged sounds, and what others wrote, in small: benchmarks/fuzz.py with one of each damage and a second a reader."""
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audioclust.audio import AudioError, probe
from audioclust.core.files import write_table
from audioclust.encoders import FixedEncoder
from audioclust.listen import to_audacity
from audioclust.runs.run_folder import read_table

root = Path(__file__).parents[2]
if not (root/"benchmarks/fuzz.py").is_file() or os.name == "nt":
    pytest.skip("needs the checkout", allow_module_level=True)
sys.path.insert(0, str(root/"benchmarks"))
import fuzz
sys.path.pop(0)

SEED = int(os.environ.get("AUDIOCLUST_FUZZ_SEED", 0)) # that of the nightly job is the date
SECONDS = float(os.environ.get("AUDIOCLUST_FUZZ_SECONDS", .7)) # of the processor, for each reader
NAMES = ["a\nb.wav", "it's \"quoted\".wav", "=cmd|' !A0.wav", "-rf.wav", "\x1b[31mred\x1b[0m.wav", "\u202egpj.wav",
    "<script>alert(1).wav", "e\u0301.wav", "é.wav", "a"*251 + ".wav", " .wav", "a,b;c.wav", "NA.wav", "1e5.wav"]
NO_SOUNDS = {"empty.wav": b"", "text.wav": b"this is no sound\n"*40, "zeros.flac": bytes(5000), "one.mp3": b"\xff",
    "html.ogg": b"<!doctype html><p>not found", "loop.aiff": b"FORM\0\0\0\0AIFF"*50}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    "Damaged sounds, files with odd names that are sounds, and files with good names that are none."
    (folder := tmp_path_factory.mktemp("fuzz")/"sounds").mkdir()
    paths = fuzz.damaged(folder, 2, 1)
    for raw in [*map(os.fsencode, NAMES), b"\xff\xfe.wav", b"caf\xe9.wav"]:
        fuzz.good(folder/"good.wav").rename(odd := folder/os.fsdecode(raw))
        paths.append(odd)
    for name,text in NO_SOUNDS.items():
        (folder/name).write_bytes(text)
        paths.append(folder/name)
    (folder/"gone.wav").symlink_to("nowhere")
    os.mkfifo(folder/"pipe.wav")
    return folder, [*paths, folder/"gone.wav", folder/"pipe.wav"]

def test_each_is_decoded_or_refused(files):
    for path in files[1]:
        since = time.monotonic()
        outcome = fuzz.decoded(path)
        assert isinstance(outcome, int) or 0 < len(outcome) < 500
        assert time.monotonic() - since < 20, path

@pytest.mark.parametrize("options", [[], ["--window", "0.25"]], ids=["whole", "windows"])
def test_each_is_accounted_for(files, tmp_path, options):
    assert fuzz.left_out(files[0], tmp_path/"run", *options) == []
    good, bad = (read_table(tmp_path/"run"/name).path for name in ("clusters.csv", "errors.csv"))
    assert good.nunique() > 25 and bad.nunique() > 15

@pytest.mark.parametrize("claim", [2**36 - 1, 2**28])
def test_a_header_that_claims_too_much_is_refused(tmp_path, claim):
    sf.write(tmp_path/"a.flac", np.random.default_rng(0).uniform(-.5, .5, 8000), 16000)
    b = bytearray((tmp_path/"a.flac").read_bytes())
    b[21] = b[21] & 0xf0 | claim >> 32
    b[22:26] = (claim & 0xffffffff).to_bytes(4, "big")
    (tmp_path/"a.flac").write_bytes(b)
    with pytest.raises(AudioError, match="no sound at the end"): probe(tmp_path/"a.flac")
    sf.write(tmp_path/"silence.flac", np.zeros(16000*100), 16000)
    assert probe(tmp_path/"silence.flac").duration == 100

@pytest.mark.parametrize("rate, said", [(1, "1 samples a second"), (10**7 + 1, "has so many")])
def test_a_rate_that_no_sound_has_is_refused(tmp_path, rate, said):
    sf.write(tmp_path/"a.wav", np.zeros(8000), rate)
    with pytest.raises(AudioError, match=said): probe(tmp_path/"a.wav")

@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
def test_no_file_takes_more_memory_than_64_megabytes(tmp_path):
    (tmp_path/"greedy").mkdir()
    paths = fuzz.greedy(tmp_path/"greedy")
    free = {p: fuzz.decoded(p) for p in paths}
    with fuzz.at_most(fuzz.BYTES):
        with pytest.raises(MemoryError): np.empty(2*fuzz.BYTES, np.uint8)
        assert {p: fuzz.decoded(p) for p in paths} == free
    assert len(paths) > 30 and sum(isinstance(o, int) for o in free.values()) > 10
    with fuzz.at_most(fuzz.BYTES): assert fuzz.left_out(tmp_path/"greedy", tmp_path/"run", "--window", "0.25") == []

@pytest.mark.parametrize("change", [dict(sample_rate=2**31), dict(n_mels=10**7), dict(n_cepstra=10**7),
    dict(steps=10**9), dict(sample_rate=10**7, n_mels=1000)])
def test_a_model_does_not_ask_for_any_amount_of_memory(change):
    with fuzz.at_most(2**30), pytest.raises(ValueError, match="say at most|say a number from|ask for fewer"):
        FixedEncoder(**change)


E = b'{"schema": 1, "edits": {"content": %s}}'
FOUND = {  # of each target, the least that came to grief
    "labels.csv": [b"", b"path,label\n\0,x\n", b"path,label\na,\xff\n", b"path,label\na,b\nc,d,e\n", b'"',
        b"x"*700, b"label,path\nx\n"],
    "clips.csv": [b"", b"path\n\0\n", b"path,start,end\na.wav,a,b\n",
        b"path,start,end\na.wav," + b"1"*400 + b",2\n", b"path\na\nb,c,d,e\n", b"start,path\n1\n", b"x"*700],
    "run/run.json": [b'{"schema": "a\\nb"}', b'{"schema": "' + b"x"*700 + b'"}', b'{"schema": 1}', b"["*100_000],
    "run/embeddings.npy": [b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'f(", b"\x93NUMPY\x01\0v\0(" + b"\xff"*200],
    "run/clusters.csv": [b"", b"path,cluster\na,1\n", b"path,start,end,cluster,confidence\na,x,1,1,1\n",
        b"path,start,end,cluster,confidence\na\0,0,1,1,1\n", b"path,start,end,cluster,confidence\n,0,1,1,1\n",
        b"path,start,cluster,confidence\na,0,1,1\n"],
    "run/names.json": [E % b'""', E % b'{"names": 5}', E % b'{"names": {"0": true}}', E % b'{"merged": {"x": {}}}',
        E % b'{"merged": {"0": "1", "1": "0"}}', E % b'{"merged": NaN}', E % b'{"marks": {"0": []}}',
        E % b'{"names": {"0": "\\ud800"}}', b'{"schema": 1, "edits": {"x": 0}}',
        b'{"schema": 1, "edits": {}, "lost": 1}'],
    "edits.json": [E % b'{"names": {"9": "x"}}', E % b'{"merged": {"0": "1", "1": "0"}}',
        E % b'{"merged": {"\\n": 1}}', E % b'{"merged": {"0": "%s"}}' % (b"x"*700), E % b'{"names": {"0": "\\ud800"}}'],
    "run/started.json": [b'{"created": 1}', b'{"schema": 1, "request": {}}', b'{"schema": 3, "request": [{}]}',
        b'{"schema": 3, "request": {}, "inputs": [1]}', b'{"schema": 3, "request": {}, "recordings": "a\\nb"}',
        b'{"schema": 3, "request": {}, "recordings": "%s"}' % (b"x"*700)],
    "run/earlier.csv": [b"", b"path,start,cluster\na,0,1\n", b"path,start,cluster,by\n",
        b"path,start,cluster,by\na,0,1,../../x\n", b"path,cluster,by\na,1,content\n"],
    "run/model/encoder.json": [b"", b"\xff", b"["*100_000, b"{}", b'{"class": "x"}'],
    "run/model/clusterer.safetensors": [b"\xbe\2\0\0\0\0\0\0" + b'"' + b"x"*701],
    "run/model/whitening.safetensors": [b""]}

REFUSED = {"run/run.json", "run/clusters.csv", "run/embeddings.npy", "edits.json"} # in each of these cases

@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    fuzz.workshop(folder)
    return folder

@pytest.mark.parametrize("name", fuzz.READERS)
@pytest.mark.filterwarnings("ignore")
def test_what_is_read_has_a_value_or_is_refused_in_one_line(work, name):
    print(f"AUDIOCLUST_FUZZ_SEED={SEED} repeats this")
    for data in FOUND.get(name, []):
        outcome = fuzz.read(work, name, data)
        assert outcome == "" or outcome is True and name not in REFUSED, (outcome, data[:300])
    since = time.process_time()
    for n,data in enumerate(fuzz.inputs(work, name, SEED)):
        outcome = fuzz.read(work, name, data)
        assert outcome is True or outcome == "", (outcome, data[:300])
        if n > 5 and time.process_time() - since > SECONDS: break

def test_a_long_name_has_a_label_track(work, tmp_path):
    shutil.copytree(work/"run", tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    names = ["a"*251 + ".wav", "é"*125 + ".flac", "a"*250 + "b.wav", "short.wav"]
    write_table(table.assign(path=[f"/x/{'' if i else 'y/'}{names[i % 4]}" for i in range(len(table))]),
        tmp_path/"run/clusters.csv")
    assert to_audacity(tmp_path/"run", tmp_path/"out") == 5 == len(made := list((tmp_path/"out").rglob("*.txt")))
    assert {"short.wav.txt"} < {p.name for p in made} and max(len(os.fsencode(p.name)) for p in made) < 255
