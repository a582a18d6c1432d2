"From names to a recogniser: counts of names, and precision and recall on new recordings."
import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import last_word, make_run, name_clips, Options, Request
from audioclust.pipeline.scoring import score_names
from audioclust.runs.edits import NOT_OF_INTEREST
from audioclust.runs.run_folder import read_table


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    "Three words by two voices, one clip of each word heard; the third is not of interest."
    folder = tmp_path_factory.mktemp("count")
    synthetic_words(3, 2, 6).save(folder/"nights")
    run = make_run(folder/"nights", Request(n_clusters=3, options=Options(stability=0)))
    words = [path.split("/")[-2] for path in run.table.path]
    called = dict(word0="owl", word1="=wren", word2=NOT_OF_INTEREST)
    first = {words.index(word): called[word] for word in called}
    name_clips(run, first).save(folder/"run")
    last_word(folder/"run")
    return folder

def count(*typed): return main(["export", "--to", "counts", *typed])

def counted(named, tmp_path, *more):
    assert count(str(named/"run"), "--out", str(tmp_path/"counts.csv"), *more) == 0
    return pd.read_csv(tmp_path/"counts.csv", dtype=dict(hour=str))


def test_counts_by_site_and_recording(named, tmp_path, capsys):
    by_site = counted(named, tmp_path, "--by", "site").set_index("site")
    assert list(by_site.columns) == ["'=wren", "owl", "all clips"]
    assert by_site.loc["word0"].tolist() == [0, 12, 12] and by_site.loc["word1"].tolist() == [12, 0, 12]
    assert "=wren" in capsys.readouterr().out and "word2" not in by_site.index
    everything = counted(named, tmp_path, "--without", "nothing", "--overwrite")
    assert len(everything) == 36 and everything[NOT_OF_INTEREST].sum() == 12 and (everything["all clips"] == 1).all()

def test_counts_by_day_and_hour(named, tmp_path):
    table = read_table(named/"run"/"clusters.csv")
    times = [f"2026-05-{1 + row % 2:02d}T{3 + row % 3:02d}:10:00.000" for row in range(36)]
    table.assign(time=["", *times[1:]]).to_csv(tmp_path/"assigned.csv", index=False)
    out = tmp_path/"counts.csv"
    assert count(str(tmp_path/"assigned.csv"), "--by", "day,hour", "--out", str(out)) == 0
    counts = pd.read_csv(out, dtype=dict(hour=str))
    assert counts["all clips"].sum() == 24 and counts.day.iloc[-1] == "unknown"
    assert {"03", "04", "05"} <= set(counts.hour) and counts.groupby("day").owl.sum().sum() == 12

@pytest.mark.parametrize("more, message", [
    (["--by", "hour"], "no name of a recording says a time, so clips cannot be counted by hour"),
    (["--by", "week"], "--by week: say one or more of recording, site, day, hour"),
    (["--without", "owl,=wren,not of interest"], "is left to count"),
    (["--without", "frog"], "no group that is called"),
    (["--by", "site", "--zone", "UTC"], "are for days and hours"),
    (["--by", "hour", "--site-column", "site"], "say --by with site")])
def test_what_cannot_be_counted(named, capsys, more, message):
    assert count(str(named/"run"), *more) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1

def test_long_tables_are_cut_in_the_terminal_only(tmp_path, capsys):
    table = pd.DataFrame(dict(path=[f"/a/{i:03d}.wav" for i in range(60)], cluster=0))
    table.to_csv(tmp_path/"t.csv", index=False)
    assert count(str(tmp_path/"t.csv"), "--out", str(tmp_path/"all.csv")) == 0
    assert "… and 10 rows more (--out FILE writes all)" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path/"all.csv")) == 60 and "cluster 0" in pd.read_csv(tmp_path/"all.csv")
    (tmp_path/"t.csv").write_text("a,b\n1,2\n")
    assert count(str(tmp_path/"t.csv")) == 2 and "has no column path" in capsys.readouterr().err

