"Edits of a page: of this run, of one that was made again, of another; moved clips, new groups, notes; from two people; what lasts."
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.datasets import make_blobs

from audioclust.cli import main
from audioclust.pipeline import Request, from_embeddings, group, save_run
from audioclust.runs.names import NEW_GROUPS, read_names, write_names
from audioclust.runs.edits import apply_edits
from audioclust.runs.run_folder import read_run, read_table

X, TRUTH = make_blobs(80, 10, centers=4, random_state=0)
CLIPS = pd.DataFrame(dict(path=[f"/sounds/{i:03d}.wav" for i in range(80)], start=0., end=1.))

def saved(folder, rows=slice(None), seed=0):
    save_run(group(from_embeddings(X[rows], CLIPS[rows], Request(n_clusters=4, random_state=seed))), folder, figures=False)
    return folder

def page(run, edits, base=None, by="content"):
    "A file as the page of a run writes it."
    table = read_table(run/"clusters.csv")
    clips = {str(c): t.clip_id.tolist()[:30] for c,t in table.groupby("cluster")}
    full = dict(names={}, merged={}, marks={}, notes={}, clips={})
    return dict(schema=1, run=read_run(run)["run_id"], base={by: full | (base or {})}, clusters={by: clips}, edits={by: full | edits})

def take_over(run, record):
    file = run/"../edits.json"
    file.write_text(json.dumps(record))
    apply_edits(run, file)
    return read_names(run)

def test_moved_clips_new_groups_and_notes(tmp_path):
    run = saved(tmp_path/"run")
    table = read_table(run/"clusters.csv")
    mine = table.clip_id[table.cluster == 0].tolist()
    edits = dict(names={"1": "wren", str(NEW_GROUPS): "owl"}, clips={mine[0]: 1, mine[1]: NEW_GROUPS, mine[2]: NEW_GROUPS + 1, mine[3]: -1},
                 notes={"1": "=sings\nat dawn"}, marks={str(NEW_GROUPS): "check"})
    take_over(run, page(run, edits))
    after = read_table(run/"clusters.csv").set_index("clip_id")
    assert (after.cluster.to_numpy() == table.cluster.to_numpy()).all(), "the numbers stay"
    assert after.name[mine[:4]].tolist() == ["wren", "owl", "new group 2", "noise"]
    assert after.mark[mine[1]] == "check" and after.note[mine[0]] == "'=sings at dawn"
    main(["export", str(run), "--to", "csv", "--out", str(tmp_path/"x.csv"), "--without", "owl"])
    kept = pd.read_csv(tmp_path/"x.csv")
    assert len(kept) == 79 and "new group 2" in set(kept.name)

def test_another_runs_edits_are_refused(tmp_path, capsys):
    run, other = saved(tmp_path/"a/run", slice(0, 40)), saved(tmp_path/"b/run", slice(40, 80))
    (tmp_path/"edits.json").write_text(json.dumps(page(other, dict(names={"0": "Cymbals"}))))
    before = (run/"clusters.csv").read_bytes()
    assert main(["listen", str(run), "--edits", str(tmp_path/"edits.json")]) == 2
    assert "edits of another run" in capsys.readouterr().err
    assert (run/"clusters.csv").read_bytes() == before and not (run/"names.json").exists()
    no_clips = page(other, dict(names={"0": "Cymbals"})) | dict(clusters={})
    with pytest.raises(ValueError, match="another run"): take_over(run, no_clips)

def test_a_run_made_again_gets_them_by_clip(tmp_path):
    run = saved(tmp_path/"run")
    table = read_table(run/"clusters.csv")
    mine = table.clip_id[table.cluster == 2].tolist()
    record = page(run, dict(names={"2": "wren", "0": "owl"}, merged={"1": 0}, clips={mine[0]: 0, mine[1]: NEW_GROUPS}))
    again = saved(tmp_path/"again", slice(None, None, -1), seed=7) # rows in another order, clusters with other numbers
    names = take_over(again, record)
    after = read_table(again/"clusters.csv").set_index("clip_id")
    assert set(after.name[mine[2:]]) == {"wren"} and after.name[mine[0]] == "owl" and after.name[mine[1]] == "new group 1"
    assert set(after.name[table.clip_id[table.cluster == 1]]) == {"owl"}
    assert names["clips"].keys() == {mine[0], mine[1]}

