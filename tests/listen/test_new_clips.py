"What `assign` finds goes to other programs: each format is read again by a reader that is not ours."
import argparse
import csv
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from audioclust.audio.annotation_tables import clips_of_tables
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.cli.arguments import csv_file
from audioclust.core.registry import EXPORTS
from audioclust.listen.exporting import named_clips
from audioclust.listen.formats.folders import Export, files_for_each, new_folder, write_text
from audioclust.pipeline import Options, Request, make_run
from audioclust.runs import Edits, NOT_OF_INTEREST, write_edits
from audioclust.runs.run import Run


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
    write_edits(folder/"run", Edits(names={0: 'wren "small" <brown>'}, marks={1: "junk"}))
    assert assign(folder, "--out", folder/"new.csv") == 0
    return folder


def command(*words): return main([str(word) for word in (*words, "-q")])
def assign(folder, *more): return command("assign", folder/"run", folder/"later", *more)


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


@pytest.mark.parametrize("named", [{}, {100_000: "owl"}], ids=["without a name", "named"])
def test_a_group_made_by_hand_has_the_same_number_everywhere(at, tmp_path, named):
    shutil.copytree(at/"run", tmp_path/"run")
    run = Run.open(tmp_path/"run")
    mine = run.table.clip_id[run.table.cluster == 1].tolist()
    write_edits(tmp_path/"run", Edits(names=named, clips=dict.fromkeys(mine, 100_000)))
    assert command("assign", tmp_path/"run", at/"later", "--out", tmp_path/"new.csv") == 0
    assert command("assign", tmp_path/"run", at/"later", "--to", "raven", "--out", tmp_path/"raven") == 0
    own, new = (set(zip(table.cluster, table.name)) for table in (pd.read_csv(tmp_path/file) for file in ("run/clusters.csv", "new.csv")))
    tables = [pd.read_csv(file, sep="\t") for file in (tmp_path/"raven").rglob("*.txt")]
    in_raven = {pair for table in tables for pair in zip(table.Cluster, table.Name)}
    assert own == new == in_raven == {(0, "cluster 0"), (1, named.get(100_000, "new group 1"))}


def test_tables_of_new_recordings(at, tmp_path):
    for ending, read in (".csv", pd.read_csv), (".json", pd.read_json), (".parquet", pd.read_parquet):
        assert assign(at, "--to", ending[1:], "--out", tmp_path/f"new{ending}") == 0
        table = read(tmp_path/f"new{ending}").sort_values(["path", "start"])
        assert [(path.rsplit("/", 1)[1], *row) for path,*row in table[["path", "start", "end", "name"]].values.tolist()] == clips(at)
        reference = pd.read_csv(at/"new.csv").sort_values(["path", "start"])
        for column in "cluster", "confidence", "strangeness":
            np.testing.assert_allclose(table[column], reference[column], atol=1e-4)


def test_playlists_and_instruments_of_new_recordings(at, tmp_path):
    for to in "playlist", "sfz": assert assign(at, "--to", to, "--out", tmp_path/to) == 0
    names = {name for *_,name in clips(at)}
    lists = sorted((tmp_path/"playlist").glob("*.m3u8"))
    assert {re.search("#PLAYLIST:(.*)", file.read_text())[1] for file in lists} == names
    assert sum(file.read_text().count("start-time") for file in lists) >= len(clips(at)) - 2 # but where a file begins
    assert sum(file.read_text().count("<region>") for file in (tmp_path/"sfz").glob("*.sfz")) == len(clips(at))


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


