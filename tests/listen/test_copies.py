"Kinds of copies, and what may be deleted."
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from scipy.signal import resample_poly

from audioclust.audio import clips, synthetic_sounds
from audioclust.cli import main
from audioclust.listen import copies, near_duplicates
from audioclust.listen.copies import _WITHOUT_LOSS
from audioclust.listen.near_duplicates import _COPY, describe_copies, duplicates

@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp("copies")
    table = synthetic_sounds(4, 2, sample_rate=16000).save(at/"in")
    first, second = table.path[0], table.path[3]
    x, rate = sf.read(first)
    sf.write(at/"in/a.flac", x, rate)
    sf.write(at/"in/b.wav", np.concatenate([np.zeros(3000), -x/4]), rate) # quieter, later, with its poles exchanged
    sf.write(at/"in/c.wav", x*(1 + .15*np.sin(np.arange(len(x))/800)), rate) # played a little otherwise
    shutil.copy(first, at/"in/z.wav")
    for name in "0 new.wav", "y.wav": shutil.copy(second, at/"in"/name)
    return at/"in", first, second

def test_kinds(folder):
    files = sorted(folder[0].rglob("*.*"))
    table = pd.DataFrame(dict(path=files, start=0., end=[sf.info(f).duration for f in files]))
    found = describe_copies(table.assign(set=duplicates(table)))
    kinds = {Path(path).name: kind for path,kind in zip(found.path, found.kind)}
    assert kinds == {"a.flac": "reference", "b.wav": "level", "c.wav": "take", Path(folder[1]).name: "exact",
                     "z.wav": "format", "0 new.wav": "reference", "y.wav": "exact", Path(folder[2]).name: "exact"}
    gain = dict(zip((Path(p).name for p in found.path), found.gain))
    assert gain["b.wav"] == pytest.approx(-12.04, abs=.1) and abs(gain["z.wav"]) < .01
    assert (found.similarity <= 1.0001).all() and found.similarity[found.kind == "take"].max() < .999
    assert sorted(Path(p).name for p in found.path[found.kind == "exact"]) == sorted(["y.wav", Path(folder[1]).name, Path(folder[2]).name])

def test_the_command_lists_and_deletes_nothing(folder, tmp_path, capsys):
    before = sorted(folder[0].rglob("*"))
    args = ["duplicates", str(folder[0]), "--out", str(tmp_path/"d.csv"), "--delete-list", str(tmp_path/"d.txt")]
    assert main([*args[:3], str(folder[0]/"d.csv")]) == 2, "among the recordings"
    assert main(args) == 0
    assert "3 exact copies could be deleted, nothing else" in capsys.readouterr().out
    listed = (tmp_path/"d.txt").read_text().splitlines()
    table = pd.read_csv(tmp_path/"d.csv")
    assert set(listed) == set(table.path[table.kind == "exact"]) and len(listed) == 3
    for _,one in table.groupby("set"): assert (one.kind != "exact").any(), "one of each stays"
    assert sorted(folder[0].rglob("*")) == before
    assert main(args) == 2 and "--overwrite" in capsys.readouterr().err


def test_links_are_never_listed_for_deletion(tmp_path, capsys):
    "Deleting the file behind a link would delete the only copy."
    x, rate = sf.read(synthetic_sounds(1, 1, sample_rate=16000).save(tmp_path/"one").path[0])
    (tmp_path/"in").mkdir()
    sf.write(tmp_path/"in/z_real.wav", x, rate)
    os.symlink(tmp_path/"in/z_real.wav", tmp_path/"in/a_link.wav")
    os.link(tmp_path/"in/z_real.wav", tmp_path/"in/b_hard.wav")
    shutil.copy(tmp_path/"in/z_real.wav", tmp_path/"in/c_copy.wav")
    args = ["duplicates", str(tmp_path/"in"), "--out", str(tmp_path/"d.csv"), "--delete-list", str(tmp_path/"d.txt")]
    assert main(args) == 0
    table = pd.read_csv(tmp_path/"d.csv")
    kinds = {os.path.basename(path): kind for path,kind in zip(table.path, table.kind)}
    assert kinds["a_link.wav"] == "link" and sorted(kinds.values()) == ["exact", "link", "link", "reference"]
    for path in (tmp_path/"d.txt").read_text().splitlines(): os.remove(path)
    left = [f for f in (tmp_path/"in").iterdir() if not f.is_symlink()]
    assert left and all(sf.info(f).frames for f in left)


