"Playlists, read back by the rules of the programs that they are for."
import ntpath
import os
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote_to_bytes, urljoin, urlparse

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.listen import to_playlists
from audioclust.listen.formats import folders
from audioclust.pipeline import make_run, run_of_embeddings
from audioclust.runs import Options, Request, write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS
from audioclust.runs.run_folder import read_table

RATE = 8000

@pytest.fixture(scope="module")
def run(tmp_path_factory):
    at, rng = tmp_path_factory.mktemp("hand"), np.random.default_rng(0)
    (at/"sounds/a b").mkdir(parents=True)
    def tone(hz, seconds): return .3*np.sin(2*np.pi*hz*rng.normal(1, .01)*np.arange(int(seconds*RATE))/RATE)
    sf.write(at/"sounds/a b/long é.wav", np.concatenate([tone(500 if i % 2 else 2000, 1) for i in range(8)]), RATE)
    for i in range(4): sf.write(at/f"sounds/{i}.flac", tone(500, 1), RATE)
    sf.write(at/"sounds/x=1.wav", tone(2000, 1), RATE)
    sf.write(at/"sounds/old.mp3", tone(2000, 1), RATE)
    request = Request(n_clusters=2, ignore="level", window=1., options=Options(stability=0))
    made = make_run(at/"sounds", request).save(at/"run")
    names = {0: "Low / \"drum\"\n<x>", NEW_GROUPS: "odd"}
    write_edits(at/"run", Edits(names=names, clips={made.table.clip_id[0]: NEW_GROUPS}))
    return at, read_table(at/"run/clusters.csv")

def as_vlc_does(line, folder):
    "The file of an entry: VLC takes it for a part of a URL, whose blanks and letters may be unquoted."
    url = urljoin(f"{folder.resolve().as_uri()}/", quote(line, safe="%/:#?", errors="strict"))
    assert urlparse(url).scheme == "file" and not urlparse(url).fragment
    return Path(os.fsdecode(unquote_to_bytes(urlparse(url).path)))

def as_others_do(line, folder):
    "The file of an entry: other players take what is no URL for a path."
    if line.startswith("file://"): return Path(os.fsdecode(unquote_to_bytes(urlparse(line).path)))
    return Path(os.path.join(folder, line))

def playlist(file):
    "(path, start, end) of the entries."
    entries, start, end = [], None, None
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    for line in lines[1:]:
        found = re.match(r"#EXTVLCOPT:(start|stop)-time=([\d.]+)$", line)
        if found and found[1] == "start": start = float(found[2])
        elif found: end = float(found[2])
        elif not line.startswith("#"):
            path = as_vlc_does(line, file.parent)
            assert os.path.samefile(path, as_others_do(line.strip(), file.parent)), line
            entries.append((str(path), start, end))
            start = end = None
    return entries

def test_playlists(run, tmp_path):
    at, table = run
    assert to_playlists(at/"run", tmp_path/"lists") == 3
    files = sorted((tmp_path/"lists").glob("*.m3u8"))
    assert [f.name for f in files] == ["Low _ _drum_x_.m3u8", "cluster 1.m3u8", "odd.m3u8"]
    entries = [e for f in files for e in playlist(f)]
    assert len(entries) == len(table) and all(Path(path).is_file() for path,*_ in entries)
    parts = {(start, end) for path,start,end in entries if "long" in path}
    assert parts == {(float(i), float(i) + 1) for i in range(8)}
    assert all(start is None for path,start,_ in entries if "long" not in path)
    lines = [line for f in files for line in f.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(line.startswith("../") for line in lines), "lists move with their sounds"
    assert to_playlists(at/"run", tmp_path/"few", without="odd") == 2

@pytest.fixture
def odd_names(tmp_path):
    "Five files with names that a list of files could get wrong."
    names = ["# 1.wav", "C#  100%.wav", " blank .wav", "a: ночь?.wav", "line\nbreak.wav"]
    (tmp_path/"in").mkdir()
    for i,name in enumerate(names): sf.write(os.fsencode(tmp_path/"in"/name), np.full(80, i/10), RATE)
    clips = pd.DataFrame(dict(path=[str(tmp_path/"in"/name) for name in names], start=0., end=.01))
    return run_of_embeddings(np.random.default_rng(0).normal(size=(5, 3)), clips, Request(n_clusters=1))

def test_odd_names_in_playlists(odd_names, tmp_path):
    to_playlists(odd_names, tmp_path/"in/lists")
    (file,) = (tmp_path/"in/lists").glob("*.m3u8")
    found = {Path(path) for path,*_ in playlist(file)}
    assert found == {Path(path) for path in odd_names.table.path}

def test_a_list_that_is_reached_by_a_link(odd_names, tmp_path):
    (tmp_path/"deep/er").mkdir(parents=True)
    (tmp_path/"link").symlink_to(tmp_path/"deep/er")
    to_playlists(odd_names, tmp_path/"link/lists")
    assert len(playlist(tmp_path/"deep/er/lists/cluster 0.m3u8")) == 5

def test_another_drive(monkeypatch):
    monkeypatch.setattr(folders, "os", SimpleNamespace(path=ntpath, sep="\\"))
    monkeypatch.setattr(ntpath, "realpath", ntpath.abspath)
    assert folders.path_from("C:\\lists", "D:\\été\\a.wav") == "D:/été/a.wav"
    assert folders.path_from("C:\\lists\\x", "C:\\été\\a.wav") == "../../été/a.wav"

def test_the_command(run, tmp_path, capsys):
    at, _ = run
    for to,says in ("playlist", "3 playlists"), ("sfz", "3 instruments"):
        assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/to)]) == 0
        assert says in capsys.readouterr().out
        assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/to)]) == 2
        assert "is not empty" in capsys.readouterr().err
    assert main(["export", str(at/"run"), "--to", "sfz", "--out", str(tmp_path/"x"), "--join"]) == 2
    X = np.random.default_rng(0).normal(size=(30, 3))
    run_of_embeddings(X, request=Request(n_clusters=2)).save(tmp_path/"given")
    assert main(["export", str(tmp_path/"given"), "--to", "playlist", "--out", str(tmp_path/"y")]) == 2
    assert "no sounds to hand on" in capsys.readouterr().err and not (tmp_path/"y").exists()
