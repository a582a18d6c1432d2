"Two groupings of the same clips, and each without what sets the other's clusters apart."
import json
from dataclasses import replace

import pandas as pd
import pytest

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.metrics import accuracy
from audioclust.pipeline import (
    assign, AudioClusterer, make_pair, make_run, Options, refine, regroup, Request, Run, RunPair,
)
from audioclust.encoders.residual import stability_gain
from audioclust.pipeline.examine_step import _grouping


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    table = synthetic_words(8, 5, 8).save(folder)
    return folder, table, [make_run(folder, Request("consensus", k, by)) for by, k in (("content", 8), ("source", 5))]


def test_words_are_found_better_without_voices_and_saved(pair, tmp_path):
    folder, table, (content, source) = pair
    before = content.clustering.labels.copy()
    new, new_source, why = refine(content, source)
    assert why["content"].startswith("refined") and new.embeddings.refinement["without"] == "source"
    assert set(new.embeddings.refinement["moved"]) < set(range(len(new)))
    assert (content.clustering.labels == before).all() and content.embeddings.refinement is None  # it stays as it was
    assert accuracy(table.label, new.clustering.labels) > accuracy(table.label, content.clustering.labels)
    some = table.path.tolist()[::7]
    assert (assign(new, some).cluster == new.clustering.labels[::7]).all()  # new clips go the same way
    new.save(tmp_path/"run")
    again = Run.open(tmp_path/"run")
    assert (assign(again, some).cluster == new.clustering.labels[::7]).all()
    assert again.embeddings.refinement["groups"] == 5
    assert json.loads((tmp_path/"run/run.json").read_text())["embeddings"]["refinement"]["without"] == "source"
    assert refine(again, source)[2]["content"] == "refined already"


def test_numbers_stay(pair):
    content, source = pair[2]
    new = refine(content, source)[0]
    cross = pd.crosstab(content.clustering.labels, new.clustering.labels)
    kept = [c for c in cross.index if c in cross.columns and cross.loc[c].max() > .8*cross.loc[c].sum()]
    assert len(kept) > 3 and all(cross.loc[c].idxmax() == c for c in kept)


def test_the_stability_of_a_step_is_asked_without_the_means_of_all_clips(pair, monkeypatch):
    _, _, (content, source) = pair
    new, _, why = refine(content, source)
    of_step = new.embeddings.refinement
    before, gain, error = stability_gain(*map(_grouping, (content, source)))
    assert of_step["stability"] == [before, before + gain] and of_step["error"] == error > 0
    assert f"by {before + gain:.2f}, not {before:.2f}" in why["content"]
    shares_means = replace(new, embeddings=replace(new.embeddings, unrefined=None))
    assert regroup(shares_means).findings.stability.overall != new.findings.stability.overall
    monkeypatch.setattr("audioclust.encoders.residual.stability_gain", lambda *groupings: (.9, -.5, .01))
    assert refine(content, source)[0] is content  # groups that subsamples do not find again are not taken


def test_what_depends_is_left_alone(pair):
    content, _ = pair[2]
    like = regroup(content, n_clusters=5)
    like = replace(like, request=replace(like.request, by="source"))
    a, b, why = refine(content, like)
    assert a is content and b is like and len(why) == 2 and all("silhouette" in w for w in why.values())


def test_noise_and_other_clips_are_left_alone(pair):
    folder, table, (content, source) = pair
    noisy = regroup(source, "dbscan", params=dict(eps=.2))
    assert (noisy.clustering.labels < 0).any() and "noise" in refine(content, noisy)[2]["content"]
    assert "one group" in refine(content, regroup(source, n_clusters=1))[2]["content"]
    few = [make_run(table[["path", "start", "end"]][:12], Request(n_clusters=3, by=by)) for by in ("content", "source")]
    assert all("too few" in reason for reason in refine(*few)[2].values())
    fewer = make_run(table[["path", "start", "end"]].iloc[5:], Request(n_clusters=5, by="source"))
    assert "only" in refine(content, fewer)[2]["content"]


def cluster(folder, out, *more):
    typed = ["cluster", str(folder), "--out", str(out), "--by", "both", "--method", "consensus", "--n-clusters", "8,5"]
    return main([*typed, "--stability", "0", "--no-page", "-q", *more])

def test_a_page_goes_only_with_the_pair_that_it_shows(pair, tmp_path):
    folder, *_ = pair
    page = tmp_path/"run/listen.html"
    assert cluster(folder, page.parent) == 0
    page.write_text("of the pair, as far as we know")
    assert cluster(folder, page.parent, "--resume") == 0 and page.exists()
    assert cluster(folder, page.parent, "--overwrite") == 0 and not page.exists()


def test_the_command_and_python_find_the_same_pair(pair, tmp_path):
    folder, table, _ = pair
    made = make_pair(folder, Request("consensus", options=Options(num_workers=0)), (8, 5))
    assert cluster(folder, tmp_path/"run") == 0
    loaded = RunPair.open(tmp_path/"run")
    pd.testing.assert_frame_equal(made.table(), loaded.table())
    assert accuracy(table.label, made.content.clustering.labels) == 1
    assert accuracy(table.voice, made.source.clustering.labels) > .9
    columns = ["content", "source"]
    pd.testing.assert_frame_equal(loaded.assign(folder)[columns], made.table()[columns])


def test_what_is_for_one_grouping_is_refused_where_there_are_two(pair, tmp_path, capsys):
    folder, _, (content, source) = pair
    with pytest.raises(ValueError, match="two groupings"): AudioClusterer(by="both").fit(folder)
    with pytest.raises(ValueError, match="list of each"): make_pair(folder, Request(ignore="pitch"))
    make_pair(folder, Request(n_clusters=5, options=Options(stability=0))).save(tmp_path/"both")
    with pytest.raises(ValueError, match="a pair of runs"): AudioClusterer.load(tmp_path/"both")
    assert main(["assign", str(tmp_path/"both"), str(folder), "--out", str(tmp_path/"new.csv"), "-q"]) == 2
    assert "holds a run for each way" in capsys.readouterr().err and not (tmp_path/"new.csv").exists()


def test_a_grouping_that_is_known_is_taken_out(pair, tmp_path, capsys):
    folder, table, _ = pair
    voices = tmp_path/"voices.csv"
    table[["path"]].assign(label=table.voice).to_csv(voices, index=False)
    typed = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--method", "kmeans", "--n-clusters", "8", "-q", "--no-page"]
    assert main([*typed, "--ignore-column", str(voices)]) == 0
    assert f"without the means of the 5 groups by {voices} the silhouette is" in capsys.readouterr().out
    run, plain = Run.open(tmp_path/"run"), make_run(folder, Request("kmeans", 8))
    known = make_run(table, Request("kmeans", 8, options=Options(ignore_column="voice")))
    assert (run.clustering.labels == known.clustering.labels).all()
    assert known.embeddings.refinement["without"] == "voice"
    assert accuracy(table.label, known.clustering.labels) > accuracy(table.label, plain.clustering.labels)
    assert accuracy(table.label, assign(run, folder).cluster) > .9
    for wrong, why in (("wav$", "needs two groups"), ("nobody", "match none")):
        with pytest.raises(ValueError, match=why): make_run(folder, Request(options=Options(ignore_column=wrong)))
    with pytest.raises(ValueError, match="leave out ignore_column"):
        make_run(folder, Request("deepcluster", options=Options(ignore_column="voice")))