def test_the_copy_in_a_kit_stays_and_the_stray_one_goes(tmp_path, tone, capsys):
    sounds = tmp_path/"sounds"
    kit, top = sounds/"Zoo kit", sounds/"A"
    for i in range(5): tone(kit/f"hit {i}.wav", hz=300 + 170*i)
    top.mkdir()
    for i, name in enumerate(["Audio 12.wav", "hit 1 copy.wav", "hit 2 (1).wav"]):
        shutil.copy(kit/f"hit {i}.wav", top/name)
    def run(*more):
        out, listed = tmp_path/"d.csv", tmp_path/"delete.txt"
        typed = ["duplicates", str(sounds), "--out", str(out), "--delete-list", str(listed), "--overwrite", *more]
        assert main(typed) == 0
        return pd.read_csv(out), {Path(line).relative_to(sounds).as_posix() for line in listed.read_text().splitlines()}
    table, deleted = run()
    assert deleted == {"A/Audio 12.wav", "A/hit 1 copy.wav", "A/hit 2 (1).wav"}
    assert set(table.why[table.kind == "reference"]) == {"its name is not that of a copy"}
    assert run("--keep", str(top))[1] == {"Zoo kit/hit 0.wav", "Zoo kit/hit 1.wav", "Zoo kit/hit 2.wav"}
    assert main(["duplicates", str(sounds), "--keep", str(tmp_path/"gone"), "--out", str(tmp_path/"x.csv")]) == 2


def test_a_folder_of_many_copies_is_not_their_home(tmp_path, tone):
    kit, desk = tmp_path/"kit", tmp_path/"Desktop"
    for i in range(3): tone(kit/f"hit {i}.wav", hz=300 + 170*i)
    for i in range(5): tone(desk/f"note {i}.wav", hz=200 + 150*i)
    shutil.copy(kit/"hit 0.wav", desk/"hit 0 (1).wav") # beside more recordings than in its kit
    found = describe_copies(clips(tmp_path).assign(set=[0] + [-1]*5 + [0, -1, -1])).set_index("kind")
    assert found.path["reference"] == str(kit/"hit 0.wav")
    assert found.why["reference"] == "its name is not that of a copy"

def test_of_two_in_one_folder_the_one_with_a_name_of_its_own_stays_then_the_older(tmp_path, tone):
    tone(tmp_path/"kick copy.wav")
    for name in "kick.wav", "snare.wav": shutil.copy(tmp_path/"kick copy.wav", tmp_path/name)
    os.utime(tmp_path/"kick.wav", (1e9, 1e9))
    table = clips(tmp_path)
    found = describe_copies(table.assign(set=0)).set_index("kind")
    assert Path(found.path["reference"]).name == "kick.wav" and found.why["reference"] == "the oldest"

def test_a_wav_stays_rather_than_its_padded_mp3(tmp_path):
    x, rate = sf.read(synthetic_sounds(6, 1, sample_rate=16000).save(tmp_path/"one").path[5])
    (tmp_path/"in").mkdir()
    sf.write(tmp_path/"in/z.wav", x, rate)
    sf.write(tmp_path/"in/a.mp3", np.pad(x, (3000, 5000)), rate)
    sf.write(tmp_path/"in/b quiet copy.wav", np.pad(.3*x, (3000, 5000)), rate)
    found = describe_copies(clips(tmp_path/"in").assign(set=0)).set_index("kind")
    assert Path(found.path["reference"]).name == "z.wav", "silence around a sound makes it no longer"
    two = describe_copies(clips(tmp_path/"in").iloc[[0, 2]].assign(set=0)).set_index("kind")
    assert Path(two.path["reference"]).name == "z.wav" and two.why["reference"] == "without loss"

def test_each_sound_once_can_be_clustered(folder, tmp_path, capsys):
    once = tmp_path/"once.csv"
    args = ["duplicates", str(folder[0]), "--out", str(tmp_path/"d.csv"), "--once", str(once)]
    assert main(args) == 0
    assert f"9 recordings with each sound once, 1 take among them: {once}" in capsys.readouterr().out
    table, listed = pd.read_csv(tmp_path/"d.csv"), pd.read_csv(once)
    assert list(listed) == ["path"] and listed.path.is_unique
    assert set(listed.path) & set(table.path) == set(table.path[table.kind.isin(["reference", "take"])])
    assert {str(path) for path in folder[0].rglob("*.*")} - set(table.path) < set(listed.path)
    assert len(clips(once)) == 9
    assert main(args) == 2 and "--overwrite" in capsys.readouterr().err

