"Clips of digital silence are marked and named, also where their sound was not decoded again."
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.encoders.logmel_store import TrimmedLogMel, usable_clips
from audioclust.pipeline import explanations

QUICK = ["--n-clusters", "2", "--stability", "0", "--no-page", "-q"]


@pytest.fixture
def sounds(tmp_path, rng):
    "Twenty noises, of which two are the quietest that 16 bits hold, and seven files of zeros."
    folder = tmp_path/"sounds"
    folder.mkdir()
    for i in range(20):
        wave = rng.choice([-1, 1], 2000)/2**15 if i < 2 else .1*rng.standard_normal(2000)
        sf.write(folder/f"noise{i:02}.wav", wave, 8000)
    for i in range(7): sf.write(folder/f"zeros{i}.flac", np.zeros(2000), 8000)
    return folder


def command(*argv):
    assert main([str(a) for a in argv]) == 0


def marked(table):
    "Names of the clips that a table marks, without their extension."
    table = pd.read_csv(table)
    return sorted(path.rsplit("/", 1)[-1].split(".")[0] for path in table.path[table.silent])


ZEROS = [f"zeros{i}" for i in range(7)]

def test_each_is_marked_and_five_are_named_also_from_the_cache(sounds, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(explanations, "MOST_MEASURED", 1) # what is said rests on no sample
    monkeypatch.setattr(explanations, "FEWEST_OF_GROUP", 0)
    names = "zeros0.flac, zeros1.flac, zeros2.flac, zeros3.flac, zeros4.flac, …"
    for run in tmp_path/"first", tmp_path/"second":
        command("cluster", sounds, "--out", run, "--cache", tmp_path/"cache", *QUICK)
        assert f"digital silence: 7 of 27 clips ({names}). Nothing" in " ".join(capsys.readouterr().err.split())
        assert marked(run/"clusters.csv") == ZEROS
    assert (tmp_path/"first/clusters.csv").read_bytes() == (tmp_path/"second/clusters.csv").read_bytes()


def test_windows_are_named_with_their_time(tmp_path, rng, capsys):
    wave = .1*rng.standard_normal(8*8000)
    wave[3*8000:5*8000] = 0
    sf.write(tmp_path/"tape.wav", wave, 8000)
    command("cluster", tmp_path/"tape.wav", "--window", 1, "--out", tmp_path/"run", "--no-cache", *QUICK)
    assert "digital silence: 2 of 8 clips (tape.wav at 3 s and 1 more)" in " ".join(capsys.readouterr().err.split())


def test_parts(sounds, tmp_path, capsys):
    "The first part has no silent clip, the second has."
    for part in "1/2", "2/2":
        command("embed", sounds, "--part", part, "--out", tmp_path/"shards"/part[0], "-q")
    command("cluster", "--embeddings", tmp_path/"shards", "--out", tmp_path/"run", *QUICK)
    assert marked(tmp_path/"run/clusters.csv") == ZEROS
    assert "digital silence: 7 of 27 clips (zeros0.flac" in " ".join(capsys.readouterr().err.split())


def test_new_recordings(sounds, tmp_path, rng, capsys):
    (tmp_path/"new").mkdir()
    for i in range(2): sf.write(tmp_path/f"new/{i}.wav", .1*rng.standard_normal(2000)*i, 8000)
    for file in sounds.glob("zeros*"): file.unlink()
    command("cluster", sounds, "--out", tmp_path/"run", "--no-cache", *QUICK)
    assert "silent" not in pd.read_csv(tmp_path/"run/clusters.csv") and "digital silence" not in capsys.readouterr().err
    command("assign", tmp_path/"run", tmp_path/"new", "--out", tmp_path/"new.csv", "-q")
    assert marked(tmp_path/"new.csv") == ["0"]
    command("cluster", tmp_path/"new", "--grow", tmp_path/"run", "--out", tmp_path/"grown", "--no-page", "-q")
    assert marked(tmp_path/"grown/clusters.csv") == ["0"]
    assert capsys.readouterr().err.count("digital silence: 1 of 2 clips (0.wav)") == 2


def test_a_column_that_a_table_brings_is_not_believed(sounds, tmp_path):
    paths = sorted(sounds.iterdir())
    pd.DataFrame(dict(path=paths, start=0, end=.25, silent="perhaps")).to_csv(tmp_path/"clips.csv", index=False)
    command("cluster", sounds, "--clips", tmp_path/"clips.csv", "--out", tmp_path/"run", "--no-cache", *QUICK)
    assert marked(tmp_path/"run/clusters.csv") == ZEROS


def test_networks_know_it_too(sounds):
    table = pd.DataFrame(dict(path=sorted(sounds.iterdir()), start=0., end=.25))
    clips, store = usable_clips(table, TrimmedLogMel(8000), [])
    assert clips.silent.tolist() == store.silent.tolist() == [False]*20 + [True]*7
    assert "silent" not in usable_clips(clips[:20], TrimmedLogMel(8000), [])[0]
