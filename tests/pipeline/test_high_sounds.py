"Sound above what an encoder hears: the sample rate follows it, or the run says how much there is and what to do."
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import clips
from audioclust.cli import main
from audioclust.encoders import FixedEncoder
from audioclust.pipeline import Options, Request
from audioclust.pipeline.embed_step import energy_above, sample_rate_of, warn_of_unheard

QUICK = ["--stability", "0", "--no-page", "--no-cache", "-q"]
RATE = 192_000


def write(path, hz, rng, seconds=.06, rate=RATE, noise=1e-4):
    "A sweep through some frequencies, in faint noise."
    n = round(seconds*rate)
    wave = .3*np.hanning(n)*np.sin(2*np.pi*np.cumsum(np.linspace(*hz, n))/rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, wave + noise*rng.standard_normal(n), rate)


@pytest.fixture
def chirps(tmp_path, rng):
    "Four kinds of chirps from 30 to 80 kHz."
    kinds = dict(up=(30e3, 50e3), down=(55e3, 35e3), high=(60e3, 80e3), flat=(40e3, 40e3))
    for kind, hz in kinds.items():
        for i in range(6): write(tmp_path/f"chirps/{kind}/{i}.wav", np.array(hz)*rng.uniform(.97, 1.03), rng)
    return tmp_path/"chirps"


def cluster(folder, out, capsys, *more):
    "The accuracy, and what was said."
    assert main(["cluster", str(folder), "--out", str(out), "--labels", "parent", *QUICK, *more]) == 0
    out, err = capsys.readouterr()
    return float(out.split("n_classes")[1].split()[0]), " ".join(err.split())


def said_of(table, encoder=None):
    "What is said where an encoder is given, or where the rate is chosen."
    request = Request(encoder=encoder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_unheard(request, table, encoder)
    return [str(w.message) for w in caught]


def test_the_rate_follows_chirps_of_bats(chirps, tmp_path, capsys):
    accuracy, said = cluster(chirps, tmp_path/"run", capsys, "--n-clusters", "4")
    assert accuracy == 1 and "lies above 16 kHz, so their sample rate is 192000 Hz" in said
    lower = re.search(r"--rate (\d+)", said)[1]
    accuracy, said = cluster(chirps, tmp_path/"low", capsys, "--n-clusters", "4", "--rate", lower)
    assert accuracy < .7 and "kHz" not in said, "the user chose it"


def test_some_chirps_among_other_sounds(chirps, tmp_path, rng, capsys):
    "Most clips are low, so the rate stays; the warning says what would help, and that does."
    for kind, hz in dict(low=(500, 700), middle=(3000, 2000)).items():
        for i in range(18): write(chirps/kind/f"{i}.wav", hz, rng)
    _, said = cluster(chirps, tmp_path/"run", capsys, "--n-clusters", "6")
    found = re.search(r"(\d+) of 20 clips that were tried have most of their energy \(100%\) above 16 kHz, .*--rate (\d+)", said)
    assert 2 <= int(found[1]) < 10 and found[2] == "192000"
    _, said = cluster(chirps, tmp_path/"high", capsys, "--n-clusters", "6", "--rate", found[2])
    assert "kHz" not in said


def test_new_clips(chirps, tmp_path, rng, capsys):
    "A run of low sounds says so of new ones that it does not hear, unless the user chose its rate."
    for kind, hz in dict(low=(500, 700), middle=(3000, 2000)).items():
        for i in range(6): write(tmp_path/f"calls/{kind}/{i}.wav", hz, rng)
    cluster(tmp_path/"calls", tmp_path/"run", capsys, "--n-clusters", "2")
    cluster(tmp_path/"calls", tmp_path/"chosen", capsys, "--n-clusters", "2", "--rate", "32000")
    expected = ("(100%) above 16 kHz, which the encoder does not hear. If it matters, make a run of such sounds: "
                "audioclust cluster FOLDER --rate 192000")
    for run, says in ("run", True), ("chosen", False):
        assert main(["assign", str(tmp_path/run), str(chirps), "--out", str(tmp_path/f"{run}.csv")]) == 0
        assert (expected in " ".join(capsys.readouterr().err.split())) == says
    grown = ["cluster", str(chirps), "--grow", str(tmp_path/"run"), "--out", str(tmp_path/"grown"), "--no-page"]
    assert main(grown) == 0 and expected in " ".join(capsys.readouterr().err.split())
    assert main(["assign", str(tmp_path/"run"), str(tmp_path/"calls"), "--out", str(tmp_path/"low.csv")]) == 0
    assert "kHz" not in capsys.readouterr().err


def test_parts(chirps, tmp_path, capsys):
    "All parts have the rate of the whole list, and say so."
    for part in "1/2", "2/2":
        assert main(["embed", str(chirps), "--part", part, "--out", str(tmp_path/"shards"/part[0]), "-q"]) == 0
        assert "so their sample rate is 192000 Hz" in " ".join(capsys.readouterr().err.split())
        record = json.loads((tmp_path/"shards"/part[0]/"shard.json").read_text(encoding="utf-8"))
        assert record["request"]["sample_rate"] == RATE


def test_an_encoder_of_one_rate(chirps):
    table = clips(chirps)
    (said,) = said_of(table, FixedEncoder(sample_rate=16_000))
    assert "20 of 20 clips" in said and "above 8 kHz" in said and said.endswith(
        "If it matters: --encoder fixed --rate 192000 (in Python Options(sample_rate=192000))")
    assert sample_rate_of(Request(options=Options(sample_rate=8000)), table) == 8000


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_music_and_hiss_are_not_reported(tmp_path, rng, rate):
    "Pink noise stands for music; at 44.1 and 48 kHz white noise has a third above 16 kHz."
    spectrum = np.fft.rfft(rng.standard_normal(rate))
    pink = np.fft.irfft(spectrum/np.sqrt(np.maximum(np.arange(len(spectrum)), 20)))
    sf.write(tmp_path/"music.wav", pink/np.abs(pink).max(), rate)
    sf.write(tmp_path/"hiss.wav", .1*rng.standard_normal(rate), rate)
    table = clips(tmp_path)
    hiss, music = (energy_above(table[i:i + 1], 16_000)[0][0] for i in range(2))
    assert music < .2 and hiss == pytest.approx(1 - 32_000/rate, abs=.02)
    quiet = table if rate < 64_000 else table[1:]
    assert said_of(quiet) == [] and sample_rate_of(Request(), table) == 32_000


def test_what_cannot_be_measured(tmp_path, rng):
    (tmp_path/"text.wav").write_text("no sound")
    sf.write(tmp_path/"zeros.wav", np.zeros(RATE), RATE)
    sf.write(tmp_path/"one.wav", np.ones(1), RATE)
    write(tmp_path/"detector.wav", (100e3, 100e3), rng, rate=384_000)
    rows = [("text.wav", 1.), ("zeros.wav", 1.), ("one.wav", 1/RATE), ("detector.wav", .06), ("zeros.wav", 1e-9)]
    table = pd.DataFrame([(str(tmp_path/name), 0., end) for name, end in rows], columns=["path", "start", "end"])
    shares, _ = energy_above(table, 16_000)
    assert sorted(shares.round(2).tolist()) == [0, 0, 1], "of zeros, of one sample, of the detector"
    assert said_of(table[:1]) == [] and sample_rate_of(Request(), table[:1]) == 16_000
    assert sample_rate_of(Request(), table[3:4]) == RATE, "the highest that can be asked for"
    assert said_of(table[3:4], FixedEncoder(sample_rate=RATE)) == [], "nothing would help"
