"Seeds in a run: tables, runs that were corrected, names, scores, and what is carried on."
from pathlib import Path
import numpy as np
import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import assign, grow, load_run, read_seeds, regroup
from audioclust.runs.names import read_names, write_names
from audioclust.runs.run_folder import read_run, read_table

@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    table = synthetic_words(5, 4, 6).save(folder/"words")
    table["name"] = [Path(p).name for p in table.path]
    seeds = pd.concat([table[table.label == "word3"].iloc[:3].assign(label="owl"), table[table.label == "word1"].iloc[:3].assign(label="bat")])
    seeds[["path", "label"]].to_csv(folder/"seeds.csv", index=False)
    return folder, table

def run(folder, out, *more):
    common = ["cluster", str(folder/"words"), "--out", str(folder/out), "--n-clusters", "5", "--encoder", "fixed", "--no-page", "--stability", "3", "-q"]
    return main([*common, "--no-cache", *more])

@pytest.fixture(scope="module")
def seeded(words):
    assert run(words[0], "run", "--method", "spectral", "--seeds", str(words[0]/"seeds.csv"), "--labels", "parent") == 0
    return words[0]/"run"

def test_groups_have_the_names_of_their_seeds(words, seeded):
    table, record = read_table(seeded/"clusters.csv"), read_run(seeded)
    assert set(table.name[table.seed == "owl"]) == {"owl"} and set(table.name[table.seed == "bat"]) == {"bat"}
    assert record["seeds"]["names"] == ["bat", "owl"] and record["seeds"]["clips"] == 6 and record["scores"]["seeds"] == 6
    assert record["scores"]["labelled"] == len(table) - 6
    assert record["request"]["seeds"] == [str(words[0]/"seeds.csv")]

def test_a_seeded_run_is_loaded_regrouped_assigned_and_grown(words, seeded):
    grouping = load_run(seeded)
    assert grouping.seeds.names == ("bat", "owl")
    again = regroup(grouping, "kmeans")
    is_seed = np.array(grouping.seeds.labels()) == "owl"
    assert set(again.labels[is_seed]) == {1}
    with pytest.warns(UserWarning, match="takes no seeds"): assert regroup(grouping, "agglomerative").seeds is None
    assert len(assign(grouping, words[0]/"words")) == len(grouping)
    more = synthetic_words(5, 4, 2, random_state=9).save(words[0]/"more")
    grown = grow(grouping, more)
    assert len(grown.table().seed) == len(grouping) + len(more) and grown.seeds.names == ("bat", "owl")

def test_a_run_that_was_corrected_is_a_table_of_seeds(words, seeded):
    table = read_table(seeded/"clusters.csv")
    other = int(next(c for c in table.cluster.unique() if c > 1))
    moved = table.clip_id[(table.cluster == other) & (table.seed == "")].iloc[0]
    names = read_names(seeded)
    names["names"][str(other)], names["clips"] = "fox", {moved: 0}
    write_names(seeded, names)
    found = read_seeds(str(seeded), words[1])
    assert found.names == ("bat", "fox", "owl")
    assert found.labels()[int(np.flatnonzero(table.clip_id == moved)[0])] == "bat"
    assert run(words[0], "again", "--seeds", str(seeded)) == 0
    again = read_table(words[0]/"again"/"clusters.csv")
    assert again.name[again.clip_id == moved].item() == "bat"
    assert set(read_names(words[0]/"again")["names"].values()) == {"bat", "fox", "owl"}

def test_replacing_and_repeating_keep_names(words):
    folder = words[0]
    assert run(folder, "kept", "--seeds", str(folder/"seeds.csv")) == 0
    before = read_table(folder/"kept"/"clusters.csv")
    assert run(folder, "kept", "--seeds", str(folder/"seeds.csv"), "--overwrite") == 0
    after = read_table(folder/"kept"/"clusters.csv")
    assert (before.cluster == after.cluster).all() and (before.name == after.name).all()
    assert main(["cluster", "--config", str(folder/"kept"), "--out", str(folder/"repeated"), "--no-page", "-q"]) == 0
    assert (read_table(folder/"repeated"/"clusters.csv").cluster == after.cluster).all()
    assert run(folder, "kept", "--seeds", str(folder/"seeds.csv"), "--resume") == 0