def test_clips_that_are_gone_are_left_out(tmp_path):
    run, record = saved(tmp_path/"run"), None
    table = read_table(run/"clusters.csv")
    record = page(run, dict(names={"0": "owl"}, clips={table.clip_id[79]: 0, table.clip_id[1]: 0}))
    fewer = saved(tmp_path/"fewer", slice(0, 70))
    names = take_over(fewer, record)
    assert list(names["clips"]) == [table.clip_id[1]] and list(names["names"].values()) == ["owl"]

def test_two_people_in_any_order(tmp_path):
    for order in (0, 1), (1, 0):
        run = saved(tmp_path/f"run{order[0]}")
        write_names(run, dict(names={"3": "wind"}, marks={"3": "junk"}))
        base = read_names(run)
        clip = read_table(run/"clusters.csv").clip_id[5]
        first = page(run, dict(names={"0": "owl", "3": "wind"}, marks={"3": "junk"}), base)
        second = page(run, dict(names={"1": "wren"}, clips={clip: 2}, marks={"3": "junk"}), base) # took the name of 3 away
        for i in order: take_over(run, (first, second)[i])
        assert read_names(run) == dict(names={"0": "owl", "1": "wren"}, merged={}, marks={"3": "junk"}, notes={}, clips={clip: 2})

@pytest.mark.parametrize("edits,says", [
    (dict(clips={"nosuchclip": 0}), "no clip nosuchclip"), (dict(clips={"ID": 77}), "moved to 77"), (dict(clips={"ID": "x"}), "moved to x"),
    (dict(names={"9": "owl"}), "no cluster 9"), (dict(notes={"0": ""}), "the note of cluster 0"), (dict(clips=[]), "each a JSON object")])
def test_wrong_edits(tmp_path, edits, says):
    run = saved(tmp_path/"run")
    if "ID" in edits.get("clips", {}): edits = dict(clips={read_table(run/"clusters.csv").clip_id[0]: edits["clips"]["ID"]})
    with pytest.raises(ValueError, match=says): take_over(run, page(run, edits))
    assert not (run/"names.json").exists()

def test_what_was_done_by_hand_outlives_overwrite_like_and_resume(tmp_path, capsys):
    rng = np.random.default_rng(0)
    (tmp_path/"in").mkdir()
    t = np.arange(4000)/8000
    for i in range(24): sf.write(tmp_path/f"in/{i:02d}.wav", .3*np.sin(2*np.pi*(400 if i % 2 else 2000)*rng.normal(1, .01)*t) + .01*rng.standard_normal(4000), 8000)
    def cluster(out, *more): return main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/out), "--n-clusters", "2", "--ignore", "level", "--no-page", "--no-cache", "-q", *more])
    assert cluster("run") == 0
    run = tmp_path/"run"
    clip, other = read_table(run/"clusters.csv").clip_id[[0, 2]]
    take_over(run, page(run, dict(names={"0": "low", str(NEW_GROUPS): "odd"}, clips={clip: NEW_GROUPS, other: 1 - int(read_table(run/"clusters.csv").cluster[2])})))
    named = read_table(run/"clusters.csv").set_index("clip_id").name
    capsys.readouterr()
    assert cluster("run", "--overwrite", "--seed", "3") == 0
    assert "by hand: 2 names, 2 moved clips" in capsys.readouterr().out
    assert read_table(run/"clusters.csv").set_index("clip_id").name.to_dict() == named.to_dict()
    assert cluster("other", "--like", str(run), "--seed", "5") == 0
    assert read_table(tmp_path/"other/clusters.csv").set_index("clip_id").name.to_dict() == named.to_dict()
    assert cluster("run", "--resume", "--seed", "3") == 0
    assert read_table(run/"clusters.csv").set_index("clip_id").name.to_dict() == named.to_dict()
    (tmp_path/"in/00.wav").unlink() # the clip of the new group
    capsys.readouterr()
    assert cluster("run", "--overwrite", "--seed", "3") == 0
    assert "'odd'" in capsys.readouterr().err and read_names(run)["clips"].keys() == {other}


