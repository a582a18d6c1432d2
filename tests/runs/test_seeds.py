"Seeds in a run: tables, runs that were corrected, names, scores, and what is carried on."
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.runs import Edits, read_edits, write_edits
from audioclust.runs.run_folder import read_record, read_table
from audioclust.runs.seeds import read_seeds


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    table = synthetic_words(5, 4, 6).save(folder/"words")
    owls, bats = table[table.label == "word3"].iloc[:3], table[table.label == "word1"].iloc[:3]
    seeds = pd.concat([owls.assign(label="owl"), bats.assign(label="bat")])
    seeds[["path", "label"]].to_csv(folder/"seeds.csv", index=False)
    return folder, table


# Tables

@pytest.mark.parametrize("text, message", [
    ("path,label\nelsewhere.wav,owl\n", "names a clip"), ("name,label\na,b\n", "need columns path and label"),
    ("path,label\n", "names a clip"), ("path,other,link\na.wav,b.wav,maybe\n", "must or cannot"),
    ("path,link\na.wav,must\n", "path, other and link"), ("start,end\n0,1\n", "times and no labels")])
def test_tables_that_say_nothing_of_these_clips(words, tmp_path, text, message):
    (tmp_path/"t.csv").write_text(text)
    with pytest.raises(ValueError, match=message): read_seeds(tmp_path/"t.csv", words[1])
    (tmp_path/"folder").mkdir()
    for place, why in ("t.json", "no table of seeds"), ("gone.csv", "there is no file"), ("folder", "not a run folder"):
        with pytest.raises(ValueError, match=why): read_seeds(tmp_path/place, words[1])


def test_a_path_that_is_nowhere_is_no_clip_without_a_file():
    clips = pd.DataFrame(dict(path=["", "", "/a/b.wav"], start=0., end=1.))
    rows = pd.DataFrame(dict(path=["elsewhere.wav", "b.wav"], label=["owl", "bat"]))
    with pytest.warns(UserWarning, match="1 of 2 rows"): assert read_seeds(rows, clips).labels() == ["", "", "bat"]


def test_tables_of_other_programs_are_seeds_too(words, tmp_path):
    path = words[1].path[0]
    (tmp_path/f"{Path(path).stem}.txt").write_text("0.0\t0.3\towl\n") # an Audacity label track
    found = read_seeds(tmp_path/f"{Path(path).stem}.txt", words[1].iloc[:4])
    assert found.labels() == ["owl", "", "", ""]


def test_tables_of_other_forms(words, tmp_path):
    clips = words[1]
    rows = pd.DataFrame(dict(path=[clips.path[0], clips.path[50]], label=["owl", "bat"]))
    links = pd.DataFrame(dict(path=[clips.path[0]], other=[clips.path[50]], link=["cannot"]))
    rows.to_csv(tmp_path/"s.tsv", sep="\t", index=False)
    rows.to_parquet(tmp_path/"s.parquet")
    links.assign(start=[np.nan]).to_parquet(tmp_path/"l.parquet")
    for name in "s.tsv", "s.parquet": assert read_seeds(tmp_path/name, clips).names == ("bat", "owl")
    assert len(read_seeds(tmp_path/"l.parquet", clips).constraints.cannot_link) == 1


def test_a_corrected_run_is_read_by_names_moves_and_seeds(run_folder):
    run = run_folder("run", [0, 0, 1, 1, 2, 2], seed=["", "", "", "bat", "", ""])
    clips = read_table(run/"clusters.csv")
    write_edits(run, Edits(names={0: "owl", 1: "=fox"}, merged={2: 1}, clips={clips.clip_id[1]: 1, clips.clip_id[5]: -1}))
    assert read_seeds(run, clips).labels() == ["owl", "=fox", "=fox", "=fox", "=fox", ""]
    write_edits(run, Edits())
    assert read_seeds(run, clips).labels() == ["", "", "", "cluster 1", "", ""], "a seed remains one"
    with pytest.raises(ValueError, match="nothing has a name and no clip was moved: .*--edits FILE"):
        read_seeds(run_folder("other"), clips)


# Whole runs

def run(folder, out, *more):
    from audioclust.cli import main
    args = ["cluster", str(folder/"words"), "--out", str(folder/out), "--n-clusters", "5", "--encoder", "fixed"]
    return main([*args, "--no-page", "--stability", "3", "-q", "--no-cache", *more])


@pytest.fixture(scope="module")
def seeded(words):
    seeds = str(words[0]/"seeds.csv")
    assert run(words[0], "run", "--method", "spectral", "--seeds", seeds, "--labels", "parent") == 0
    return words[0]/"run"


