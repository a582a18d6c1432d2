"What a run becomes in other programs, and what is there twice."
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.audio import synthetic_sounds
from audioclust.core.files import write_table
from audioclust.listen import duplicates, listen_page
from audioclust.listen.export_tools import to_playlists
from audioclust.listen.page import _summary
from audioclust.listen.comparison import difference
from audioclust.listen.sorting import _targets, similarity_order
from audioclust.listen import sort_files
from audioclust.listen.exporting import named_clips, write_for_each
from audioclust.runs import Edits, Options, read_edits, Request, Run, write_edits
from audioclust.pipeline import make_run, run_of_embeddings
from audioclust.runs.run_folder import read_table
from audioclust.runs.seeds import read_seeds


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    at = tmp_path_factory.mktemp("exports")
    sounds = synthetic_sounds(4, 8, sample_rate=8000).save(at/"in")
    night = np.concatenate([sf.read(p)[0] for p in sounds.path[:16]])
    for name in "one/night", "two/night":
        (at/"long"/name).parent.mkdir(parents=True)
        sf.write(at/"long"/f"{name}.wav", np.stack([night, night/2], 1), 8000, subtype="PCM_24")
    make_run(at/"long", Request(n_clusters=4, window=.8)).save(at/"windows")
    make_run(at/"in", Request(n_clusters=4)).save(at/"whole")
    write_edits(at/"windows", Edits(names={0: "tab\tand\nline"}, merged={1: 0}))
    return at


def test_label_tracks_and_selection_tables(run, tmp_path, capsys):
    table = read_table(run/"windows/clusters.csv")
    assert main(["export", str(run/"windows"), "--to", "audacity", "--out", str(tmp_path/"a")]) == 0
    assert main(["export", str(run/"windows"), "--to", "raven", "--out", str(tmp_path/"r"), "--join"]) == 0
    files = sorted((tmp_path/"a").rglob("*.txt"))
    assert [p.relative_to(tmp_path/"a").as_posix() for p in files] == ["one/night.wav.txt", "two/night.wav.txt"]
    lines = [line.split("\t") for file in files for line in file.read_text().splitlines()]
    assert len(lines) == len(table) and all(len(line) == 3 and float(line[0]) < float(line[1]) for line in lines)
    assert "tab and line" in {line[2] for line in lines}
    r = pd.read_csv(tmp_path/"r/one/night.wav.selections.txt", sep="\t")
    assert list(r.columns[:5]) == ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"]
    assert (r["High Freq (Hz)"] == 4000).all() and (r["Begin File"] == "night.wav").all()
    of_one = table[table.path.str.contains("one")]
    assert len(r) < len(of_one) and r["End Time (s)"].max() == pytest.approx(of_one.end.max(), abs=1e-5)
    assert all(r.Name.to_numpy()[1:] != r.Name.to_numpy()[:-1])


def test_long_names_are_cut_and_stay_distinct(tmp_path):
    sounds = synthetic_sounds(2, 2, sample_rate=8000).save(tmp_path/"in")
    names = ["ü"*110 + end for end in ("a.wav", "b.wav")]  # 225 bytes each
    (tmp_path/"long").mkdir()
    for name,path in zip(names, sounds.path): shutil.copy(path, tmp_path/"long"/name)
    run = make_run(tmp_path/"long", Request(n_clusters=2))
    assert write_for_each(run, tmp_path/"out", lambda path, clips: path, ".txt") == 2
    files = sorted((tmp_path/"out").iterdir(), key=lambda file: file.read_text())
    assert [Path(file.read_text()).name for file in files] == names
    assert [len(os.fsencode(file.name)) for file in files] == [224, 224] and files[0].name != files[1].name


def test_tables(run, tmp_path, capsys):
    for to in "json", "csv":
        assert main(["export", str(run/"windows"), "--to", to, "--out", str(tmp_path/f"t.{to}")]) == 0
    assert len(json.loads((tmp_path/"t.json").read_text())) == len(read_table(run/"windows/clusters.csv"))
    def refused(*args): return main([*map(str, args)]) == 2 and capsys.readouterr().err
    assert "must end in" in refused("export", run/"windows", "--to", "json", "--out", tmp_path/"t.txt")
    assert "not a run folder" in refused("export", run/"in", "--to", "json", "--out", tmp_path/"new.json")
    assert "not a run folder" in refused("export", run/"in", "--to", "folders", "--out", tmp_path/"s")