def test_takes_that_are_alike_in_a_chain_all_stay(tmp_path, capsys):
    rng = np.random.default_rng(0)
    wave, envelope = rng.standard_normal(16000), np.exp(-np.arange(16000)/3000)
    (tmp_path/"in").mkdir()
    for i in range(5):
        sf.write(tmp_path/f"in/{i}.wav", .2*wave*envelope, 16000)
        wave = .958*wave + np.sqrt(1 - .958**2)*rng.standard_normal(16000)
    once = tmp_path/"once.csv"
    assert main(["duplicates", str(tmp_path/"in"), "--out", str(tmp_path/"d.csv"), "--once", str(once)]) == 0
    found = pd.read_csv(tmp_path/"d.csv")
    assert len(found) == 5 and found.set.nunique() == 1 and found.similarity.min() < .95
    assert len(pd.read_csv(once)) == 5
    assert "5 recordings with each sound once, 4 takes among them" in capsys.readouterr().out

def once_of(table, tmp_path):
    "The list with each sound once, and the table of copies, of a list of recordings."
    table.to_csv(tmp_path/"list.csv", index=False)
    typed = ["duplicates", str(tmp_path/"list.csv"), "--out", str(tmp_path/"d.csv"), "--once", str(tmp_path/"once.csv"),
             "--delete-list", str(tmp_path/"delete.txt")]
    assert main([*typed, "--overwrite"]) == 0
    return pd.read_csv(tmp_path/"once.csv"), pd.read_csv(tmp_path/"d.csv")

@pytest.fixture
def long(tmp_path):
    "Two different sounds; the first again."
    sounds = synthetic_sounds(4, 1, sample_rate=16000).save(tmp_path/"sounds")
    first, second = (np.resize(sf.read(sounds.path[i])[0], 16000) for i in (0, 3))
    sf.write(tmp_path/"long.wav", np.concatenate([first, second, first]), 16000)
    return tmp_path/"long.wav"

def test_of_parts_of_a_recording_each_sound_stays_once(long, tmp_path, capsys):
    parts = pd.DataFrame(dict(path="long.wav", start=[0., 1, 2], end=[1., 2, 3]))
    once, found = once_of(parts, tmp_path)
    assert set(once.path) == {str(long)} and once[["start", "end"]].values.tolist() == [[0, 1], [1, 2]]
    assert found.kind.tolist() == ["reference", "format"], "a part is no link to another part"
    assert (tmp_path/"delete.txt").read_text() == "" and "2 clips with each sound once" in capsys.readouterr().out
    assert clips(tmp_path/"once.csv")[["start", "end"]].values.tolist() == [[0, 1], [1, 2]]

def test_the_same_part_of_a_copied_file_is_an_exact_copy_and_its_other_parts_stay(long, tmp_path):
    shutil.copy(long, tmp_path/"long copy.wav")
    parts = pd.DataFrame(dict(path=["long.wav", "long copy.wav", "long copy.wav"], start=[0., 0, 1], end=[1., 1, 2]))
    once, found = once_of(parts, tmp_path)
    names = [Path(path).name for path in once.path]
    assert [*zip(names, once.start)] == [("long.wav", 0), ("long copy.wav", 1)]
    assert set(found.kind) == {"reference", "exact"}
    shifted = parts.iloc[:2].assign(start=[0., 2], end=[1., 3])
    assert set(once_of(shifted, tmp_path)[1].kind) == {"reference", "format"}, "another part of the same bytes"

def test_channels_are_compared_each_by_itself(tmp_path):
    sounds = synthetic_sounds(4, 1, sample_rate=16000).save(tmp_path/"sounds")
    first, second = (np.resize(sf.read(sounds.path[i])[0], 16000) for i in (0, 3))
    sf.write(tmp_path/"stereo.wav", np.stack([first, second], 1), 16000)
    sf.write(tmp_path/"mono.wav", second/2, 16000)
    rows = pd.DataFrame(dict(path=["stereo.wav", "stereo.wav", "mono.wav"], channel=[1, 2, 1]))
    once, found = once_of(rows, tmp_path)
    assert [*zip(found.path.map(os.path.basename), found.channel)] == [("mono.wav", 1), ("stereo.wav", 2)]
    listed = [*zip(once.path.map(os.path.basename), once.channel)]
    assert list(once) == ["path", "channel"] and len(listed) == 2 and ("stereo.wav", 1) in listed

