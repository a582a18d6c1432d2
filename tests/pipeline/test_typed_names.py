"Names that a person typed into clusters.csv are taken over or kept beside it; numbers do not grow when a run is replaced."
import json

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline.annotations import read_names, take_typed_names
from audioclust.pipeline.run_reading import read_run, read_table

QUICK = "--no-page", "--stability", "0", "-q"

@pytest.fixture
def run(tmp_path):
    synthetic_words(4, 2, 6).save(tmp_path/"sounds")
    assert main(["cluster", str(tmp_path/"sounds"), "--out", str(tmp_path/"run"), "--n-clusters", "4", *QUICK]) == 0
    return tmp_path/"run"

def type_names(run, names, column="name"):
    table = read_table(run/"clusters.csv")
    table[column] = table.cluster.map(names).fillna("")
    table.to_csv(run/"clusters.csv", index=False)
    return table

def again(run, k, *more): return main(["cluster", str(run.parent/"sounds"), "--out", str(run), "--n-clusters", str(k), "--overwrite", *QUICK, *more])

def test_names_typed_into_the_table_last(run, capsys):
    type_names(run, {0: "wren", 2: "=owl"})
    assert again(run, 4) == 0
    assert "taken over: cluster 0 is 'wren', cluster 2 is '=owl'" in capsys.readouterr().err
    assert read_names(run)["names"] == {"0": "wren", "2": "=owl"}
    table = read_table(run/"clusters.csv")
    assert set(table.name[table.cluster == 2]) == {"'=owl"} and "taken over" in str(read_run(run)["warnings"])
    assert again(run, 4) == 0
    assert "taken over" not in capsys.readouterr().err and not list(run.glob("clusters-by-hand*")), "once is enough"

def test_names_that_contradict_are_kept_beside(run, capsys):
    table = type_names(run, {0: "wren"})
    table.loc[table.cluster[table.cluster == 0].index[0], "name"] = "owl"
    table.to_csv(run/"clusters.csv", index=False)
    before = (run/"clusters.csv").read_bytes()
    assert again(run, 4) == 0
    assert "clusters-by-hand.csv keeps what was typed" in capsys.readouterr().err
    assert (run/"clusters-by-hand.csv").read_bytes() == before and not read_names(run)["names"]

@pytest.mark.parametrize("column", ["name", "note", "mark"])
def test_edits_of_the_page_do_not_remove_what_was_typed(run, capsys, column):
    type_names(run, {1: "good"}, column)
    edits = run/"../edits.json"
    edits.write_text(json.dumps(dict(schema=1, base={"content": {}}, edits={"content": {"names": {"0": "wind"}}})))
    assert main(["listen", str(run), "--edits", str(edits)]) == 0
    said, names = capsys.readouterr().err, read_names(run)["names"]
    if column == "name": assert names == {"0": "wind", "1": "good"} and "taken over" in said
    else: assert names == {"0": "wind"} and (run/"clusters-by-hand.csv").is_file() and "keeps what was typed" in said

def test_what_the_program_wrote_is_not_typed(run):
    edits = run/"../edits.json"
    edits.write_text(json.dumps(dict(schema=1, edits={"content": {"names": {"0": "=wren", "1": "owl"}, "merged": {"2": 1}, "marks": {"0": "junk"}, "notes": {"1": "at\ndawn"}}})))
    assert main(["listen", str(run), "--edits", str(edits)]) == 0
    assert take_typed_names(run) == [] and not list(run.glob("clusters-by-hand*"))

def test_twenty_groups_are_not_numbered_up_to_37(run, capsys):
    assert again(run, 20, "--set", "n_init=1") == 0
    first = read_table(run/"clusters.csv").cluster
    assert set(first) == set(range(20))
    capsys.readouterr()
    names = {c: f"name {c}" for c in range(20)}
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits={"content": {"names": {str(c): n for c,n in names.items()}}})))
    assert again(run, 20, "--seed", "7", "--ignore", "order,level", "--set", "n_init=1") == 0
    second = read_table(run/"clusters.csv").cluster
    assert set(second) == set(range(20))
    said = capsys.readouterr().err
    for c in range(20):
        one, other = set(np.flatnonzero(first == c)), set(np.flatnonzero(second == c))
        alike = len(one & other)/len(one | other) >= 1/3
        assert (str(c) in read_names(run)["names"]) == alike, "a name does not go to another group"
        assert alike or str(c) in said.split("other groups now")[0]
    assert len(json.loads((run/"names.json").read_text())["lost"]) == 1

def test_lost_names_outlast_edits(run):
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits={"content": {}}, lost=[{"by": "content", "names": {"9": "wren"}}])))
    (run/"../edits.json").write_text(json.dumps(dict(schema=1, edits={"content": {"names": {"0": "wind"}}})))
    assert main(["listen", str(run), "--edits", str(run/"../edits.json")]) == 0
    assert json.loads((run/"names.json").read_text())["lost"][0]["names"] == {"9": "wren"}

def test_a_name_in_another_encoding_is_kept_beside(run, capsys):
    type_names(run, {0: "Moewe"})
    (run/"clusters.csv").write_bytes((run/"clusters.csv").read_bytes().replace(b"Moewe", "Möwe".encode("cp1252")))
    assert again(run, 4) == 0
    assert "clusters-by-hand.csv keeps what was typed" in capsys.readouterr().err and b"M\xf6we" in (run/"clusters-by-hand.csv").read_bytes()
    assert not read_names(run)["names"] and main(["listen", str(run)]) == 0
