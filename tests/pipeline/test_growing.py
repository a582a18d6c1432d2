"Runs that grow: what stays, what joins, what is new, what is refused; and grown again."
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_sounds
from audioclust.cli import main
from audioclust.cli.cluster_options import cluster_epilog
from audioclust.cli.report import report
from audioclust.core.registry import FINDINGS
from audioclust.encoders.residual import IdentityWhitening
from audioclust.listen.page_data import cluster_data
from audioclust.metrics import ami
from audioclust.pipeline import assign, grow, make_run, name_clips, Options, Request, Run, run_of_embeddings, spread_names
from audioclust.pipeline.new_clips import assign_embeddings
from audioclust.runs.findings import Finding
from audioclust.runs import Edits, write_edits
from audioclust.runs.run_folder import read_table
from audioclust.runs.stable_ids import renumbered

@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grow")
    table = synthetic_sounds(8, 24, sample_rate=8000).save(folder/"sounds")
    kinds = sorted(table.label.unique())
    first = table[table.label.isin(kinds[:5]) & (np.arange(len(table)) % 2 == 0)]
    return folder, first, table.drop(first.index), kinds

@pytest.fixture(scope="module")
def run(sounds): return make_run(sounds[1], Request("kmeans", 5, encoder="fixed", options=Options(stability=0)))

def labels_of(run): return [Path(path).parent.name for path in run.clips.table.path]

def test_old_clips_stay_and_new_kinds_become_groups(sounds, run):
    grown = grow(run, sounds[2])
    n = len(run)
    assert (grown.clustering.labels[:n] == run.clustering.labels).all() and len(grown) == 8*24
    assert (grown.embeddings.X[:n] == run.embeddings.X).all()
    assert set(grown.clustering.labels) > set(range(5))
    given = grow(run, sounds[2], 3)
    clustering, assigned = given.clustering, np.r_[run.clustering.labels, assign(run, sounds[2]).cluster]
    assert set(clustering.labels) == set(range(8))
    assert ami(labels_of(given), clustering.labels) > .8 > ami(labels_of(given), assigned)
    assert len(clustering.representative) == len(clustering.confidence) == 8*24
    assert clustering.representative.sum() == 8

def test_where_nothing_is_new_it_assigns(sounds, run):
    later = sounds[2][sounds[2].label.isin(sounds[3][:5])]
    grown = grow(run, later)
    assert set(grown.clustering.labels) == set(run.clustering.labels)
    assert (grown.clustering.labels[len(run):] == assign(run, later).cluster.to_numpy()).all()
    none_new = grow(run, sounds[2], 0).clustering.labels[len(run):]
    assert (none_new == assign(run, sounds[2]).cluster.to_numpy()).all()

def test_what_joins_a_group_by_hand_is_no_word_of_a_person(tmp_path):
    X = np.repeat(np.eye(4), 20, 0) + np.random.default_rng(0).normal(scale=.05, size=(80, 4))
    run = run_of_embeddings(X, request=Request("kmeans", 3, options=Options(stability=0)), whitening=IdentityWhitening())
    named = spread_names(name_clips(run, {row: f"kind {row//20}" for row in (0, 1, 20, 21, 40, 41, 60, 61)}))
    grown = grow(named.save(tmp_path/"run"), X + .01)
    moved = grown.edits.moves.keys() - named.edits.moves.keys()
    assert moved and grown.edits.clips == named.edits.clips
    names = pd.read_csv(grown.save(tmp_path/"grown").folder/"clusters.csv")
    assert names.name_confidence[names.clip_id.isin(moved)].notna().all()

def test_it_is_saved_assigned_to_and_grown_again(sounds, run, tmp_path):
    later = sounds[2]
    grown = grow(run, later[later.label != sounds[3][7]], 2)
    grown.save(tmp_path/"run")
    loaded = Run.open(tmp_path/"run")
    assert (loaded.clustering.labels == grown.clustering.labels).all()
    new = assign(loaded, later[later.label == sounds[3][6]])
    assert (new.cluster >= 5).mean() > .8, "new groups take new clips, too"
    again = grow(loaded, later, 1)
    assert (again.clustering.labels[:len(grown)] == grown.clustering.labels).all()
    assert set(again.clustering.labels) == set(range(8))
    assert len(again) == 8*24, "clips that are there already are passed over"