def test_a_link_to_a_file_that_is_not_listed_is_compared_as_a_file(tmp_path):
    sounds = synthetic_sounds(1, 1, sample_rate=16000).save(tmp_path/"one")
    x, rate = sf.read(sounds.path[0])
    (tmp_path/"in").mkdir()
    for name,wave in ("a", x), ("b", x*(1 + .15*np.sin(np.arange(len(x))/800))):
        sf.write(tmp_path/f"{name}.wav", wave, rate)
        os.symlink(tmp_path/f"{name}.wav", tmp_path/f"in/{name}.wav")
    os.symlink(tmp_path/"a.wav", tmp_path/"in/a again.wav")
    found = describe_copies(clips(tmp_path/"in").assign(set=0))
    assert sorted(found.kind) == ["link", "reference", "take"]

@pytest.mark.parametrize("option", ["--once", "--delete-list"])
def test_each_output_has_a_name_of_its_own(folder, tmp_path, option, capsys):
    out = tmp_path/"d.csv"
    assert main(["duplicates", str(folder[0]), "--out", str(out), option, f"{tmp_path}/./d.csv", "--overwrite"]) == 2
    assert "name of its own" in capsys.readouterr().err and not out.exists()

def test_a_wav_stays_rather_than_a_lossy_file_of_a_higher_rate(tmp_path):
    def tone(t): return np.sin(2*np.pi*440*t)*np.exp(-t)
    sf.write(tmp_path/"a.opus", tone(np.arange(96000)/48000), 48000, format="OGG", subtype="OPUS")
    sf.write(tmp_path/"z.wav", tone(np.arange(88200)/44100), 44100)
    os.utime(tmp_path/"a.opus", (1e9, 1e9))
    found = describe_copies(clips(tmp_path).assign(set=0)).set_index("kind")
    assert Path(found.path["reference"]).name == "z.wav" and found.why["reference"] == "without loss"

def test_encodings_without_loss():
    without = "WAV PCM_16", "FLAC PCM_24", "MATROSKA FLAC", "MATROSKA WAVPACK", "MATROSKA TTA", "APE APE", "MOV ALAC"
    lossy = "MP3 MPEG_LAYER_III", "OGG OPUS", "MOV AAC", "WAV MS_ADPCM", "MATROSKA PCM_MULAW", "MOV PCM_ALAW"
    assert [bool(_WITHOUT_LOSS.search(encoding)) for encoding in (*without, *lossy)] == [True]*7 + [False]*6

def test_names_of_copies():
    copies = "Audio 12", "final_FINAL", "bounce-3 final 2", "kick_copy", "Kopie von kick", "kick (2)", "recording_2023-11-14"
    names = "recording" + "1"*60 + "_ch", "copycat", "Track 3 drums", "beat 2"
    assert [bool(_COPY.search(stem)) for stem in (*copies, *names)] == [True]*7 + [False]*4

def left_of(waves, tmp_path, *more):
    "The names of the files that `--once` lists, of waves by name with their rates."
    (tmp_path/"in").mkdir()
    for name,(wave, rate) in waves.items():
        form = dict(opus=dict(format="OGG", subtype="OPUS")).get(name.rpartition(".")[2], {})
        sf.write(tmp_path/"in"/name, wave, rate, **form)
    once = tmp_path/"once.csv"
    assert main(["duplicates", str(tmp_path/"in"), "--out", str(tmp_path/"d.csv"), "--once", str(once), *more]) == 0
    found = pd.read_csv(tmp_path/"d.csv")
    found["name"] = found.path.map(os.path.basename)
    return {Path(path).name for path in pd.read_csv(once).path}, found.set_index("name")

