"Edits of naming by listening: by two people, of another run, half-written, and taken over twice."
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from audioclust.cli import main
from audioclust.pipeline import last_word, name_clips, Options, Request, Run, run_of_embeddings, spread_names
from audioclust.pipeline.naming.answers import heard_answers
from audioclust.runs import apply_edits, read_edits, write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS, SEVERAL, UNSURE

X, NUMBERS = make_blobs(90, 8, centers=3, cluster_std=1.5, random_state=0)
TRUTH = np.array(["kick", "snare", "clap"])[NUMBERS]
FIRST = [int(np.flatnonzero(NUMBERS == c)[0]) for c in range(3)]


@pytest.fixture
def folder(tmp_path):
    "A run in which nobody has said anything."
    run = run_of_embeddings(X.astype(np.float32), request=Request(n_clusters=2, options=Options(stability=0)))
    return run.save(tmp_path/"run").folder

def page(folder, heard=None, **edits):
    "A page of a run as it is now, after answers by the row and further edits."
    run, began = Run.open(folder), read_edits(folder).record()
    answers = {run.table.clip_id[row]: answer for row,answer in (heard or {}).items()}
    ended = {**began, "heard": {**began.get("heard", {}), **answers}}
    for kind,entries in edits.items(): ended[kind] = {**ended[kind], **entries}
    return dict(schema=1, run=run.made["run_id"], base=dict(content=began), edits=dict(content=ended))

def take_over(folder, record):
    file = folder.parent/"edits.json"
    file.write_text(record if isinstance(record, str) else json.dumps(record))
    apply_edits(folder, file)
    return read_edits(folder)

def clip(folder, row): return Run.open(folder).table.clip_id[row]


def test_both_are_taken_and_contradictions_are_listed(folder):
    one = page(folder, {FIRST[0]: "kick", FIRST[1]: "snare", 5: "cowbell", 6: "rim"}, names={"0": "drums"})
    two = page(folder, {FIRST[0]: "bass drum", FIRST[2]: "clap", 5: UNSURE, 6: None}, names={"0": "trommeln"})
    take_over(folder, one)
    with pytest.warns(UserWarning, match="two people contradict each other") as told: names = take_over(folder, two)
    texts = [str(warning.message) for warning in told]
    first = clip(folder, FIRST[0])
    assert len(texts) == 2 and "the name of cluster 0 is 'drums' and 'trommeln'" in texts[0]
    assert f"clip {first} is 'kick' and 'bass drum'; the later one stays" in texts[1]
    answers = {FIRST[0]: "bass drum", FIRST[1]: "snare", FIRST[2]: "clap", 5: "cowbell", 6: "rim"}
    assert heard_answers(Run.open(folder)) == answers and names.names == {0: "trommeln"}
    lines = [["the name of cluster 0", "drums", "trommeln"], [f"clip {first}", "kick", "bass drum"]]
    assert names.contradictions == lines
    last_word(folder)
    assert read_edits(folder).contradictions == lines

def test_clips_that_two_people_moved_elsewhere(folder):
    one = page(folder, clips={clip(folder, 0): NEW_GROUPS}, names={str(NEW_GROUPS): "owl"})
    two = page(folder, clips={clip(folder, 0): -1, clip(folder, 1): -1})
    take_over(folder, one)
    with pytest.warns(UserWarning, match=f"clip {clip(folder, 0)} is 'owl' and 'noise'"): names = take_over(folder, two)
    assert names.names == {} and names.contradictions == [[f"clip {clip(folder, 0)}", "owl", "noise"]]
    assert names.clips == {clip(folder, 0): -1, clip(folder, 1): -1}

def test_a_file_without_base_takes_nothing_away(folder):
    take_over(folder, page(folder, {FIRST[0]: "kick"}, names={"0": "drums"}))
    added = dict(heard={clip(folder, FIRST[1]): "snare"}, names={"1": "metal"})
    names = take_over(folder, dict(schema=1, run=Run.open(folder).made["run_id"], edits=dict(content=added)))
    assert heard_answers(Run.open(folder)) == {FIRST[0]: "kick", FIRST[1]: "snare"}
    assert names.names == {0: "drums", 1: "metal"}

