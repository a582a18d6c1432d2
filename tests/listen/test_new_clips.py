"What `assign` finds goes to other programs: each format is read again by a reader that is not ours."
import csv
import json
import re

import numpy as np
import pandas as pd
import pytest

from audioclust.audio.annotation_tables import clips_of_tables
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import Options, Request, make_run
from audioclust.runs.names import write_names


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    "A run of one night, whose first group has a name, and the clips of two later recordings as a table."
    import soundfile as sf
    folder = tmp_path_factory.mktemp("assigned")
    rng = np.random.default_rng(0)
    for name,seconds in ("first/night", 9), ("later/dawn", 6), ("later/wood/dusk", 4):
        tones = [np.sin(2*np.pi*hz*np.arange(8000)/8000) for hz in [300, 2500, *rng.choice([300, 2500], seconds - 2)]]
        (folder/name).parent.mkdir(exist_ok=True, parents=True)
        sf.write(folder/f"{name}.wav", .3*np.concatenate(tones) + .02*rng.standard_normal(8000*seconds), 8000)
    made = make_run(folder/"first", Request(n_clusters=2, window=1., encoder="fixed", options=Options(stability=0)))
    made.save(folder/"run")
    write_names(folder/"run", {"names": {"0": 'wren "small" <brown>'}, "marks": {"1": "junk"}})
    assert assign(folder, "--out", folder/"new.csv") == 0
    return folder


def assign(folder, *more): return main([str(word) for word in ("assign", folder/"run", folder/"later", "-q", *more)])


def clips(at):
    "(name of the recording, start, end, name of the group) of each clip, as the CSV of `assign` says it."
    table = pd.read_csv(at/"new.csv").sort_values(["path", "start"])
    return [(row.path.rsplit("/", 1)[1], row.start, row.end, row.name) for row in table.itertuples(index=False)]


def praat(file):
    textgrid = pytest.importorskip("praatio.textgrid")
    grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=False)
    return [(entry.start, entry.end, entry.label) for tier in grid.tiers for entry in tier.entries]

def elan(file):
    document = pytest.importorskip("pympi").Eaf(str(file))
    return [(start/1000, end/1000, text) for tier in document.get_tier_names()
            for start,end,text in document.get_annotation_data_for_tier(tier)]

def audacity(file):
    return [(float(start), float(end), name) for start,end,name in csv.reader(open(file), delimiter="\t", quoting=csv.QUOTE_NONE)]

def raven(file):
    rows = csv.DictReader(open(file), delimiter="\t")
    return [(float(row["Begin Time (s)"]), float(row["End Time (s)"]), row["Name"]) for row in rows]


READERS = dict(textgrid=(praat, ".TextGrid"), elan=(elan, ".eaf"), audacity=(audacity, ".txt"), raven=(raven, ".selections.txt"))

@pytest.mark.parametrize("to", READERS)
def test_labels_of_new_recordings(at, tmp_path, to, capsys):
    read, ending = READERS[to]
    if to in ("textgrid", "elan"): pytest.importorskip(dict(textgrid="praatio", elan="pympi")[to])
    assert assign(at, "--to", to, "--out", tmp_path/"out") == 0
    assert f"2 files in {tmp_path/'out'}, one for each recording" in capsys.readouterr().out
    files = {"dawn.wav": tmp_path/"out"/f"dawn.wav{ending}", "dusk.wav": tmp_path/"out"/"wood"/f"dusk.wav{ending}"}
    found = [(recording, *clip) for recording,file in files.items() for clip in sorted(read(file))]
    assert [(recording, round(start, 3), round(end, 3), name) for recording,start,end,name in found] == clips(at)


def test_tables_of_new_recordings(at, tmp_path):
    for ending, read in (".csv", pd.read_csv), (".json", pd.read_json), (".parquet", pd.read_parquet):
        assert assign(at, "--to", ending[1:], "--out", tmp_path/f"new{ending}") == 0
        table = read(tmp_path/f"new{ending}").sort_values(["path", "start"])
        assert [(path.rsplit("/", 1)[1], *row) for path,*row in table[["path", "start", "end", "name"]].values.tolist()] == clips(at)
        reference = pd.read_csv(at/"new.csv").sort_values(["path", "start"])
        for column in "cluster", "confidence", "strangeness": np.testing.assert_allclose(table[column], reference[column], atol=1e-4)


def test_playlists_instruments_and_tasks_of_new_recordings(at, tmp_path):
    for to in "playlist", "sfz", "labelstudio": assert assign(at, "--to", to, "--out", tmp_path/to) == 0
    names = {name for *_,name in clips(at)}
    lists = sorted((tmp_path/"playlist").glob("*.m3u8"))
    assert {re.search("#PLAYLIST:(.*)", file.read_text())[1] for file in lists} == names
    assert sum(file.read_text().count("start-time") for file in lists) >= len(clips(at)) - 2 # but where a file begins
    assert sum(file.read_text().count("<region>") for file in (tmp_path/"sfz").glob("*.sfz")) == len(clips(at))
    tasks = json.loads((tmp_path/"labelstudio"/"tasks.json").read_text())
    values = [result["value"] for task in tasks for result in task["predictions"][0]["result"]]
    assert sorted((v["start"], v["end"], v["labels"][0]) for v in values) == sorted(clip[1:] for clip in clips(at))


