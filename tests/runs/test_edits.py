"Edits of a page: of this run, of one made again, of another; of two people; new groups; and tables of names."
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile as sf

from audioclust.core.files import write_table
from audioclust.runs.clips import first_levels
from audioclust.runs import apply_edits, read_edits, undo_edits, write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS
from audioclust.runs.run_folder import read_record, read_table

CLUSTERS = np.repeat([0, 1, 2, 3], 20)


@pytest.fixture
def saved(run_folder):
    "A run of the clips of some rows, with clusters by other numbers if so wished."
    def write(name="run", rows=range(80), numbers=(0, 1, 2, 3)):
        return run_folder(name, np.array(numbers)[CLUSTERS[list(rows)]], rows)
    return write


def page(run, edits, base=None, by="content"):
    "A file as the page of a run writes it."
    table = read_table(run/"clusters.csv")
    clips = {str(c): t.clip_id.tolist()[:30] for c,t in table.groupby("cluster")}
    full = dict(names={}, merged={}, marks={}, notes={}, clips={})
    return dict(schema=1, run=read_record(run)["made"]["run_id"], base={by: full | (base or {})},
                clusters={by: clips}, edits={by: full | edits})


def take_over(run, record):
    file = run.parent/"edits.json"
    file.write_text(json.dumps(record))
    apply_edits(run, file)
    return read_edits(run)


def names_of(run):
    return read_table(run/"clusters.csv").set_index("clip_id").name


def test_moved_clips_new_groups_and_notes(saved):
    run = saved()
    table = read_table(run/"clusters.csv")
    mine = table.clip_id[table.cluster == 0].tolist()
    take_over(run, page(run, dict(
        names={"1": "wren", str(NEW_GROUPS): "owl"}, notes={"1": "=sings\nat dawn"}, marks={str(NEW_GROUPS): "check"},
        clips={mine[0]: 1, mine[1]: NEW_GROUPS, mine[2]: NEW_GROUPS + 1, mine[3]: -1})))
    after = read_table(run/"clusters.csv").set_index("clip_id")
    assert (after.cluster.to_numpy() == table.cluster.to_numpy()).all(), "the numbers stay"
    assert after.name[mine[:4]].tolist() == ["wren", "owl", "new group 2", "noise"]
    assert after.mark[mine[1]] == "check" and after.note[mine[0]] == "'=sings at dawn"


def test_what_was_taken_over_is_undone_and_done_again(saved):
    run = saved()
    with pytest.raises(ValueError, match="nothing to undo"): undo_edits(run)
    states = [take_over(run, page(run, {"names": {"0": name}})) for name in ("wren", "owl")]
    undo_edits(run)
    assert read_edits(run) == states[0] and set(names_of(run)) == {"wren", "cluster 1", "cluster 2", "cluster 3"}
    undo_edits(run)
    assert read_edits(run) == states[1] and "owl" in set(names_of(run))


def test_another_runs_edits_are_refused(saved):
    run, other = saved("a", range(40)), saved("b", range(40, 80))
    before = (run/"clusters.csv").read_bytes()
    record = page(other, dict(names={"2": "Cymbals"}))
    for wrong in record, record | dict(clusters={}), record | dict(clusters={"content": {"2": "x"}}):
        with pytest.raises(ValueError, match="edits of another run"): take_over(run, wrong)
    assert (run/"clusters.csv").read_bytes() == before and not (run/"names.json").exists()


