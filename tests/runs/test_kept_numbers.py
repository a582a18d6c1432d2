"Numbers and names of clusters go on, for runs that were read and for a run that replaces itself."
import json

import numpy as np
import pandas as pd
import pytest

from audioclust.runs import Edits, read_edits, write_edits
from audioclust.runs.run_folder import read_table
from audioclust.runs.stable_ids import carry_names, continued_numbers, numbers_before, renumbered


def table_of(clusters, **more):
    paths = [f"{i}.wav" for i in range(len(clusters))]
    return pd.DataFrame(dict(path=paths, start=0., end=1., cluster=clusters, **more))


def test_numbers_follow_the_clips_and_new_clusters_get_free_ones():
    before = table_of(np.repeat([3, 0, 7], 10))
    now = table_of(np.repeat([0, 1, 2], [10, 10, 10])).iloc[5:]
    assert numbers_before(before, now, np.arange(4)) == {0: 3, 1: 0, 2: 7, 3: 1}
    assert continued_numbers(before, now.assign(cluster=now.cluster.map({0: 3, 1: 7, 2: 0}))) == ({3}, {0, 7})


def test_equal_clips_are_told_apart_by_their_order():
    before = pd.DataFrame(dict(path="a.wav", start=0., end=1., cluster=[0, 0, 0, 1, 1, 1]))
    now = before.assign(cluster=1 - before.cluster)
    assert numbers_before(before, now, np.arange(2)) == {1: 0, 0: 1}


def carried(run, names, ids, clip_ids=None):
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits={"content": names})))
    lost_names = carry_names(run, ids, clip_ids)
    record = json.loads((run/"names.json").read_text())
    return lost_names, record["edits"]["content"], record.get("lost", [])


def test_the_first_cluster_that_is_left_inherits(run_folder):
    names = {"names": {"3": "wren"}, "marks": {"3": "good"}, "notes": {"1": "faint"},
             "merged": {"0": 1, "1": 3, "2": 3}}
    lost_names, kept, lost = carried(run_folder(), names, [1, 2])
    assert lost_names == [] and kept["names"] == {"1": "wren"} and kept["marks"] == {"1": "good"}
    assert kept["notes"] == {"1": "faint"} and kept["merged"] == {"2": 1}
    assert [entry["merged"] for entry in lost] == [{"0": 1}]
    lost_names, kept, _ = carried(run_folder(), {"names": {"3": "wren", "2": "owl"}, "merged": {"2": 3}}, [2])
    assert lost_names == ["wren"] and kept["names"] == {"2": "owl"}, "the heir has a name"


def test_groups_of_a_person_last_as_long_as_a_clip(run_folder):
    names = {"names": {"100000": "odd", "100001": "rare"}, "merged": {"0": 100_000},
             "clips": {"a": 100_000, "b": 100_001, "c": 5, "d": -1}}
    lost_names, kept, lost = carried(run_folder(), names, [0, 1], ["a", "c", "d"])
    assert lost_names == ["rare"] and kept["names"] == {"100000": "odd"} and kept["merged"] == {"0": 100_000}
    assert kept["clips"] == {"a": 100_000, "d": -1} and lost[0]["clips"] == {"b": 100_001, "c": 5}
    assert lost[0]["by"] == "content"
    lost_names, kept, _ = carried(run_folder("again"), {**names, "merged": {"1": 100_001}}, [0, 1], ["a", "c", "d"])
    assert lost_names == [] and kept["names"] == {"100000": "odd", "1": "rare"}, "cluster 1 stands for the group"


def test_what_is_lost_adds_up(run_folder):
    run = run_folder()
    write_edits(run, Edits(names={0: "wren", 1: "owl"}))
    assert carry_names(run, [1]) == ["wren"] and carry_names(run, []) == ["owl"]
    lost = json.loads((run/"names.json").read_text())["lost"]
    assert [entry["names"] for entry in lost] == [{"0": "wren"}, {"1": "owl"}]


@pytest.mark.parametrize("text", ["{", '{"schema": 1, "edits": {}, "lost": 5}'])
def test_damaged_names_are_put_aside(run_folder, text):
    run = run_folder()
    for name in "names-damaged.json", "names-damaged-2.json":
        (run/"names.json").write_text(text)
        with pytest.warns(UserWarning, match=f"it is {run/name} now, and nothing has a name"):
            assert carry_names(run, [0]) == []
        assert (run/name).read_text() == text and not (run/"names.json").exists()


# Whole runs

@pytest.fixture
def sounds(tmp_path):
    from audioclust.audio import synthetic_words
    synthetic_words(4, 2, 6).save(tmp_path/"in")
    return tmp_path/"in"


def test_noise_stays_noise_when_numbers_change(sounds):
    from audioclust.pipeline import AudioClusterer
    model = AudioClusterer("hdbscan").fit(sounds)
    before = model.table()
    highest = before.cluster.max()
    before["cluster"] = before.cluster.map(lambda c: highest - c if c >= 0 else -1)
    clustering = renumbered(model.run_, before).clustering
    assert (clustering.labels == -1).tolist() == (before.cluster == -1).tolist()
    assert ((clustering.clusterer_labels() == -1) == (clustering.labels == -1)).all()


@pytest.fixture
def cluster(sounds, tmp_path):
    from audioclust.cli import main
    def run(name, k, *more):
        args = "--n-clusters", str(k), "--method", "kmeans", "--no-page", "--stability", "0", "-q", *more
        assert main(["cluster", str(sounds), "--out", str(tmp_path/name), *args]) == 0
        return tmp_path/name
    return run


def test_names_that_give_way_to_those_of_another_run_are_never_written_over(cluster):
    run, other = cluster("run", 4), cluster("other", 4)
    write_edits(other, Edits(names={1: "robin"}))
    for own in "wren", "wind":  # the second time is that of a run that was killed after this step, and is resumed
        write_edits(run, Edits(names={0: own}))
        cluster("run", 4, "--like", str(run), "--overwrite") # itself: names stay
        assert own in read_edits(run).names.values()
        cluster("run", 4, "--like", str(other), "--overwrite")
        assert "robin" in read_edits(run).names.values()
    assert '"wren"' in (run/"names-before.json").read_text()
    assert '"wind"' in (run/"names-before-2.json").read_text()


def test_twenty_groups_are_not_numbered_up_to_37(cluster, capsys):
    run = cluster("run", 20, "--set", "n_init=1")
    first = read_table(run/"clusters.csv").cluster
    assert set(first) == set(range(20))
    write_edits(run, Edits(names={c: f"name {c}" for c in range(20)}))
    capsys.readouterr()
    cluster("run", 20, "--overwrite", "--seed", "7", "--ignore", "order,level", "--set", "n_init=1")
    second = read_table(run/"clusters.csv").cluster
    assert set(second) == set(range(20))
    told = capsys.readouterr().err.split("other groups now")[0]
    for c in range(20):
        one, other = set(np.flatnonzero(first == c)), set(np.flatnonzero(second == c))
        alike = len(one & other)/len(one | other) >= 1/3
        assert (c in read_edits(run).names) == alike, "a name does not go to another group"
        assert alike or str(c) in told
    assert len(json.loads((run/"names.json").read_text())["lost"]) == 1
