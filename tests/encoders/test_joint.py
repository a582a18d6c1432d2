"Several encoders with weights: the vote itself, side by side in the pipeline, by name, by choice, saved and loaded."
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from audioclust.audio import streaming
from audioclust.cli import main
from audioclust.core.registry import ENCODERS
from audioclust.encoders import choice, FixedEncoder
from audioclust.encoders.base import EmbeddingDetails
from audioclust.encoders.joint import parse_vote, vote_name, vote_weights, VotingEncoder, VotingWhitening
from audioclust.metrics import nmi
from audioclust.pipeline import assign, make_pair, make_run, Options, refine, Request, Run


class Voices(FixedEncoder):
    "An encoder with another sample rate, that hears the source whatever is asked for."
    version = "1"
    def __init__(self, by="source", ignore=None, sample_rate=16000, **kwargs):
        super().__init__(by, ignore, sample_rate, **kwargs)


@pytest.fixture
def voices():
    ENCODERS.register("voices", Voices, "for this test")
    yield
    ENCODERS.unregister("voices")


families = {e: e for e in ("fixed", "a", "b", "c")}

def test_weights_by_hand():
    assert vote_weights(dict(a=.6, b=.3, c=0.), families) == dict(fixed=1., a=1., b=.25, c=0.)
    two_of_a_kind = {**families, "b": "a"}
    assert vote_weights(dict(a=.6, b=.6), two_of_a_kind) == dict(fixed=1., a=1., b=1.)
    three = vote_weights(dict(a=.6, b=.6, c=.6), two_of_a_kind)
    assert three["c"] == 1 and three["a"] == pytest.approx(2**-.5)
    assert vote_weights({}, families) == {"fixed": 1.}
    assert vote_weights(dict(a=0.), families) == dict(fixed=1., a=0.)


NAMES = st.sampled_from(["fixed", "aisfx", "hf:a/b@main", "hf:C:/x", "musicnn"])
WEIGHTS = st.floats(.01, 100).map(lambda weight: float(f"{weight:g}"))

@settings(deadline=None)
@given(st.dictionaries(NAMES, WEIGHTS, min_size=2))
def test_a_name_and_what_it_names(weights): assert parse_vote(vote_name(weights)) == weights


def test_distances_are_the_weighted_sums_of_the_members(words):
    _, table = words
    a, b = FixedEncoder("content", sample_rate=8000), FixedEncoder("source", sample_rate=8000)
    both = VotingEncoder([a, b], [1, .5])
    X = both.embed(table)
    Z = both.whitening(len(X)).fit_transform(X)
    parts = [e.whitening(len(X)).fit_transform(e.embed(table)) for e in (a, b)]
    def squared(Z): return np.square(Z[0] - Z[1:]).sum(1)
    unit = [p/np.linalg.norm(p, axis=1, keepdims=True) for p in parts]
    np.testing.assert_allclose(squared(Z)*1.25, squared(unit[0]) + .25*squared(unit[1]), atol=1e-4)


def test_what_one_cannot_decode_is_missing_and_said_once(words, tmp_path):
    _, table = words
    (tmp_path/"bad.wav").write_text("no sound")
    bad = pd.DataFrame([dict(path=tmp_path/"bad.wav", start=0., end=1.)])
    clips = pd.concat([table.iloc[:3], bad], ignore_index=True)
    encoder, errors, details = VotingEncoder([FixedEncoder(sample_rate=8000), Voices()]), [], EmbeddingDetails()
    X = encoder.embed(clips, errors, details=details, cache=tmp_path/"cache")
    assert [row for row,_ in errors] == [3] and details.cached == []
    assert np.isnan(X[3]).all() and np.isfinite(X[:3]).all()
    again = EmbeddingDetails()
    np.testing.assert_array_equal(encoder.embed(clips, [], details=again, cache=tmp_path/"cache")[:3], X[:3])
    assert again.cached == [0, 1, 2]
    with pytest.warns(UserWarning, match="bad.wav") as warned: encoder.embed(clips)
    assert sum("bad.wav" in str(w.message) for w in warned) == 1


