"Levels from the request to the run folder: columns, saved and loaded, for new clips, by the same numbers, scored."
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import AudioClusterer, Options, Request, Run, run_of_embeddings
from audioclust.pipeline.cluster_step import level_columns
from audioclust.listen.comparison import compare_runs
from audioclust.listen.exporting import named_clips
from audioclust.runs.edit_files import write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS
from audioclust.runs.run_folder import read_record, read_table
from audioclust.runs.stable_ids import renumbered


def n_groups(labels): return len(np.unique(labels))

def is_within(one, other):
    "Does each group of the finer of two groupings lie in a group of the coarser?"
    finer, coarser = sorted([np.asarray(one), np.asarray(other)], key=lambda labels: -n_groups(labels))
    return (pd.Series(coarser).groupby(finer).nunique() == 1).all()

@pytest.fixture(scope="module")
def at(tmp_path_factory):
    "A folder with sounds (in) and a run of them with levels (run)."
    folder = tmp_path_factory.mktemp("levels")
    synthetic_words(6, 4, 5).save(folder/"in")
    typed = ["cluster", str(folder/"in"), "--out", str(folder/"run"), "--n-clusters", "auto"]
    assert main([*typed, "--method", "kmeans", "--labels", "parent", "--encoder", "fixed", "-q", "--no-page"]) == 0
    return folder


def test_levels_are_columns_and_come_back(at, tmp_path):
    run, table = Run.open(at/"run"), read_table(at/"run/clusters.csv")
    number, levels = run.clustering.number, run.clustering.levels
    assert [level.name for level in levels] == [name for name,n in number.levels.items() if n != number.k]
    for level in levels:
        assert (table[level.column] == level.labels).all()
        assert table[level.column].nunique() == number.levels[level.name] == level.validity["clusters"]
        assert is_within(table.cluster, table[level.column])
    AudioClusterer.load(at/"run").save(tmp_path/"copy")
    copy, first = read_record(tmp_path/"copy"), read_record(at/"run")
    assert copy["clustering"]["levels"] == first["clustering"]["levels"] != []
    assert read_table(tmp_path/"copy/clusters.csv").equals(table)


def test_new_clips_get_a_group_of_every_level(at):
    run = Run.open(at/"run")
    found = AudioClusterer.load(at/"run").assign(at/"in")
    for level in run.clustering.levels: assert (found[level.column] == level.labels).mean() > .99
    X = run.embeddings.X
    noise = level_columns(run.clustering, X, X[:3], np.array([-1, -1, 0]))
    assert all((column[:2] == -1).all() and column[2] >= 0 for column in noise.values())


def with_levels(run, levels): return replace(run, clustering=replace(run.clustering, levels=levels), folder=None)

def test_levels_keep_their_numbers(at):
    run, rng = Run.open(at/"run"), np.random.default_rng(0)
    before, levels = run.table, run.clustering.levels
    shuffled = tuple(replace(level, labels=rng.permutation(100)[level.labels]) for level in levels)
    other = with_levels(run, shuffled)
    for found,level in zip(renumbered(other, before).clustering.levels, levels, strict=True):
        assert (found.labels == level.labels).all()
    without = renumbered(other, before[["path", "start", "end", "cluster"]])  # a run without levels
    for found,level in zip(without.clustering.levels, shuffled, strict=True):
        assert (found.labels == level.labels).all()


def test_where_no_groups_stand_out_there_is_one_and_a_guess(rng):
    for method in "kmeans", "agglomerative":
        request = Request(method, "auto", options=Options(stability=2))
        run = run_of_embeddings(rng.normal(size=(200, 20)), request=request)
        number, levels = run.clustering.number, run.clustering.levels
        assert set(run.clustering.labels) == {0} and "no groups stand out" in number.why
        assert [level.name for level in levels] == ["fine"]
        assert n_groups(levels[0].labels) == number.levels["fine"] > 1
        assert run.table.cluster_fine.nunique() > 1


def test_a_method_that_counts_chooses_no_number():
    X, _ = make_blobs([25]*12, 5, random_state=0)
    clustering = run_of_embeddings(X, request=Request("hdbscan", "auto", options=Options(stability=0))).clustering
    assert clustering.number is None and clustering.levels == ()


def test_a_level_is_exported(at, tmp_path, capsys):
    def export(run, out, *more): return main(["export", str(run), "--out", str(tmp_path/out), *more])
    name = Run.open(at/"run").clustering.levels[0].name
    assert export(at/"run", "labels", "--to", "audacity", "--level", name) == 0
    assert all(f"{name} " in f.read_text() for f in (tmp_path/"labels").rglob("*.txt"))
    assert export(at/"run", "raven", "--to", "raven") == 0
    assert f"Cluster {name}" in next((tmp_path/"raven").rglob("*.txt")).read_text().splitlines()[0]
    AudioClusterer(n_clusters=3, encoder="fixed").fit(at/"in").save(tmp_path/"flat")
    capsys.readouterr()
    assert export(tmp_path/"flat", "none.csv", "--to", "raven", "--level", "coarse") == 2
    assert "it has none" in capsys.readouterr().err


def test_the_groups_of_a_level_are_those_that_a_person_left(at, tmp_path):
    run = Run.open(at/"run").save(tmp_path/"run")
    coarse = next(level for level in run.clustering.levels if level.name == "coarse")
    table, home = run.table, run.clustering.labels[0]
    beside = next(c for c in np.unique(run.clustering.labels[coarse.labels == coarse.labels[0]]) if c != home)
    far, new = (int(np.flatnonzero(coarse.labels != coarse.labels[0])[i]) for i in (0, 1))
    before = named_clips(run, level="coarse")
    write_edits(tmp_path/"run", Edits(
        names={home: "wren", beside: "wren", NEW_GROUPS: "owl"},
        clips={table.clip_id[far]: int(home), table.clip_id[new]: NEW_GROUPS}))
    after = named_clips(tmp_path/"run", level="coarse")
    assert set(before.name) == {f"coarse {c}" for c in np.unique(coarse.labels)}
    assert after.cluster[far] == coarse.labels[0] and after.cluster[new] == NEW_GROUPS and after.name[new] == "owl"
    others = np.setdiff1d(np.arange(len(table)), [far, new])
    assert (after.cluster[others] == coarse.labels[others]).all()
    alike = coarse.labels == coarse.labels[0]
    is_shared = run.clustering.labels[alike]
    expected = "wren" if set(is_shared) == {home, beside} else f"coarse {coarse.labels[0]}"
    assert set(after.name[alike]) == {expected} == {after.name[far]}
    agreement = compare_runs([Run.open(tmp_path/"run"), run]).agreement # one with edits, one without
    assert .5 < agreement[0] < 1
