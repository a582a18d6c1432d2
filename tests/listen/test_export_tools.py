"Playlists, instruments and tasks, read back by the rules of the programs that they are for."
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.listen import to_label_studio, to_playlists, to_sfz
from audioclust.pipeline import make_run, run_of_embeddings
from audioclust.runs import Options, Request
from audioclust.runs.names import NEW_GROUPS, write_names
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
    names = {"0": "Low / \"drum\"\n<x>", str(NEW_GROUPS): "odd"}
    write_names(at/"run", dict(names=names, clips={made.table.clip_id[0]: NEW_GROUPS}))
    return at, read_table(at/"run/clusters.csv")

def playlist(file):
    "(path, start, end) of the entries, as VLC reads them."
    entries, start, end = [], None, None
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    for line in lines[1:]:
        found = re.match(r"#EXTVLCOPT:(start|stop)-time=([\d.]+)$", line)
        if found and found[1] == "start": start = float(found[2])
        elif found: end = float(found[2])
        elif not line.startswith("#"):
            entries.append((line, start, end))
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
    assert to_playlists(at/"run", tmp_path/"few", without="odd") == 2

def test_instruments(run, tmp_path):
    at, table = run
    n, left_out = to_sfz(at/"run", tmp_path/"sfz")
    assert (n, left_out) == (3, 2), "an MP3 and a name with = are left out"
    found, keys = [], []
    for file in (tmp_path/"sfz").glob("*.sfz"):
        own = []
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("//") or not line.startswith("<region>"): continue
            opcodes = dict(re.findall(r"(\w+)=(.*?)(?=\s+\w+=|$)", line))
            assert (file.parent/opcodes["sample"]).is_file()
            own.append(int(opcodes["key"]))
            if "offset" in opcodes: found.append((int(opcodes["offset"]), int(opcodes["end"])))
        assert own == list(range(36, 36 + len(own)))
        keys += own
    assert len(keys) == len(table) - 2
    assert sorted(found) == [(i*RATE, (i + 1)*RATE - 1) for i in range(8)]

def test_more_clips_than_keys(tmp_path):
    (tmp_path/"s").mkdir()
    for i in range(100): sf.write(tmp_path/f"s/{i:03}.wav", np.zeros(800) + .1, RATE)
    clips = pd.DataFrame(dict(path=[tmp_path/f"s/{i:03}.wav" for i in range(100)], start=0., end=.1))
    run = run_of_embeddings(np.random.default_rng(0).normal(size=(100, 3)), clips, Request(n_clusters=1))
    assert to_sfz(run, tmp_path/"out") == (2, 0)
    assert (tmp_path/"out/cluster 0 part 2.sfz").read_text().count("<region>") == 8

def test_label_studio(run, tmp_path):
    at, table = run
    n, shared = to_label_studio(at/"run", tmp_path/"tasks")
    tasks = json.loads((tmp_path/"tasks/tasks.json").read_text(encoding="utf-8"))
    assert n == len(tasks) == 7 and Path(shared) == at/"sounds"
    labels = {label.get("value") for label in ET.parse(tmp_path/"tasks/labels.xml").getroot().iter("Label")}
    assert labels == {'Low / "drum" <x>', "cluster 1", "odd"}
    n_results = 0
    for task in tasks:
        prefix, _, relative = task["data"]["audio"].partition("?d=")
        assert prefix == "/data/local-files/" and (Path(shared)/unquote(relative)).is_file()
        for result in task["predictions"][0]["result"]:
            assert (result["from_name"], result["to_name"], result["type"]) == ("label", "audio", "labels")
            value = result["value"]
            assert value["labels"][0] in labels
            assert 0 <= value["start"] < value["end"] <= result["original_length"] + .01
            n_results += 1
    assert n_results == len(table)

def test_the_command(run, tmp_path, capsys):
    at, _ = run
    for to,says in ("playlist", "3 playlists"), ("sfz", "3 instruments"), ("labelstudio", "7 tasks"):
        assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/to)]) == 0
        assert says in capsys.readouterr().out
        assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/to)]) == 2
        assert "is not empty" in capsys.readouterr().err
    assert main(["export", str(at/"run"), "--to", "sfz", "--out", str(tmp_path/"x"), "--join"]) == 2
    X = np.random.default_rng(0).normal(size=(30, 3))
    run_of_embeddings(X, request=Request(n_clusters=2)).save(tmp_path/"given")
    assert main(["export", str(tmp_path/"given"), "--to", "playlist", "--out", str(tmp_path/"y")]) == 2
    assert "no sounds to hand on" in capsys.readouterr().err and not (tmp_path/"y").exists()
