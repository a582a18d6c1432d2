"Kinds of copies, and what may be deleted."
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import clips, synthetic_sounds
from audioclust.cli import main
from audioclust.listen.near_duplicates import describe_copies, duplicates, exact_copies

@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp("copies")
    table = synthetic_sounds(4, 2, sample_rate=16000).save(at/"in")
    first, second = table.path[0], table.path[3]
    x, rate = sf.read(first)
    sf.write(at/"in/a.flac", x, rate)
    sf.write(at/"in/b.wav", x/4, rate)
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
    assert sorted(Path(p).name for p in exact_copies(found)) == sorted(["y.wav", Path(folder[1]).name, Path(folder[2]).name])

def test_nothing_alike(tmp_path):
    table = synthetic_sounds(3, 1, sample_rate=16000).save(tmp_path)
    found = describe_copies(table.assign(set=-1))
    assert not len(found) and {"similarity", "gain", "kind", "why"} <= set(found) and exact_copies(found) == []

def test_the_command_lists_and_deletes_nothing(folder, tmp_path, capsys):
    before = sorted(folder[0].rglob("*"))
    args = ["duplicates", str(folder[0]), "--out", str(tmp_path/"d.csv"), "--delete-list", str(tmp_path/"d.txt")]
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
    import os
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
    for i, name in enumerate(["Audio 12.wav", "hit 1 copy.wav", "hit 2 (1).wav"]): shutil.copy(kit/f"hit {i}.wav", top/name)
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

def test_names_of_stray_files(tmp_path, tone):
    tone(tmp_path/"kit/beat 2.wav")
    for i in range(3): tone(tmp_path/f"desk/hit {i}.wav", hz=300 + 170*i)
    for name in "final_FINAL.wav", "Bounce 4.wav": shutil.copy(tmp_path/"kit/beat 2.wav", tmp_path/"desk"/name)
    table = clips(tmp_path)
    is_copy = table.path.map(lambda path: Path(path).name in ("final_FINAL.wav", "Bounce 4.wav", "beat 2.wav"))
    found = describe_copies(table.assign(set=np.where(is_copy, 0, -1))).set_index("kind")
    assert Path(found.path["reference"]).name == "beat 2.wav" and len(found) == 3

def test_each_sound_once_can_be_clustered(folder, tmp_path, capsys):
    once = tmp_path/"once.csv"
    args = ["duplicates", str(folder[0]), "--out", str(tmp_path/"d.csv"), "--once", str(once)]
    assert main(args) == 0 and f"8 recordings with each sound once: {once}" in capsys.readouterr().out
    table, kept = pd.read_csv(tmp_path/"d.csv"), pd.read_csv(once).path
    assert set(kept) & set(table.path) == set(table.path[table.kind == "reference"])
    assert {str(path) for path in folder[0].rglob("*.*")} - set(table.path) < set(kept) and kept.is_unique
    assert len(clips(once)) == 8
    assert main(args) == 2 and "--overwrite" in capsys.readouterr().err
