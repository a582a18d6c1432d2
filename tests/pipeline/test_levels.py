"Levels from the request to the run folder: columns, saved and loaded, for new clips, by the same numbers, scored, exported."
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.ensembles.n_clusters import Choice
from audioclust.pipeline import AudioClusterer, Options, Request, Run
from audioclust.runs.stable_ids import renumbered
from audioclust.pipeline import run_of_embeddings
from audioclust.pipeline.number_and_levels import number_wanted, warn_of_number
from audioclust.runs.run_folder import check_run_folder, read_table


def is_within(finer, coarser): return (pd.Series(coarser).groupby(np.asarray(finer)).nunique() == 1).all()

@pytest.fixture(scope="module")
def run(tmp_path_factory):
    at = tmp_path_factory.mktemp("levels")
    synthetic_words(6, 4, 5).save(at/"in")
    assert main(["cluster", str(at/"in"), "--out", str(at/"run"), "--n-clusters", "auto", "-q", "--no-page", "--labels", "parent", "--encoder", "fixed"]) == 0
    return at


def test_levels_are_columns_and_come_back(run, tmp_path):
    grouping, table = Run.open(run/"run"), read_table(run/"run/clusters.csv")
    numbers = grouping.clustering.number.levels
    assert [level.name for level in grouping.clustering.levels] == [name for name,n in numbers.items() if n != grouping.clustering.number.k]
    for level in grouping.clustering.levels:
        assert (table[level.column] == level.labels).all() and table[level.column].nunique() == numbers[level.name] == level.validity["clusters"]
        assert not level.recommended
        finer, coarser = sorted([table.cluster, table[level.column]], key=lambda c: -c.nunique())
        assert is_within(finer, coarser)
    assert (run/"run/figures/levels.png").is_file()
    AudioClusterer.load(run/"run").save(tmp_path/"copy")
    assert (tmp_path/"copy/levels.json").read_text() == (run/"run/levels.json").read_text()
    assert read_table(tmp_path/"copy/clusters.csv").equals(table)


def test_new_clips_get_a_group_of_every_level(run):
    grouping = Run.open(run/"run")
    found = AudioClusterer.load(run/"run").assign(run/"in")
    for level in grouping.clustering.levels: assert (found[level.column] == level.labels).mean() > .99
    from audioclust.pipeline.number_and_levels import level_columns
    noise = level_columns(grouping, grouping.embeddings.X[:3], np.array([-1, -1, 0]))
    assert all((column[:2] == -1).all() and column[2] >= 0 for column in noise.values())


@pytest.mark.parametrize("level", ["coarse", "fine"])
def test_another_level_is_taken(run, level):
    choice = Run.open(run/"run").clustering.number
    model = AudioClusterer(n_clusters="auto", encoder="fixed", options=Options(level=level)).fit(run/"in")
    assert len(np.unique(model.labels_)) == choice.levels[level]
    other = {l.name: l for l in model.levels_}
    assert level not in other and other["middle"].recommended and is_within(*sorted([model.labels_, other["middle"].labels], key=lambda l: -len(np.unique(l))))
    new = model.assign(run/"in")
    columns = sorted((c for c in new if c.startswith("cluster")), key=lambda c: new[c].nunique())
    for coarser,finer in zip(columns, columns[1:]): assert is_within(new[finer], new[coarser])  # nested for new clips as well


def test_levels_keep_their_numbers(run):
    grouping, rng = Run.open(run/"run"), np.random.default_rng(0)
    before = grouping.table
    def shuffled(labels): return rng.permutation(100)[labels]
    other = replace(grouping, levels=tuple(replace(l, labels=shuffled(l.labels)) for l in grouping.clustering.levels))
    assert all((a.labels == b.labels).all() for a,b in zip(renumbered(other, before).levels, grouping.clustering.levels))
    without = renumbered(other, before[["path", "start", "end", "cluster"]])  # a run without levels
    assert all((a.labels == b.labels).all() for a,b in zip(without.clustering.levels, other.clustering.levels))