def test_a_merge_into_a_new_group_lasts(tmp_path):
    run = saved(tmp_path/"run")
    clip = read_table(run/"clusters.csv").clip_id[0]
    take_over(run, page(run, dict(clips={clip: NEW_GROUPS}, names={str(NEW_GROUPS): "birds"}, merged={"1": NEW_GROUPS})))
    before = read_names(run)
    from audioclust.runs.stable_ids import carry_names
    assert carry_names(run, range(4), read_table(run/"clusters.csv").clip_id) == []
    assert read_names(run) == before

def test_new_groups_of_two_people_stay_two(tmp_path):
    run = saved(tmp_path/"run")
    ids = read_table(run/"clusters.csv").clip_id
    first, second = (page(run, dict(clips={ids[i]: NEW_GROUPS, ids[i + 3]: NEW_GROUPS}, names={str(NEW_GROUPS): name})) for i,name in ((0, "frogs"), (1, "birds")))
    for record in (first, second, first): take_over(run, record) # a file that comes again changes nothing
    named = read_table(run/"clusters.csv").set_index("clip_id").name
    assert named[[ids[0], ids[3], ids[1], ids[4]]].tolist() == ["frogs", "frogs", "birds", "birds"]

def test_what_was_said_of_an_empty_group_is_left_out(tmp_path):
    run = saved(tmp_path/"run")
    names = take_over(run, page(run, dict(names={str(NEW_GROUPS): "frogs", "0": "owl"}, merged={"2": NEW_GROUPS})))
    assert names["names"] == {"0": "owl"} and names["merged"] == {}

def by_hand(names): return dict(schema=1, edits={"content": {"names": names}})

def test_edits_that_name_no_run_are_taken_with_a_warning(tmp_path):
    run = saved(tmp_path/"run")
    with pytest.warns(UserWarning, match="does not say which run it belongs to") as said: take_over(run, by_hand({"0": "owl"}))
    assert len(said) == 1 and str(run) in str(said[0].message) and read_names(run)["names"] == {"0": "owl"}

@pytest.mark.filterwarnings("error")
def test_the_names_of_the_run_itself_need_no_warning(tmp_path):
    run = saved(tmp_path/"run")
    write_names(run, dict(names={"0": "owl"}))
    apply_edits(run, run/"names.json")
    assert read_names(run)["names"] == {"0": "owl"}

@pytest.mark.parametrize("ruined", [False, True])
def test_the_names_of_another_run_are_refused(tmp_path, capsys, ruined):
    run, other = saved(tmp_path/"run"), saved(tmp_path/"other", seed=5)
    write_names(other, dict(names={"0": "owl"}))
    if ruined: (other/"run.json").write_text("{}")
    before = (run/"clusters.csv").read_bytes()
    assert main(["listen", str(run), "--edits", str(other/"names.json")]) == 2
    assert "another run" in capsys.readouterr().err and (run/"clusters.csv").read_bytes() == before and not (run/"names.json").exists()

def test_the_names_of_a_copy_of_the_run_are_its_own(tmp_path):
    run = saved(tmp_path/"run")
    shutil.copytree(run, tmp_path/"copy")
    write_names(tmp_path/"copy", dict(names={"0": "owl"}))
    apply_edits(run, tmp_path/"copy/names.json")
    assert read_names(run)["names"] == {"0": "owl"}


def test_the_folder_of_downloads_is_not_searched(tmp_path, monkeypatch):
    from audioclust.pipeline import edits
    def searched(path): raise AssertionError(f"{path} is searched")
    monkeypatch.setattr(edits, "read_run", searched)
    (tmp_path/"downloads").mkdir()
    assert edits._identity(tmp_path/"downloads") is None
