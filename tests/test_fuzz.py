"Damaged files in small: benchmarks/fuzz.py with one of each damage, and one that lies in each format."
import os, sys, time
from pathlib import Path

import numpy as np
import pytest

from audioclust.audio import AudioError, load_audio, probe
from audioclust.cli import main
from audioclust.runs import read_table

root = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(not (root/"benchmarks/fuzz.py").is_file() or os.name == "nt", reason="needs the checkout")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    sys.path.insert(0, str(root/"benchmarks"))
    try: import fuzz
    finally: sys.path.pop(0)
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
    assert main(["cluster", str(files[0]), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--stability", "0", "--no-cache", "--no-page", "-q", *options]) == 0
    good, bad = (set(read_table(tmp_path/"run"/n).path) for n in ("clusters.csv", "errors.csv"))
    assert {os.path.join(r, f) for r,_,names in os.walk(files[0]) for f in names} <= good | bad and len(good) > 30 and len(bad) > 30

@pytest.mark.parametrize("claim", [2**36 - 1, 2**33, 2**28])
def test_a_header_that_claims_too_much_is_refused(tmp_path, claim):
    import soundfile as sf
    sf.write(tmp_path/"a.flac", np.random.default_rng(0).uniform(-.5, .5, 8000), 16000)
    b = bytearray((tmp_path/"a.flac").read_bytes())
    b[21] = b[21] & 0xf0 | claim >> 32; b[22:26] = (claim & 0xffffffff).to_bytes(4, "big")
    (tmp_path/"a.flac").write_bytes(b)
    with pytest.raises(AudioError, match="no sound at the end"): probe(tmp_path/"a.flac")
    sf.write(tmp_path/"silence.flac", np.zeros(16000*100), 16000)
    assert probe(tmp_path/"silence.flac").duration == 100

def test_a_rate_of_one_sample_a_second_is_refused(tmp_path):
    import soundfile as sf
    sf.write(tmp_path/"a.wav", np.zeros(8000), 1)
    with pytest.raises(AudioError, match="1 samples a second"): probe(tmp_path/"a.wav")