@pytest.mark.parametrize("more,message", [
    (["--method", "dbscan"], "takes no seeds"), (["--by", "both"], "one grouping"), (["--seeds", "nowhere.csv"], "no file nowhere.csv"),
    (["--n-clusters", "1"], "seeds of 2 groups")])
def test_what_cannot_be_is_refused(words, capsys, more, message):
    args = ["cluster", str(words[0]/"words"), "--out", str(words[0]/"wrong"), "--no-page", "-q", "--encoder", "fixed",
            "--seeds", str(words[0]/"seeds.csv"), *more]
    assert main(args) == 2
    assert message in capsys.readouterr().err

def test_tables_that_say_nothing_of_these_clips(words, tmp_path):
    clips = words[1]
    for text,message in [("path,label\nelsewhere.wav,owl\n", "names a clip"), ("name,label\na,b\n", "need columns path and label"), ("path,label\n", "names a clip"),
                         ("path,other,link\na.wav,b.wav,maybe\n", "must or cannot"), ("path,link\na.wav,must\n", "path, other and link")]:
        (tmp_path/"t.csv").write_text(text)
        with pytest.raises(ValueError, match=message): read_seeds(tmp_path/"t.csv", clips)
    with pytest.raises(ValueError, match="no table of seeds"): read_seeds(tmp_path/"t.json", clips)
    (tmp_path/"half.csv").write_text(f"path,label\n{clips.path[0]},owl\nelsewhere.wav,bat\n")
    with pytest.warns(UserWarning, match="1 of 2 rows"): assert read_seeds(tmp_path/"half.csv", clips).names == ("owl",)

def test_tables_of_other_programs_are_seeds_too(words, tmp_path):
    path = words[1].path[0]
    (tmp_path/f"{Path(path).stem}.txt").write_text("0.0\t0.3\towl\n") # an Audacity label track
    clips = words[1].iloc[:4]
    found = read_seeds(tmp_path/f"{Path(path).stem}.txt", clips)
    assert found.labels() == ["owl", "", "", ""]

def test_a_name_that_was_given_by_hand_stays(words, capsys):
    folder = words[0]
    assert run(folder, "hand", "--seeds", str(folder/"seeds.csv")) == 0
    names = read_names(folder/"hand")
    bat = next(c for c,name in names["names"].items() if name == "bat")
    write_names(folder/"hand", {**names, "names": {**names["names"], bat: "pipistrelle"}})
    capsys.readouterr()
    assert run(folder, "hand", "--seeds", str(folder/"seeds.csv"), "--overwrite") == 0
    assert read_names(folder/"hand")["names"][bat] == "pipistrelle" and "keeps that name" in capsys.readouterr().err

def test_names_that_look_like_numbers_or_formulas(words):
    folder, table = words
    seeds = table[["path"]].assign(label=table.label.map({"word0": "007", "word1": "=1+1", "word2": "1.0", "word3": "08", "word4": "1e3"}))
    seeds.to_csv(folder/"odd.csv", index=False)
    assert run(folder, "odd", "--seeds", str(folder/"odd.csv")) == 0
    assert "'=1+1" in set(read_table(folder/"odd/clusters.csv").seed)
    loaded = load_run(folder/"odd").seeds
    assert set(loaded.labels()) == {"007", "=1+1", "1.0", "08", "1e3"} and (loaded.constraints.seeds >= 0).all()
    assert main(["score", str(folder/"odd"), "--labels", "parent"]) == 2 # all clips are seeds

def test_tables_of_other_forms(words, tmp_path):
    clips = words[1]
    rows = pd.DataFrame(dict(path=[clips.path[0], clips.path[50]], label=["owl", "bat"]))
    links = pd.DataFrame(dict(path=[clips.path[0]], other=[clips.path[50]], link=["cannot"]))
    rows.to_csv(tmp_path/"s.tsv", sep="\t", index=False)
    rows.to_parquet(tmp_path/"s.parquet")
    links.assign(start=[np.nan]).to_parquet(tmp_path/"l.parquet")
    for name in "s.tsv", "s.parquet": assert read_seeds(tmp_path/name, clips).names == ("bat", "owl")
    assert len(read_seeds(tmp_path/"l.parquet", clips).constraints.cannot_link) == 1
    (tmp_path/"folder").mkdir()
    with pytest.raises(ValueError, match="is not a run folder"): read_seeds(tmp_path/"folder", clips)
