"Words of file names that tell a group: which, how they are cut, and that clustering never sees them."
import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.cli.report import finding_lines
from audioclust.listen.page_data import cluster_data
from audioclust.pipeline import make_run, Options, Request, Run
from audioclust.runs.findings import path_words, words_of_name, words_text
from audioclust.runs.run_folder import read_table


@pytest.mark.parametrize("name, words", [
    ("BD_Haus-03", "bd haus"), ("kickDrum808Big", "kick drum big"), ("HTTPServer", "http server"), ("a b cd", "cd"), ("012-34", ""),
    ("kick KICK Kick", "kick"), ("Ｋｉｃｋ", "ｋｉｃｋ"), ("Größe", "größe"), ("ΚΙΤΑΡΑ ήχος", "κιταρα ήχος"), ("малыйБарабан", "малый барабан"),
    ("太鼓01大", "太鼓"), ("हिन्दी2ढोल", "हिन्दी ढोल"), ("قيثارة_١٢", "قيثارة"), ("x\u202ekick", "kick"), ("<b>bold</b>", "bold"), ("e\u0301tude", "\u00e9tude")])
def test_names_are_cut_into_words(name, words):
    assert words_of_name(name) == tuple(words.split())

def named(*groups):
    "A table with a row for each name, a cluster for each group."
    return pd.DataFrame([(f"/lib/{name} {c} {row}.wav", c) for c,group in enumerate(groups) for row,name in enumerate(group)], columns=["path", "cluster"])

KICKS = ["kick"]*11 + ["bd"]*6 + ["take"]*3
OTHERS = ["snare"]*6 + ["take"]*72 + ["kick"]*2

def test_shares_are_those_of_the_group_and_of_all():
    found = path_words(named(KICKS, OTHERS))
    assert found[0] == {"kick": (.55, .13), "bd": (.3, .06)} and found[1] == {"take": (.9, .75)}
    assert words_text(found[0]) == "kick 55 % (all: 13 %), bd 30 % (all: 6 %)"
    assert "lib" not in str(found) and "snare" not in str(found) # six of eighty

def test_what_all_share_or_few_have_is_left_out():
    assert path_words(named(["kick"]*50, ["kick"]*50)) == {} # all
    assert path_words(named(["kick"]*50)) == {} # one group
    assert path_words(named(["kick"]*2 + ["take"]*8, ["take"]*400)) == {} # two files
    assert path_words(named(["kick"]*5 + ["take"]*95, ["take"]*900)) == {} # a twentieth
    assert path_words(named(["kick"]*300 + ["take"]*200, ["kick"]*140 + ["take"]*360)) == {} # not three times as many
    assert list(path_words(named(["kick"]*300 + ["take"]*200, ["kick"]*90 + ["take"]*410))[0]) == ["kick"]

def test_a_recording_counts_once_however_many_clips_it_has():
    calls = pd.DataFrame(dict(path=["/tape/dusk.wav"]*500 + [f"/tape/day {i}.wav" for i in range(200)], cluster=[0]*500 + [1]*200))
    assert 0 not in path_words(calls)
    twice = pd.concat([named(KICKS, OTHERS)]*2)
    assert path_words(twice) == path_words(named(KICKS, OTHERS)) != {}

def test_noise_and_clips_without_a_file_have_no_words():
    table = named(KICKS, OTHERS)
    assert set(path_words(table.assign(cluster=table.cluster - 1))) == set() # one group beside noise
    assert path_words(table.assign(path="")) == {} and path_words(table[:0]) == {}

def test_names_dealt_by_chance_tell_nothing():
    rng, told = np.random.default_rng(0), 0
    for _ in range(20):
        words = rng.choice([f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"], 600)
        told += len(path_words(pd.DataFrame(dict(path=[f"/{word}/{i}.wav" for i,word in enumerate(words)], cluster=rng.integers(0, 12, 600)))))
    assert told <= 2 # of 240 groups


REQUEST = Request(ignore=["level"], n_clusters=2, options=Options(stability=0))

@pytest.fixture(scope="module")
def library(tmp_path_factory):
    "Forty low and forty high tones, half of the low ones called kick, the others take; a run of them, and what the command said."
    folder = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(0)
    (folder/"in").mkdir()
    for i in range(80):
        kind = "kick" if i < 40 and i % 2 else "take"
        wave = np.sin(2*np.pi*(300 if i < 40 else 2000)*rng.uniform(.95, 1.05)*np.arange(1000)/8000)
        sf.write(folder/f"in/{kind}_{i:03d}.wav", .3*wave + .001*rng.standard_normal(1000), 8000)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["cluster", str(folder/"in"), "--ignore", "level", "--n-clusters", "2", "--stability", "0", "--no-page", "--no-cache",
            "-q", "--out", str(folder/"run")]) == 0
    return folder, Run.open(folder/"run"), said.getvalue()

def test_the_column_the_page_and_the_report_have_them_and_names_do_not(library):
    folder, run, said = library
    table = read_table(folder/"run/clusters.csv")
    low = table.path.str.contains("kick")
    assert set(table.path_words[low]) == {"kick 50 % (all: 25 %)"}
    assert set(table.path_words) == {"", "kick 50 % (all: 25 %)"}
    cluster = int(table.cluster[low].iloc[0])
    line = f"words of file names: {cluster} kick 50 % (all: 25 %) (column path_words)"
    assert line in finding_lines(run) and line in said.splitlines()
    shown = cluster_data(run, np.arange(80))
    assert shown[cluster]["path_words"] == {"kick": "kick 50 % (all: 25 %)"} and shown[1 - cluster]["path_words"] == {}
    assert not run.edits

def test_clustering_does_not_see_them(library, tmp_path):
    "The same sounds under names that say nothing, in the same order: the same clusters, embeddings and findings."
    folder, one, _ = library
    (tmp_path/"in").mkdir()
    order = [Path(path) for path in one.table.path]
    for i,path in enumerate(order): (tmp_path/f"in/{i:03d}.wav").write_bytes(path.read_bytes())
    other = make_run(tmp_path/"in", REQUEST)
    np.testing.assert_array_equal(one.clustering.labels, other.clustering.labels)
    np.testing.assert_array_equal(one.embeddings.X, other.embeddings.X)
    first, second = ({**run.findings.record(), "of_clusters": run.findings.differences} for run in (one, other))
    assert first == second
    assert set(one.table) - set(other.table) == {"path_words"}