def test_the_edits_of_another_site_with_the_same_names_are_refused(saved, tmp_path):
    rng, levels = np.random.default_rng(0), {}
    def run_of(site):
        run, paths = saved(site, range(40)), [tmp_path/f"{site}-{i:03d}.wav" for i in range(40)]
        for path in paths: sf.write(path, rng.normal(size=8000)*np.repeat(rng.uniform(.01, .3, 10), 800), 8000)
        write_table(read_table(run/"clusters.csv").assign(path=paths), run/"clusters.csv")
        levels[site] = first_levels(read_table(run/"clusters.csv"))
        return run
    wood, lake = run_of("wood"), run_of("lake")
    edits = page(lake, dict(names={"0": "owl"})) | dict(sounds={"content": levels["lake"]})
    with pytest.raises(ValueError, match="of another run, of other sounds"): take_over(wood, edits)
    assert take_over(lake, edits | dict(run="another")).names == {0: "owl"}, "the same sounds in another run"
    for odd in {}, dict.fromkeys(levels["lake"], "loud"), dict.fromkeys(levels["lake"], [1, "b"]):
        assert take_over(wood, edits | dict(sounds={"content": odd})).names == {0: "owl"}


def test_a_run_made_again_gets_them_by_clip(saved):
    run = saved()
    table = read_table(run/"clusters.csv")
    mine = table.clip_id[table.cluster == 2].tolist()
    edits = dict(names={"2": "wren", "0": "owl"}, merged={"1": 0}, clips={mine[0]: 0, mine[1]: NEW_GROUPS})
    record = page(run, edits)
    again = saved("again", range(79, -1, -1), (3, 2, 0, 1)) # rows in another order, clusters with other numbers
    names = take_over(again, record)
    after = names_of(again)
    assert set(after[mine[2:]]) == {"wren"} and after[mine[0]] == "owl" and after[mine[1]] == "new group 1"
    assert set(after[table.clip_id[table.cluster == 1]]) == {"owl"}
    assert names.clips == {mine[0]: 3, mine[1]: NEW_GROUPS} and names.merged == {2: 3}


def test_clips_that_are_gone_are_left_out(saved):
    run = saved()
    ids = read_table(run/"clusters.csv").clip_id
    record = page(run, dict(names={"0": "owl", str(NEW_GROUPS): "frogs"}, clips={ids[79]: NEW_GROUPS, ids[1]: 0}))
    fewer = saved("fewer", range(70))
    with pytest.raises(ValueError, match="do not say how its clips sound. Take them over there .*--like THAT_RUN"):
        take_over(fewer, record)
    with pytest.warns(UserWarning, match="all of its clips are here"): take_over(saved("same"), record)
    names = take_over(fewer, record | dict(sounds={"content": {ids[0]: [-20]*10}})) # those cannot be heard here
    assert list(names.clips) == [ids[1]] and names.names == {0: "owl"}


