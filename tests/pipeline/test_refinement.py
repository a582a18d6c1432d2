"Groupings without what sets the other's groups apart."
import json

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.audio import synthetic_words
from audioclust.metrics import accuracy
from audioclust.pipeline import AudioClusterer, Options
from audioclust.pipeline.refinement import refine, cluster_residuals
from audioclust.encoders.residual import residuals


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    table = synthetic_words(8, 5, 8).save(folder)
    return folder, table, [AudioClusterer("consensus", k, by).fit(folder) for by,k in (("content", 8), ("source", 5))]


def test_rest_is_what_the_formula_says():
    rng = np.random.default_rng(0)
    Z, groups = rng.normal(size=(20, 3)), rng.integers(2, size=20)
    means = np.stack([Z[groups == g].mean(0) for g in range(2)])
    out = residuals(Z, groups, means)
    for i in range(20):
        d = Z[i] - means[groups[i]]
        np.testing.assert_allclose(out[i], d/np.sqrt((d**2).sum()), atol=1e-6)
    assert np.isfinite(residuals(means[groups], groups, means)).all()  # a clip in its mean


def test_words_are_found_better_without_voices_and_kept(pair, tmp_path):
    folder, table, (content, source) = pair
    new, new_source, why = refine(content, source)
    assert why["content"].startswith("refined") and new.refinement_["without"] == "source"
    assert accuracy(table.label, new.labels_) > accuracy(table.label, content.labels_)
    some = table.path.tolist()[::7]
    assert (new.predict(some) == new.labels_[::7]).all()  # new clips go the same way
    new.save(tmp_path/"run")
    again = AudioClusterer.load(tmp_path/"run")
    assert (again.predict(some) == new.labels_[::7]).all() and again.refinement_["groups"] == 5
    assert json.loads((tmp_path/"run/run.json").read_text())["refined"]["without"] == "source"
    assert refine(again, source)[2]["content"] == "refined already"


def test_numbers_stay(pair):
    content, source = pair[2]
    new = cluster_residuals(content, source)
    cross = pd.crosstab(content.labels_, new.labels_)
    assert all(cross.loc[c].idxmax() == c for c in cross.index if c in cross.columns and cross.loc[c].max() > .8*cross.loc[c].sum())


def test_what_depends_is_left_alone(pair):
    content, _ = pair[2]
    like = content.regroup(n_clusters=5)
    like.by = "source"
    a, b, why = refine(content, like)
    assert a is content and b is like and all("share" in w for w in why.values())


def test_noise_and_other_clips_are_left_alone(pair):
    folder, table, (content, source) = pair
    noisy = source.regroup("dbscan", params=dict(eps=.2))
    assert (noisy.labels_ < 0).any() and "noise" in refine(content, noisy)[2]["content"]
    fewer = AudioClusterer(n_clusters=5, by="source").fit(table[["path", "start", "end"]].iloc[5:])
    assert "only" in refine(content, fewer)[2]["content"]


@pytest.mark.parametrize("more, refined", [([], True), (["--no-refine"], False)])
def test_on_the_command_line(pair, tmp_path, capsys, more, refined):
    folder, table, _ = pair
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--by", "both", "--method", "consensus", "--n-clusters", "8,5", "--no-page", "-q", *more]) == 0
    assert ("content: refined" in capsys.readouterr().out) == refined
    run = json.loads((tmp_path/"run/content/run.json").read_text())
    assert ("refined" in run) == refined and run["command"][0] == "cluster"
    found = pd.read_csv(tmp_path/"run/both.csv")
    assert (accuracy(table.label, found.content) == 1) == refined


def test_one_object_for_both(pair, tmp_path):
    folder, table, _ = pair
    model = AudioClusterer("consensus", (8, 5), "both").fit(folder)
    assert model.labels_.shape == (len(table), 2) and accuracy(table.label, model.labels_[:, 0]) == 1 and accuracy(table.voice, model.labels_[:, 1]) > .9
    model.save(tmp_path/"run")
    assert (AudioClusterer.load(tmp_path/"run").predict(folder) == model.labels_).all()
    with pytest.raises(ValueError, match="ignore cannot be said"): AudioClusterer(by="both", ignore="pitch").fit(folder)


def test_what_is_for_one_grouping_is_refused_where_there_are_two(pair, tmp_path, capsys):
    folder, _, (content, source) = pair
    two = AudioClusterer(n_clusters=5, by="both", options=Options(stability=0))
    two.fit(folder)
    with pytest.raises(ValueError, match="two groupings"): two.regroup(n_clusters=4)
    with pytest.raises(ValueError, match="for one grouping"): two.assign(folder, [], none_beyond=1.2)
    two.save(tmp_path/"both", figures=False)
    assert main(["assign", str(tmp_path/"both"), str(folder), "--out", str(tmp_path/"new.csv"), "-q"]) == 2
    assert "holds a run for each way" in capsys.readouterr().err and not (tmp_path/"new.csv").exists()
