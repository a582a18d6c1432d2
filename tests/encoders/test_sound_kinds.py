"Which kinds of sound an encoder hears, and the words that this suggests for groups."
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the made weights, which both tests share
from test_yamnet import keep, network

from audioclust.audio import clips
from audioclust.cli import main
from audioclust.encoders import FixedEncoder
from audioclust.encoders.joint import VotingEncoder
from audioclust.encoders.pretrained import sound_kinds as module
from audioclust.encoders.pretrained.sound_kinds import is_speech, sound_kinds, SoundKinds, suggested_words, with_speech
from audioclust.encoders.pretrained.yamnet import YamnetEncoder
from audioclust.listen.page_data import cluster_data
from audioclust.runs import Run

NAMES = ["Bell", "Rain", "Wind, gust", "Silence", "Inside, small room"]


def kinds(scores): return SoundKinds(np.arange(len(scores)), np.float16(scores), NAMES[:len(scores[0])])


def test_a_word_stands_out_or_there_is_none():
    scores = np.full((40, 5), 1e-6)
    scores[:10, 0], scores[:10, 1], scores[:10, 2] = .9, .2, .05 # best first, two at most
    scores[10:20, 3:] = .9 # nothing that sounds
    scores[20:30, 1] = .02 # too little
    labels = np.repeat([4, 2, 7, -1], 10)
    found = suggested_words(kinds(scores), labels)
    assert list(found) == [4] and list(found[4]) == ["Bell", "Rain"]
    assert found[4]["Bell"] == pytest.approx(np.log(.903/.003), abs=.01)
    scores[:, 0] = .9 # of all clips
    assert list(suggested_words(kinds(scores), labels)[4]) == ["Rain", "Wind, gust"]
    assert suggested_words(kinds(scores), np.zeros(40, int)) == suggested_words(None, labels) == {}
    assert suggested_words(kinds(scores), np.full(40, -1)) == {} # all of it noise


def test_a_score_that_is_not_heard_does_not_count():
    scores = np.repeat([[1e-4, .1], [1e-9, 1e-9]], 10, axis=0)
    assert list(suggested_words(kinds(scores)._replace(scores=scores), np.repeat([0, 1], 10))[0]) == ["Rain"] # not Bell


def test_only_some_of_many_clips_are_scored(monkeypatch, rng):
    monkeypatch.setattr(module, "MOST_SCORED", 50)
    monkeypatch.setattr(module, "_BLOCK", 20)
    toy = SimpleNamespace(dim=2, class_names=NAMES[:2], class_scores=lambda X: X)
    X = rng.uniform(size=(400, 2))
    some = sound_kinds(toy, X)
    assert len(set(some.rows)) == 50 and (np.diff(some.rows) > 0).all()
    np.testing.assert_allclose(some.scores, X[some.rows], atol=1e-3)
    labels = np.zeros(400, int)
    labels[np.setdiff1d(np.arange(400), some.rows)[:2]] = 1 # a group of which no clip was drawn
    assert suggested_words(some, labels) == {}


@pytest.fixture
def bell(tmp_path, monkeypatch, few):
    "The encoder with random weights, whose scores differ from clip to clip."
    tensors = network()
    monkeypatch.syspath_prepend(tmp_path/"package")
    names = ["Bell", "Rain", "Speech"]
    X = YamnetEncoder(keep(tmp_path/"package", tensors, names)).embed(clips(few), num_workers=0)
    tensors["model.classifier.weight"] *= 300
    logits = X @ tensors["model.classifier.weight"].T
    tensors["model.classifier.bias"] = -np.append(logits.mean(0)[:2], np.quantile(logits[:, 2], .8)).astype("<f4")
    checksums = keep(tmp_path/"package", tensors, names)
    monkeypatch.setattr(YamnetEncoder.__init__, "__defaults__", (checksums,))
    return YamnetEncoder()


def test_scores_are_those_of_the_member_of_a_vote(bell, noises):
    table = noises(.5, .01, 2.5, 1.)
    vote = VotingEncoder([FixedEncoder(), bell])
    X = vote.embed(table, num_workers=0)
    expected = bell.class_scores(bell.embed(table, num_workers=0))
    np.testing.assert_allclose(sound_kinds(vote, X).scores, expected, atol=1e-3)
    np.testing.assert_allclose(bell.class_scores(X[:, -bell.dim:], ["Rain"])[:, 0], expected[:, 1], atol=1e-6)
    assert sound_kinds(FixedEncoder(), X) is sound_kinds(None, X) is None
    found = with_speech(table, vote, X)
    np.testing.assert_allclose(found.speech, expected[:, 2], atol=1e-4)
    assert "speech" not in with_speech(found, FixedEncoder(), X) # what an earlier encoder heard
    assert len(with_speech(table[:0], vote, X[:0]).speech) == 0


def test_speech_is_known_from_a_column_of_any_kind():
    assert is_speech(pd.DataFrame(dict(speech=[.2, .19, None, np.inf]))).tolist() == [True, False, False, True]
    assert is_speech(pd.DataFrame(dict(speech=["", "0.5", "no"]))).tolist() == [False, True, False]
    assert is_speech(pd.DataFrame(dict(path=["a"]))).tolist() == [False]


def test_the_whole_way(bell, few, tmp_path, capsys):
    "Words are in the table, the record, the report and on the page, and are no names."
    options = ["--encoder", "fixed+yamnet", "--n-clusters", "3", "--stability", "0", "--no-cache", "--no-page"]
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *options]) == 0
    run, said = Run.open(tmp_path/"run"), capsys.readouterr().out
    X = bell.embed(run.clips.table, num_workers=0)
    expected = suggested_words(sound_kinds(bell, X), run.clustering.labels)
    assert expected and run.findings.suggested == expected and not run.names["names"]
    text = {c: " / ".join(words) for c,words in expected.items()}
    assert run.table.suggested.tolist() == [text.get(c, "") for c in run.table.cluster]
    assert "words that may fit: " in said and all(f"{c} {words}" in said for c,words in text.items())
    np.testing.assert_allclose(run.table.speech, bell.class_scores(X)[:, 2], atol=1e-3)
    n = (run.table.speech >= .2).sum()
    assert 0 < n <= 24 and f"people may be speaking in {n} of 48 clips" in said
    shown = cluster_data(run, np.arange(len(run)))
    assert {c: about["suggested"] for c,about in shown.items()} == {c: list(expected.get(c, {})) for c in shown}
