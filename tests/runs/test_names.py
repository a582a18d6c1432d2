"Names last in names.json; what is typed into clusters.csv is told, and not read."
import json

import pytest

from audioclust.runs.edits import apply_edits
from audioclust.runs.names import (copy_names, display_name, flattened, free_name, name_groups, read_names,
                                   update_name_columns, warn_of_typed_names, write_names)
from audioclust.runs.run_folder import read_table

NAMES = {"names": {"0": "=wren", "1": "owl"}, "merged": {"2": 1}, "marks": {"0": "junk"}, "notes": {"1": "at\ndawn"}}


def type_for(run, cluster, text, column="name", rows=slice(None), encoding="utf-8"):
    "Type a text into the rows of a cluster, beside what stands in the table."
    table = read_table(run/"clusters.csv")
    if column not in table: table[column] = ""
    table.loc[table.index[table.cluster == cluster][rows], column] = text
    table.to_csv(run/"clusters.csv", index=False, encoding=encoding)


@pytest.fixture
def run(run_folder):
    return run_folder(clusters=[0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("column", ["name", "mark", "note"])
def test_what_was_typed_is_told_in_one_line_and_not_read(run, column):
    type_for(run, 1, "wren", column, slice(1))
    before = (run/"clusters.csv").read_bytes()
    assert not any(read_names(run).values()) and (run/"clusters.csv").read_bytes() == before
    with pytest.warns(UserWarning) as messages: write_names(run, {"names": {"0": "wind"}})
    text = str(messages[0].message)
    assert len(messages) == 1 and "\n" not in text
    assert f"the {column} of cluster 1 is 'wren'" in text and "is not read" in text
    assert f"audioclust listen {run}," in text and f"audioclust listen {run} --edits TABLE" in text
    assert read_names(run)["names"] == {"0": "wind"} and "wren" not in (run/"clusters.csv").read_text()


def test_a_name_that_differs_from_that_of_the_page_is_told(run):
    write_names(run, NAMES)
    type_for(run, 1, "duck")
    with pytest.warns(UserWarning, match="the name of cluster 1 is 'duck'"): update_name_columns(run)
    assert set(read_table(run/"clusters.csv").name[2:4]) == {"owl"}


def test_both_ways_that_the_warning_names_count(run):
    (run.parent/"names.csv").write_text("cluster,name\n1,wren\n")
    apply_edits(run, run.parent/"names.csv")
    (run.parent/"edits.json").write_text(json.dumps(
        dict(schema=1, run=str(run), base={"content": {}}, edits={"content": {"names": {"0": "owl"}}})))
    apply_edits(run, run.parent/"edits.json")
    assert read_names(run)["names"] == {"0": "owl", "1": "wren"}


@pytest.mark.filterwarnings("error")
def test_what_the_program_wrote_is_not_typed(run):
    for names in NAMES, {**NAMES, "clips": {f"{0:012x}": 100_000}}, {}:
        write_names(run, names)
        update_name_columns(run)
        warn_of_typed_names(run)


@pytest.mark.filterwarnings("error")
def test_a_spreadsheet_that_takes_away_the_apostrophe_changes_nothing(run):
    write_names(run, NAMES)
    (run/"clusters.csv").write_text((run/"clusters.csv").read_text().replace("'=wren", "=wren"))
    warn_of_typed_names(run)


@pytest.mark.filterwarnings("error")
def test_folders_without_a_run_or_with_a_damaged_one_are_not_warned_of(run):
    warn_of_typed_names(run.parent/"nowhere")
    type_for(run, 1, "wren")
    (run/"names.json").write_text("{")
    warn_of_typed_names(run)


def test_a_text_in_another_encoding_is_told(run):
    type_for(run, 0, "Möwe", encoding="cp1252")
    with pytest.warns(UserWarning, match=r"the name of cluster 0 is 'M\\udcf6we'"): warn_of_typed_names(run)


def test_lost_names_outlast_edits(run):
    lost = [{"by": "content", "names": {"9": "wren"}}]
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits={"content": {}}, lost=lost)))
    write_names(run, {"names": {"0": "wind"}})
    assert json.loads((run/"names.json").read_text())["lost"] == lost


def test_damaged_names_are_told_and_stay(run):
    (run/"names.json").write_text('{"schema": 1, "edits": {"content": {"merged": {"1": 2, "2": 1}}}}')
    before = (run/"names.json").read_bytes()
    for function in read_names, update_name_columns, lambda run: write_names(run, {}):
        with pytest.raises(ValueError, match="names.json is damaged .*circle.*mend it, or remove it"): function(run)
    assert (run/"names.json").read_bytes() == before


def test_seeds_name_only_what_has_no_name(run):
    write_names(run, {"names": {"0": "pipistrelle"}})
    refused = name_groups(run, {0: "bat", 1: "owl"})
    assert refused == ["cluster 0 is called 'pipistrelle' by hand, and keeps that name, not 'bat'"]
    assert read_names(run)["names"] == {"0": "pipistrelle", "1": "owl"}


def test_names_are_copied_and_never_written_over(run, run_folder):
    other = run_folder("other")
    copy_names(other, run)
    assert not (run/"names.json").exists()
    write_names(other, {"names": {"0": "wren"}})
    copy_names(other, run)
    assert (run/"names.json").read_bytes() == (other/"names.json").read_bytes()
    (run/"names-2.json").touch()
    assert free_name(run/"names.json") == run/"names-3.json" and free_name(run/"new.json") == run/"new.json"


def test_a_long_chain_of_merges_takes_no_time_to_follow():
    n = 100_000
    names = {"names": {str(n): "end"}, "merged": {str(i): i + 1 for i in range(n)}}
    ends = flattened(names)
    assert set(ends["merged"].values()) == {str(n)} and display_name(0, names) == "end"
    assert display_name(0, ends) == "end"
    with pytest.raises(ValueError, match="circle"): flattened({"merged": {**names["merged"], str(n): 0}})