def test_a_group_that_a_person_calls_cluster_3_is_not_mixed_with_cluster_3(run, tmp_path):
    shutil.copytree(run/"whole", tmp_path/"named")
    write_edits(tmp_path/"named", Edits(names={0: "cluster 3", 1: "Cluster 02"}))
    clips = named_clips(tmp_path/"named")
    apart = {0: "cluster 3", 1: "Cluster 02", 2: "unnamed cluster 2", 3: "unnamed cluster 3"}
    assert (clips.name == clips.cluster.map(apart)).all()
    sort_files(tmp_path/"named", tmp_path/"sorted")
    n = {folder.name: len(list(folder.iterdir())) for folder in (tmp_path/"sorted").iterdir()}
    assert n == clips.name.value_counts().to_dict()
    assert to_playlists(tmp_path/"named", tmp_path/"lists") == 4
    with pytest.raises(ValueError, match="no group"): named_clips(tmp_path/"named", without="cluster 2")
    assert read_seeds(tmp_path/"named", clips).names == ("Cluster 02", "cluster 3")


def test_sorted_into_folders_with_cut_clips(run, tmp_path):
    table = read_table(run/"windows/clusters.csv")
    assert main(["export", str(run/"windows"), "--to", "folders", "--out", str(tmp_path/"s")]) == 0
    files = sorted((tmp_path/"s").rglob("*.wav"))
    assert len(files) == len(table)  # though both recordings have one name
    info = sf.info(files[0])
    assert info.channels == 2 and info.subtype == "PCM_24" and info.duration == pytest.approx(.8, abs=.01)
    assert not any(c in f.name for f in files for c in '\t\n:"')


def test_folders_of_sounds_lie_elsewhere_and_links_are_in_order(run, tmp_path, capsys):
    assert sort_files(run/"whole", tmp_path/"links", flat=True, link=True) == 32
    links = sorted((tmp_path/"links").iterdir())
    assert [link.name[:2] for link in links] == [f"{i:02d}" for i in range(1, 33)]
    for out, says in (run/"in"/"there", "inside the recordings"), (tmp_path/"links", "not empty"):
        assert main(["export", str(run/"whole"), "--to", "folders", "--out", str(out)]) == 2
        assert says in capsys.readouterr().err
    assert not (run/"in"/"there").exists()


def test_the_order_is_a_permutation_with_alike_neighbours(rng):
    X, y = rng.normal(size=(300, 5)), rng.integers(-1, 4, 300)
    o = similarity_order(X, y)
    assert sorted(o) == list(range(300))
    assert len(np.flatnonzero(np.diff(y[o]))) == 4 and y[o[-1]] == -1  # a cluster at a time, noise last
    def steps(o): return np.linalg.norm(np.diff(X[o], axis=0), axis=1).mean()
    by_group = np.argsort(y, kind="stable")
    assert steps(o) < .8*steps(by_group)
    assert sorted(similarity_order(rng.normal(size=(2000, 3)), np.zeros(2000, int))) == list(range(2000))


def test_silence_is_no_duplicate(tmp_path):
    for i in range(3): sf.write(tmp_path/f"{i}.wav", np.zeros(8000), 8000)
    assert (duplicates(pd.DataFrame(dict(path=[tmp_path/f"{i}.wav" for i in range(3)], start=0., end=1.))) == -1).all()


def test_groups_are_left_out(run, tmp_path, capsys):
    folder = run/"windows"
    names = read_edits(folder)
    write_edits(folder, Edits(names={0: "wind"}, merged={}, marks={1: "junk"}))
    try:
        table = pd.read_csv(folder/"clusters.csv")
        for out, text in (("a.csv", "junk"), ("b.csv", "wind,junk"), ("c.csv", "2")):
            assert main(["export", str(folder), "--to", "csv", "--out", str(tmp_path/out), "--without", text]) == 0
            gone = {"junk": [1], "wind,junk": [0, 1], "2": [2]}[text]
            assert pd.read_csv(tmp_path/out).cluster.tolist() == [c for c in table.cluster if c not in gone]
        assert main(["export", str(folder), "--to", "audacity", "--out", str(tmp_path/"x"), "--without", "owl"]) == 2
        assert "called or marked 'owl'" in capsys.readouterr().err
    finally: write_edits(folder, names)


