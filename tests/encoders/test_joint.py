"Several encoders with weights: the vote itself, side by side in the pipeline, by name, by choice, saved and loaded."
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from audioclust.cli import main
from audioclust.core.registry import ENCODERS
from audioclust.encoders import FixedEncoder, load_encoder
from audioclust.encoders.base import EmbeddingDetails
from audioclust.encoders.choice import vote
from audioclust.encoders.joint import VotingEncoder, VotingWhitening, elected, parse_vote, vote_name, vote_weights
from audioclust.metrics import nmi
from audioclust.pipeline import Options, Request, assign, cluster_recordings, group_pair
from audioclust.pipeline import load_run, save_run
from audioclust.pipeline import clustering


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
    assert vote_weights(dict(a=.6, b=.6), {**families, "b": "a"}) == dict(fixed=1., a=1., b=1.)
    assert vote_weights(dict(a=.6, b=.6, c=.6), {**families, "b": "a"})["c"] == 1
    assert vote_weights(dict(a=.6, b=.6, c=.6), {**families, "b": "a"})["a"] == pytest.approx(2**-.5)
    assert vote_weights({}, families) == {"fixed": 1.} and vote_weights(dict(a=0.), families) == dict(fixed=1., a=0.)
    assert elected(dict(fixed=1., a=.004, b=.456)) == dict(fixed=1., b=.46)


def test_who_agrees_with_the_fixed_encoder_is_heard(rng):
    word, voice = rng.integers(5, size=400), rng.integers(5, size=400)
    def heard(truth, errors): return np.where(rng.random(400) < errors, rng.integers(5, size=400), truth)
    for wanted, other in ((word, voice), (voice, word)):
        chosen = vote(dict(fixed=heard(wanted, .4), a=heard(wanted, .2), b=heard(other, 0),
            c=heard(other, 0)), families)
        assert set(parse_vote(chosen.name)) == {"fixed", "a"} and "left out: b, c" in chosen.why
        assert chosen.table.encoder.tolist()[:2] == ["fixed", "a"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["fixed", "aisfx", "hf:a/b@main", "hf:C:/x", "musicnn"]),
    st.floats(.01, 100).map(lambda w: float(f"{w:g}")), min_size=2))
def test_a_name_and_what_it_names(weights): assert parse_vote(vote_name(weights)) == weights

@pytest.mark.parametrize("name",
    ["fixed+", "+", "fixed+fixed", "fixed:0+aisfx", "fixed:-1+aisfx", "fixed:inf+aisfx", "fixed:nan+aisfx"])
def test_names_that_name_nothing(name):
    with pytest.raises(ValueError, match="encoder="): parse_vote(name)


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
    clips = pd.concat([table.iloc[:3], pd.DataFrame([dict(path=tmp_path/"bad.wav", start=0., end=1.)])],
        ignore_index=True)
    encoder, errors, details = VotingEncoder([FixedEncoder(sample_rate=8000), Voices()]), [], EmbeddingDetails()
    X = encoder.embed(clips, errors, details=details, cache=tmp_path/"cache")
    assert [row for row,_ in errors] == [3] and np.isnan(X[3]).all() and np.isfinite(X[:3]).all()
    assert details.cached == []
    again = EmbeddingDetails()
    np.testing.assert_array_equal(encoder.embed(clips, [], details=again, cache=tmp_path/"cache")[:3], X[:3])
    assert again.cached == [0, 1, 2]
    with pytest.warns(UserWarning, match="bad.wav") as warned: encoder.embed(clips)
    assert sum("bad.wav" in str(w.message) for w in warned) == 1


def test_one_bar_counts_each_clip_once(words, tmp_path):
    _, table = words
    first, encoder, counted = FixedEncoder(sample_rate=8000), VotingEncoder([FixedEncoder(sample_rate=8000),
        Voices()]), []
    first.embed(table.iloc[:50], cache=tmp_path)
    details = EmbeddingDetails()
    def shown(batches):
        for batch in batches:
            yield batch
            counted.extend(batch.rows.tolist())
    encoder.embed(table, [], details=details, progress=shown, cache=tmp_path)
    assert sorted(counted) == list(range(len(table))) and details.cached == []


def test_forward_is_nearly_what_embed_gives(words):
    import torch
    from audioclust.audio import load_audio
    _, table = words
    encoder = VotingEncoder([FixedEncoder(sample_rate=8000), Voices()]).eval()
    wave, _ = load_audio(table.path[0], encoder.sample_rate)
    z, x = encoder(wave[None], torch.tensor([len(wave)]))[0].numpy(), encoder.embed(table.iloc[:1])[0]
    assert z @ x/np.linalg.norm(z)/np.linalg.norm(x) > .98


def test_a_vote_from_a_folder_to_a_run_and_back(words, voices, tmp_path):
    folder, _ = words
    made = cluster_recordings(folder,
        Request(n_clusters=6, encoder="fixed+voices:0.25", options=Options(cache=tmp_path/"cache")))
    assert isinstance(made.encoder, VotingEncoder) and isinstance(made.whitening, VotingWhitening)
    assert made.encoder.weights == [1, .25]
    save_run(made, tmp_path/"run", figures=False)
    loaded = load_run(tmp_path/"run")
    assert loaded.request.encoder == "fixed+voices:0.25"
    again = assign(loaded, folder, [])
    assert (again.cluster.to_numpy() == made.labels).all()
    once_more = cluster_recordings(folder,
        Request(n_clusters=6, encoder="fixed+voices:0.25", options=Options(cache=tmp_path/"cache")))
    assert once_more.n_cached == len(made) and (once_more.labels == made.labels).all()


