"Which encoder? A choice without labels."
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.cli.report import report
from audioclust.core.memory import memory_in_use
from audioclust.encoders import choice, FixedEncoder
from audioclust.encoders.choice import subsample_clips
from audioclust.pipeline import all_steps, assign, AudioClusterer, make_run, Observer, Options, regroup, Request, Run
from audioclust.pipeline.all_steps import with_chosen_encoder
from audioclust.pipeline.cluster_step import choose_number
from audioclust.pipeline.examine_step import cluster_residuals
from audioclust.runs import Clips


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    "Chooses one of some encoders for six groups of clips."
    options = Options(cache=tmp_path/"cache")
    def choose(clips, *names):
        monkeypatch.setattr(choice, "available_encoders", lambda: list(names))
        return with_chosen_encoder(Clips(clips), Request(n_clusters=6, encoder="auto", options=options), Observer())[1]
    return choose


def test_the_encoder_whose_groups_are_the_clearest(words, chosen):
    folder, table = words
    clips = AudioClusterer(n_clusters=6).fit(folder).clips_
    pick = chosen(clips, "fixed", "untrained")
    assert pick.name == "fixed" and pick.table.encoder.tolist() == ["fixed", "untrained"]
    assert pick.table.silhouette.is_monotonic_decreasing and "audioclust encoders --install" in pick.why
    assert f"{pick.table.silhouette[0]:.2f}" in pick.why and "untrained" in pick.why
    assert len(chosen(clips, "fixed").table) == 1
    pd.testing.assert_frame_equal(chosen(clips, "untrained", "fixed").table, pick.table) # in any order


def test_few_clips_of_much_sound():
    table = pd.DataFrame(dict(path=["x"]*1000, start=0., end=60.))
    def n_taken(clips): return len(subsample_clips(clips))
    assert n_taken(table) == 60 and n_taken(table.iloc[:5]) == 5
    assert n_taken(table.assign(end=1.)) == 400 and n_taken(table.assign(end=6.)) == 200
    assert subsample_clips(table.assign(start=range(1000), end=2000.)).start.is_monotonic_increasing


def test_auto_from_a_folder_to_a_run(words, tmp_path, capsys):
    folder, _ = words
    typed = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--encoder", "auto", "--n-clusters", "6"]
    assert main([*typed, "--cache", str(tmp_path/"cache"), "--no-page", "-q"]) == 0
    said = capsys.readouterr().out
    assert "encoder fixed: its groups are the clearest" in said
    assert "192 of 192 clips came from the cache" in said, "what was heard for the choice is not heard again"
    record = json.loads((tmp_path/"run/run.json").read_text())["embeddings"]
    assert record["encoder_choice"]["name"] == "fixed" and len(record["encoder_choice"]["table"]) >= 2
    assert record["encoder"]["class"] == "FixedEncoder"
    again = AudioClusterer.load(tmp_path/"run")
    assert again.encoder_choice_.name == "fixed" and (again.predict(folder) == again.labels_).all()
    plain = AudioClusterer(n_clusters=6).fit(folder)
    assert (plain.labels_ == again.labels_).all() and plain.encoder_choice_ is None


def test_the_untrained_network_can_be_picked(few, monkeypatch):
    monkeypatch.setattr(choice, "available_encoders", lambda: ["untrained"])
    model = AudioClusterer(n_clusters=3, encoder="auto").fit(few)
    assert model.encoder_choice_.name == "untrained" and type(model.encoder_).__name__ == "NetworkEncoder"
    assert (model.labels_ == AudioClusterer(n_clusters=3, encoder="untrained").fit(few).labels_).all()


def test_installed_encoders_vote_unless_one_is_named(words, few, stranger, monkeypatch, tmp_path):
    options = Options(stability=0, cache=tmp_path)
    def chosen(folder, **more): return make_run(folder, Request(**{"n_clusters": 6, "options": options, **more}))
    made = chosen(words[0])
    assert made.embeddings.encoder_choice.name == "fixed+stranger" and made.request.encoder is None
    assert type(made.embeddings.encoder).__name__ == "VotingEncoder"
    little_memory = replace(options, max_memory=memory_in_use() + 1e9)
    named, few_clips = chosen(words[0], encoder="fixed"), chosen(few, n_clusters=3)
    for quicker in named, few_clips, chosen(words[0], options=little_memory):
        assert quicker.embeddings.encoder_choice is None and type(quicker.embeddings.encoder) is FixedEncoder
    monkeypatch.setenv("AUDIOCLUST_ENCODER", "fixed")
    assert chosen(words[0]).embeddings.encoder_choice is None
    monkeypatch.setenv("AUDIOCLUST_ENCODER", "hearing")
    with pytest.raises(ValueError, match="encoder='hearing'"): chosen(words[0])


