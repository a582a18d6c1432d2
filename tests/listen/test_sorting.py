"Copies sorted into folders: none is lost, names sort, groups are left out, links."
import os
import re

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.listen import sort_files
from audioclust.pipeline import last_word, name_clips, run_of_embeddings
from audioclust.runs import Edits, Request, Run, write_edits
from audioclust.runs.run_folder import read_table

@pytest.fixture
def run(tmp_path):
    "Ninety folders that each hold audio.wav, and one long name."
    paths = [tmp_path/f"in/{i:02}/{'AUDIO' if i % 7 == 0 else 'audio'}.wav" for i in range(90)]
    paths.append(tmp_path/f"in/{'ü'*110}.wav")
    for i,path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, np.full(80, i/100), 8000)
    clips = pd.DataFrame(dict(path=paths, start=0., end=.01))
    X = np.random.default_rng(0).normal(size=(91, 4)) + np.repeat(np.arange(13), 7)[:, None]*20
    run_of_embeddings(X, clips, Request("kmeans", 13)).save(tmp_path/"run")
    return tmp_path

def folders(at, out, *more): return main(["export", str(at/"run"), "--to", "folders", "--out", str(at/out), *more])

def contents(folder): return sorted(round(float(sf.read(f)[0][0])*100) for f in folder.rglob("*.wav"))

@pytest.mark.parametrize("how", [[], ["--link"], ["--flat", "--hard-link"]], ids=" ".join)
def test_none_is_lost(run, how):
    assert folders(run, "out", *how) == 0
    assert contents(run/"out") == list(range(91))
    assert max(len(os.fsencode(f.name)) for f in (run/"out").rglob("*")) <= 230
    if "--hard-link" in how: assert all(f.stat().st_nlink == 2 for f in (run/"out").rglob("*.wav"))
    if "--link" in how: assert all(f.is_symlink() for f in (run/"out").rglob("*.wav"))

def test_names_sort_as_numbers_do_and_differ_on_any_system(run):
    sort_files(run/"run", run/"out")
    folders = sorted(f.name for f in (run/"out").iterdir())
    assert folders == [f"cluster {i:02}" for i in range(13)]
    names = [str(f).lower() for f in (run/"out").rglob("*.wav")]
    assert len(set(names)) == 91 and not any(re.search("again", name) for name in names)

def test_groups_are_left_out(run):
    write_edits(run/"run", Edits(names={3: "wren"}, marks={5: "junk"}))
    table = read_table(run/"run/clusters.csv")
    assert folders(run, "out", "--without", "junk,0,wren") == 0
    assert len(contents(run/"out")) == (~table.cluster.isin([0, 3, 5])).sum()
    with pytest.raises(SystemExit): folders(run, "out4", "--link", "--hard-link")


def test_a_group_that_is_called_like_a_device(run):
    write_edits(run/"run", Edits(names={0: "aux", 1: "Con. ", 2: "AUX"}))
    sort_files(run/"run", run/"out")
    folders = {f.name.lower() for f in (run/"out").iterdir()}
    assert {"_aux", "_con"} <= folders and not {"aux", "con"} & folders and contents(run/"out") == list(range(91))

def test_a_part_stays_a_part_when_the_others_are_left_out(tmp_path):
    (tmp_path/"in").mkdir()
    sf.write(tmp_path/"in/tape.wav", np.zeros(16000) + .1, 8000)
    clips = pd.DataFrame(dict(path=[tmp_path/"in/tape.wav"]*2, start=[0., 1.], end=[1., 2.]))
    run = run_of_embeddings(np.array([[0., 1], [5, 5]]), clips, Request(n_clusters=2))
    sort_files(run, tmp_path/"out", without=str(run.clustering.labels[1]))
    (file,) = (tmp_path/"out").rglob("*.wav")
    assert sf.info(file).duration == 1


def test_after_naming_guesses_have_folders_of_their_own(run, tmp_path):
    "Every clip lies in the folder of its name; who wants sure names alone finds the others in their clusters."
    one = Run.open(run/"run")
    rows = [int(np.flatnonzero(one.clustering.labels == group)[0]) for group in range(4)]
    name_clips(one, dict(zip(rows, ["kick", "snare", "unsure", "not of interest"]))).save(run/"run")
    last_word(run/"run")
    table = Run.open(run/"run").table
    table = table[table.name != "not of interest"]
    assert set(table.name) == {"kick", "snare"} and table.name_is_guess.any()
    sort_files(run/"run", run/"out")
    for name,clips in table.groupby("name"):
        assert len(list((run/"out"/name/"guess").iterdir())) == clips.name_is_guess.sum()
        assert len([file for file in (run/"out"/name).iterdir() if file.is_file()]) == (~clips.name_is_guess).sum()
    assert {folder.name for folder in (run/"out").iterdir()} == {"kick", "snare"}
    assert main(["export", str(run/"run"), "--to", "audacity", "--out", str(run/"tracks")]) == 0
    labels = [line.split("\t")[2] for file in (run/"tracks").rglob("*.txt") for line in file.read_text().splitlines()]
    assert sum(label.endswith(" ?") for label in labels) == table.name_is_guess.sum()
    assert main(["export", str(run/"run"), "--to", "csv", "--out", str(run/"sure.csv"), "--sure", "0.5"]) == 0
    sure = pd.read_csv(run/"sure.csv", keep_default_na=False)
    assert set(sure.name) - {"kick", "snare"} == {f"left over {c}" for c in sure.cluster[sure.name.str.startswith("left over")].unique()} != set()
    assert sure.name.isin(["kick", "snare"]).sum() == (~table.name_is_guess).sum()
