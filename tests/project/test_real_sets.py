"Published sets laid out from clones: traps of the real repositories, in small ones that are made here."
import errno
import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audioclust.audio.datasets import real_set, REAL_SETS

root = Path(__file__).parents[2]
if not (root/"benchmarks/real_sets.py").is_file() or shutil.which("git") is None:
    pytest.skip("needs a checkout, and git", allow_module_level=True)
GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]


def git(folder, *words): return subprocess.run([*GIT, *words], cwd=folder, capture_output=True, text=True, check=True)

def sound(seed=0, n=1600, rate=16000, silent=False, form="WAV"):
    "A file of a short sound, as bytes."
    wave = np.zeros(n) if silent else np.random.default_rng(seed).uniform(-.5, .5, n)
    out = io.BytesIO()
    sf.write(out, wave, rate, format=form)
    return out.getvalue()

@pytest.fixture
def real_sets(monkeypatch, tmp_path):
    "The script, with a table of its own."
    monkeypatch.syspath_prepend(str(root/"benchmarks"))
    import real_sets
    monkeypatch.setattr(real_sets, "TABLE", tmp_path/"table.csv")
    return real_sets

@pytest.fixture
def clone(monkeypatch, tmp_path):
    "Makes a repository of a set; the set then asks for its commit."
    def make(name, files, at="clones"):
        folder = tmp_path/at/name
        folder.mkdir(parents=True)
        git(folder, "init", "-q")
        for path,content in files.items():
            (folder/path).parent.mkdir(parents=True, exist_ok=True)
            (folder/path).write_bytes(content)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "sounds")
        commit = git(folder, "rev-parse", "HEAD").stdout.strip()
        monkeypatch.setitem(REAL_SETS, name, replace(REAL_SETS[name], commit=commit))
        return folder
    return make

def run(real_sets, monkeypatch, tmp_path, *words):
    "Its exit status."
    monkeypatch.setattr(sys, "argv", ["real_sets.py", str(tmp_path/"clones"), str(tmp_path/"out"), *words])
    with pytest.raises(SystemExit) as ended: real_sets.main()
    return int(ended.value.code)

def files_of(folder): return {p.relative_to(folder).as_posix(): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}

DIRT = {f"bd/{i}.wav": sound(i) for i in range(9)}


def test_pieces_are_joined_in_order(real_sets, clone, monkeypatch, tmp_path):
    at = "Binary_Drone_Audio/unknown/1-17-A-6{}.wav"
    pieces = {at.format(piece): sound(piece) for piece in (2, 0, 1)}
    clone("esc40", pieces | {at.format("0_7"): sound(9), "Binary_Drone_Audio/unknown/1-18-A-0.wav": sound(8)})
    assert run(real_sets, monkeypatch, tmp_path, "esc40", "--record") == 0
    wave = sf.read(tmp_path/"out/esc40/hen/17__1-17-A-6.wav", dtype="int16")[0]
    parts = [sf.read(io.BytesIO(pieces[at.format(piece)]), dtype="int16")[0] for piece in range(3)]
    assert wave.tolist() == np.concatenate(parts).tolist()
    assert real_set("esc40", tmp_path/"out/esc40").label.tolist() == ["hen"] # the piece of a dog is of ESC-10


def test_unreadable_files_and_copies_are_left_out_and_silence_stays(real_sets, clone, monkeypatch, tmp_path, capsys):
    flac = sound(3, form="FLAC")
    at = "audio/banjo/banjo_C4_long_forte_{}normal.mp3"
    notes = {at.format(""): b"\0\0\0\x20ftypM4A " + b"\0"*2000} # an m4a that is called mp3
    clone("philharmonia", notes | {"audio/banjo/banjo_C4_long_piano_normal.mp3": sound(1, form="MP3", rate=44100)})
    words = {"audio/alexa/1.flac": flac, "audio/alexa/2.flac": flac[:60] + b"\xff"*200, "audio/alexa/3.flac": flac,
             "audio/alexa/4.wav": sound(silent=True), "audio/alexa/5.wav": b"", "audio/jarvis": b"a file like a folder"}
    clone("wakewords", words)
    assert run(real_sets, monkeypatch, tmp_path, "philharmonia", "wakewords", "--record") == 0
    said = capsys.readouterr().out
    assert "philharmonia: 1 clips, 1 unreadable" in said and "wakewords: 2 clips, 1 copies, 2 unreadable" in said
    assert sorted(files_of(tmp_path/"out/wakewords")) == ["alexa/unknown__1.flac", "alexa/unknown__4.wav"]