def test_the_command_keeps_numbers_and_names(sounds, run, tmp_path, capsys):
    folder, out = sounds[0], tmp_path/"grown"
    replace(run, clips=replace(run.clips, recordings=str(folder/"sounds"))).save(tmp_path/"run")
    write_edits(tmp_path/"run", Edits(names={3: "a kind"}))
    before = (tmp_path/"run/clusters.csv").read_bytes()
    def grown(*more): return main(["cluster", str(folder/"sounds"), "--no-page", "-q", *map(str, more)])
    assert grown("--grow", tmp_path/"run", "--out", out) == 0
    said = capsys.readouterr().out
    assert f"{len(run)} clips keep their groups" in said and " new group" in said
    table = read_table(out/"clusters.csv").set_index("clip_id")
    old = read_table(tmp_path/"run/clusters.csv").set_index("clip_id")
    assert (table.cluster[old.index] == old.cluster).all() and len(table) == 8*24
    assert set(table.name[table.cluster == 3]) == {"a kind"}
    assert (tmp_path/"run/clusters.csv").read_bytes() == before
    record = json.loads((out/"run.json").read_text())
    assert record["clips"]["inputs"]["grow"] == str(tmp_path/"run")
    assert grown("--grow", tmp_path/"run", "--out", out, "--resume") == 0
    assert grown("--grow", tmp_path/"run", "--out", out, "--n-clusters", "3", "--resume") == 2
    assert "n_new was 'auto' and is 3" in capsys.readouterr().err
    assert grown("--grow", out, "--out", tmp_path/"x") == 2
    assert "nothing to add" in capsys.readouterr().err

@pytest.mark.parametrize("arguments,says", [
    (["--window", "2"], "leave out --window"), (["--out", "RUN"], "another folder"),
    (["--grow", "gone"], "not a run folder")])
def test_what_does_not_go_with_it(sounds, run, tmp_path, capsys, arguments, says):
    run.save(tmp_path/"run")
    arguments = [str(tmp_path/"run") if a == "RUN" else a for a in arguments]
    typed = ["cluster", str(sounds[0]/"sounds"), "--grow", str(tmp_path/"run"), "--out", str(tmp_path/"x")]
    assert main([*typed, *arguments]) == 2
    err = capsys.readouterr().err.strip()
    assert says in err and "\n" not in err

def test_errors(sounds, run):
    with pytest.raises(ValueError, match="nothing to add"): grow(run, sounds[1])
    with pytest.raises(ValueError, match="whole number"): grow(run, sounds[2], -1)
    with pytest.raises(ValueError, match=r"ask for at most \d+, or auto"): grow(run, sounds[2], 500)
    given = run_of_embeddings(np.random.default_rng(0).normal(size=(30, 4)), request=Request(n_clusters=2))
    with pytest.raises(ValueError, match="embeddings of this run were given"): grow(given, sounds[2])


def test_a_run_by_source_keeps_its_names_and_listed_clips_stay_listed(sounds, tmp_path, capsys):
    folder = sounds[0]
    first, later = tmp_path/"first.csv", tmp_path/"later.csv"
    pd.DataFrame(dict(path=sounds[1].path, start=0., end=.3)).to_csv(first, index=False)
    def cluster(*more):
        quick = ["--no-page", "-q", "--no-cache", "--stability", "0"]
        return main(["cluster", str(folder/"sounds"), *quick, *map(str, more)])
    by_source = "--by", "source", "--n-clusters", "3", "--encoder", "fixed"
    assert cluster("--clips", first, *by_source, "--out", tmp_path/"run") == 0
    write_edits(tmp_path/"run", Edits(names={1: "frogs"}))
    assert cluster("--grow", tmp_path/"run", "--out", tmp_path/"x") == 2
    assert "say with --clips" in capsys.readouterr().err
    pd.DataFrame(dict(path=sounds[2].path, start=0., end=.3)).to_csv(later, index=False)
    assert cluster("--grow", tmp_path/"run", "--clips", later, "--out", tmp_path/"grown") == 0
    table = read_table(tmp_path/"grown/clusters.csv")
    assert len(table) == 8*24 and (table.end <= .3001).all() and "frogs" in set(table.name)
    assert cluster("--by", "source", "--grow", tmp_path/"run", "--clips", later, "--out", tmp_path/"y") == 0


def test_a_run_of_given_embeddings_grows_by_embeddings(tmp_path, capsys):
    rng = np.random.default_rng(0)
    blobs = [c + rng.normal(0, .1, (30, 6)) for c in 4*np.eye(6)[:4]]
    np.save(tmp_path/"first.npy", np.concatenate([blobs[0], blobs[1]]))
    np.save(tmp_path/"later.npy", np.concatenate([blobs[2], blobs[0][:5] + .01]))
    def cluster(file, *more):
        quick = ["--no-page", "-q", "--stability", "0"]
        return main(["cluster", "--embeddings", str(tmp_path/file), *quick, *map(str, more)])
    run = tmp_path/"run"
    assert cluster("first.npy", "--n-clusters", "2", "--out", run) == 0
    assert cluster("later.npy", "--grow", run, "--n-clusters", "1", "--out", tmp_path/"grown") == 0
    before, after = (read_table(tmp_path/name/"clusters.csv").cluster for name in ("run", "grown"))
    assert (after[:60] == before).all() and len(after) == 95
    assert set(after[60:90]) == {2} and set(after[90:]) == set(before[:30])
    np.save(tmp_path/"other.npy", np.zeros((8, 3)))
    assert cluster("other.npy", "--grow", run, "--out", tmp_path/"x") == 2
    assert "3 dimensions" in capsys.readouterr().err