def test_crowsetta_reads_our_sequences_and_we_read_its_own(at, tmp_path):
    assert assign(at, "--to", "crowsetta", "--out", tmp_path/"new.csv") == 0
    rows = list(csv.DictReader(open(tmp_path/"new.csv")))
    # it takes no others
    assert list(rows[0]) == "label onset_s offset_s notated_path annot_path sequence annotation".split()
    assert [(row["notated_path"].rsplit("/", 1)[1], float(row["onset_s"]), float(row["offset_s"]), row["label"]) for row in rows] == clips(at)
    assert [row["annotation"] for row in rows] == ["0"]*6 + ["1"]*4
    assert {row["annot_path"] for row in rows} == {str(tmp_path/"new.csv")}
    assert all("." in row["onset_s"] for row in rows) # numbers without a point would be refused
    crowsetta = pytest.importorskip("crowsetta")
    annotations = crowsetta.formats.seq.GenericSeq.from_file(tmp_path/"new.csv").to_annot()
    found = [(str(one.notated_path).rsplit("/", 1)[1], segment.onset_s, segment.offset_s, segment.label)
             for one in annotations for segment in one.seq.segments]
    assert found == clips(at)
    crowsetta.formats.seq.GenericSeq(annots=annotations[:1]).to_file(tmp_path/"theirs.csv")
    again = clips_of_tables(tmp_path/"theirs.csv", at/"later")
    assert list(zip(again.start, again.end, again.label)) == [clip[1:] for clip in clips(at) if clip[0] == "dawn.wav"]


def test_maps_that_copy_take_new_sounds_of_another_folder(tmp_path):
    make_run(synthetic_words(2, 2, 4).save(tmp_path/"words").path.tolist(), Request(n_clusters=2)).save(tmp_path/"run")
    synthetic_words(2, 2, 4, random_state=1).save(tmp_path/"new")
    assert main(["assign", str(tmp_path/"run"), str(tmp_path/"new"), "--to", "hydrogen", "--out", str(tmp_path/"kits"), "-q"]) == 0
    assert len(list((tmp_path/"kits").rglob("drumkit.xml"))) == 2


def test_a_detector_that_finds_nothing_says_so(at, tmp_path, capsys):
    nothing = ["--only", "1", "--at-least", "1"]
    no_clip = "warning: no clip is called 1 with a confidence of at least 1: "
    assert assign(at, *nothing, "--to", "raven", "--out", tmp_path/"out") == 0
    assert f"{no_clip}nothing is written for raven\n" in capsys.readouterr().err
    assert not (tmp_path/"out").exists()
    assert assign(at, *nothing, "--out", tmp_path/"out.csv") == 0
    assert f"{no_clip}{tmp_path/'out.csv'} has no rows\n" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path/"out.csv")) == 0

def test_no_row_of_yesterday_stays_in_a_table_but_labels_do_and_the_warning_says_so(at, tmp_path, capsys):
    out, labels = tmp_path/"new.csv", tmp_path/"labels"
    assert assign(at, "--to", "csv", "--out", out) == assign(at, "--to", "raven", "--out", labels) == 0
    assert len(pd.read_csv(out)) > 0
    for nothing, why in (["--only", "1", "--at-least", "1"], "is called 1 with"), (["--only", "1", "--without", "1"], "is left:"):
        assert assign(at, "--to", "csv", "--out", out, "--overwrite", *nothing) == 0
        said = capsys.readouterr()
        assert f"no clip {why}" in said.err and f"{out} has no rows" in said.err
        assert f"0 rows in {out}" in said.out and len(pd.read_csv(out)) == 0
        assert assign(at, "--to", "raven", "--out", labels, "--overwrite", *nothing) == 0
        assert f"nothing is written for raven, and {labels} stays as it is" in capsys.readouterr().err
        assert raven(labels/"dawn.wav.selections.txt")

@pytest.fixture
def idle(monkeypatch):
    "Nothing may be assigned."
    for name in "assign", "assign_embeddings":
        monkeypatch.setattr(f"audioclust.pipeline.{name}", lambda *_: pytest.fail("the clips were assigned"))

TAKEN = "is there already: choose another|is not empty: say a new folder"

@pytest.mark.parametrize("to, out, says", [
    ("raven", "full", TAKEN), ("playlist", "full", TAKEN), ("csv", "a.csv", TAKEN),
    ("playlist", "a.csv", "is a file: say"),
    ("json", "b.csv", r"the name must end in \.json"), ("crowsetta", "noending", r"must end in \.csv"),
    ("raven", "new --level coarse", "has no level coarse"),
    ("raven", "new --without nosuch", "called or marked 'nosuch'"),
    ("csv", "new.csv --without speech", "does not know in which clips people speak"),
    ("hydrogen", "IN/kits", "lies inside the recordings, where no sounds are written: choose another folder")])
