"Two sites have files of the same names: a path in a table means the recording that it fits best, or none."
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audioclust.audio import label_clips
from audioclust.audio.annotation_tables import clips_of_tables
from audioclust.audio.embedding_files import read_embeddings
from audioclust.cli import main
from audioclust.runs.seeds import read_seeds

NAMES = "a.wav", "b.wav"


@pytest.fixture
def sites(tmp_path, tone):
    for site in "s1", "s2":
        for name in NAMES: tone(tmp_path/"in"/site/name, seconds=1, sr=8000)
    return tmp_path/"in"


def clips_in(folder):
    return pd.DataFrame(dict(path=sorted(map(str, folder.rglob("*.wav"))), start=0., end=1.))


def table_at(path, names):
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame(dict(path=names, start=0, end=1, label="owl", d0=1., d1=2.)).to_csv(path, index=False)
    return path


def names_only(path, names):
    pd.DataFrame(dict(path=names, label="owl")).to_csv(path, index=False)
    return path


def used(table, folder, how):
    "Which recordings a table means, as site and name."
    clips = clips_in(folder)
    if how == "clips": found = clips_of_tables(table, folder, []).path
    elif how == "embeddings": found = read_embeddings(table, recordings=folder, errors=[])[1].path
    elif how == "labels": found = clips.path[[label == "owl" for label in label_clips(clips, str(table)).label]]
    else: found = clips.path[[label == "owl" for label in read_seeds(str(table), clips).labels()]]
    return [Path(path).relative_to(folder).as_posix() for path in found]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how, has_times", [("clips", True), ("embeddings", True), ("labels", True), ("seeds", False)])
def test_a_table_of_one_site_is_not_of_the_other(sites, tmp_path, how, has_times):
    write = table_at if has_times else names_only
    table = write(tmp_path/"t.csv", [f"s1/{name}" for name in NAMES])
    assert used(table, sites, how) == ["s1/a.wav", "s1/b.wav"]
    with pytest.raises(ValueError): used(table, sites/"s2", how)
    write(tmp_path/"t.csv", [f"{site}/{name}" for site in ("s1", "s2") for name in NAMES])
    assert used(table, sites/"s2", how) == ["a.wav", "b.wav"]
    write(tmp_path/"t.csv", [str(sites/"s1"/name) for name in NAMES]) # which are there
    with pytest.raises(ValueError): used(table, sites/"s2", how)
    write(tmp_path/"t.csv", [f"C:\\elsewhere\\{name}" for name in NAMES]) # which are on another computer
    assert used(table, sites/"s2", how) == ["a.wav", "b.wav"]
    write(tmp_path/"t.csv", [f"/elsewhere/{site}/{name}" for site in ("s3", "s4") for name in NAMES])
    with pytest.raises(ValueError): used(table, sites/"s2", how)
    write(tmp_path/"t.csv", ["a.wav", "b.wav"])
    assert used(table, sites/"s2", how) == ["a.wav", "b.wav"]
    with pytest.raises(ValueError, match=r"t.csv: several recordings are called a.wav \(.*s1/a.wav, .*s2/a.wav\)"):
        used(table, sites, how)


def test_a_bare_name_is_that_of_the_file_beside_the_table(sites):
    for how in "labels", "clips", "seeds": assert used(table_at(sites/"s2/t.csv", ["a.wav"]), sites, how) == ["s2/a.wav"]


def test_what_a_renamed_folder_loses_is_said(sites, tmp_path, capsys):
    table = table_at(tmp_path/"t.csv", ["s1/a.wav", "site two/b.wav"])
    with pytest.warns(UserWarning, match="1 of 2 paths in .* name another folder.* site two/b.wav, and s1/b.wav is here"):
        assert used(table, sites/"s1", "clips") == ["a.wav"]
    arguments = ["cluster", str(sites/"s2"), "--clips", str(table), "--out", str(tmp_path/"run"), "--encoder", "fixed"]
    assert main(arguments) == 2 and "the same, and those of their folders?" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_both_forms_of_a_letter_are_one_name(tmp_path, tone, forms):
    on_disk, in_table = (unicodedata.normalize(form, "forêt/été.wav") for form in forms)
    tone(tmp_path/"in"/on_disk, seconds=1, sr=8000)
    for how in "clips", "embeddings", "labels", "seeds":
        assert used(table_at(tmp_path/"t.csv", [in_table]), tmp_path/"in", how) == [on_disk]


def test_two_labels_of_one_recording_are_refused_under_any_names(sites, tmp_path):
    pd.DataFrame(dict(path=["a.wav", "A.WAV"], label=["owl", "bat"])).to_csv(tmp_path/"t.csv", index=False)
    with pytest.raises(ValueError, match="a.wav has 2 labels"): label_clips(clips_in(sites/"s1"), str(tmp_path/"t.csv"))


def test_a_file_of_embeddings_is_called_like_its_recording(sites, tmp_path):
    (tmp_path/"out/today").mkdir(parents=True)
    for name in "a.perch.npy", "b.npy": np.save(tmp_path/"out/today"/name, np.ones((2, 3)))
    assert used(tmp_path/"out", sites/"s1", "embeddings") == ["a.wav"]*2 + ["b.wav"]*2


def test_names_that_differ_in_capitals_only(tmp_path, tone):
    for name in "k.wav", "K.wav": tone(tmp_path/"in"/name, seconds=1, sr=8000)
    if len(list((tmp_path/"in").iterdir())) < 2: pytest.skip("capitals do not matter here")
    (tmp_path/"tables").mkdir()
    assert used(table_at(tmp_path/"tables/t.csv", ["K.wav"]), tmp_path/"in", "clips") == ["K.wav"]
    with pytest.raises(ValueError, match="several recordings are called k"):
        used(table_at(tmp_path/"tables/t.csv", ["k"]), tmp_path/"in", "clips")


def test_paths_of_another_computer_that_fit_by_name_alone_are_told(sites, tmp_path):
    names_only(tmp_path/"t.csv", ["/media/card/s2/a.wav", "/media/card/s1/b.wav"])
    with pytest.warns(UserWarning, match="by the name of the file alone: 1, such as /media/card/s2/a.wav"):
        assert used(tmp_path/"t.csv", sites/"s1", "labels") == ["a.wav", "b.wav"]


def test_links_of_other_names_lead_to_their_recordings(sites, tmp_path):
    "Also where several files have one name."
    (tmp_path/"other").mkdir()
    for site in "s1", "s2": (tmp_path/"other"/f"link to {site}").symlink_to(sites/site)
    table = names_only(tmp_path/"t.csv", ["other/link to s2/a.wav", "other/link to s1/b.wav"])
    assert used(table, sites, "labels") == ["s1/b.wav", "s2/a.wav"]


def test_what_is_missing_is_named_from_the_folder_of_its_table(sites, tmp_path, monkeypatch):
    "As relative paths are in clusters.csv, wherever the command runs."
    table = table_at(tmp_path/"tables/t.csv", ["../in/s1/a.wav", "../in/s1/b.wav", "../in/s1/gone.wav"])
    monkeypatch.chdir(tmp_path) # one folder higher
    assert main(["cluster", str(sites), "--embeddings", str(table), "--out", "run", "--n-clusters", "2", "--no-page", "-q",
                 "--no-cache", "--stability", "0"]) == 0
    assert pd.read_csv("run/errors.csv").path.tolist() == [str(sites/"s1/gone.wav")]
    assert pd.read_csv("run/clusters.csv").path.tolist() == [str(sites/"s1"/name) for name in NAMES]
