"What a run folder holds beyond the plain case: levels, differences, details of clips, and clips without a file."
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.pipeline import assign, regroup, Request, Run, run_of_embeddings
from audioclust.runs.clustering import Level
from audioclust.runs.run_folder import read_table


@pytest.fixture(scope="module")
def blobs(): return make_blobs(120, 12, centers=4, cluster_std=.3, random_state=0)

@pytest.fixture(scope="module")
def run(blobs): return run_of_embeddings(blobs[0], request=Request(n_clusters=4))

def with_levels(run):
    labels = run.clustering.labels
    levels = Level("coarse", labels//2, dict(silhouette=.5)), Level("fine", labels*2, dict(silhouette=.4))
    differences = {c: dict(words=f"{c} octaves up") for c in range(4)}
    return replace(run, clustering=replace(run.clustering, levels=levels),
                   findings=replace(run.findings, of_clusters=dict(differences=differences, suggested={2: {"Bell": 3., "Gong, big": 2.5}})))


def test_levels_and_differences_come_back(run, tmp_path):
    saved = with_levels(run)
    saved.save(tmp_path)
    loaded = Run.open(tmp_path)
    assert loaded.findings.differences == saved.findings.differences
    assert loaded.findings.suggested == saved.findings.suggested
    assert set(loaded.table.suggested[loaded.table.cluster == 2]) == {"Bell / Gong, big"}
    for a,b in zip(loaded.clustering.levels, saved.clustering.levels, strict=True):
        assert (a.name, a.validity) == (b.name, b.validity)
        np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_array_equal(read_table(tmp_path/"clusters.csv").cluster_coarse, run.clustering.labels//2)
    run.save(tmp_path)  # of a run without, nothing old stays
    assert Run.open(tmp_path).clustering.levels == ()
    assert not {"cluster_fine", "suggested"} & set(read_table(tmp_path/"clusters.csv"))


def test_details_of_clips_are_passed_on(blobs, tmp_path):
    n = len(blobs[0])
    clips = pd.DataFrame(dict(path=[f"/tape/{i}.wav" for i in range(n)], start=0., end=1.,
                              low_hz=np.linspace(100, 900, n), channel="2", time="2026-05-12T05:30:00"))
    clips.loc[3, "low_hz"] = np.nan
    made = run_of_embeddings(blobs[0], clips, Request(n_clusters=4))
    made.save(tmp_path)
    loaded = Run.open(tmp_path).clips.table
    assert list(loaded) == ["path", "start", "end", "low_hz", "channel", "time"]
    np.testing.assert_allclose(loaded.low_hz, clips.low_hz)
    assert (loaded.channel == "2").all() and (loaded.time == clips.time).all()


def test_clips_without_a_file(run, tmp_path):
    run.save(tmp_path)
    record = json.loads((tmp_path/"run.json").read_text())
    assert "encoder" not in record["embeddings"] and record["complete"]
    assert not (tmp_path/"model"/"encoder.json").exists()
    loaded = Run.open(tmp_path)
    assert loaded.embeddings.encoder is None and (loaded.clips.table.path == "").all()
    assert loaded.table.clip_id.is_unique
    np.testing.assert_array_equal(regroup(loaded, n_clusters=4).clustering.labels, run.clustering.labels)
    with pytest.raises(ValueError, match="no encoder is known"): assign(loaded, tmp_path)
    table = read_table(tmp_path/"clusters.csv")
    table.assign(path=["/a.wav", *table.path[1:]]).to_csv(tmp_path/"clusters.csv", index=False)
    with pytest.raises(ValueError, match="names no file"): Run.open(tmp_path).table  # the others lost theirs


def test_wrong_embeddings_are_refused(blobs):
    X, one = blobs[0], pd.DataFrame(dict(path=["a"], start=0., end=1.))
    with pytest.raises(ValueError, match="one for each"): run_of_embeddings(X, one)
    with pytest.raises(ValueError, match="NaN or infinite"): run_of_embeddings(np.full((20, 3), np.nan))
    with pytest.raises(ValueError, match="ask for at most 5"): run_of_embeddings(X[:5], request=Request(n_clusters=6))
    with pytest.raises(ValueError, match="trains its own"): run_of_embeddings(X, request=Request("nf-spice"))


def test_nothing_in_a_run_can_be_written_to(run, tmp_path):
    run.save(tmp_path)
    for one in run, Run.open(tmp_path):
        clustering = one.clustering
        for array in one.embeddings.X, clustering.labels, clustering.confidence, clustering.representative:
            with pytest.raises(ValueError, match="read-only"): array[:1] = 0