def test_where_no_groups_stand_out_there_is_one_and_a_guess(rng):
    for method in ("kmeans", "consensus", "spectral", "agglomerative"):
        grouping = run_of_embeddings(rng.normal(size=(200, 20)), request=Request(method, "auto", options=Options(stability=2)))
        assert set(grouping.clustering.labels) == {0} and "no groups stand out" in grouping.clustering.number.why
        assert [level.name for level in grouping.clustering.levels] == ["fine"] and len(np.unique(grouping.clustering.levels[0].labels)) == grouping.clustering.number.levels["fine"] > 1
        assert grouping.table.cluster_fine.nunique() > 1


def test_a_method_that_counts_gets_a_coarser_level(tmp_path):
    from sklearn.datasets import make_blobs
    X, blob = make_blobs([25]*12, 5, centers=np.repeat(np.eye(4, 5)*30, 3, 0) + np.tile(np.eye(3, 5)[:, ::-1]*5, (4, 1)), cluster_std=.3, random_state=0)
    grouping = run_of_embeddings(X, request=Request("hdbscan", "auto", options=Options(params=dict(min_cluster_size=8), stability=0)))
    choice, clusters = grouping.clustering.number, set(grouping.clustering.labels) - {-1}
    assert len(clusters) == 12 > choice.k
    assert [level.name for level in grouping.clustering.levels] == ["coarse", "middle"] and [level.recommended for level in grouping.clustering.levels] == [False, True]
    assert [level.validity["clusters"] for level in grouping.clustering.levels] == [choice.levels["coarse"], choice.k]
    for level in grouping.clustering.levels:
        assert ((level.labels < 0) == (grouping.clustering.labels < 0)).all()
        assert is_within(grouping.clustering.labels[grouping.clustering.labels >= 0], level.labels[grouping.clustering.labels >= 0])
    few = run_of_embeddings(X[:8], request=Request("hdbscan", "auto"))  # too few to choose from, and no reason to refuse
    assert few.clustering.number is None and few.clustering.levels == ()
    with pytest.raises(ValueError, match="hdbscan finds its own number"): from_embeddings(X, request=Request("hdbscan", "auto", options=Options(level="coarse")))


def test_wrong_levels_are_refused(run, tmp_path, capsys):
    for options,message in ((Options(level="deep"), "say coarse, middle or fine"), (Options(level="fine"), "is for n_clusters='auto'")):
        with pytest.raises(ValueError, match=message): AudioClusterer(n_clusters="auto" if options.level == "deep" else 4, options=options).fit(run/"in")
    assert main(["cluster", str(run/"in"), "--out", str(tmp_path/"run"), "--level", "fine"]) == 2
    assert "which finds the levels; 10 groups were asked for" in capsys.readouterr().err and not (tmp_path/"run").exists()


def test_which_number_is_wanted():
    choice = Choice(5, "", pd.DataFrame(), 2, dict(coarse=5, fine=9))
    assert number_wanted(choice, Request(n_clusters="auto")) == 5 and number_wanted(choice, Request(n_clusters="auto", options=Options(level="fine"))) == 9
    with pytest.warns(UserWarning, match="no level middle for these clips, so the recommended number is taken, 5; the levels are coarse .5 groups., fine .9 groups."):
        assert number_wanted(choice, Request(n_clusters="auto", options=Options(level="middle"))) == 5
    none = choice._replace(k=1, levels=dict(coarse=1, fine=3))
    with pytest.warns(UserWarning, match="spice cannot be trained for one group"): assert number_wanted(none, Request("spice", "auto")) == 3


def test_scores_and_lines_name_the_levels(run, capsys):
    assert main(["score", str(run/"run"), "--labels", "parent"]) == 0
    printed, record = capsys.readouterr().out, check_run_folder(run/"run")
    names = [level["name"] for level in json.loads((run/"run/levels.json").read_text())]
    assert list(record["scores"]["levels"]) == names and all(f"cluster_{name}" in printed for name in names)
    assert {line.split()[0] for line in printed.splitlines() if line.startswith(("cluster ", *names))} == {"cluster", *names}


