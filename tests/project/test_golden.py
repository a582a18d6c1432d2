"What the code computed when these values were recorded by benchmarks/golden.py: labels, scores, embeddings."
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from audioclust.audio import clips, synthetic_words
from audioclust.encoders import FixedEncoder
from audioclust.metrics import ari
from audioclust.pipeline import make_run, Options, Request

here = Path(__file__).parent
root = here.parents[1]
recorded = json.loads((here/"golden.json").read_text())
if not (root/"benchmarks/golden.py").is_file(): pytest.skip("needs the checkout", allow_module_level=True)


@pytest.fixture(scope="module")
def golden():
    spec = importlib.util.spec_from_file_location("golden", root/"benchmarks/golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    synthetic_words(4, 3, 5).save(folder)
    return folder


def alike(labels, name):
    "Are the clusters those that were recorded? Their numbers may be others on another processor."
    before = np.array(recorded["labels"][name])
    return ((labels < 0) == (before < 0)).all() and ari(before, labels) > .98


def test_estimators_find_what_they_found(golden):
    record = golden.Record()
    golden.estimators(record)
    names = [name for name in recorded["labels"] if " " not in name]
    assert len(names) == 7
    assert [n for n in names if not alike(record.arrays[f"estimators/{n}/labels_"], n)] == []
    assert record.arrays["estimators/choose_k/k"] == recorded["n_clusters"]


def test_scores_are_what_they_were(golden):
    record = golden.Record()
    golden.metrics(record)
    now = {name.removeprefix("metrics/").removeprefix("score/"): float(v) for name, v in record.arrays.items()
        if v.ndim == 0}
    assert len(recorded["metrics"]) > 10 and now == pytest.approx(recorded["metrics"], abs=1e-7)


def test_embeddings_are_what_they_were(words):
    for by, values in recorded["encoders"].items():
        e = FixedEncoder(by, sample_rate=16000).embed(clips(words), [])
        np.testing.assert_allclose([e.mean(), e.std(), *e[0, :4], *e[-1, -4:]], values, atol=1e-3)


def test_runs_find_what_they_found(words):
    wrong = []
    for name in [n for n in recorded["labels"] if " " in n]:
        method, by = name.split(" by ")
        request = Request(method, 4 if by == "content" else 3, by, options=Options(stability=0, num_workers=0))
        if not alike(make_run(words, request).clustering.labels, name): wrong.append(name)
    assert wrong == []
