"The choice of an encoder: from clusterings that a function gives, and without the pipeline."
import pandas as pd
import pytest

from audioclust.encoders import choice
from audioclust.encoders.choice import Trial, choose_encoder, choose_if_quick

CLIPS = pd.DataFrame(dict(path=[f"{i}.wav" for i in range(300)], start=0., end=1.))


@pytest.fixture
def asked(): return []


@pytest.fixture
def cluster(asked):
    "A function that clusters by what it knows: `a` finds what the fixed encoder finds, `b` the pitch."
    def one(clips, **wanted):
        asked.append((len(clips), wanted))
        numbers = clips.path.str.removesuffix(".wav").astype(int).to_numpy()
        labels = numbers//7 % 5 if wanted["encoder"] == "b" else numbers % 5
        return Trial(clips, labels, dict(fixed=.6, untrained=.9).get(wanted["encoder"], 0.))
    return each(one)


def each(cluster):
    "A function that clusters by several encoders, from one that does by one."
    def by_name(clips, encoders, **wanted): return {name: cluster(clips, encoder=name, **wanted) for name in encoders}
    by_name.one = cluster
    return by_name


def test_encoders_vote_where_some_have_weights(cluster, asked):
    chosen = choose_encoder(CLIPS, cluster, by="source", ignore="order", n_clusters=5,
        candidates=["fixed", "untrained", "a", "b"])
    assert chosen.name == "fixed+a" and "grouping by source" in chosen.why
    assert "left out: b; all clips take about" in chosen.why
    wanted = dict(by="source", ignore="order", method="consensus", n_clusters=5)
    assert asked == [(200, dict(encoder=name, **wanted)) for name in ("fixed", "a", "b")]


def test_the_clearest_of_ours_is_taken_where_none_has(cluster, asked):
    chosen = choose_encoder(CLIPS, cluster, n_clusters=1000, candidates=["fixed", "untrained"])
    assert chosen.name == "untrained" and chosen.table.silhouette.tolist() == [.9, .6]
    assert [(wanted["method"], wanted["n_clusters"]) for _, wanted in asked] == [("kmeans", 10)]*2
    by_source = choose_encoder(CLIPS, cluster, by="source", candidates=["fixed", "untrained"])
    assert by_source.name == "fixed" and "clearest" not in by_source.why and len(asked) == 2


def test_clips_that_an_encoder_cannot_use_do_not_count(cluster):
    def fewer(clips, **wanted): return cluster.one(clips.iloc[::2] if wanted["encoder"] == "a" else clips, **wanted)
    assert "on 100 clips" in choose_encoder(CLIPS, each(fewer), candidates=["fixed", "a"]).why


def test_a_vote_that_nobody_asked_for_has_to_be_quick(cluster, asked, monkeypatch):
    names = ["fixed", "a", "b"]
    assert choose_if_quick(CLIPS, cluster, candidates=names).name == "fixed+a"
    assert choose_if_quick(CLIPS[:59], cluster, candidates=names) is None
    ours = ["fixed", "untrained"]
    assert choose_if_quick(CLIPS, cluster, candidates=ours).name == "untrained", "the clearer one"
    assert choose_if_quick(CLIPS, cluster, candidates=ours, always=True) is None, "a training does not start from it"
    monkeypatch.setattr(choice, "seconds_to_embed", lambda names, clips: 2.*len(clips)*len(list(names)))
    n_asked = len(asked)
    assert "fixed: the untrained network would take some" in choose_if_quick(CLIPS, cluster, candidates=ours).why
    even_to_choose = choose_if_quick(CLIPS, cluster, candidates=names)
    assert even_to_choose.name == "fixed" and len(asked) == n_asked
    said = "encoder fixed: a vote with a or b would take some 23 minutes; --encoder auto takes them"
    assert even_to_choose.why == said
    monkeypatch.setattr(choice, "seconds_to_embed", lambda names,
        clips: 1.*len(clips)*(len(list(names)) > 1 and len(clips) > 200))
    monkeypatch.setattr(choice, "AFFORDABLE_SECONDS", 240)
    to_use = choose_if_quick(CLIPS[:250].assign(end=2.), cluster, candidates=names)
    assert to_use.why == "encoder fixed: fixed+a would take some 4 minutes; --encoder auto takes them"
