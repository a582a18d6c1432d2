"What changed between two runs: moves by matched clusters, new and gone clips, names."
from shutil import copytree

import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.listen import difference
from audioclust.pipeline import Options, Request, make_run
from audioclust.runs import Edits, write_edits

@pytest.fixture(scope="module")
def runs(tmp_path_factory, words):
    folder, clips = words
    out = tmp_path_factory.mktemp("difference")
    paths = sorted(map(str, clips.path))
    request = Request("kmeans", 6, encoder="fixed", options=Options(stability=0))
    for name,chosen in ("first", paths[:-4]), ("second", paths[10:]): make_run(chosen, request).save(out/name)
    return out, paths

def test_other_numbers_are_no_moves(runs):
    out, paths = runs
    found = difference(out/"first", out/"second")
    assert len(found.table) == len(paths)
    counts = found.table.change.value_counts()
    assert counts["new"] == 4 and counts["gone"] == 10
    assert counts.get("moved", 0) < 20 and found.ari > .8
    assert set(found.table.path[found.table.change == "gone"]) == set(paths[:10])

def test_a_clip_that_a_person_moved_has_moved(runs, tmp_path):
    out, _ = runs
    before = out/"first"
    table = pd.read_csv(before/"clusters.csv")
    after = copytree(before, tmp_path/"after")
    clip = table[table.cluster == 0].iloc[3]
    write_edits(after, Edits(clips={clip.clip_id: 1}, names={1: "=wren"}))
    found = difference(before, after)
    assert found.moves.values.tolist() == [["cluster 0", "=wren", 1]]
    assert found.table.path[found.table.change == "moved"].tolist() == [clip.path]
    found.save(tmp_path/"changed.csv")
    assert pd.read_csv(tmp_path/"changed.csv").now.tolist() == ["'=wren"]

def test_clips_that_are_not_of_interest_are_no_change(runs, tmp_path):
    out, _ = runs
    after = copytree(out/"first", tmp_path/"after")
    write_edits(after, Edits(names={1: "not of interest"}))
    found = difference(after, after)
    assert found.ari == 1 and (found.table.change == "").all() and len(found.table) == 188

def test_command(runs, tmp_path, capsys):
    out, _ = runs
    assert main(["compare", str(out/"first"), str(out/"second"), "--out", str(tmp_path/"changed.csv")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("178 clips in both runs, ARI ") and "4 new, 10 gone" in said
    assert set(pd.read_csv(tmp_path/"changed.csv").change) >= {"new", "gone"}
    assert main(["compare", str(out/"first"), str(out/"nothing")]) == 2

def test_runs_without_a_common_clip_are_refused(runs, tmp_path, few, capsys):
    out, _ = runs
    make_run(few, Request(n_clusters=3, encoder="fixed", options=Options(stability=0))).save(tmp_path/"other")
    assert main(["compare", str(out/"first"), str(tmp_path/"other")]) == 2
    assert "no clip in common" in capsys.readouterr().err

@pytest.mark.parametrize("more, says", [
    ([], "another run, or --labels"), (["--methods", "kmeans"], "--methods is for recordings"),
    (["RUN", "--labels", "parent"], "--labels score one run"), (["RUN", "--out", "x.json"], "would hold a CSV")])
def test_what_does_not_go_together(runs, capsys, more, says):
    first = str(runs[0]/"first")
    assert main(["compare", first, *(word.replace("RUN", first) for word in more)]) == 2
    assert says in capsys.readouterr().err

def test_recordings_need_a_new_folder(few, tmp_path, capsys):
    for more, says in (["--methods", "kmeans"], "say --out with a new folder"), \
                      (["--out", str(tmp_path/"x"), "--overwrite"], "leave out --overwrite"):
        assert main(["compare", str(few), *more]) == 2 and says in capsys.readouterr().err
