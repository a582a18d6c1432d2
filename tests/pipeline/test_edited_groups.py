"New clips go to the groups as a person left them: split, made anew, and with clips that were moved."
from pathlib import Path

import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import assign, make_run
from audioclust.runs import Options, Request, Run, write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS
from audioclust.runs.run_folder import read_table
from audioclust.runs.seeds import read_seeds

WORDS = ["cuckoo", "owl", "lark", "duck"]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    "Clips of four words, and new clips of the same words by the same voices."
    top = tmp_path_factory.mktemp("edited")
    table = synthetic_words(4, 3, 12).save(top/"old")
    for path in table.groupby(["label", "voice"]).path.tail(4):
        new = top/"new"/Path(path).relative_to(top/"old")
        new.parent.mkdir(parents=True, exist_ok=True)
        Path(path).rename(new)
    return top

@pytest.fixture(params=["kmeans", "agglomerative"])
def run(sounds, tmp_path, request):
    "All in one or two clusters, which a person split into the four words and named."
    made = make_run(sounds/"old", Request(request.param, 2, options=Options(stability=0))).save(tmp_path/"run")
    words = made.table.path.map(lambda path: int(path.split("word")[1][0]))
    moved = {clip: NEW_GROUPS + word for clip, word in zip(made.table.clip_id, words)}
    names = {NEW_GROUPS + word: name for word, name in enumerate(WORDS)}
    write_edits(tmp_path/"run", Edits(clips=moved, names=names))
    return Run.open(tmp_path/"run")

def word_of(table): return table.path.map(lambda path: int(path.split("word")[1][0]))


def test_new_clips_join_the_groups_that_a_person_made(run, sounds):
    assigned = assign(run, sounds/"new")
    assert (assigned.cluster - NEW_GROUPS == word_of(assigned)).mean() > .9
    assert assigned.confidence.between(0, 1).all() and assigned.strangeness.median() < 1.5
    assert (assign(run, sounds/"new", none_beyond=0.).cluster == -1).all()
    own = assign(run, sounds/"old")
    assert (own.cluster == run.groups).all(), "its own clips stay where they were moved to"

def test_a_clip_that_was_moved_alone(sounds, tmp_path):
    made = make_run(sounds/"old", Request(n_clusters=4, options=Options(stability=0))).save(tmp_path/"run")
    first = made.table.iloc[0]
    elsewhere = next(int(c) for c in made.table.cluster.unique() if c != first.cluster)
    write_edits(tmp_path/"run", Edits(clips={first.clip_id: elsewhere}))
    again = assign(Run.open(tmp_path/"run"), [first.path])
    assert again.cluster.tolist() == [elsewhere]

def test_a_run_grows_by_the_groups_that_a_person_made(run, sounds, tmp_path, capsys):
    grown = tmp_path/"grown"
    typed = ["cluster", str(sounds/"new"), "--grow", str(run.folder), "--out", str(grown), "--no-page", "-q"]
    assert main(typed) == 0
    table = read_table(grown/"clusters.csv")
    assert len(table) == len(run) + 48
    right = [WORDS[word] for word in word_of(table)]
    assert (table.name == right)[:len(run)].all(), "old clips stay where they were moved to"
    assert (table.name == right).mean() > .95
    groups = pd.Series(Run.open(grown).groups)
    assert (groups[:len(run)] == run.groups).all() and set(groups) == set(run.groups)

def test_a_group_without_its_representative_has_a_seed_and_one_without_a_clip_is_warned_of(sounds, tmp_path):
    made = make_run(sounds/"old", Request(n_clusters=4, options=Options(stability=0))).save(tmp_path/"run")
    named = {c: word for c, word in enumerate(WORDS)}
    representative = made.table[made.table.representative & (made.table.cluster == 0)].clip_id.iloc[0]
    write_edits(tmp_path/"run", Edits(names=named, clips={representative: 1}))
    assert set(read_seeds(tmp_path/"run", made.table).labels()) == {"", *WORDS}
    all_of = made.table.clip_id[made.table.cluster == 0]
    write_edits(tmp_path/"run", Edits(names=named, clips=dict.fromkeys(all_of, 1)))
    with pytest.warns(UserWarning, match="called cuckoo: the name has no seed"): read_seeds(tmp_path/"run", made.table)

def test_scores_and_neighbours_are_those_of_the_groups_that_a_person_made(run, sounds, capsys):
    assert main(["compare", str(run.folder), "--labels", "parent"]) == 0
    said = capsys.readouterr()
    assert "moved by hand, and counted where they are now: 96 clips" in said.err
    assert Run.open(run.folder).findings.scores["acc"] == 1
    assert main(["similar", str(run.folder), run.table.path[0], "--top", "3"]) == 0
    assert capsys.readouterr().out.count("cuckoo") >= 2
    write_edits(run.folder, Edits(merged={1: 0}))
    assert main(["compare", str(run.folder), "--labels", "parent"]) == 0
    assert Run.open(run.folder).findings.scores["acc"] == .25, "one group holds all four words"