def test_what_cannot_be_written_is_refused_before_the_work(at, tmp_path, idle, capsys, to, out, says):
    (tmp_path/"full"/"wood").mkdir(parents=True)
    for file in "full/wood/dusk.wav.selections.txt", "a.csv": (tmp_path/file).write_text("mine")
    out, *more = out.split()
    assert assign(at, "--to", to, "--out", at/"later"/out[3:] if out.startswith("IN/") else tmp_path/out, *more) == 2
    assert re.search(says, capsys.readouterr().err) and not (at/"later"/"kits").exists()

@pytest.mark.parametrize("to, package", [("elan", "pympi"), ("textgrid", "praatio"), ("parquet", "pyarrow.parquet")])
def test_a_package_that_is_missing_is_said_before_the_work(at, tmp_path, idle, monkeypatch, capsys, to, package):
    monkeypatch.setattr("audioclust.listen.formats.annotations.find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, package, None)
    assert assign(at, "--to", to, "--out", tmp_path/"new.parquet") == 2
    assert "pip install p" in capsys.readouterr().err

def test_the_writer_and_the_check_know_the_same_files(at, tmp_path, idle, capsys):
    "Names that are shortened, clips that a table lists, and recordings of embeddings."
    new = "ü"*110 + "a.wav" # 225 bytes
    (tmp_path/"in").mkdir()
    (tmp_path/"in"/new).write_bytes((at/"later"/"dawn.wav").read_bytes())
    pd.DataFrame(dict(path=[new], start=0., end=1.)).to_csv(tmp_path/"clips.csv", index=False)
    pd.DataFrame(dict(path=[new], start=0., end=1., e0=1., e1=2.)).to_csv(tmp_path/"embeddings.csv", index=False)
    (file,) = files_for_each([str(tmp_path/"in"/new)], tmp_path/"out", ".txt")
    file.parent.mkdir()
    file.write_text("mine")
    for given in ["--clips", tmp_path/"clips.csv"], ["--embeddings", tmp_path/"embeddings.csv"], []:
        assert command("assign", at/"run", tmp_path/"in", "--to", "audacity", "--out", tmp_path/"out", *given) == 2
        assert "is there already" in capsys.readouterr().err

def test_the_place_of_labels_does_not_depend_on_what_is_found(at, tmp_path):
    "With the clips of one recording alone, its file lies where it lies with those of all."
    (tmp_path/"in"/"wood").mkdir(parents=True)
    for name,source in ("wood/a.wav", "wood/dusk.wav"), ("b.wav", "dawn.wav"):
        (tmp_path/"in"/name).write_bytes((at/"later"/source).read_bytes())
    table = pd.read_csv(at/"new.csv")
    a, b = (table.confidence[table.path.str.endswith(name)].max() for name in ("dusk.wav", "dawn.wav"))
    sure = "--at-least", min(a, b) + 1e-6
    assert command("assign", at/"run", tmp_path/"in", "--to", "raven", "--out", tmp_path/"out", *sure) == 0
    found = [file.relative_to(tmp_path/"out").as_posix() for file in (tmp_path/"out").rglob("*.txt")]
    assert found == ["wood/a.wav.selections.txt" if a > b else "b.wav.selections.txt"]

def test_a_group_without_new_clips_can_be_left_out(at, tmp_path):
    (tmp_path/"in").mkdir()
    (tmp_path/"in"/"dawn.wav").write_bytes((at/"later"/"dawn.wav").read_bytes())
    for only, other in (0, 1), (1, 0):
        to = "--to", "csv", "--out", tmp_path/f"{only}.csv"
        assert command("assign", at/"run", tmp_path/"in", "--only", only, "--without", other, *to) == 0
        assert set(pd.read_csv(tmp_path/f"{only}.csv").cluster) == {only}

def test_tables_and_labels_may_lie_beside_the_sounds_where_a_user_says_so(at, tmp_path, monkeypatch, capsys):
    shutil.copytree(at/"later", tmp_path/"in")
    assign = "assign", at/"run", tmp_path/"in"
    assert command(*assign, "--out", tmp_path/"in/a.csv") == 0
    assert command(*assign, "--to", "csv", "--out", tmp_path/"in/b.csv") == 0
    assert command(*assign, "--to", "audacity", "--out", tmp_path/"in") == 0
    assert command("export", tmp_path/"in/a.csv", "--to", "counts", "--recordings", tmp_path/"in", "--out", tmp_path/"in/c.csv") == 0
    names = {path.name for path in (tmp_path/"in").rglob("*.*")}
    assert names == {"a.csv", "b.csv", "c.csv", "dawn.wav", "dusk.wav", "dawn.wav.txt", "dusk.wav.txt"}
    monkeypatch.chdir(tmp_path/"in")
    assert command(*assign) == 2 and "lies inside the recordings" in capsys.readouterr().err # nobody has named it
    assert not (tmp_path/"in/assigned.csv").exists()

def test_a_csv_is_not_called_otherwise(at, tmp_path, capsys):
    assert assign(at, "--out", tmp_path/"new.parquet") == 2
    assert "would hold a CSV: say --to parquet as well, or let the name end in .csv" in capsys.readouterr().err
    run = str(at/"run")
    for typed in ["export", run, "--to", "counts"], ["compare", run, "--labels", "parent"], ["compare", run, run]:
        assert main([*typed, "--out", "x.parquet"]) == 2
        assert "'x.parquet' would hold a CSV: let the name end in .csv" in capsys.readouterr().err
    for name in "o.xlsx", "o.csv.gz":
        with pytest.raises(argparse.ArgumentTypeError, match="would hold a CSV"): csv_file(name)
    assert [csv_file(name) for name in ("o", "o.csv", "O.CSV", "a.b/o", "o.txt", "/dev/stdout")]

def test_where_all_is_left_out_nothing_is_exported(at, tmp_path, capsys):
    assert main(["export", str(at/"run"), "--to", "raven", "--out", str(tmp_path/"out"), "--without", "0,1"]) == 2
    assert "no clip is left to write: --without leaves out all groups: name fewer" in capsys.readouterr().err
    shutil.copytree(at/"run", tmp_path/"run")
    write_edits(tmp_path/"run", Edits(names={0: NOT_OF_INTEREST, 1: NOT_OF_INTEREST}))
    assert main(["export", str(tmp_path/"run"), "--to", "raven", "--out", str(tmp_path/"out")]) == 2
    why = "left out as not of interest: 9 of 9 clips (--without nothing writes all)"
    assert f"no clip is left to write: {why}" in capsys.readouterr().err
    assert not (tmp_path/"out").exists()

def test_a_writer_and_a_line_add_a_format(at, tmp_path, capsys):
    "It is in the help, `export` and `assign` write it, and what it does not take is refused."
    def to_words(run, out, without=()):
        with new_folder(out) as folder: write_text(folder/"all.txt", " ".join(sorted(named_clips(run, without).name.unique())))
        return 1
    EXPORTS.register("words", Export(to_words, options=("without",), unit="list"), "the names alone")
    try:
        with pytest.raises(SystemExit): command("export", "--help")
        assert "the names alone: words" in " ".join(capsys.readouterr().out.split())
        assert command("export", at/"run", "--to", "words", "--out", tmp_path/"a", "--without", "1") == 0
        assert assign(at, "--to", "words", "--out", tmp_path/"b") == 0 and "1 list in" in capsys.readouterr().out
        assert [(tmp_path/f/"all.txt").read_text() for f in "ab"] == ['wren "small" <brown>', 'cluster 1 wren "small" <brown>']
        assert command("export", at/"run", "--to", "words", "--out", tmp_path/"c", "--join") == 2
    finally: EXPORTS.unregister("words")