def test_auto_is_the_vote_where_encoders_are_installed(words, voices, tmp_path, monkeypatch, capsys):
    folder, table = words
    monkeypatch.setattr(clustering, "available_encoders", lambda: ["fixed", "untrained", "voices"])
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--encoder", "auto", "--by", "source",
        "--n-clusters", "4", "--no-page", "-q", "--cache", str(tmp_path/"cache")]) == 0
    assert "agreement (NMI) with the grouping by source" in capsys.readouterr().out
    record = json.loads((tmp_path/"run"/"run.json").read_text())
    assert record["encoder_choice"]["name"].startswith("fixed+voices")
    assert record["request"]["encoder"] == "auto" and record["encoder"]["class"] == "VotingEncoder"
    truth = pd.read_csv(tmp_path/"run"/"clusters.csv").merge(
        table.assign(path=table.path.astype(str))[["path", "voice"]], on="path")
    assert nmi(truth.voice, truth.cluster) > .6


def test_a_pair_of_votes_with_several_rates_is_refined(words, voices, tmp_path, monkeypatch):
    folder, _ = words
    made = group_pair(folder, Request(n_clusters=4, encoder="fixed+voices:0.5",
        options=Options(cache=tmp_path/"cache", stability=2)))
    from audioclust.pipeline.pair import refine
    content, source, _ = refine(made.content, made.source, most_shared_before=2., most_shared_after=2.)
    for grouping in content, source:
        again = assign(grouping, folder, [])
        assert nmi(again.cluster, grouping.labels) > .9


@pytest.mark.parametrize("name, message",
    [("fixed+nothing", "encoder='nothing'"), ("auto+fixed", "cannot take part"), ("fixed+untrained",
    "cannot take part"), ("fixed+fixed", "named twice")])
def test_wrong_votes_are_refused_before_any_work(name, message, tmp_path, capsys, words):
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), "--encoder", name]) == 2
    assert message in capsys.readouterr().err and not (tmp_path/"run").exists()


def test_saved_members_stay_in_their_folders(tmp_path):
    encoder = VotingEncoder([FixedEncoder("content", sample_rate=8000),
        FixedEncoder("source", sample_rate=8000)], [1, .5])
    encoder.save(tmp_path)
    again = load_encoder(tmp_path)
    assert again.config() == encoder.config() and {p.name for p in tmp_path.iterdir()} == {"encoder.json", "members"}


def test_why_an_encoder_was_left_out():
    from types import SimpleNamespace as Grouping
    def follows(**shares): return Grouping(followed={name: dict(share=s, chance=.05) for name,s in shares.items()})
    made = dict(fixed=follows(pitch=.1, level=.6), a=follows(pitch=.8, level=.6), b=follows(pitch=.8),
        c=follows(pitch=.25, level=.7), d=follows(), e=follows(folder=1.))
    assert clustering._what_others_follow(made, {"fixed": 1., "a": 1.}) == ["b follows the pitch of the clips (0.80)"]


def test_encoders_that_lost_different_clips_are_compared_on_the_others():
    from types import SimpleNamespace as Grouping
    clips = pd.DataFrame(dict(path=list("abcd"), start=0.))
    made = dict(fixed=Grouping(clips=clips, labels=np.arange(4)),
        a=Grouping(clips=clips.iloc[[0, 2, 3]], labels=np.array([7, 8, 9])))
    assert {name: y.tolist()
        for name, y in clustering._labels_of_shared_clips(made).items()} == dict(fixed=[0, 2, 3], a=[7, 8, 9])


def test_each_clip_is_decoded_once_for_all_members(words, tmp_path, monkeypatch):
    from audioclust.audio import batches
    _, table = words
    table, decoded = table.iloc[:40].reset_index(drop=True), []
    real = batches.load_audio_at
    monkeypatch.setattr(batches, "load_audio_at", lambda path, rates,
        *args: decoded.append(path) or real(path, rates, *args))
    members = [FixedEncoder("content", sample_rate=8000), Voices(), Voices("content", sample_rate=11025)]
    members[0].embed(table.iloc[:15], cache=tmp_path/"cache")
    decoded.clear()
    details = EmbeddingDetails()
    X = VotingEncoder(members).embed(table, cache=tmp_path/"cache", details=details)
    assert sorted(decoded) == sorted(map(str, table.path)) and details.cached == [] and (details.seconds > 0).all()
    # 15 rows of the first were known, and passed by
    np.testing.assert_array_equal(X, np.concatenate([m.embed(table) for m in members], 1))
    decoded.clear()
    np.testing.assert_array_equal(VotingEncoder(members).embed(table, cache=tmp_path/"cache", details=details), X)
    assert decoded == [] and details.cached == list(range(40))
