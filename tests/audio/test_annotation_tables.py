"Tables of other programs: what is read, which recording a row is of, and the round trip with our own exports."
from pathlib import Path
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import find_audio, label_clips
from audioclust.audio.annotation_tables import clips_of_tables, read_clip_table
from audioclust.cli import main
from audioclust.listen import to_audacity, to_raven
from audioclust.pipeline import AudioClusterer, Options
from audioclust.runs import Edits, write_edits
from audioclust.runs.run_folder import read_record, read_table


@pytest.mark.parametrize("text,expected", [
    ("path,start,end\na.wav,1,2.5\n", (1, 2.5)),
    ("File;Begin (s);End (s)\na.wav;1;2.5\n", (1, 2.5)),
    ("file,offset,duration\na.wav,1,1.5\n", (1, 2.5)),
    ("Begin File\tBegin Time (s)\tDelta Time (s)\na.wav\t1\t1.5\n", (1, 2.5)),
    ("\ufefffile,start_s,end_s,note\na.wav,1,2.5,=1+1\n", (1, 2.5)),
    ("Begin File\tBegin Time (s)\tEnd Time (s)\tFile Offset (s)\na.wav\t3601\t3602.5\t1\n", (1, 2.5))])
def test_names_of_columns(tmp_path, text, expected):
    (tmp_path/"table.csv").write_text(text, encoding="utf-8")
    table = read_clip_table(tmp_path/"table.csv")
    assert (table.start[0], table.end[0], table.path[0]) == (*expected, "a.wav")


def test_label_tracks(tmp_path):
    (tmp_path/"t.txt").write_text("0.5\t1.25\tfrog, loud\n\\\t300.5\t900\n-0.0\t1e-3\n2\t3\t\n")
    table = read_clip_table(tmp_path/"t.txt")
    assert (table.start.tolist() == [.5, 0, 2] and table.end.tolist() == [1.25, .001, 3]
            and table.label.tolist() == ["frog, loud", "", ""])
    assert table.low_hz[0] == 300.5 and table.low_hz.isna().tolist() == [False, True, True]


@pytest.mark.parametrize("text,message",
        [("file,when\na,1\n", "no columns for start and end"), ("file,start\na,1\n", "no columns for start and end"),
                ("file,start,end\na.wav,now,2\n", "start should be seconds, and is 'now'"),
                                          ("\x00\x01", "null bytes")])