def kick(i, rate=44100):
    "A kick of one machine at its setting number `i`."
    t = np.arange(rate//2)/rate
    decay, sweep, click = 6 + .1*(i % 4), 3 + .004*(i//4), .004*(i % 3)
    sweep = np.sin(2*np.pi*(50*t + sweep*(1 - np.exp(-30*t))))*np.exp(-decay*t)
    return .7*sweep + click*np.random.default_rng(0).standard_normal(len(t))*np.exp(-300*t)

def test_kicks_at_other_settings_are_takes(tmp_path):
    waves = {f"{i}.wav": (kick(i), 44100) for i in range(14)} | {"again.wav": (kick(3)/3, 44100)}
    left, found = left_of(waves, tmp_path)
    assert len(left) == 14 and found.loc[["again.wav", "3.wav"], "kind"].isin(["level", "take"]).all()
    assert (found.similarity > .99).sum() > 10

LOSSY = ("ogg", 44100), ("mp3", 44100), ("ogg", 16000), ("mp3", 16000), ("opus", 48000)

@pytest.mark.parametrize("ending, rate", LOSSY)
def test_a_file_with_loss_is_a_copy(ending, rate, tmp_path):
    t, rng = np.arange(rate)/rate, np.random.default_rng(0)
    waves = {"kick": kick(1, rate), "burst": .3*rng.standard_normal(rate)*np.exp(-8*t)}
    waves |= {str(i): wave for i,wave in enumerate(synthetic_sounds(6, 1, sample_rate=rate).waves)}
    files = {f"{name}.wav": (wave, rate) for name,wave in waves.items()}
    lossy = {f"{name} b.{ending}": (np.r_[np.zeros(700), wave], rate) for name,wave in waves.items()}
    left, found = left_of(files | lossy, tmp_path)
    assert left == set(files) and set(found.kind) <= {"reference", "format", "level"}

CALLS = dict(ultrasound=(192000, (25000, 40000, 60000, 80000)), audible=(48000, (9000, 12000, 15000, 18000)))

@pytest.mark.parametrize("rate, calls", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_calls_over_one_hum_all_stay_and_their_copies_go(rate, calls, ending, tmp_path):
    t = np.arange(rate)/rate
    hum = .3*np.sin(2*np.pi*100*t) + .002*np.random.default_rng(0).standard_normal(rate)
    waves = {f"{hz}.wav": hum + .01*np.sin(2*np.pi*hz*t)*(abs(t - .5) < .02) for hz in calls}
    files = {name: (wave, rate) for name,wave in waves.items()}
    copies = {f"{name} copy.{ending}": (np.r_[np.zeros(rate//50), wave], rate) for name,wave in waves.items()}
    left, found = left_of(files | copies, tmp_path)
    assert left == set(files) and found.set.nunique() == 1

def test_channels_decide(tmp_path):
    rng = np.random.default_rng(0)
    middle, sides = rng.standard_normal(16000)*.1, rng.standard_normal((3, 16000))*.02
    waves = {f"{i}.wav": np.c_[middle + side, middle - side] for i,side in enumerate(sides)}
    files = {name: (wave, 16000) for name,wave in waves.items()}
    left, found = left_of(files | {"a_mono.wav": (middle, 16000)}, tmp_path)
    assert left == set(files) and found.kind["a_mono.wav"] == "format"
    assert found.why[found.kind == "reference"].tolist() == ["the oldest"]

def test_the_stereo_file_stays_not_the_mono_one_before_it(tmp_path):
    wave = np.random.default_rng(0).standard_normal((16000, 2))*.1
    left, found = left_of({"a_mono.wav": (wave.mean(1), 16000), "b_stereo.wav": (wave, 16000)}, tmp_path)
    assert left == {"b_stereo.wav"} and found.why["b_stereo.wav"] == "of the most channels"

def test_a_resampled_copy_goes_and_what_a_lower_rate_lacks_stays(tmp_path):
    rate, t = 48000, np.arange(48000)/48000
    wave = .3*np.sin(2*np.pi*(200 + 2000*t)*t)*np.exp(-3*t)
    hiss = .01*np.sin(2*np.pi*17000*t)
    files = {"high.wav": wave, "hiss.wav": wave + hiss}
    low = {f"low {name}": (resample_poly(x, 1, 3), 16000) for name,x in files.items()}
    left, found = left_of({name: (x, rate) for name,x in files.items()} | low, tmp_path)
    assert left == {"high.wav", "hiss.wav"}
    folder = tmp_path/"in"
    once = tmp_path/"kept.csv"
    (tmp_path/"keep").mkdir()
    os.rename(folder/"low high.wav", tmp_path/"keep/low high.wav")
    os.symlink(tmp_path/"keep", folder/"keep")
    typed = ["duplicates", str(folder), "--out", str(tmp_path/"k.csv"), "--once", str(once)]
    typed += ["--keep", str(folder/"keep")]
    assert main(typed) == 0 and {Path(path).name for path in pd.read_csv(once).path} == {"low high.wav", "hiss.wav"}

def test_long_clips_are_compared_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "_BLOCK", 3000)
    monkeypatch.setattr(copies, "_MARGIN", 2000)
    monkeypatch.setattr(near_duplicates, "_MOST_SAMPLES", 4000)
    rng = np.random.default_rng(0)
    wave = np.sin(np.cumsum(.15 + .1*np.sin(np.arange(32000)/3000)))*np.exp(-np.arange(32000)/9000)*.1
    other = wave + 0
    other[27000:27100] += .002*rng.standard_normal(100)
    waves = {"a.wav": wave, "b.flac": np.r_[np.zeros(777), -wave/2], "c.wav": other}
    left, found = left_of({name: (wave, 16000) for name,wave in waves.items()}, tmp_path)
    assert left == {"a.wav", "c.wav"} and found.kind.to_dict() == dict(zip(waves, ["reference", "level", "take"]))