def test_clusters_that_are_gone_are_told(saved):
    run = saved()
    record = page(run, dict(names={"0": "owl", "1": "wren", "2": "wind"}))
    mixed = saved("mixed", numbers=(-1, 0, 0, 1))
    with pytest.warns(UserWarning) as messages: names = take_over(mixed, record)
    texts = [str(message.message) for message in messages][1:] # after the one about levels of sounds
    assert len(texts) == 2 and "cluster 0 of the page is no cluster of this run any more" in texts[0]
    assert "2 clusters of the page are cluster 0 of this run" in texts[1] and names.names == {0: "wind"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_people_in_any_order(saved, order):
    run = saved()
    write_edits(run, Edits(names={3: "wind"}, marks={3: "junk"}))
    base = read_edits(run).record()
    clip = read_table(run/"clusters.csv").clip_id[5]
    first = page(run, dict(names={"0": "owl", "3": "wind"}, marks={"3": "junk"}), base)
    second = page(run, dict(names={"1": "wren"}, clips={clip: 2}, marks={"3": "junk"}), base) # no name for 3 any more
    for i in order: take_over(run, (first, second)[i])
    expected = Edits(names={0: "owl", 1: "wren"}, marks={3: "junk"}, clips={clip: 2})
    assert read_edits(run) == expected


@pytest.mark.parametrize("edits, message", [
    (dict(clips={"nosuchclip": 0}), "no clip nosuchclip"), (dict(clips={"ID": 77}), "moved to 77"),
    (dict(clips={"ID": "x"}), "moved to x"), (dict(clips={"ID": 10*NEW_GROUPS}), "moved to 1000000"),
    (dict(names={"9": "owl"}), "no cluster 9"), (dict(notes={"0": ""}), "the note of cluster 0"),
    (dict(names={"3": "a\0b"}), "the name of cluster 3 must be a text"),
    (dict(merged={"0": 1, "1": 0}), "circle"), (dict(clips=[]), "each a JSON object"),
    ([], "should hold a JSON object")])
def test_wrong_edits(saved, edits, message):
    run = saved()
    record = page(run, {})
    if "ID" in (edits and edits.get("clips", {})):
        edits = dict(clips={read_table(run/"clusters.csv").clip_id[0]: edits["clips"]["ID"]})
    record["edits"]["content"] = edits
    with pytest.raises(ValueError, match=message): take_over(run, record)
    assert not (run/"names.json").exists()


def test_new_groups_of_two_people_stay_two(saved):
    run = saved()
    ids = read_table(run/"clusters.csv").clip_id
    def made(name, *clips):
        return page(run, dict(clips=dict.fromkeys(clips, NEW_GROUPS), names={str(NEW_GROUPS): name}))
    first, second = made("frogs", ids[0], ids[3]), made("birds", ids[1], ids[4])
    for record in (first, second, first): take_over(run, record) # a file that comes again changes nothing
    assert names_of(run)[[ids[0], ids[3], ids[1], ids[4]]].tolist() == ["frogs", "frogs", "birds", "birds"]


def test_what_was_said_of_an_empty_group_is_left_out(saved):
    run = saved()
    names = take_over(run, page(run, dict(names={str(NEW_GROUPS): "frogs", "0": "owl"}, merged={"2": NEW_GROUPS})))
    assert names.names == {0: "owl"} and names.merged == {}


def by_hand(names): return dict(schema=1, edits={"content": {"names": names}})


def test_edits_that_name_no_run_are_taken_with_a_warning(saved):
    run = saved()
    with pytest.warns(UserWarning, match="does not say which run it belongs to") as messages:
        take_over(run, by_hand({"0": "owl"}))
    assert len(messages) == 1 and str(run) in str(messages[0].message)
    assert read_edits(run).names == {0: "owl"}


@pytest.mark.filterwarnings("error")
def test_the_names_of_the_run_and_of_its_copy_are_its_own(saved, tmp_path):
    run = saved()
    shutil.copytree(run, tmp_path/"copy")
    write_edits(tmp_path/"copy", Edits(names={0: "owl"}))
    for holder in tmp_path/"copy", run: apply_edits(run, holder/"names.json")
    assert read_edits(run).names == {0: "owl"}


def test_the_names_of_another_run_are_refused(saved):
    run, other = saved(), saved("other")
    write_edits(other, Edits(names={0: "owl"}))
    before = (run/"clusters.csv").read_bytes()
    with pytest.raises(ValueError, match=f"edits of another run, {other}"): apply_edits(run, other/"names.json")
    assert (run/"clusters.csv").read_bytes() == before and not (run/"names.json").exists()


@pytest.mark.filterwarnings("ignore:.*does not say which run it belongs to")
def test_edits_of_a_pair(run_folder, tmp_path):
    (tmp_path/"both.json").write_text("{}")
    runs = {by: run_folder(by, by=by) for by in ("content", "source")}
    file = tmp_path/"edits.json"
    file.write_text(json.dumps(dict(schema=1, edits={by: {"names": {"0": by}} for by in runs})))
    apply_edits(tmp_path, file)
    assert {by: read_edits(run).names[0] for by,run in runs.items()} == {by: by for by in runs}
    both = {by: {"names": {"0": "x"}} for by in ("../other", "content")}
    file.write_text(json.dumps(dict(schema=1, edits=both)))
    with pytest.raises(ValueError, match="groupings by '../other'"): apply_edits(tmp_path, file)
    assert read_edits(runs["content"]).names == {0: "content"}
    (tmp_path/"names.csv").write_text("cluster,name\n0,owl\n")
    with pytest.raises(ValueError, match=f"say {tmp_path/'content'} or"): apply_edits(tmp_path, tmp_path/"names.csv")


@pytest.mark.parametrize("ending, separator", [(".CSV", ","), (".tsv", "\t")])
def test_a_table_of_names(saved, ending, separator):
    run = saved()
    write_edits(run, Edits(names={0: "wind", 3: "rain"}, merged={2: 3}))
    file = run.parent/f"names{ending}"
    rows = "\ufeffcluster,name,mark,note", "0, owl ,,", "1,,junk,sings at dawn", "3,,,", "0,owl,,"
    file.write_text("\n".join(rows).replace(",", separator), encoding="utf-8")
    apply_edits(run, file)
    assert read_edits(run) == Edits(names={0: "owl", 3: "rain"}, merged={2: 3}, marks={1: "junk"}, notes={1: "sings at dawn"})


def test_what_was_done_by_hand_outlives_overwrite_like_and_resume(tmp_path, capsys):
    from audioclust.cli import main
    rng = np.random.default_rng(0)
    (tmp_path/"in").mkdir()
    t = np.arange(4000)/8000
    for i in range(24):
        hz = (400 if i % 2 else 2000)*rng.normal(1, .01)
        sf.write(tmp_path/f"in/{i:02d}.wav", .3*np.sin(2*np.pi*hz*t) + .01*rng.standard_normal(4000), 8000)
    def cluster(out, *more):
        return main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/out), "--n-clusters", "2",
                     "--ignore", "level", "--no-page", "--no-cache", "-q", *more])
    assert cluster("run") == 0
    run = tmp_path/"run"
    table = read_table(run/"clusters.csv")
    clip, other = table.clip_id[[0, 2]]
    clips = {clip: NEW_GROUPS, other: 1 - int(table.cluster[2])}
    record = page(run, dict(names={"0": "low", str(NEW_GROUPS): "odd"}, clips=clips))
    (tmp_path/"edits.json").write_text(json.dumps(record))
    assert main(["listen", str(run), "--edits", str(tmp_path/"edits.json")]) == 0
    named = names_of(run).to_dict()
    assert main(["export", str(run), "--to", "csv", "--out", str(tmp_path/"x.csv"), "--without", "odd"]) == 0
    assert len(read_table(tmp_path/"x.csv")) == 23
    assert cluster("run", "--overwrite", "--seed", "3") == 0
    assert "by hand: 2 names, 2 moved clips" in capsys.readouterr().out and names_of(run).to_dict() == named
    assert cluster("other", "--like", str(run), "--seed", "5") == 0 and names_of(tmp_path/"other").to_dict() == named
    assert cluster("run", "--resume", "--seed", "3") == 0 and names_of(run).to_dict() == named
    (tmp_path/"in/00.wav").unlink() # the clip of the new group
    capsys.readouterr()
    assert cluster("run", "--overwrite", "--seed", "3") == 0
    assert "'odd'" in capsys.readouterr().err and read_edits(run).clips.keys() == {other}


def test_what_several_people_take_over_at_once_is_all_kept(saved):
    run = saved()
    def named(i):
        file = run.parent/f"edits{i}.json"
        file.write_text(json.dumps(page(run, dict(names={str(i % 4): "x"}, notes={str(i % 4): "y"}))
                                   | dict(edits=dict(content=dict(clips={ids[i]: i % 4})))))
        return apply_edits(run, file)
    ids = read_table(run/"clusters.csv").clip_id.tolist()
    with ThreadPoolExecutor(8) as pool: counts = list(pool.map(named, range(24)))
    assert counts == [1]*24
    assert len(read_edits(run).clips) == 24 and not (run/".lock").exists()