def test_the_own_clips_of_a_grown_run_keep_their_groups(tmp_path):
    rng = np.random.default_rng(0)
    first, later = rng.normal(size=(80, 3)), rng.normal(size=(40, 3)) + [2, 0, 0]
    request = Request("spectral", 4, options=Options(stability=0))
    run = run_of_embeddings(first, None, request, whitening=IdentityWhitening())
    grown = grow(run, later, 1).save(tmp_path/"grown")
    for one in grown, Run.open(tmp_path/"grown"):
        own = assign_embeddings(one, np.concatenate([first, later]).astype(np.float32))
        assert (own.cluster == grown.clustering.labels).all()

def test_embeddings_of_clips_that_are_there_add_nothing(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 4))
    clips = pd.DataFrame(dict(path=[f"/t/{i}.wav" for i in range(20)], start=0., end=1.))
    run = run_of_embeddings(X, clips, Request(n_clusters=2))
    with pytest.raises(ValueError, match="nothing to add"): grow(run, X[:3], table=clips[:3])
    assert len(grow(run, X[:5], 0, table=clips[:5].assign(start=2., end=3.))) == 25
    ours = replace(run, embeddings=replace(run.embeddings, encoder=object()))
    with pytest.raises(ValueError, match="encoder of ours"): grow(ours, X)

def test_a_run_that_trained_an_encoder_grows(sounds, tmp_path):
    folder, first, later, _ = sounds
    params = dict(epochs=1, passes=1, views=2)
    made = make_run(first, Request("deepcluster", 5, options=Options(stability=0, params=params, num_workers=0)))
    made.save(tmp_path/"run")
    grown = grow(Run.open(tmp_path/"run"), later, 2)
    assert (grown.clustering.labels[:len(made)] == made.clustering.labels).all()
    assert len(grown) == len(first) + len(later)
    grown.save(tmp_path/"grown")
    assert len(assign(Run.open(tmp_path/"grown"), later)) == len(later)


def test_what_a_list_or_a_file_added_is_sorted_and_nothing_else(sounds, tmp_path, capsys):
    for name,rows in dict(first=slice(0, 20), pack=slice(20, 24), secret=slice(24, 26)).items():
        (tmp_path/name).mkdir()
        for i,path in enumerate(sounds[1].path[rows]): (tmp_path/name/f"{i}.wav").write_bytes(Path(path).read_bytes())
    request = Request(n_clusters=3, encoder="fixed", options=Options(stability=0))
    make_run(tmp_path/"first", request).save(tmp_path/"run")
    (tmp_path/"pack.csv").write_text("path\npack/0.wav\npack/1.wav\n")
    for new, run, out in ("pack.csv", "run", "second"), ("pack/2.wav", "second", "third"):
        grow = "cluster", tmp_path/new, "--grow", tmp_path/run, "--out", tmp_path/out, "--no-page", "-q"
        assert main([*map(str, grow)]) == 0
    def sort(out): return main(["export", str(tmp_path/"third"), "--to", "folders", "--out", str(tmp_path/out), "-q"])
    assert sort("sorted") == 0 and len([*(tmp_path/"sorted").rglob("*.wav")]) == 23
    table = (tmp_path/"third/clusters.csv").read_text()
    for other in "secret/0.wav", "pack/3.wav": # a stranger's table
        (tmp_path/"third/clusters.csv").write_text(table.replace(str(tmp_path/"pack/0.wav"), str(tmp_path/other)))
        capsys.readouterr()
        assert sort("again") == 2 and "outside the recordings" in capsys.readouterr().err
        export = "export", tmp_path/"third", "--to", "hydrogen", "--out", tmp_path/"kits"
        assert main([*map(str, export)]) == 2 and "outside the recordings" in capsys.readouterr().err
    (tmp_path/"pack.csv").unlink() # now nobody knows what it said
    assert sort("at last") == 0

def test_a_measure_and_a_line_add_a_finding(sounds, run, tmp_path, capsys):
    "It is in the help, the report, the table and on the page; after growing, too, and under other numbers."
    def longest(run, *_): return {c: float(clips.end.max()) for c,clips in run.table.groupby("cluster")}
    FINDINGS.register("longest", Finding(longest, text="{:.2f} s".format, title="longest clip"), "length of the longest clip")
    try:
        grown = grow(make_run(sounds[1], run.request), sounds[2], 3)
        report(grown.save(tmp_path/"grown"))
        assert "; longest clip: 0 " in capsys.readouterr().out.replace("\n", "; ") and len(grown.findings.longest) == 8
        opened = renumbered(Run.open(tmp_path/"grown"), grown.table.assign(cluster=7 - grown.table.cluster)).save(tmp_path/"other")
        for c,text in grown.findings.texts("longest").items():
            assert cluster_data(Run.open(opened.folder), np.arange(192))[7 - c]["said"] == {"longest clip": text}
            assert set(opened.table.longest[opened.table.cluster == 7 - c]) == {text}
        assert "longest               length of the longest clip" in cluster_epilog(True)
    finally: FINDINGS.unregister("longest")
