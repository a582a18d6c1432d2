"Naming by listening in Python: which clips are asked for, what their names say of the others, and what a person's own edits hold."
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.pipeline import (
    assign_embeddings, last_word, name_clips, naming_progress, next_to_hear, Options, Request, Run, run_of_embeddings,
    spread_names)
from audioclust.pipeline.naming.answers import heard_answers
from audioclust.pipeline.naming.spreading import spread_known
from audioclust.cli import main
from audioclust.encoders.residual import IdentityWhitening
from audioclust.listen.exporting import named_clips
from audioclust.runs.edits import Edits, NOT_OF_INTEREST, SEVERAL, UNSURE
from audioclust.runs.edit_files import read_edits
from audioclust.runs.stable_ids import carry_names

KINDS = ["kick", "snare", "clap", "hat", "tom"]
X, NUMBERS = make_blobs(150, 12, centers=5, cluster_std=2., random_state=1)
TRUTH = np.array(KINDS)[NUMBERS]

@pytest.fixture(scope="module")
def run():
    "Five kinds in two clusters."
    return run_of_embeddings(X.astype(np.float32), request=Request(n_clusters=2, options=Options(stability=0)))

@pytest.fixture(scope="module")
def named(run): return answered(run, 10)

def answered(run, n, names=TRUTH):
    "The run after `n` answers, five questions at a time."
    for _ in range(n//5): run = name_clips(run, {row: str(names[row]) for row in next_to_hear(run, 5)})
    return run

def number_of(run, name): return next(group for group, given in run.edits.names.items() if given == name)

def edited(run, **edits): return replace(run, folder=None, edits=replace(run.edits, **edits))


def test_the_first_questions_meet_every_kind(run):
    assert set(TRUTH[next_to_hear(run, 5)]) == set(KINDS)
    by_chance = [len(set(TRUTH[np.random.default_rng(i).permutation(150)[:5]])) for i in range(20)]
    assert np.mean(by_chance) < 4

def test_no_clip_is_asked_twice_and_the_order_is_the_same_each_time(run):
    rows = next_to_hear(run, 150)
    assert sorted(rows) == list(range(150)) and next_to_hear(run, 40) == rows[:40]
    some = name_clips(run, {row: str(TRUTH[row]) for row in rows[:30]})
    others = next_to_hear(some, 200)
    assert not set(others) & set(rows[:30]) and len(others) == 120
    assert next_to_hear(name_clips(run, dict(enumerate(TRUTH.tolist())))) == []

def test_many_clips_begin_with_small_parts(monkeypatch):
    "With more clips than leaves, a tree over K-means parts; clips of parts that were heard come last."
    monkeypatch.setattr("audioclust.pipeline.naming.questions._MOST_LEAVES", 100)
    monkeypatch.setattr("audioclust.pipeline.naming.questions._FINE_PARTS", 30)
    large = run_of_embeddings(X.astype(np.float32), request=Request(n_clusters=2, options=Options(stability=0)))
    rows = next_to_hear(large, 150)
    assert sorted(rows) == list(range(150)) and set(TRUTH[rows[:5]]) == set(KINDS)
    assert (spread_names(answered(large, 10)).table.name == TRUTH).mean() > .9

def test_what_is_in_doubt_is_asked(run):
    "Where one kind has three names at random, more of its clips are asked for than of any other."
    mixed = TRUTH.copy()
    of_tom = np.flatnonzero(TRUTH == "tom")
    mixed[of_tom] = np.random.default_rng(0).choice(["low", "middle", "high"], len(of_tom))
    rows = list(heard_answers(answered(run, 40, mixed)))
    counts = {kind: (TRUTH[rows] == kind).sum() for kind in KINDS}
    assert max(counts, key=counts.get) == "tom" and counts["tom"] > 8

def test_a_heard_clip_stands_for_its_group():
    "Three speakers say five words each, and one word of each speaker is heard. Noise is no group."
    speaker, word = np.repeat([0, 1, 2], 100), np.tile(np.arange(5), 60)
    rng = np.random.default_rng(0)
    words = rng.normal(0, 4/12**.5, (15, 12))[5*speaker + word]
    points = (rng.normal(0, .5, (300, 12)) + words + 5*np.eye(3, 12)[speaker]).astype(np.float32)
    found = run_of_embeddings(points, request=Request(n_clusters=3, options=Options(stability=0)), whitening=IdentityWhitening())
    known = {int(row): f"speaker {speaker[row]}" for row in np.flatnonzero(found.clustering.representative)}
    def accuracy(labels):
        grouped = replace(found, clustering=replace(found.clustering, labels=labels))
        return (spread_known(grouped, known).shares.argmax(1) == speaker).mean()
    assert accuracy(found.clustering.labels) == 1 and accuracy(np.full(300, -1)) < .95

def test_all_clips_are_named_from_ten(named):
    table = spread_names(named).table
    assert (table.name == TRUTH).mean() > .97 and table.name_confidence.between(0, 1).all()
    for row in heard_answers(named): assert table.name_confidence[row] == 1 and table.name[row] == TRUTH[row]
    assert "name" not in named.table, "the run before is as it was"

def test_saved_and_read_again(named, tmp_path):
    assert heard_answers(named.save(tmp_path/"run")) == heard_answers(named)
    opened = Run.open(tmp_path/"run")
    assert next_to_hear(opened, 5) == next_to_hear(named, 5)
    result = spread_names(opened)
    again = Run.open(result.save(tmp_path/"run").folder)
    assert (again.table.name == result.table.name).all() and naming_progress(again) == naming_progress(named)
    row = next(iter(heard_answers(named))) # the last answer counts
    changed = name_clips(again, {row: "cowbell"})
    assert spread_names(changed).table.name[row] == "cowbell" and list(heard_answers(changed))[-1] == row

def test_moves_by_hand_hold(named):
    result = spread_names(named)
    row = int(np.flatnonzero((TRUTH == "kick") & (result.table.name == "kick"))[0])
    moved = edited(result, clips={**result.edits.clips, result.table.clip_id[row]: number_of(result, "hat")})
    again = spread_names(answered(moved, 5)).table
    assert again.name[row] == "hat" and again.name_confidence[row] == 1
    assert (again.name == TRUTH).sum() >= 145

def test_the_name_of_a_cluster_holds_except_for_what_was_heard(run):
    rows = np.flatnonzero(run.clustering.labels == 0)
    result = spread_names(name_clips(edited(run, names={0: "drums"}), {int(rows[3]): "bird", int(rows[4]): None}))
    assert set(result.table.name[rows]) == {"drums", "bird"} and (result.table.name[rows] == "bird").sum() == 1
    moved = edited(run, names={1: "dog"}, clips={run.table.clip_id[5]: 1})
    assert spread_names(name_clips(moved, {5: "cat"})).table.name[5] == "cat"
    merged = edited(run, names={0: "dog", 1: "cat"}, merged={0: 1})
    assert spread_names(name_clips(merged, {7: "dog"})).table.name[7] == "dog"

def test_names_are_those_of_groups_that_are_there(named):
    "A second spreading makes no second group of a name, a name keeps its number, and a new name of a group stays."
    once = spread_names(named)
    twice = spread_names(once)
    assert sorted(twice.edits.names.values()) == sorted(KINDS) and (twice.table.name == once.table.name).all()
    more = spread_names(name_clips(once, {3: "agogo", 77: "bongo"}))
    assert {name: number_of(more, name) for name in KINDS} == {name: number_of(once, name) for name in KINDS}
    renamed = spread_names(edited(once, names={**once.edits.names, number_of(once, "tom"): "low tom"})).table
    assert "tom" not in set(renamed.name) and (renamed.name == "low tom").sum() > 25

def test_unsure_spreads_and_is_not_asked_again(run):
    rows = [int(np.flatnonzero(TRUTH == kind)[0]) for kind in KINDS]
    answers = dict(zip(rows, [*KINDS[:4], UNSURE]))
    unsure = name_clips(run, answers)
    result = spread_names(unsure).table
    assert result.name_is_guess[TRUTH == "tom"].all() and result.name_confidence[TRUTH == "tom"].max() < .2
    assert (result.name[TRUTH != "tom"] == TRUTH[TRUTH != "tom"]).mean() > .8

def test_several_things_and_skipped_clips_are_asked_for_in_pieces(run):
    (first,) = next_to_hear(run)
    for answer in SEVERAL, None:
        part = name_clips(run, {first: answer})
        assert first not in next_to_hear(part, 149) and naming_progress(part).named == 0

def test_the_estimate_is_honest(run):
    "Close where names follow the points, and low where they do not."
    for n in 10, 30:
        some = answered(run, n)
        progress, table = naming_progress(some), spread_names(some).table
        right = (table.name == TRUTH)[table.name != ""].mean()
        assert abs(progress.right - right) < .12 and progress.heard == n
    by_chance = np.random.default_rng(0).choice(KINDS, 150)
    lost = answered(run, 40, by_chance)
    table = spread_names(lost).table
    assert naming_progress(lost).right - (table.name == by_chance)[table.name != ""].mean() < .15

def test_new_clips_join_the_named_groups(named):
    result = spread_names(named)
    new, numbers = make_blobs(60, 12, centers=[X[NUMBERS == c].mean(0) for c in range(5)], cluster_std=2., random_state=2)
    found = assign_embeddings(result, new.astype(np.float32)).cluster
    assert (found.map(lambda group: result.edits.names.get(group)) == np.array(KINDS)[numbers]).mean() > .95

def test_wrong_calls_are_refused(run, named):
    for row in -1, 150, "a", 1.5:
        with pytest.raises(ValueError, match="rows from 0 to 149"): name_clips(run, {row: "kick"})
    for answer in "", "  ", 3, "a\0b":
        with pytest.raises(ValueError, match="must be a text, or None"): name_clips(run, {0: answer})
    for nameless in run, name_clips(run, {0: NOT_OF_INTEREST, 1: UNSURE}):
        assert naming_progress(nameless).named == 0
        with pytest.raises(ValueError, match="no clip of this run has a name"): spread_names(nameless)
    with pytest.raises(ValueError, match="at least one clip"): next_to_hear(named, 0)
    long = name_clips(run, {0: "語"*2000, 1: "=1+1"})
    assert heard_answers(long)[0] == "語"*2000 and "'=1+1" in set(spread_names(long).table.name)

def test_damaged_answers_are_told(named, tmp_path):
    spread_names(named).save(tmp_path/"run")
    file = tmp_path/"run"/"names.json"
    good = json.loads(file.read_text())
    for entry in dict(heard=[1]), dict(heard={"a": 3}), dict(spread={"a": 3}), dict(spread={"a": [1, "x"]}):
        file.write_text(json.dumps({**good, "edits": {"content": {**good["edits"]["content"], **entry}}}))
        with pytest.raises(ValueError, match=r"names.json is damaged \((heard|spread) must have"): read_edits(tmp_path/"run")

def test_answers_of_clips_that_are_there_outlast_a_new_run(named, tmp_path):
    saved = spread_names(named).save(tmp_path/"run")
    row, other = list(heard_answers(named))[:2]
    left = set(saved.table.clip_id) - {saved.table.clip_id[row]}
    carry_names(saved.folder, [0, 1], left)
    heard = read_edits(saved.folder).heard
    assert saved.table.clip_id[row] not in heard and heard[saved.table.clip_id[other]] == TRUTH[other]


def test_the_last_word(run, tmp_path, capsys):
    "From the answers of the page to names of all clips, in what is written of the run."
    saved, base = run.save(tmp_path/"run"), run.edits.record()
    answers = {int(np.flatnonzero(TRUTH == kind)[0]): kind if kind != "tom" else NOT_OF_INTEREST for kind in KINDS}
    heard = {saved.table.clip_id[row]: answer for row,answer in answers.items()}
    record = dict(schema=1, run=run.made["run_id"], base=dict(content=base), edits=dict(content={**base, "heard": heard}))
    (tmp_path/"edits.json").write_text(json.dumps(record))
    assert main(["listen", str(tmp_path/"run"), "--edits", str(tmp_path/"edits.json")]) == 0
    table = Run.open(tmp_path/"run").table
    n_named = int(table.name.isin(KINDS).sum())
    n_dull = int((table.name == NOT_OF_INTEREST).sum())
    line = f"heard:  5 answers taken over; 5 clips heard, {n_named} of 150 named, {n_dull} not of interest, about "
    assert line in capsys.readouterr().out
    is_tom = TRUTH == "tom"
    assert (table.name == TRUTH)[~is_tom].mean() > .85 and (table.name == NOT_OF_INTEREST)[is_tom].mean() > .85
    assert table.name_confidence.between(0, 1).all()
    for out, more, n in ("a.csv", [], 150 - n_dull), ("b.csv", ["--without", "nothing"], 150):
        assert main(["export", str(tmp_path/"run"), "--to", "csv", "--out", str(tmp_path/out), *more]) == 0
        assert len(pd.read_csv(tmp_path/out)) == n
    assert set(KINDS) - {"tom"} <= set(named_clips(tmp_path/"run").name)

def test_the_last_word_is_taken_back_with_the_answers(named, tmp_path):
    folder = named.save(tmp_path/"run").folder
    before = Run.open(folder).groups
    assert last_word(folder).heard == 10 and (Run.open(folder).groups != before).any()
    name_clips(Run.open(folder), dict.fromkeys(heard_answers(named))).save(folder)
    assert last_word(folder) is None and (Run.open(folder).groups == before).all()
    assert not replace(read_edits(folder), heard={})

def test_a_name_of_a_group_that_no_clip_is_known_by(run):
    "The group was named, and its representative turned out to be something else."
    first = int(np.flatnonzero(run.clustering.representative & (run.clustering.labels == 0))[0])
    called = replace(run, edits=Edits(names={0: "dog"}))
    for answer in "cat", UNSURE:
        table = spread_names(name_clips(called, {first: answer, 3: "bird"})).table
        assert (table.name[(run.clustering.labels == 0) & (np.arange(len(run)) != first)] == "dog").mean() > .9

def test_a_run_of_one_clip_is_named():
    run = run_of_embeddings(np.ones((1, 3), np.float32), request=Request(n_clusters=1, options=Options(stability=0)))
    assert next_to_hear(run) == [0]
    named = name_clips(run, {0: "kick"})
    assert spread_names(named).table.name.tolist() == ["kick"] and next_to_hear(named) == []
    assert str(naming_progress(named)).startswith("1 clips heard, 1 of 1 named")
