"One check of a run folder that somebody else may have made: each refusal is one line that says what to do."
import json

import pytest

from audioclust.core.files import write_json
from audioclust.runs.run_folder import check_out, read_record, run_folders


def edited(folder, **parts):
    "The run with other entries in its run.json."
    record = json.loads((folder/"run.json").read_text())
    write_json(record | parts, folder/"run.json")
    return folder


@pytest.fixture
def run(run_folder):
    return run_folder()


@pytest.mark.parametrize("text, message", [
    ("", "is damaged"), ("[1]", "holds no JSON object"), ("["*200_000, "is damaged"), ('{"a":'*200_000, "is damaged"),
    ("{}", "has schema None"), ('{"schema": "<script>"}', "has schema <script>"),
    ('{"schema": 2}', "make the run again"),
    ('{"schema": 3, "complete": false}', "continue with --resume, or start again with --overwrite"),
    ('{"schema": 3}', "request, clips, embeddings, clustering, findings, made should be something else")])
def test_texts_that_are_no_record(run, text, message):
    (run/"run.json").write_text(text)
    with pytest.raises(ValueError, match=message) as error: read_record(run)
    assert str(run) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("part, entries, wrong", [
    ("request", dict(by="words"), "request.by"), ("request", dict(by={"a": 1}), "request.by"),
    ("request", dict(params=[]), "request.params"), ("clips", dict(recordings=5), "clips.recordings"),
    ("clips", dict(inputs=[]), "clips.inputs"),
    *[("clips", dict(inputs=dict(new_recordings=wrong)), "clips.inputs.new_recordings")
      for wrong in ("/pack", 5, None, [5], {})],
    ("embeddings", dict(encoder="x"), "embeddings.encoder"),
    ("clustering", dict(ids={}), "clustering.ids"), ("clustering", dict(levels=[{}]), "clustering.levels"),
    ("clustering", dict(levels=["coarse"]), "clustering.levels"),
    ("findings", dict(stability=[1]), "findings.stability"),
    ("findings", dict(scores="high"), "findings.scores"), ("made", dict(versions=[]), "made.versions"),
    ("made", dict(run_id=None), "made.run_id"), ("made", dict(warnings="none"), "made.warnings")])
def test_entries_of_another_kind(run, part, entries, wrong):
    edited(run, **{part: read_record(run)[part] | entries})
    with pytest.raises(ValueError, match=f"run.json is damaged .{wrong} should be something else"):
        read_record(run)


def test_links_and_odd_files_are_refused(run, tmp_path):
    (run/"model").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="model is a link, and a run folder holds files and folders only: remove it"):
        read_record(run)
    with pytest.raises(ValueError, match="model is a link"): check_out(run, overwrite=True)


def test_folders_without_a_run_say_how_to_make_one(run_folder, tmp_path):
    with pytest.raises(ValueError, match=f"Make one with: audioclust cluster FOLDER --out {tmp_path}"):
        read_record(tmp_path)
    (tmp_path/"both.json").write_text("{}")
    with pytest.raises(ValueError, match=f"say {tmp_path/'content'} or {tmp_path/'source'}"): read_record(tmp_path)
    assert run_folders(tmp_path) == [tmp_path/"content", tmp_path/"source"]


@pytest.mark.parametrize("text, is_run", [("{}", False), ('{"schema": 1}', True), ("{", True), ("[]", False)])
def test_what_may_be_replaced(run, text, is_run):
    (run/"run.json").write_text(text)
    if is_run: check_out(run, overwrite=True)
    else:
        with pytest.raises(ValueError, match="not empty and holds no run"): check_out(run, overwrite=True)