def test_a_vote_from_a_folder_to_a_run_and_back(words, voices, tmp_path):
    folder, _ = words
    request = Request(n_clusters=6, encoder="fixed+voices:0.25", options=Options(cache=tmp_path/"cache"))
    made = make_run(folder, request)
    assert isinstance(made.embeddings.encoder, VotingEncoder) and made.embeddings.encoder.weights == [1, .25]
    assert isinstance(made.embeddings.whitening, VotingWhitening)
    made.save(tmp_path/"run")
    loaded = Run.open(tmp_path/"run")
    assert loaded.request.encoder == "fixed+voices:0.25"
    again = assign(loaded, folder, [])
    assert (again.cluster.to_numpy() == made.clustering.labels).all()
    once_more = make_run(folder, request)
    assert once_more.embeddings.n_cached == len(made)
    assert (once_more.clustering.labels == made.clustering.labels).all()


def test_auto_is_the_vote_where_encoders_are_installed(words, voices, tmp_path, monkeypatch, capsys):
    folder, table = words
    monkeypatch.setattr(choice, "available_encoders", lambda: ["fixed", "untrained", "voices"])
    typed = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--encoder", "auto", "--by", "source"]
    assert main([*typed, "--n-clusters", "4", "--no-page", "-q", "--cache", str(tmp_path/"cache")]) == 0
    assert "agreement (AMI) with the grouping by source" in capsys.readouterr().out
    record = json.loads((tmp_path/"run"/"run.json").read_text())
    assert record["request"]["encoder"] == "auto" and record["embeddings"]["encoder"]["class"] == "VotingEncoder"
    assert record["embeddings"]["encoder_choice"]["name"].startswith("fixed+voices")
    truth = table.assign(path=table.path.astype(str))[["path", "voice"]]
    truth = pd.read_csv(tmp_path/"run"/"clusters.csv").merge(truth, on="path")
    assert nmi(truth.voice, truth.cluster) > .6


def test_a_pair_of_votes_with_several_rates_is_refined(words, voices, tmp_path, monkeypatch):
    folder, _ = words
    options = Options(cache=tmp_path/"cache", stability=2)
    made = make_pair(folder, Request(n_clusters=4, encoder="fixed+voices:0.5", options=options))
    for limit in "MOST_SHARED_BEFORE", "MOST_SHARED_AFTER": monkeypatch.setattr(f"audioclust.encoders.residual.{limit}", 2.)
    content, source, _ = refine(made.content, made.source)
    for run in content, source: assert nmi(assign(run, folder, []).cluster, run.clustering.labels) > .9


@pytest.mark.parametrize("name, message", [
    ("fixed+nothing", "encoder='nothing'"), ("auto+fixed", "cannot take part"),
    ("fixed+untrained", "cannot take part"), ("fixed+fixed", "named twice")])
def test_wrong_votes_are_refused_before_any_work(name, message, tmp_path, capsys, words):
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), "--encoder", name]) == 2
    assert message in capsys.readouterr().err and not (tmp_path/"run").exists()


def test_each_clip_is_decoded_once_for_all_members(words, tmp_path, monkeypatch):
    _, table = words
    table, decoded = table.iloc[:40].reset_index(drop=True), []
    load_audio_at = streaming.load_audio_at
    def watched(path, rates, *args):
        decoded.append(path)
        return load_audio_at(path, rates, *args)
    monkeypatch.setattr(streaming, "load_audio_at", watched)
    members = [FixedEncoder("content", sample_rate=8000), Voices(), Voices("content", sample_rate=11025)]
    members[0].embed(table.iloc[:15], cache=tmp_path/"cache")
    decoded.clear()
    details = EmbeddingDetails()
    X = VotingEncoder(members).embed(table, cache=tmp_path/"cache", details=details)
    assert sorted(decoded) == sorted(map(str, table.path))  # 15 rows of the first were known, and passed by
    assert details.cached == [] and (details.seconds > 0).all()
    np.testing.assert_array_equal(X, np.concatenate([m.embed(table) for m in members], 1))
    decoded.clear()
    again = VotingEncoder(members).embed(table, cache=tmp_path/"cache", details=details)
    np.testing.assert_array_equal(again, X)
    assert decoded == [] and details.cached == list(range(40))