def test_a_level_is_exported(run, tmp_path, capsys):
    name = Run.open(run/"run").clustering.levels[0].name
    assert main(["export", str(run/"run"), "--to", "audacity", "--out", str(tmp_path/"labels"), "--level", name]) == 0
    assert all(f"{name} " in f.read_text() for f in (tmp_path/"labels").rglob("*.txt"))
    assert main(["export", str(run/"run"), "--to", "raven", "--out", str(tmp_path/"raven")]) == 0
    assert f"Cluster {name}" in next((tmp_path/"raven").rglob("*.txt")).read_text().splitlines()[0]
    flat = AudioClusterer(n_clusters=3, encoder="fixed").fit(run/"in")
    flat.save(tmp_path/"flat")
    capsys.readouterr()
    for arguments,message in (([str(tmp_path/"flat"), "--to", "raven", "--level", "coarse"], "it has none"), ([str(run/"run"), "--to", "csv", "--level", name], "a table .* holds all levels")):
        assert main(["export", *arguments, "--out", str(tmp_path/"none.csv")]) == 2
        import re
        assert re.search(message, capsys.readouterr().err) and not (tmp_path/"none.csv").exists()


@pytest.mark.parametrize("damage", ["{", "{}", "[1]", '[{"name": "fine"}]'])
def test_damaged_levels_are_one_line(run, tmp_path, damage, capsys):
    AudioClusterer.load(run/"run").save(tmp_path/"run")
    (tmp_path/"run/levels.json").write_text(damage)
    with pytest.raises(ValueError, match="levels.json is damaged"): Run.open(tmp_path/"run")
    assert main(["score", str(tmp_path/"run"), "--labels", "parent"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_given_number_is_compared_with_its_neighbours(tmp_path, capsys, rng):
    from sklearn.datasets import make_blobs
    X, _ = make_blobs(300, 6, centers=6, cluster_std=1., random_state=0)
    grouping = run_of_embeddings(X, request=Request("kmeans", 8))
    assert grouping.findings.better_neighbour.n == 6 and grouping.clustering.levels == ()
    for other in (Request("kmeans", 8, options=Options(stability=0)), Request("hdbscan", 8), Request("kmeans", "auto"), Request("kmeans", 6)):
        assert run_of_embeddings(X, request=other).better_neighbour is None
    synthetic_words(3, 2, 20).save(tmp_path/"in")
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q", "--no-page", "--encoder", "fixed"]) == 0
    printed, record = capsys.readouterr().out, check_run_folder(tmp_path/"run")
    assert f"{record['better_neighbour']['n']} groups fit clearly better" in printed
    loaded = Run.open(tmp_path/"run")
    assert loaded.findings.better_neighbour._asdict() == record["better_neighbour"]


def test_a_grouping_of_a_level_can_be_grouped_anew(run):
    from audioclust.pipeline import regroup
    fine = AudioClusterer(n_clusters="auto", encoder="fixed", options=Options(level="fine", stability=0)).fit(run/"in").run_
    assert regroup(fine, n_clusters=5).request.options.level is None and regroup(fine, method="hdbscan").levels is not None
    assert regroup(fine, random_state=1).request.options.level == "fine"


def test_a_pair_of_methods_that_count_is_refined(words):
    from audioclust.pipeline import make_pair
    from audioclust.pipeline.pair import refine
    made = make_pair(words[0], Request("meanshift", "auto", encoder="fixed", options=Options(stability=0)), refined=False)
    refine(made.content, made.source, most_shared_before=2., most_shared_after=2.)
    for grouping in (made.content, made.source): assert grouping.clustering.number.why.startswith("meanshift found")


def test_a_pair_with_a_wrong_level_is_refused_before_any_work(run, tmp_path, capsys):
    assert main(["cluster", str(run/"in"), "--out", str(tmp_path/"both"), "--by", "both", "--n-clusters", "auto,4", "--level", "fine", "-q"]) == 2
    assert "which finds the levels" in capsys.readouterr().err and not (tmp_path/"both").exists()


def test_levels_that_are_none_are_left_out(rng):
    from audioclust.ensembles.levels import nested_levels
    X = rng.normal(size=(25, 4)).astype(np.float32)
    labels = np.repeat([0, 1, 2], [9, 8, 8])
    assert nested_levels(X, labels, dict(fine=5)) == {}  # too few clips in each to be split
    grouping = run_of_embeddings(X, request=Request("kmeans", "auto", options=Options(stability=0)))
    assert all(len(np.unique(level.labels)) != len(np.unique(grouping.clustering.labels)) for level in grouping.clustering.levels)
