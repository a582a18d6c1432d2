"Which kinds of sound an encoder hears, and the words that this suggests for groups."
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf
import soxr
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))  # for the made weights, which both tests share
from test_wheel_encoders import keep, network

from audioclust.audio import clips
from audioclust.cli import main
from audioclust.encoders import FixedEncoder
from audioclust.encoders.base import EmbeddingDetails
from audioclust.encoders.joint import VotingEncoder
from audioclust.encoders.pretrained import sound_kinds as module
from audioclust.encoders.pretrained.sound_kinds import sound_kinds, SoundKinds, suggested_words
from audioclust.encoders.pretrained.yamnet import YamnetEncoder, yamnet_starts
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
    assert suggested_words(kinds(scores), np.zeros(40, int)) == {} and suggested_words(None, labels) is None
    assert suggested_words(kinds(scores), np.full(40, -1)) == {} # all of it noise


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


def heard(table, encoder, cache=None):
    "The score of speech of each clip."
    details = EmbeddingDetails()
    encoder.embed(table, [], num_workers=0, cache=cache, details=details)
    return details.speech


def test_speech_is_found_anywhere_in_a_long_clip(bell, noises, tmp_path):
    "The largest mean over five consecutive patches, alone, in a vote, and again from the cache."
    table = noises(.5, 2.4, 2.5, 3., 9.)
    expected = []
    for wave, rate in (sf.read(path, dtype="float32") for path in table.path):
        x = torch.as_tensor(soxr.resample(wave, rate, 16_000))
        patches = [F.pad(x, (0, 15_600))[start:start + 15_600] for start in yamnet_starts(len(x))]
        sums = bell.class_sums(bell.embed_patches(bell.mel(torch.stack(patches))), ["Speech"])[:, 0]
        n = min(5, len(sums))
        expected.append(max(sums[i:i+n].mean() for i in range(len(sums) - n + 1)).sigmoid())
    speech = heard(table, bell, tmp_path/"cache")
    np.testing.assert_allclose(speech, expected, atol=1e-4)
    mean = bell.class_scores(bell.embed(table, num_workers=0), ["Speech"])[:, 0]
    np.testing.assert_allclose(speech[:3], mean[:3], atol=1e-4) # at most five patches
    assert (speech[3:] > mean[3:] + 1e-3).all()
    np.testing.assert_array_equal(heard(table, bell, tmp_path/"cache"), speech)
    np.testing.assert_array_equal(heard(table, VotingEncoder([FixedEncoder(), bell]), tmp_path/"cache"), speech)


def test_the_whole_way(bell, few, tmp_path, capsys):
    "Words are in the table, the record, the report and on the page, and are no names."
    options = ["--encoder", "fixed+yamnet", "--n-clusters", "3", "--stability", "0", "--no-cache", "--no-page"]
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *options]) == 0
    run, said = Run.open(tmp_path/"run"), capsys.readouterr().out
    X = bell.embed(run.clips.table, num_workers=0)
    expected = suggested_words(sound_kinds(bell, X), run.clustering.labels)
    assert expected and run.findings.suggested == expected and not run.edits
    text = {c: " / ".join(words) for c,words in expected.items()}
    assert run.table.suggested.tolist() == [text.get(c, "") for c in run.table.cluster]
    assert "words that may fit: " in said and all(f"{c} {words}" in said for c,words in text.items())
    np.testing.assert_allclose(run.table.speech, heard(run.clips.table, bell), atol=1e-3)
    n = (run.table.speech >= .2).sum()
    assert 0 < n <= 24 and f"people may be speaking in {n} of 48 clips" in said
    shown = cluster_data(run, np.arange(len(run)))
    assert {c: about["suggested"] for c,about in shown.items()} == {c: list(expected.get(c, {})) for c in shown}