def test_a_second_run_changes_nothing_and_a_difference_is_said(real_sets, clone, monkeypatch, tmp_path, capsys):
    clone("dirt", DIRT | {"sd/1.wav": sound(50)}) # of sd there are too few
    assert run(real_sets, monkeypatch, tmp_path, "dirt", "--record") == 0
    before = files_of(tmp_path/"out")
    assert len(before) == 9
    assert run(real_sets, monkeypatch, tmp_path, "dirt") == 0 and files_of(tmp_path/"out") == before
    next((tmp_path/"out/dirt/bd").iterdir()).unlink()
    assert run(real_sets, monkeypatch, tmp_path, "dirt") == 1
    assert "clips 8 and not 9" in capsys.readouterr().out


def test_a_bare_clone_serves(real_sets, clone, monkeypatch, tmp_path):
    folder = clone("dirt", DIRT, at="elsewhere")
    subprocess.run(["git", "clone", "-q", "--bare", str(folder), str(tmp_path/"clones/Dirt-Samples.git")], check=True)
    assert run(real_sets, monkeypatch, tmp_path, "dirt", "--record") == 0


def refused(real_sets, monkeypatch, tmp_path, capsys):
    "What is said of a set of which nothing is laid out."
    assert run(real_sets, monkeypatch, tmp_path, "dirt") == 1
    out = tmp_path/"out"
    assert not out.exists() or not any(out.iterdir())
    said = [line for line in capsys.readouterr().out.splitlines() if "; cloning" not in line]
    assert len(said) == 1
    return said[0]


def test_another_commit_is_refused(real_sets, clone, monkeypatch, tmp_path, capsys):
    clone("dirt", DIRT)
    monkeypatch.setitem(REAL_SETS, "dirt", replace(REAL_SETS["dirt"], commit="0"*40))
    assert "git fetch origin 0000" in refused(real_sets, monkeypatch, tmp_path, capsys)


def test_a_shallow_clone_is_refused(real_sets, clone, monkeypatch, tmp_path, capsys):
    folder = clone("dirt", DIRT, at="elsewhere")
    (folder/"more.txt").write_text("later")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "later")
    (tmp_path/"clones").mkdir()
    url = (folder).as_uri()
    subprocess.run(["git", "clone", "-q", "--depth", "1", url, str(tmp_path/"clones/dirt")], check=True)
    assert "--unshallow" in refused(real_sets, monkeypatch, tmp_path, capsys)


def test_pointers_of_git_lfs_are_refused(real_sets, clone, monkeypatch, tmp_path, capsys):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 1\n"
    clone("dirt", {f"bd/{i}.wav": pointer%i for i in range(9)})
    assert "git lfs fetch" in refused(real_sets, monkeypatch, tmp_path, capsys)


def test_a_full_disk_leaves_nothing_half_laid_out(real_sets, clone, monkeypatch, tmp_path, capsys):
    clone("dirt", DIRT)
    written = []
    def write(self, content):
        if len(written) == 5: raise OSError(errno.ENOSPC, "No space left on device")
        written.append(self)
        with open(self, "wb") as f: return f.write(content)
    monkeypatch.setattr(Path, "write_bytes", write)
    assert "no space is left" in refused(real_sets, monkeypatch, tmp_path, capsys)


def test_no_clone_and_no_network(real_sets, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(REAL_SETS, "dirt", replace(REAL_SETS["dirt"], repository="nobody/nothing"))
    monkeypatch.setattr(type(REAL_SETS["dirt"]), "url", property(lambda self: (tmp_path/"none").as_uri()))
    assert "cannot be cloned" in refused(real_sets, monkeypatch, tmp_path, capsys)