def test_options_of_export_are_those_of_assign(at, tmp_path, capsys):
    assert assign(at, "--to", "audacity", "--out", tmp_path/"kept", "--without", "junk", "--join") == 0
    kept = audacity(tmp_path/"kept"/"dawn.wav.txt")
    assert {name for *_,name in kept} == {'wren "small" <brown>'}
    alone = [clip for clip in clips(at) if clip[0] == "dawn.wav" and clip[3].startswith("wren")]
    assert sum(end - start for start,end,_ in kept) == len(alone) >= len(kept)
    assert assign(at, "--to", "raven", "--out", tmp_path/"none", "--none-beyond", 1e-9) == 0
    assert {name for *_,name in raven(tmp_path/"none"/"dawn.wav.selections.txt")} == {"none of these"}
    capsys.readouterr()
    assert assign(at, "--to", "raven", "--out", tmp_path/"x", "--level", "fine") == 2
    assert "has no level fine: it has none" in capsys.readouterr().err
    assert assign(at, "--to", "csv", "--out", at/"new.csv") == 2
    assert "is there already" in capsys.readouterr().err


def test_a_detector_goes_to_another_program(at, tmp_path):
    assert assign(at, "--to", "raven", "--out", tmp_path/"out", "--only", 1, "--at-least", .2) == 0
    rows = raven(tmp_path/"out"/"dawn.wav.selections.txt")
    table = pd.read_csv(at/"new.csv")
    wanted = table[table.path.str.endswith("dawn.wav") & (table.cluster == 1) & (table.confidence >= .2)]
    assert rows == list(zip(wanted.start, wanted.end, wanted.name)) and len(rows) > 0


def test_sequences_for_crowsetta(at, tmp_path):
    assert assign(at, "--to", "crowsetta", "--out", tmp_path/"new.csv") == 0
    rows = list(csv.DictReader(open(tmp_path/"new.csv")))
    assert list(rows[0]) == "label onset_s offset_s notated_path annot_path sequence annotation".split() # it takes no others
    assert [(row["notated_path"].rsplit("/", 1)[1], float(row["onset_s"]), float(row["offset_s"]), row["label"]) for row in rows] == clips(at)
    assert [row["annotation"] for row in rows] == ["0"]*6 + ["1"]*4 and {row["annot_path"] for row in rows} == {str(tmp_path/"new.csv")}
    assert all("." in row["onset_s"] for row in rows) # numbers without a point would be refused


def test_crowsetta_reads_them_and_its_own_are_read(at, tmp_path):
    crowsetta = pytest.importorskip("crowsetta")
    assert assign(at, "--to", "crowsetta", "--out", tmp_path/"new.csv") == 0
    annotations = crowsetta.formats.seq.GenericSeq.from_file(tmp_path/"new.csv").to_annot()
    found = [(str(one.notated_path).rsplit("/", 1)[1], segment.onset_s, segment.offset_s, segment.label)
             for one in annotations for segment in one.seq.segments]
    assert found == clips(at)
    crowsetta.formats.seq.GenericSeq(annots=annotations[:1]).to_file(tmp_path/"theirs.csv")
    again = clips_of_tables(tmp_path/"theirs.csv", at/"later")
    assert list(zip(again.start, again.end, again.label)) == [clip[1:] for clip in clips(at) if clip[0] == "dawn.wav"]


def test_maps_that_copy_take_new_sounds_of_another_folder(tmp_path):
    run = make_run(synthetic_words(2, 2, 4).save(tmp_path/"words").path.tolist(), Request(n_clusters=2)).save(tmp_path/"run")
    synthetic_words(2, 2, 4, random_state=1).save(tmp_path/"new")
    assert main(["assign", str(tmp_path/"run"), str(tmp_path/"new"), "--to", "hydrogen", "--out", str(tmp_path/"kits"), "-q"]) == 0
    assert len(list((tmp_path/"kits").rglob("drumkit.xml"))) == 2


def test_a_detector_that_finds_nothing_says_so(at, tmp_path, capsys):
    nothing = ["--only", "1", "--at-least", "1"]
    assert assign(at, *nothing, "--to", "raven", "--out", tmp_path/"out") == 0
    assert "warning: no clip is called 1 with a confidence of at least 1: there is nothing to write for raven" in capsys.readouterr().err
    assert not (tmp_path/"out").exists()
    assert assign(at, *nothing, "--out", tmp_path/"out.csv") == 0
    assert "there is nothing to write" in capsys.readouterr().err and len(pd.read_csv(tmp_path/"out.csv")) == 0

@pytest.mark.parametrize("to, out", [("raven", "full"), ("audacity", "full"), ("json", "a.json"), ("playlist", "full"), ("csv", "a.csv")])
def test_a_place_that_is_taken_is_refused_before_the_work(at, tmp_path, monkeypatch, capsys, to, out):
    (tmp_path/"full"/"wood").mkdir(parents=True)
    for file in "full/wood/dusk.wav.selections.txt", "full/dawn.wav.txt", "a.json", "a.csv": (tmp_path/file).write_text("mine")
    monkeypatch.setattr("audioclust.pipeline.assign", lambda *_: pytest.fail("the clips were assigned"))
    assert assign(at, "--to", to, "--out", tmp_path/out) == 2
    assert re.search("is there already: choose another|is not empty: say a new folder", capsys.readouterr().err)

def test_a_csv_is_not_called_otherwise(at, tmp_path, capsys):
    assert assign(at, "--out", tmp_path/"new.parquet") == 2
    assert "would hold a CSV: say --to parquet as well, or let the name end in .csv" in capsys.readouterr().err
    for command in "count", "score", "diff":
        with pytest.raises(SystemExit): main([command, *[str(at/"run")]*(2 if command == "diff" else 1), "--out", "x.parquet"])
        assert "'x.parquet' would hold a CSV: let the name end in .csv" in capsys.readouterr().err

def test_where_all_is_left_out_nothing_is_exported(at, tmp_path, capsys):
    assert main(["export", str(at/"run"), "--to", "raven", "--out", str(tmp_path/"out"), "--without", "0,1"]) == 2
    assert "no clip is left to write" in capsys.readouterr().err and not (tmp_path/"out").exists()
