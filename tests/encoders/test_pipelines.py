"Encoders as steps of scikit-learn pipelines."
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audioclust import kmeans
from audioclust.encoders import FixedEncoder, Whiten
from audioclust.metrics import nmi
from audioclust.pipeline import run_of_embeddings
from audioclust.runs import Options, Request

@pytest.fixture(scope="module")
def paths(words): return words[1].path.tolist()[:60], words[1].label.to_numpy(str)[:60]

@pytest.mark.parametrize("clusterer", [KMeans(2, n_init=3, random_state=0), kmeans.KMeans(2, random_state=0)])
def test_from_paths_to_clusters(paths, clusterer):
    pipeline = make_pipeline(FixedEncoder(sample_rate=8000), Whiten(), clusterer)
    assert nmi(paths[1], clone(pipeline).fit(paths[0]).predict(paths[0])) > .8

def test_rows_are_those_of_embed_and_have_names(paths, words):
    encoder = FixedEncoder(sample_rate=8000)
    table = encoder.set_output(transform="pandas").fit_transform(pd.DataFrame({"path": paths[0][::-1]}))
    assert table.columns[0] == "fixedencoder0" and table.shape == (60, encoder.dim)
    clips = words[1][:60].iloc[::-1]
    np.testing.assert_allclose(table.to_numpy(), encoder.embed(clips.reset_index(drop=True)), rtol=1e-5, atol=1e-4)

def test_tables_go_through_a_whole_pipeline(paths):
    steps = FixedEncoder(sample_rate=8000), StandardScaler(), Whiten(4), kmeans.KMeans(8, random_state=0)
    pipeline = make_pipeline(*steps).fit(paths[0])
    labels = pipeline[-1].labels_
    tables = clone(pipeline).set_output(transform="pandas").fit(paths[0])
    assert tables.transform(paths[0]).columns.tolist() == [f"kmeans{i}" for i in range(8)]
    assert tables[:-1].get_feature_names_out().tolist() == [f"whiten{i}" for i in range(4)]
    assert tables["standardscaler"].feature_names_in_[0] == "fixedencoder0"
    np.testing.assert_array_equal(tables[-1].labels_, labels)
    assert "FixedEncoder" in pipeline._repr_html_() and "KMeans" in pipeline._repr_html_()

def test_what_is_set_for_all_estimators_does_not_reach_the_inside_of_a_run():
    X = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    with config_context(transform_output="pandas"):
        assert isinstance(Whiten(3).fit_transform(X), np.ndarray)
        assert run_of_embeddings(X, request=Request(n_clusters=2, options=Options(stability=0))).clustering.labels.shape == (30,)
        assert list(Whiten(3).set_output(transform="pandas").fit_transform(X)) == ["whiten0", "whiten1", "whiten2"]
    assert isinstance(Whiten(3).fit_transform(X), np.ndarray)  # what was set for one is not for all

def test_no_row_is_lost(paths, tmp_path):
    broken = tmp_path/"broken.wav"
    broken.write_bytes(b"no sound")
    with pytest.raises(ValueError, match="1 of 3 recordings cannot be used"):
        FixedEncoder().transform([*paths[0][:2], broken])
    with pytest.raises(ValueError, match="make another"): FixedEncoder().set_params(by="source")