def test_hours_by_site_and_recording(named, tmp_path, capsys):
    "Names without a time do for these; a recording without a clip is a row of zeros."
    table = read_table(named/"run"/"clusters.csv")
    of_one = table[table.path == table.path[0]]
    of_one.to_csv(tmp_path/"t.csv", index=False)
    typed = [str(tmp_path/"t.csv"), "--recordings", str(named/"nights"), "--overwrite", "--out", str(tmp_path/"o.csv")]
    assert count(*typed, "--by", "site") == 0
    sites = pd.read_csv(tmp_path/"o.csv", index_col="site")
    assert sites["all clips"].tolist() == [len(of_one), 0, 0] and (sites["hours recorded"] > 0).all()
    assert count(*typed) == 0
    each = pd.read_csv(tmp_path/"o.csv")
    assert len(each) == 36 and each["all clips"].sum() == len(of_one)
    assert np.isclose(each["hours recorded"].sum(), (table.end - table.start).sum()/3600, atol=.002)
    assert "hours: " not in capsys.readouterr().out

def test_precision_and_recall_of_new_recordings(named, tmp_path, capsys):
    "The new ones are of the same words by other takes; a fourth word is none of these."
    new = synthetic_words(4, 2, 3, random_state=1)
    table = new.save(tmp_path/"new")
    known = dict(word0="owl", word1="=wren", word2="frog", word3="bat")
    table.assign(label=table.label.map(known))[["path", "label"]].to_csv(tmp_path/"truth.csv", index=False)
    typed = ["assign", str(named/"run"), str(tmp_path/"new"), "--out", str(tmp_path/"a.csv"), "--labels", str(tmp_path/"truth.csv")]
    assert main([*typed, "--none-beyond", "1.2"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = {line[0]: line[1:] for line in lines if line and line[0] in ("owl", "=wren", "frog", "bat", "all")}
    assert rows["frog"][:3] == ["6", "0", "–"] and rows["all"][0] == "24" and rows["owl"][0] == "6"
    assert count(str(tmp_path/"a.csv")) == 0
    typed[4:] = str(tmp_path/"b.csv"), "--labels", "no such (word)"
    assert main(typed) == 2 and not (tmp_path/"b.csv").exists()
    assert "match none of the 24 clips" in capsys.readouterr().err

def test_precision_and_recall_by_hand():
    table = score_names(["owl", "owl", "wren", None, "owl", "bat"], ["owl", "wren", "wren", "wren", None, "owl"]).set_index("name")
    assert table.loc["owl", ["clips", "found", "precision", "recall"]].tolist() == [2, 2, .5, .5]
    assert table.loc["wren", ["clips", "found", "recall"]].tolist() == [3, 1, 1/3]
    assert np.isnan(float(table.recall["bat"])) and table.precision["bat"] == 0
    assert table.loc["all", ["clips", "found", "precision", "recall"]].tolist() == [5, 4, .5, .4]

def test_a_name_that_is_also_a_column(tmp_path):
    table = pd.DataFrame(dict(path=["/a/1.wav", "/b/2.wav"], cluster=[0, 1], name=["site", "all clips"]))
    table.to_csv(tmp_path/"t.csv", index=False)
    assert count(str(tmp_path/"t.csv"), "--by", "site", "--out", str(tmp_path/"o.csv")) == 0
    assert list(pd.read_csv(tmp_path/"o.csv")) == ["site", "all clips (name)", "site (name)", "all clips"]

def test_a_table_leaves_out_what_is_said_and_names_are_no_formulas(tmp_path, capsys):
    table = pd.DataFrame(dict(path=["/a/=x.wav", "/a/b.wav", "/a/c.wav"], cluster=[0, 1, -1], name=["owl", "", ""]))
    table.to_csv(tmp_path/"t.csv", index=False)
    assert count(str(tmp_path/"t.csv"), "--without", "0", "--out", str(tmp_path/"o.csv")) == 0
    assert list(pd.read_csv(tmp_path/"o.csv")) == ["recording", "cluster 1", "no group", "all clips"]
    assert count(str(tmp_path/"t.csv"), "--out", str(tmp_path/"all.csv")) == 0
    assert "'=x.wav" in set(pd.read_csv(tmp_path/"all.csv").recording)
    capsys.readouterr()
    assert count(str(tmp_path/"t.csv"), "--without", "wren") == 2
    assert "--without wren: no clip of" in capsys.readouterr().err
