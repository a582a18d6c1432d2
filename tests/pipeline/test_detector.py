"A detector of one name: what it keeps, how good it is, and what is refused."
import re
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import label_detections
from audioclust.cli import main
from audioclust.cli.commands.assign import recognised
from audioclust.pipeline import Options, Request, Run, assign_embeddings, detector_scores, groups_called, is_detected, run_of_embeddings
from audioclust.runs import Edits, write_edits

KINDS = np.repeat(["wren", "tit", "owl"], 40)


def points(seed, gap=3.):
    places = gap*np.array([[0, 0], [1, 0], [0, 4]])
    return np.random.default_rng(seed).normal(0, 1, (120, 2)) + np.repeat(places, 40, axis=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    made = run_of_embeddings(points(0), request=Request("kmeans", 3, options=Options(stability=0))).save(folder/"run")
    named = {int(made.clustering.labels[row]): KINDS[row] for row in (5, 45, 85)}
    write_edits(folder/"run", Edits(names=named))
    return Run.open(folder/"run")


@pytest.fixture(scope="module")
def new(run):
    table = assign_embeddings(run, points(1))
    return table.assign(path=[f"/{kind}/{row}.wav" for row,kind in enumerate(KINDS)])


def number(run, name): return groups_called(run, name)[1][0]


def test_only_one_group_with_enough_confidence(run, new):
    for at_least in 0, .3, .6, 1:
        expected = (new.cluster == number(run, "wren")) & (new.confidence >= at_least)
        assert is_detected(run, new, "wren", at_least).tolist() == expected.tolist()
        assert is_detected(run, new, number(run, "wren"), at_least).tolist() == expected.tolist()
    assert is_detected(run, new, at_least=.5).sum() == (new.confidence >= .5).sum() > 0
    unsure = new.assign(confidence=np.nan) # a method may know none
    assert is_detected(run, unsure, "wren").sum() > 0 == is_detected(run, unsure, "wren", .1).sum()


def test_merged_groups_are_one_detector_and_a_name_goes_before_a_number(run, new, tmp_path):
    wren, tit, owl = (number(run, name) for name in ("wren", "tit", "owl"))
    run.open(run.folder).save(tmp_path/"run")
    write_edits(tmp_path/"run", Edits(names={wren: "small", owl: str(wren)}, merged={tit: wren}))
    merged = Run.open(tmp_path/"run")
    assert groups_called(merged, "small") == ("small", sorted([wren, tit]))
    assert groups_called(merged, tit) == groups_called(merged, "small")
    assert groups_called(merged, wren) == (str(wren), [owl]) # it is the name of the owls
    assert is_detected(merged, new, "small").sum() == new.cluster.isin([wren, tit]).sum()


def test_precision_and_recall(run, new):
    scores = detector_scores(run, new, "wren", "parent", [.6, 0, .3])
    assert scores.at_least.tolist() == [0, .3, .6]
    for row in scores.itertuples():
        found = is_detected(run, new, "wren", row.at_least)
        right = (found & (KINDS == "wren")).sum()
        assert (row.clips, row.found) == (40, found.sum())
        np.testing.assert_allclose([row.precision, row.recall], [right/found.sum(), right/40])
    assert scores.recall.is_monotonic_decreasing and scores.precision[2] > scores.precision[0]
    none = detector_scores(run, new, "wren", "parent", [1])
    assert none.found[0] == 0 and np.isnan(none.precision[0]) and none.recall[0] == 0


def test_a_table_with_times_lists_all_that_is_to_be_found(run, tmp_path, tone):
    "What lies in no clip is missed, a clip with nothing in it is a mistake, and a recording without rows is unknown."
    for name in "tape", "other": tone(tmp_path/f"{name}.wav", seconds=2)
    (tmp_path/"calls.csv").write_text("path,start,end,label\n" + "".join(
        f"tape.wav,{start},{start + .4},{label}\n" for start,label in ((0, "wren"), (.5, "tit"), (1.5, "wren"), (1.8, "owl"))))
    clips = pd.DataFrame(dict(path=[str(tmp_path/"tape.wav")]*3 + [str(tmp_path/"other.wav")], start=[0, .5, 1., 0], end=[.4, .9, 1.4, .4]))
    table = clips.assign(cluster=number(run, "wren"), confidence=[.9, .5, .8, .9])
    with pytest.warns(UserWarning, match="2 of 4 labels in .* lie in no clip"):
        labelled, missed = label_detections(table, str(tmp_path/"calls.csv"))
    assert labelled.label.fillna("?").tolist() == ["wren", "tit", "", "?"] and missed == {"wren": 1, "owl": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = detector_scores(run, table, "wren", str(tmp_path/"calls.csv"), [0, .7, .85])
    assert scores.clips.tolist() == [2]*3 and scores.found.tolist() == [3, 2, 1]
    np.testing.assert_allclose(scores.precision, [1/3, 1/2, 1])
    np.testing.assert_allclose(scores.recall, [1/2]*3)


@pytest.fixture(scope="module")
def at(tmp_path_factory, words):
    "A run of words, two groups of which have names."
    from audioclust.pipeline import make_run
    folder, _ = words
    out = tmp_path_factory.mktemp("words")
    made = make_run(folder, Request(n_clusters=6, encoder="fixed", options=Options(stability=0))).save(out/"run")
    label = made.table.path.str.rsplit("/", n=2).str[1]
    usual = label.groupby(made.clustering.labels).agg(lambda of_group: of_group.mode()[0])
    write_edits(out/"run", Edits(names={group: name for group,name in usual.items() if name in ("word0", "word1")}))
    return folder, out/"run"


def test_command(at, tmp_path, capsys):
    folder, run = at
    typed = ["assign", str(run), str(folder), "-q", "--labels", "parent"]
    assert main([*typed, "--out", str(tmp_path/"all.csv")]) == 0
    everything = pd.read_csv(tmp_path/"all.csv")
    capsys.readouterr()
    assert main([*typed, "--out", str(tmp_path/"only.csv"), "--only", "word0", "--at-least", "0.4"]) == 0
    told = capsys.readouterr().out
    found = pd.read_csv(tmp_path/"only.csv")
    kept = everything[(everything.name == "word0") & (everything.confidence >= .4)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, kept)
    right = (kept.path.str.rsplit("/", n=2).str[1] == "word0").sum()
    n = everything.path.str.contains("/word0/").sum()
    assert f"{len(kept):6,}  word0" in told
    assert f"confidence at least 0.4: precision {right/len(kept):.2f}, recall {right/n:.2f}" in told
    assert len(re.findall(r"^0\.\d ", told, re.M)) > 3 # other limits


@pytest.mark.parametrize("options, said", [
    (["--only", "robin"], "no group of this run is called 'robin': say a number, or one of cluster"),
    (["--at-least", "90"], "'90' is not a number from 0 to 1"),
    (["--join"], "--join, --level and --without are for other programs: say --to with one of them as well")])
def test_what_the_command_refuses(at, tmp_path, monkeypatch, capsys, options, said):
    folder, run = at
    monkeypatch.chdir(tmp_path)
    try: status = main(["assign", str(run), str(folder), *options])
    except SystemExit as e: status = e.code
    assert status == 2 and said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_clip_with_two_labels_has_the_one_that_is_looked_for(tmp_path):
    sf.write(tmp_path/"a.wav", np.zeros(80000), 8000)
    truth = pd.DataFrame(dict(path="a.wav", start=[0., 2.], end=[2., 2.5], label=["owl", "wren"]))
    truth.to_csv(tmp_path/"truth.csv", index=False)
    clips = pd.DataFrame(dict(path=[str(tmp_path/"a.wav")]*2, start=[0., 5.], end=[5., 10.]))
    for wanted,labels in (None, ["owl", ""]), ("wren", ["wren", ""]), ("owl", ["owl", ""]):
        found, missed = label_detections(clips, str(tmp_path/"truth.csv"), wanted)
        assert found.label.tolist() == labels and not missed


def test_recordings_in_which_nothing_was_found_count(at, tmp_path, capsys):
    folder, run = at
    new = tmp_path/"new"
    shutil.copytree(folder/"word0", new/"word0")
    sf.write(new/"faint.wav", np.zeros(0), 8000)
    table = pd.DataFrame(dict(path=["faint.wav"], start=0., end=.5, label="word0 "))
    files = sorted(path.name for path in (new/"word0").iterdir())
    for file in files[1:]: table.loc[len(table)] = f"word0/{file}", 0., .5, "word0"
    table.to_csv(tmp_path/"truth.csv", index=False)
    typed = ["assign", str(run), str(new), "-q", "--out", str(tmp_path/"a.csv"), "--labels", str(tmp_path/"truth.csv")]
    assert main(typed) == 0
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("word0 "))
    assert int(row[1]) == len(files), "a recording without a clip has one that was not found, another has no label"


@pytest.fixture
def windows(run, tmp_path, tone):
    "Overlapping windows on a tape with two wrens, and on one of which the table says nothing."
    for name in "tape", "other": tone(tmp_path/f"{name}.wav", seconds=5)
    (tmp_path/"calls.csv").write_text("path,start,end,label\ntape.wav,1.1,1.4,wren\ntape.wav,4.5,4.9,wren\n")
    table = pd.DataFrame(dict(path=[str(tmp_path/"tape.wav")]*4 + [str(tmp_path/"other.wav")], start=[0, 1., 2, 3, 0],
                              end=[2, 3., 4, 5, 2])).assign(confidence=.9)
    return table, str(tmp_path/"calls.csv")


def test_a_call_in_two_windows_counts_once(run, windows):
    table, labels = windows
    wren, tit = number(run, "wren"), number(run, "tit")
    with pytest.warns(UserWarning, match="1 clips of wren lie in recordings without a label"):
        scores = detector_scores(run, table.assign(cluster=[wren, wren, wren, tit, wren]), "wren", labels, [0])
    assert scores[["clips", "found"]].values.tolist() == [[2, 2]], "one call found twice, one mistake, one call missed"
    assert scores.precision[0] == scores.recall[0] == .5
    labelled, _ = label_detections(table, labels)
    assert labelled.call[0] == labelled.call[1] and labelled.call.nunique() == 4


def test_a_table_of_names_counts_calls_and_says_what_is_not_judged(run, windows, tmp_path):
    table, labels = windows
    told = recognised(table, ["wren", "tit", "wren", "nothing", "wren"], [True]*5, run.edits, labels)
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines()}
    assert rows["wren"] == ["2", "2", "0.500", "0.500"]
    assert rows["tit"][:2] == ["0", "1"] and rows["all"][:2] == ["2", "3"]
    assert "not judged: 1 clip with a name, of recordings without a label" in told
