"What a run folder holds beyond the plain case: levels, explanations, details of clips, and clips without a file."
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from audioclust.pipeline import assign, regroup, Request, Run, run_of_embeddings
from audioclust.runs.clustering import Level
from audioclust.runs.stable_ids import renumbered
from audioclust.runs.run_folder import read_table


@pytest.fixture(scope="module")
def blobs(): return make_blobs(120, 12, centers=4, cluster_std=.3, random_state=0)

@pytest.fixture(scope="module")
def grouping(blobs): return run_of_embeddings(blobs[0], request=Request(n_clusters=4))

def with_levels(grouping):
    levels = Level("coarse", grouping.clustering.labels//2, dict(validity=.5)), Level("fine", grouping.clustering.labels*2, dict(validity=.4), recommended=True)
    return replace(grouping, levels=levels, explanations={c: dict(pitch=f"{c} octaves up") for c in range(4)})


def test_levels_and_explanations_come_back(grouping, tmp_path):
    saved = with_levels(grouping)
    saved.save(tmp_path)
    loaded = Run.open(tmp_path)
    assert loaded.findings.differences == saved.findings.differences
    for a,b in zip(loaded.clustering.levels, saved.clustering.levels, strict=True):
        assert (a.name, a.validity, a.recommended) == (b.name, b.validity, b.recommended)
        np.testing.assert_array_equal(a.labels, b.labels)
    table = read_table(tmp_path/"clusters.csv")
    np.testing.assert_array_equal(table.cluster_coarse, grouping.clustering.labels//2)
    grouping.save(tmp_path)  # of a run without, nothing old stays
    assert Run.open(tmp_path).clustering.levels == () and not (tmp_path/"levels.json").exists() and "cluster_fine" not in read_table(tmp_path/"clusters.csv")


def test_a_level_has_one_word_and_a_column(grouping, tmp_path):
    with pytest.raises(ValueError, match="one word"): Level("very coarse", grouping.clustering.labels)
    save_run(with_levels(grouping), tmp_path)
    table = read_table(tmp_path/"clusters.csv")
    table.drop(columns="cluster_fine").to_csv(tmp_path/"clusters.csv", index=False)
    with pytest.raises(ValueError, match="is damaged"): Run.open(tmp_path)


def test_explanations_follow_the_numbers_of_an_earlier_run(grouping):
    before = grouping.table.assign(cluster=(grouping.clustering.labels + 1) % 4, start=range(len(grouping)))
    now = with_levels(replace(grouping, clips=grouping.clips.table.assign(start=range(len(grouping)))))
    after = renumbered(now, before)
    np.testing.assert_array_equal(after.clustering.labels, before.cluster)
    for old in range(4): assert after.findings.differences[(old + 1) % 4] == now.findings.differences[old]


def test_details_of_clips_are_passed_on(blobs, tmp_path):
    n = len(blobs[0])
    clips = pd.DataFrame(dict(path=[f"/tape/{i}.wav" for i in range(n)], start=0., end=1., low_hz=np.linspace(100, 900, n), channel="2", time="2026-05-12T05:30:00"))
    clips.loc[3, "low_hz"] = np.nan
    made = run_of_embeddings(blobs[0], clips, Request(n_clusters=4))
    made.save(tmp_path)
    loaded = Run.open(tmp_path).clips.table
    assert list(loaded) == ["path", "start", "end", "low_hz", "channel", "time"]
    np.testing.assert_allclose(loaded.low_hz, clips.low_hz)
    assert (loaded.channel == "2").all() and (loaded.time == clips.time).all()


def test_clips_without_a_file(grouping, blobs, tmp_path):
    grouping.save(tmp_path)
    record = json.loads((tmp_path/"run.json").read_text())
    assert "encoder" not in record and record["complete"] and not (tmp_path/"model"/"encoder.json").exists()
    loaded = Run.open(tmp_path)
    assert loaded.embeddings.encoder is None and (loaded.clips.table.path == "").all()
    assert loaded.table.clip_id.is_unique
    np.testing.assert_array_equal(regroup(loaded, n_clusters=4).labels, grouping.clustering.labels)
    with pytest.raises(ValueError, match="no encoder is known"): assign(loaded, tmp_path)
    table = read_table(tmp_path/"clusters.csv")
    table.assign(path=["/a.wav", *table.path[1:]]).to_csv(tmp_path/"clusters.csv", index=False)
    with pytest.raises(ValueError, match="names no file"): Run.open(tmp_path)  # some have a file: then the others lost theirs


def test_wrong_embeddings_are_refused(blobs):
    X = blobs[0]
    with pytest.raises(ValueError, match="one for each"): from_embeddings(X, pd.DataFrame(dict(path=["a"], start=0., end=1.)))
    with pytest.raises(ValueError, match="NaN or infinite"): from_embeddings(np.full((20, 3), np.nan))
    with pytest.raises(ValueError, match="ask for at most 5"): from_embeddings(X[:5], request=Request(n_clusters=6))
    with pytest.raises(ValueError, match="trains its own"): from_embeddings(X, request=Request("spice"))


def test_nothing_in_a_grouping_can_be_written_to(grouping):
    for name in "embeddings", "labels", "confidence", "representative":
        with pytest.raises(ValueError, match="read-only"): getattr(grouping, name)[:1] = 0
