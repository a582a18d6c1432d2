"Names that a person typed into clusters.csv are taken over or kept beside it; numbers do not grow when a run is replaced."
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.runs.names import read_names, take_typed_names, write_names
from audioclust.pipeline.clusterer import AudioClusterer
from audioclust.runs.run_folder import read_run, read_table

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

def with_a_name(run, name="wind"):
    "The run with a name for cluster 0 in names.json."
    write_names(run, dict(names={"0": name}))
    return run

def type_for(run, cluster, name, rows=slice(None)):
    "Type a name into the rows of a cluster, beside what stands in the table."
    table = read_table(run/"clusters.csv")
    if "name" not in table: table["name"] = ""
    table.loc[table.index[table.cluster == cluster][rows], "name"] = name
    table.to_csv(run/"clusters.csv", index=False)

@pytest.mark.parametrize("more", [(), ("--labels", "parent")])
def test_a_complete_run_that_is_resumed_takes_over_what_was_typed(run, capsys, more):
    type_for(with_a_name(run), 1, "wren")
    assert main(["cluster", str(run.parent/"sounds"), "--out", str(run), "--n-clusters", "4", "--resume", *QUICK, *more]) == 0
    assert "taken over: cluster 1 is 'wren'" in capsys.readouterr().err
    assert json.loads((run/"names.json").read_text())["edits"]["content"]["names"] == {"0": "wind", "1": "wren"}
    table = read_table(run/"clusters.csv")
    assert set(table.name[table.cluster == 1]) == {"wren"} and not list(run.glob("clusters-by-hand*"))

def test_a_complete_run_that_is_resumed_keeps_beside_what_contradicts(run, capsys):
    type_for(with_a_name(run), 0, "wren")
    assert main(["cluster", str(run.parent/"sounds"), "--out", str(run), "--n-clusters", "4", "--resume", *QUICK]) == 0
    assert "clusters-by-hand.csv keeps what was typed" in capsys.readouterr().err
    assert read_names(run)["names"] == {"0": "wind"} and set(read_table(run/"clusters-by-hand.csv").name) >= {"wren"}

@pytest.mark.parametrize("named", [False, True])
def test_a_run_that_is_saved_into_its_folder_takes_over_what_was_typed(run, named):
    if named: with_a_name(run)
    type_for(run, 1, "wren")
    with pytest.warns(UserWarning, match="taken over: cluster 1 is 'wren'"): AudioClusterer.load(run).save(run)
    assert read_names(run)["names"] == ({"0": "wind"} if named else {}) | {"1": "wren"}
    assert "wren" in set(read_table(run/"clusters.csv").name)

READERS = {"csv": ("export", "RUN", "--to", "csv", "--out", "OUT.csv"), "json": ("export", "RUN", "--to", "json", "--out", "OUT.json"),
           "raven": ("export", "RUN", "--to", "raven", "--out", "OUT"), "audacity": ("export", "RUN", "--to", "audacity", "--out", "OUT"),
           "playlist": ("export", "RUN", "--to", "playlist", "--out", "OUT"), "labelstudio": ("export", "RUN", "--to", "labelstudio", "--out", "OUT.json"),
           "sort": ("sort", "RUN", "OUT"), "listen": ("listen", "RUN", "--page", "OUT.html"), "assign": ("assign", "RUN", "SOUNDS", "--out", "OUT.csv"),
           "like": ("cluster", "SOUNDS", "--like", "RUN", "--out", "OUT", "--n-clusters", "4", *QUICK),
           "grow": ("cluster", "MORE", "--grow", "RUN", "--out", "OUT", *QUICK)}

def everything_in(out):
    "Names and texts of what was written, as one text."
    files = [f for f in out.parent.rglob("*") if f.is_file() and f.relative_to(out.parent).parts[0].startswith(out.name)]
    return "\n".join(str(f) + f.read_text(errors="replace") for f in files)

def read_by(reader, run):
    out = run.parent/"written"
    shutil.copytree(run.parent/"sounds", run.parent/"more")
    at = dict(RUN=str(run), SOUNDS=str(run.parent/"sounds"), MORE=str(run.parent/"more"))
    assert main([at.get(word, word.replace("OUT", str(out))) for word in READERS[reader]]) == 0
    return everything_in(out)

@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("reader", READERS)
def test_what_was_typed_is_read(run, reader, named, capsys):
    if named: with_a_name(run)
    type_for(run, 1, "wren")
    before = (run/"clusters.csv").read_bytes()
    capsys.readouterr()
    assert "wren" in read_by(reader, run)
    assert "not used" not in capsys.readouterr().err and (run/"clusters.csv").read_bytes() == before

@pytest.mark.parametrize("reader", READERS)
def test_what_is_unclear_is_said_and_not_read(run, reader, capsys):
    type_for(with_a_name(run, "rain"), 0, "owl") # it has a name
    type_for(run, 2, "wren", slice(1)) # one row of several
    capsys.readouterr()
    read_by(reader, run)
    said = capsys.readouterr().err
    assert said.count("clusters 0, 2 are not used") == 1 and "audioclust listen" in said

def test_the_default_names_of_a_table_are_not_typed(run):
    with_a_name(run)
    (run/"names.json").unlink()
    assert read_names(run)["names"] == {"0": "wind"}, "the table has them still"

def test_scoring_changes_no_name(run, capsys):
    type_for(run, 1, "wren")
    type_for(run, 2, "owl", slice(1))
    before = (run/"clusters.csv").read_bytes()
    assert main(["score", str(run), "--labels", "parent"]) == 0
    said = capsys.readouterr()
    assert said.err.count("cluster 2 are not used") == 1 and f"by hand: 1 name ({run/'clusters.csv'})" in said.out
    assert (run/"clusters.csv").read_bytes() == before

@pytest.mark.parametrize("named", [False, True])
def test_a_pair_that_is_resumed_keeps_what_was_typed(run, named):
    both = [str(run.parent/"sounds"), "--by", "both", "--out", str(run.parent/"both"), "--n-clusters", "4,2", *QUICK]
    assert main(["cluster", *both]) == 0
    content = run.parent/"both/content"
    if named: with_a_name(content)
    type_for(content, 1, "wren")
    assert main(["cluster", *both, "--resume"]) == 0
    assert read_names(content)["names"] == ({"0": "wind"} if named else {}) | {"1": "wren"}