def test_a_spread_move_that_was_undone_stays_undone(folder):
    name_clips(Run.open(folder), dict(zip(FIRST, ["kick", "snare", "clap"]))).save(folder)
    last_word(folder)
    spread = Run.open(folder)
    row = next(row for row in range(90) if spread.groups[row] >= NEW_GROUPS and row not in FIRST)
    undone = page(folder)
    del undone["edits"]["content"]["clips"][clip(folder, row)]
    for _ in range(2): # the page that is still open gives the same file again
        take_over(folder, undone)
        last_word(folder)
        after = Run.open(folder)
        assert after.groups[row] == after.clustering.labels[row] and after.table.name[row] == ""
        assert (np.delete(after.groups, row) == np.delete(spread.groups, row)).all()

def test_a_page_from_before_the_names_were_spread_undoes_nothing(folder):
    name_clips(Run.open(folder), dict(zip(FIRST, ["kick", "snare", "clap"]))).save(folder)
    early = page(folder, clips={clip(folder, 7): NEW_GROUPS}, names={str(NEW_GROUPS): "shaker"})
    last_word(folder)
    before = Run.open(folder)
    stale = early | dict(base=dict(content=read_edits(folder).record())) # the page as it is now, the edits as the browser kept them
    for record in early, stale:
        take_over(folder, record)
        last_word(folder)
        after = Run.open(folder)
        is_shaker = (after.table.name == "shaker").to_numpy()
        assert is_shaker[7] and is_shaker.sum() < 5
        assert (after.groups == before.groups)[~is_shaker].all()

def test_answers_of_another_run_are_found_by_their_clips(folder, tmp_path):
    other = run_of_embeddings(X[:60].astype(np.float32), request=Request(n_clusters=2, options=Options(stability=0)))
    other = name_clips(other, {0: "kick"}).save(tmp_path/"other").folder
    record = page(folder, dict.fromkeys([*FIRST, 89], "kick"))
    heard = record["edits"]["content"]["heard"]
    here = dict(zip(Run.open(other).table.clip_id, ["snare", "clap"]))
    record["edits"]["content"]["heard"] = {**here, "gone": "tom"}
    with pytest.warns(UserWarning, match="1 of 3 answers are of clips that are not in this run: they are left out"):
        take_over(other, record)
    assert heard_answers(Run.open(other)) == {0: "snare", 1: "clap"}
    record["edits"]["content"]["heard"] = {f"x{key}": answer for key,answer in heard.items()}
    before = read_edits(other)
    with pytest.raises(ValueError, match="these are the edits of another run, of other clips"): take_over(other, record)
    assert read_edits(other) == before

def test_a_half_written_file_is_refused_in_one_line(folder, capsys):
    (folder.parent/"half.json").write_text(json.dumps(page(folder, {0: "kick"}))[:-3])
    assert main(["listen", str(folder), "--edits", str(folder.parent/"half.json")]) == 2
    err = capsys.readouterr().err
    assert "is not JSON" in err and err.count("\n") == 1 and not (folder/"names.json").exists()

@pytest.mark.parametrize("name", ["語"*2000, "=1+1/b\nc"])
def test_names_of_any_length_and_script(folder, name, capsys):
    file = folder.parent/"edits.json"
    file.write_text(json.dumps(page(folder, {FIRST[0]: name, FIRST[1]: "snare"})))
    assert main(["listen", str(folder), "--edits", str(file)]) == 0
    out = capsys.readouterr().out
    assert "2 answers taken over; 2 clips heard, 90 of 90 named" in out and name not in out
    assert spread_names(Run.open(folder)).edits.names and name in read_edits(folder).names.values()

def test_wrong_contradictions_are_damage(folder):
    names = read_edits(folder)
    with pytest.raises(ValueError, match="contradictions must be a list"): Edits.of({"contradictions": 5})
    write_edits(folder, replace(names, heard={clip(folder, 0): SEVERAL}))
    assert last_word(folder) is None
