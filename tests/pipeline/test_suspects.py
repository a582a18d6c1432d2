"Clips that do not sound like their label: found first, and nothing lost."
import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.pipeline import Options, Request, make_run, suspects
from audioclust.pipeline.scoring import doubt_of_labels, outlier_scores

@pytest.fixture(scope="module")
def at(tmp_path_factory, words):
    folder, clips = words
    out = tmp_path_factory.mktemp("suspects")
    run = make_run(folder, Request(n_clusters=6, encoder="fixed", options=Options(stability=0))).save(out/"run")
    labels = pd.DataFrame(dict(path=run.table.path, label=clips.set_index(clips.path.map(str)).label[run.table.path].to_numpy(str)))
    return out, run, labels

def given(labels, file):
    labels.to_csv(file, index=False)
    return str(file)

def test_swapped_labels_come_first(at, tmp_path):
    _, run, labels = at
    wrong, names = np.arange(0, 190, 19), np.unique(labels.label)
    labels = labels.copy()
    labels.loc[wrong, "label"] = [names[(np.flatnonzero(names == label)[0] + 1) % len(names)] for label in labels.label[wrong]]
    found = suspects(run, given(labels, tmp_path/"labels.csv"))
    assert len(found) == len(run)
    assert set(found.path[:len(wrong)]) == set(labels.path[wrong])
    assert found.doubt.is_monotonic_decreasing

def test_clips_without_a_label_come_last_with_a_suggestion(at, tmp_path):
    _, run, labels = at
    found = suspects(run, given(labels[20:], tmp_path/"labels.csv"))
    assert set(found.path[-20:]) == set(labels.path[:20])
    assert (found.label[-20:] == "").all() and found.doubt[-20:].isna().all()
    told = found.set_index("path").sounds_like[labels.path[:20]].to_numpy()
    assert (told == labels.label[:20]).mean() > .9

def test_a_rare_label_is_not_suspect_for_being_rare():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (100, 3)), rng.normal(9, 1, (3, 3)), [[30., 0, 0]]])
    labels = np.repeat(["usual", "rare", "single"], [100, 3, 1])
    heard, doubt = doubt_of_labels(X, labels)
    assert (doubt[:103] == 0).all() and (heard[:103] == labels[:103]).all()
    assert np.isnan(doubt[103])

def test_an_outlier_within_a_wide_cluster_is_found():
    rng = np.random.default_rng(0)
    ring = np.linspace(0, 2*np.pi, 120, endpoint=False)
    X = np.concatenate([10*np.column_stack([np.cos(ring), np.sin(ring)]) + rng.normal(0, .1, (120, 2)), [[0., 0.]]])
    scores = outlier_scores(X) # the middle of the ring is its mean
    assert scores.argmax() == 120 and scores[120] > 2

@pytest.mark.parametrize("n", [1, 2])
def test_few_clips(n):
    assert len(outlier_scores(np.zeros((n, 2)))) == n
    assert len(doubt_of_labels(np.zeros((n, 2)), np.array(list("abc"[:n])))[1]) == n

def test_command(at, tmp_path, capsys):
    out, run, labels = at
    labels = labels.assign(label=labels.label.replace("word0", "=word0"))
    table = given(labels, tmp_path/"labels.csv")
    assert main(["compare", str(out/"run"), "--labels", table, "--out", str(tmp_path/"suspects.csv")]) == 0
    assert "no clip sounds like another label; all are listed in" in capsys.readouterr().out
    listed = pd.read_csv(tmp_path/"suspects.csv")
    assert listed.columns.tolist() == "path start end label sounds_like doubt outlier cluster confidence strangeness clip_id".split()
    assert (listed.label == "'=word0").sum() == (labels.label == "=word0").sum() > 0 # no formula
    assert main(["compare", str(out/"run"), "--labels", table, "--out", str(tmp_path/"suspects.csv")]) == 2
    assert "say --overwrite" in capsys.readouterr().err
    assert main(["compare", str(out/"run"), "--labels", "words", "--out", str(tmp_path/"one.csv")]) == 2
    assert not (tmp_path/"one.csv").exists()