def test_groups_have_the_names_of_their_seeds(words, seeded):
    table, record = read_table(seeded/"clusters.csv"), read_record(seeded)
    assert set(table.name[table.seed == "owl"]) == {"owl"} and set(table.name[table.seed == "bat"]) == {"bat"}
    seeds, scores = record["clustering"]["seeds"], record["findings"]["scores"]
    assert seeds["names"] == ["bat", "owl"] and seeds["clips"] == 6 and scores["seeds"] == 6
    assert scores["labelled"] == len(table) - 6
    assert record["request"]["seeds"] == [str(words[0]/"seeds.csv")]


def test_a_seeded_run_is_opened_regrouped_assigned_and_grown(words, seeded):
    from audioclust.pipeline import assign, grow, regroup
    from audioclust.runs.run import Run
    opened = Run.open(seeded)
    seeds = opened.clustering.seeds
    assert seeds.names == ("bat", "owl")
    is_owl = np.array(seeds.labels()) == "owl"
    assert set(regroup(opened, "kmeans").clustering.labels[is_owl]) == {1}
    with pytest.warns(UserWarning, match="takes no seeds"):
        assert regroup(opened, "agglomerative").clustering.seeds is None
    assert len(assign(opened, words[0]/"words")) == len(opened)
    more = synthetic_words(5, 4, 2, random_state=9).save(words[0]/"more")
    grown = grow(opened, more)
    assert len(grown.table.seed) == len(opened) + len(more) and grown.clustering.seeds.names == ("bat", "owl")


@pytest.mark.parametrize("more, message", [
    (["--method", "dbscan"], "takes no seeds"), (["--by", "both"], "one grouping"),
    (["--seeds", "nowhere.csv"], "no file nowhere.csv"), (["--n-clusters", "1"], "seeds of 2 groups")])
def test_what_cannot_be_is_refused(words, capsys, more, message):
    from audioclust.cli import main
    args = ["cluster", str(words[0]/"words"), "--out", str(words[0]/"wrong"), "--no-page", "-q", "--encoder", "fixed"]
    assert main([*args, "--seeds", str(words[0]/"seeds.csv"), *more]) == 2
    assert message in capsys.readouterr().err


def test_a_name_that_was_given_by_hand_stays(words, capsys):
    folder, seeds = words[0], ("--seeds", str(words[0]/"seeds.csv"))
    assert run(folder, "hand", *seeds) == 0
    names = read_edits(folder/"hand")
    bat = next(c for c,name in names.names.items() if name == "bat")
    write_edits(folder/"hand", Edits(names=names.names | {bat: "pipistrelle"}))
    capsys.readouterr()
    assert run(folder, "hand", *seeds, "--overwrite") == 0
    assert read_edits(folder/"hand").names[bat] == "pipistrelle"
    assert "keeps that name" in capsys.readouterr().err


def test_names_that_look_like_numbers_or_formulas(words):
    from audioclust.cli import main
    from audioclust.runs.run import Run
    folder, table = words
    odd = {"word0": "007", "word1": "=1+1", "word2": "1.0", "word3": "08", "word4": "1e3"}
    table[["path"]].assign(label=table.label.map(odd)).to_csv(folder/"odd.csv", index=False)
    assert run(folder, "odd", "--seeds", str(folder/"odd.csv")) == 0
    assert "'=1+1" in set(read_table(folder/"odd/clusters.csv").seed)
    seeds = Run.open(folder/"odd").clustering.seeds
    assert set(seeds.labels()) == set(odd.values()) and (seeds.constraints.seeds >= 0).all()
    assert main(["compare", str(folder/"odd"), "--labels", "parent"]) == 2 # all clips are seeds


def test_a_run_that_was_named_by_listening_gives_what_was_heard(run_folder):
    run = run_folder("run", np.repeat([0, 1], 3), range(6))
    ids = read_table(run/"clusters.csv").clip_id
    heard = {ids[0]: "owl", ids[1]: "unsure", ids[2]: None, ids[3]: "not of interest"}
    spread = {ids[0]: [100_000, 1.], ids[5]: [100_000, .9]}
    moves = dict.fromkeys(spread, 100_000)
    write_edits(run, Edits.of(dict(names={"100000": "owl"}, clips=moves, heard=heard, spread=spread)))
    assert read_seeds(run, read_table(run/"clusters.csv")).labels() == ["owl", *[""]*5]