def test_what_is_no_table_is_one_line(tmp_path, text, message):
    (tmp_path/"t.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as e: read_clip_table(tmp_path/"t.csv")
    assert "\n" not in str(e.value)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    at, rng = tmp_path_factory.mktemp("tapes"), np.random.default_rng(0)
    t = np.arange(8000*4)/8000
    for i,name in enumerate(("pond/dawn.wav", "pond/dusk.wav", "wood/dawn.wav", "ünder.wav")):
        (at/"in"/name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(at/"in"/name, .01*rng.normal(size=len(t)) + .2*np.sin(2*np.pi*(400 + 600*(i % 2))*t)*(t % 1 < .5),
                8000)
    return at


def test_rows_find_their_recordings(tapes, tmp_path):
    def found(*names):
        (tmp_path/"t.csv").write_text("file,start,end\n" + "".join(f"{n},0,1\n" for n in names), encoding="utf-8")
        return [Path(p).relative_to(tapes/"in").as_posix()
                for p in clips_of_tables(tmp_path/"t.csv", tapes/"in", []).path]
    assert found("pond/dawn.wav", "C:\\tapes\\wood\\dawn.wav", "/elsewhere/DUSK.WAV", "dusk",
            "ünder.wav") == ["pond/dawn.wav", "pond/dusk.wav", "pond/dusk.wav", "wood/dawn.wav", "ünder.wav"]
    with pytest.raises(ValueError, match="several recordings are called dawn.wav"): found("dawn.wav")
    with pytest.raises(ValueError, match="no row of .* is of one of the recordings"): found("noon.wav", "")


def test_what_cannot_be_used_is_reported(tapes, tmp_path):
    rows = "noon.wav,0,1", "noon.wav,1,2", "dusk.wav,2,1", "dusk.wav,-1,1", "dusk.wav,0,1"
    (tmp_path/"t.csv").write_text("\n".join(["file,start,end", *rows, ""]))
    errors = []
    assert len(clips_of_tables(tmp_path/"t.csv", tapes/"in", errors)) == 1
    found = sorted((str(path).rpartition("/")[2], reason.split(": ")[-1]) for path,reason in errors)
    assert found == [("dusk.wav", "2"), ("noon.wav", "2")]
    with pytest.warns(UserWarning, match="which is not there"): clips_of_tables(tmp_path/"t.csv", tapes/"in")
    with pytest.raises(ValueError, match="there is no file or folder"): clips_of_tables(tmp_path/"none", tapes/"in")
    (tmp_path/"empty").mkdir()
    with pytest.raises(ValueError, match="holds no table"): clips_of_tables(tmp_path/"empty", tapes/"in")


@pytest.mark.parametrize("write", [to_raven, to_audacity])
def test_a_round_trip_with_our_exports_loses_no_clip(tapes, tmp_path, write):
    AudioClusterer(n_clusters=2, window=1., ignore="order,level", encoder="fixed",
            options=Options(stability=0)).fit(tapes/"in").save(tmp_path/"run")
    write(tmp_path/"run", tmp_path/"out")
    table, back = read_table(tmp_path/"run/clusters.csv"), clips_of_tables(tmp_path/"out", tapes/"in")
    before = table.sort_values(["path", "start"])
    assert sorted(map(str, back.path)) == sorted(before.path)
    merged = before.merge(back.assign(path=back.path.map(str)), on=["path", "start"], suffixes=("", "_back"))
    assert len(merged) == len(table) and np.allclose(merged.end, merged.end_back)


def test_clips_on_the_command_line(tapes, tmp_path):
    rows = [(name, start, start + .5, 300, 1200.5)
            for name in ("pond/dawn.wav", "pond/dusk.wav", "wood/dawn.wav", "ünder.wav") for start in (0, 1, 2, 3)]
    pd.DataFrame(rows, columns=["Begin Path", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)",
            "High Freq (Hz)"]).to_csv(tmp_path/"calls.txt", sep="\t", index=False)
    arguments = ["cluster", str(tapes/"in"), "--clips", str(tmp_path/"calls.txt"), "--out", str(tmp_path/"run"),
            "--n-clusters", "2", "-q", "--no-page", "--no-cache", "--encoder", "fixed"]
    assert main(arguments) == 0
    table = read_table(tmp_path/"run/clusters.csv")
    assert len(table) == 16 and (table.end - table.start == .5).all() and (table.high_hz == 1200.5).all()
    assert read_record(tmp_path/"run")["clips"]["recordings"] == str(tapes/"in")
    assert main([*arguments, "--resume"]) == 0
    to_raven(tmp_path/"run", tmp_path/"raven")  # boxes as they came
    selections = pd.read_csv(next((tmp_path/"raven").rglob("*dusk*")), sep="\t")
    assert (selections["Low Freq (Hz)"] == 300).all() and (selections["High Freq (Hz)"] == 1200.5).all()
    assert main(["assign", str(tmp_path/"run"), str(tapes/"in"), "--clips", str(tmp_path/"calls.txt"), "--out",
            str(tmp_path/"new.csv")]) == 0
    assert (read_table(tmp_path/"new.csv").cluster == table.cluster).all()


def test_tables_in_the_wild(tapes, tmp_path):
    folder = tmp_path/"tables"
    folder.mkdir()
    (folder/"dusk.txt").write_text("0,5\t1e+00\tcall\n")  # decimal comma, exponent
    (folder/"noise.txt").write_text("")                       # nothing was found in a recording
    (folder/"params.csv").write_text("name,value\nthreshold,0.3\n")
    (folder/"more.csv").write_text("file;start;end\npond/dawn.wav;0,25;1,5\npond/dawn.wav;;\n")
    errors = []
    table = clips_of_tables(folder, tapes/"in", errors)
    assert table.start.tolist() == [.25, .5] and table.end.tolist() == [1.5, 1]
    assert sorted(reason[:20] for _,reason in errors) == ["no table of clips: /", "rows of " + str(folder)[:12]]
    (tmp_path/"dusk.txt").write_text("1\t1\tclick\n")
    with pytest.raises(ValueError, match="no row of .* ends after it starts"):
        clips_of_tables(tmp_path/"dusk.txt", tapes/"in", [])


@pytest.mark.parametrize("to", ["raven", "audacity", "textgrid", "elan", "csv", "crowsetta"])
def test_an_export_of_recordings_with_one_name_is_read_back(tapes, tmp_path, to):
    "a.wav beside sub/a.wav, clips that overlap, and a name like a formula."
    if to in ("textgrid", "elan"): pytest.importorskip(dict(textgrid="praatio", elan="pympi")[to])
    (tmp_path/"in/sub").mkdir(parents=True)
    for name,source in ("a.wav", "pond/dawn.wav"), ("sub/a.wav", "pond/dusk.wav"):
        (tmp_path/"in"/name).write_bytes((tapes/"in"/source).read_bytes())
    how = dict(n_clusters=2, window=1., encoder="fixed", options=Options(stability=0, hop=.5))
    AudioClusterer(**how).fit(tmp_path/"in").save(tmp_path/"run")
    write_edits(tmp_path/"run", Edits(names={0: "=wren"}))
    out = tmp_path/("out.csv" if to in ("csv", "crowsetta") else "out")
    assert main(["export", str(tmp_path/"run"), "--to", to, "--out", str(out)]) == 0
    errors = []
    clips, table = clips_of_tables(out, tmp_path/"in", errors), read_table(tmp_path/"run/clusters.csv")
    assert len(clips) == len(table) == 14 and not errors
    assert sorted(zip(clips.path, clips.start.round(2))) == sorted(zip(table.path, table.start))
    assert set(clips.label) == {"=wren", "cluster 1"}
    assert main(["cluster", str(tmp_path/"in"), "--clips", str(out), "--out", str(tmp_path/"again"), "-q", "--no-page"]) == 0


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_semicolons_separate_columns_of_every_table(tapes, tmp_path, first):
    listed, times = tmp_path/"labels.csv", tmp_path/"times.csv"
    listed.write_text(f"{first}path;label\n{tapes}/in/pond/dawn.wav;owl, loud\n{tapes}/in/pond/dusk.wav;wren\n")
    times.write_text(f"{first}path;start;end;label\npond/dawn.wav;0,5;1;owl\n")
    table = pd.DataFrame(dict(path=[str(tapes/"in/pond/dawn.wav"), str(tapes/"in/pond/dusk.wav")], start=0., end=1.))
    assert label_clips(table, str(listed)).label.tolist() == ["owl, loud", "wren"]
    assert clips_of_tables(times, tapes/"in").start.tolist() == [.5]
    assert [Path(path).name for path in find_audio(listed)] == ["dawn.wav", "dusk.wav"]