def test_both_groupings_tell_the_number(words, stranger, monkeypatch, capsys, tmp_path):
    asked = []
    def made(method): return make_run(words[0], Request(method, "auto", options=Options(stability=0, cache=tmp_path)))
    monkeypatch.setattr(all_steps, "choose_number", lambda *of: asked.append(of) or choose_number(*of))
    run, counts_itself = made("kmeans"), made("hdbscan")
    (own, _, _, other), = asked
    assert np.array_equal(own, run.embeddings.X) and len(other) == len(run) and not np.allclose(own, other)
    assert run.clustering.number is regroup(run, "consensus").clustering.number
    assert counts_itself.embeddings.number is None
    report(run.save(tmp_path/"run"))
    said = capsys.readouterr().out
    assert said.count("for the grouping by source: ") == said.count(run.clustering.number.why) == 1
    monkeypatch.setattr(all_steps, "AFFORDABLE_SECONDS", -1)
    assert made("kmeans").embeddings.number is None, "the other grouping would take too long"


def test_the_default_method_asks_the_other_grouping(words, stranger, monkeypatch, capsys, tmp_path):
    asked, options = [], Options(stability=2, cache=tmp_path/"cache")
    def refined(one, other):
        asked.append((one, other))
        return cluster_residuals(one, other), "refined: it was told to be"
    monkeypatch.setattr(all_steps, "refined", refined)
    def made(refines=True, **more): return make_run(words[0], Request(n_clusters=6, options=options, **more), refines=refines)
    for more in dict(method="kmeans"), dict(encoder="fixed"), dict(refines=False): made(**more)
    assert not asked, "a method or an encoder that is named is left alone"
    run = made().save(tmp_path/"run")
    (one, other), = asked
    assert (one.request.by, other.request.by) == ("content", "source") and len(one) == len(other) == len(run)
    assert run.embeddings.refinement["without"] == "source" and run.request.encoder is None
    report(run)
    assert capsys.readouterr().out.count("refined: it was told to be") == 1
    assert (assign(Run.open(tmp_path/"run"), words[0]).cluster == run.table.cluster).all(), "new clips go the same way"


@pytest.mark.parametrize("number", ["auto", 6])
def test_one_group_of_the_other_kind_changes_nothing(words, stranger, monkeypatch, tmp_path, number):
    one = dict(k=6 if number == "auto" else 1, k_other=0)  # such as copies, or where nothing stands out
    monkeypatch.setattr(all_steps, "choose_number", lambda *of: choose_number(*of)._replace(**one))
    run = make_run(words[0], Request(n_clusters=number, options=Options(stability=0, cache=tmp_path)))
    assert "one group is no grouping" in run.embeddings.refinement["why"] and len(set(run.clustering.labels)) == 6


SLOW_VOTES = pytest.mark.parametrize("limit, said", [(0., "a vote with stranger"), (2., "fixed+stranger")],
                                     ids=["even to choose", "to use"])

@SLOW_VOTES
def test_a_vote_that_takes_long_is_only_offered(words, stranger, monkeypatch, capsys, tmp_path, limit, said):
    def seconds(names, clips): return len(clips)/192*sum(3. if name == "fixed" else 1. for name in names)
    for name, value in dict(AFFORDABLE_SECONDS=limit, CLIPS_FOR_A_VOTE=60, seconds_to_embed=seconds).items():
        monkeypatch.setattr(choice, name, value)
    typed = ["cluster", str(words[0]), "--out", str(tmp_path/"run"), "--n-clusters", "6", "--stability", "0"]
    assert main([*typed, "--no-page", "-q"]) == 0
    assert f"encoder fixed: {said} would take some 0 minutes; --encoder auto takes them" in capsys.readouterr().out
    assert Run.open(tmp_path/"run").embeddings.encoder_choice.name == "fixed"