def test_speech_is_left_out_and_named(run, tmp_path, capsys):
    def export(to, out):
        return main(["export", str(tmp_path/"run"), "--to", to, "--out", str(tmp_path/out), "--without", "speech,1"])
    shutil.copytree(run/"windows", tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    assert export("csv", "none.csv") == 2
    assert "the encoder yamnet tells it; audioclust encoders --install" in capsys.readouterr().err
    write_table(table.assign(speech=[.9, .2, .19] + [0]*(len(table) - 3)), tmp_path/"run/clusters.csv")
    assert export("csv", "a.csv") == export("raven", "raven") == 0
    said = f"left out as speech: 2 of {len(table)} clips ({Path(table.path[0]).name})"
    assert capsys.readouterr().out.count(said) == 2
    kept = table[2:][~table.cluster[2:].isin([0, 1])] # 1 is merged into 0
    assert read_table(tmp_path/"a.csv").clip_id.tolist() == kept.clip_id.tolist()
    assert sum(len(file.read_text().splitlines()) - 1 for file in (tmp_path/"raven").rglob("*.txt")) == len(kept)
    assert export("folders", "sorted") == 0
    assert len([*(tmp_path/"sorted").rglob("*.wav")]) == len(kept) and said in capsys.readouterr().out


def test_a_group_that_is_called_speech_is_no_score(run, tmp_path, capsys):
    shutil.copytree(run/"windows", tmp_path/"run")
    (tmp_path/"names.csv").write_text("cluster,name\n2,speech\n")
    assert main(["listen", str(tmp_path/"run"), "--edits", str(tmp_path/"names.csv")]) == 0
    export = ["export", str(tmp_path/"run"), "--to", "csv", "--out", str(tmp_path/"a.csv"), "--without", "speech"]
    assert main(export) == 0 and "left out as speech" not in capsys.readouterr().out
    assert set(read_table(tmp_path/"a.csv").cluster) == set(read_table(run/"windows/clusters.csv").cluster) - {2}
    assert main(["listen", str(tmp_path/"run"), "--undo"]) == 0
    assert "names:  as they were before" in capsys.readouterr().out


def test_one_text_is_one_name_and_not_its_letters(run):
    table = named_clips(run/"windows", "1")
    assert named_clips(run/"windows", ["1"]).equals(table) and 1 not in table.cluster.tolist()
    with pytest.raises(ValueError, match="called or marked '12'"): named_clips(run/"windows", "12")


def test_parquet_comes_back_whole(tmp_path):
    "Without further installs: as a table of clips, as labels and as seeds."
    synthetic_sounds(3, 8, sample_rate=8000).save(tmp_path/"sounds")
    common = ["--n-clusters", "3", "--encoder", "fixed", "--no-page", "--stability", "0", "-q", "--no-cache"]
    assert main(["cluster", str(tmp_path/"sounds"), "--out", str(tmp_path/"run"), *common]) == 0
    assert main(["export", str(tmp_path/"run"), "--to", "parquet", "--out", str(tmp_path/"clips.parquet")]) == 0
    table, exported = read_table(tmp_path/"run/clusters.csv"), pd.read_parquet(tmp_path/"clips.parquet")
    assert (exported.cluster == table.cluster).all() and (exported.path == table.path).all()
    cluster = ["cluster", str(tmp_path/"sounds"), *common]
    assert main([*cluster, "--out", str(tmp_path/"again"), "--clips", str(tmp_path/"clips.parquet")]) == 0
    assert (read_table(tmp_path/"again/clusters.csv").cluster == table.cluster).all()
    labels = exported.cluster.map("group {}".format)
    exported[["path", "start", "end"]].assign(label=labels).to_parquet(tmp_path/"labels.parquet")
    assert main(["compare", str(tmp_path/"run"), "--labels", str(tmp_path/"labels.parquet")]) == 0
    assert Run.open(tmp_path/"run").findings.scores["nmi"] > .999
    assert main([*cluster, "--out", str(tmp_path/"seeded"), "--seeds", str(tmp_path/"labels.parquet")]) == 0
    assert (Run.open(tmp_path/"seeded").clustering.seeds.constraints.seeds >= 0).sum() == 24


@pytest.mark.parametrize("column", ["confidence", "clip_id"])
def test_a_table_that_somebody_cut_is_refused(run, tmp_path, column):
    shutil.copytree(run/"whole", tmp_path/"run")
    table = pd.read_csv(tmp_path/"run/clusters.csv").drop(columns=column)
    table.to_csv(tmp_path/"run/clusters.csv", index=False)
    for use in named_clips, listen_page, sort_files:
        with pytest.raises(ValueError, match=f"clusters.csv is damaged: it has no column {column}; make the run again"):
            use(tmp_path/"run", *([tmp_path/"out"] if use is sort_files else []))


@pytest.mark.parametrize("to, more, says", [("sfz", ["--overwrite"], "--overwrite is for audacity, raven"),
    ("folders", ["--level", "fine"], "--level is for audacity, raven"),
    ("csv", ["--flat"], "--flat is for folders: leave it out"), ("raven", ["--by", "site"], "--by is for counts"),
    ("sfz", ["--seed", "0"], "--seed is for kit"), ("counts", ["--join"], "leave it out with --to counts")])
def test_options_of_other_formats_are_refused(tmp_path, capsys, to, more, says):
    assert main(["export", str(tmp_path), "--to", to, "--out", str(tmp_path/"x"), *more]) == 2
    assert says in capsys.readouterr().err


@pytest.fixture
def sixty(tmp_path):
    "A run of four clusters of 15 clips that are no files, and what is left where edits are made and groups left out."
    X = np.repeat(np.eye(4), 15, 0) + np.random.default_rng(0).normal(scale=.01, size=(60, 4))
    clips = pd.DataFrame(dict(path=[f"/sounds/{i:03d}.wav" for i in range(60)], start=0., end=1.))
    run = run_of_embeddings(X, clips, Request("kmeans", 4, options=Options(stability=0))).save(tmp_path/"run")
    def left(edits, *without):
        write_edits(tmp_path/"run", Edits(**edits))
        return named_clips(tmp_path/"run", without).name.value_counts().to_dict()
    return run, left

def test_groups_that_are_left_out_are_those_of_the_person(sixty):
    run, left = sixty
    ids = run.table.clip_id[run.table.cluster == 0].tolist()
    to_wren = dict(names={1: "wren"}, clips=dict.fromkeys(ids[:6], 1))
    assert left(to_wren, "0") == {"cluster 2": 15, "cluster 3": 15, "wren": 21}
    assert left(to_wren, "1") == left(to_wren, "wren") == {"cluster 0": 9, "cluster 2": 15, "cluster 3": 15}
    merged = dict(names={0: "both"}, merged={3: 0})
    for number in "0", "3": assert left(merged, number) == {"cluster 1": 15, "cluster 2": 15}
    digits = dict(names={0: "3", 1: "0", 2: "1", 3: "2"})
    assert left(digits, "3") == {"0": 15, "1": 15, "2": 15}, "the name comes before the number"

def test_nothing_can_be_a_name(sixty, tmp_path):
    run, left = sixty
    names = dict(names={3: "nothing", 2: "Turdus: song", 1: "Turdus? song"})
    assert sum(left(names).values()) == 60 and sum(left(names, "nothing").values()) == 45
    assert "60 s of sound, 4 clusters by content, 3 names" in _summary(Run.open(tmp_path/"run"))
    assert (difference(run, tmp_path/"run").table.change == "").sum() == 60
    folders = [path.parent.name for path in _targets(named_clips(tmp_path/"run").assign(whole=True), tmp_path, False)]
    assert sorted(Counter(folders).values()) == [15]*4, "two groups never share a folder"
