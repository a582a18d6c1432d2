"Names last in names.json."
import json

import pytest

from audioclust.runs.edits import Edits
from audioclust.runs.edit_files import copy_edits, free_name, name_groups, read_edits, write_edits, write_name_columns


@pytest.fixture
def run(run_folder):
    return run_folder(clusters=[0, 0, 1, 1, 2, 2])


def test_lost_names_outlast_edits(run):
    lost = [{"by": "content", "names": {"9": "wren"}}]
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits={"content": {}}, lost=lost)))
    write_edits(run, Edits(names={0: "wind"}))
    assert json.loads((run/"names.json").read_text())["lost"] == lost


def test_damaged_names_are_told_and_stay(run):
    (run/"names.json").write_text('{"schema": 1, "edits": {"content": {"merged": {"1": 2, "2": 1}}}}')
    before = (run/"names.json").read_bytes()
    for function in read_edits, write_name_columns, lambda run: write_edits(run, Edits()):
        with pytest.raises(ValueError, match="names.json is damaged .*circle.*mend it, or remove it"): function(run)
    assert (run/"names.json").read_bytes() == before


def test_seeds_name_only_what_has_no_name(run):
    write_edits(run, Edits(names={0: "pipistrelle"}))
    refused = name_groups(run, {0: "bat", 1: "owl"})
    assert refused == ["cluster 0 is called 'pipistrelle' by hand, and keeps that name, not 'bat'"]
    assert read_edits(run).names == {0: "pipistrelle", 1: "owl"}


def test_names_are_copied_and_never_written_over(run, run_folder):
    other = run_folder("other")
    copy_edits(other, run)
    assert not (run/"names.json").exists()
    write_edits(other, Edits(names={0: "wren"}))
    copy_edits(other, run)
    assert (run/"names.json").read_bytes() == (other/"names.json").read_bytes()
    (run/"names-2.json").touch()
    assert free_name(run/"names.json") == run/"names-3.json" and free_name(run/"new.json") == run/"new.json"
