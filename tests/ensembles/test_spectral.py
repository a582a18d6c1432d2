"SpectralClustering: what it finds, what it does not depend on, what it refuses."
import re
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from audioclust.cli import main
from audioclust.ensembles import SpectralClustering
from audioclust.ensembles.neighbour_graph import shared_neighbours
from audioclust.metrics import ari, nmi
from audioclust.pipeline import AudioClusterer


@pytest.mark.parametrize("n", [60, 150])  # by the dense matrix, and by LOBPCG
def test_near_components_stay_together_and_far_ones_do_not(n):
    centers = (0, 30, 300, 330, 600, 630)
    X = np.concatenate([np.random.default_rng(i).normal(c, 1, (n, 2)) for i,c in enumerate(centers)])
    neighbours = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    assert connected_components(shared_neighbours(neighbours))[0] >= 6
    for k in (2, 3, 6):
        y = SpectralClustering(k, n_neighbors=5, random_state=0).fit_predict(X).reshape(6, n)
        assert (y == y[:, :1]).all() and len(set(y[:, 0])) == k  # no component is cut
        if k == 3: assert (y[::2, 0] == y[1::2, 0]).all()


def test_the_order_of_rows_and_copies_of_them_do_not_matter():
    X, y = make_blobs(400, 6, centers=5, cluster_std=1.5, random_state=1)
    order = np.random.default_rng(0).permutation(400)
    def fit(X): return SpectralClustering(5, random_state=0).fit(X)
    def with_copies(a): return np.concatenate([a, np.repeat(a[:30], 20, 0)])
    model, reordered, copied = fit(X), fit(X[order]), fit(with_copies(X))
    np.testing.assert_array_equal(model.labels_[order], reordered.labels_)
    np.testing.assert_array_equal(with_copies(model.labels_), copied.labels_)
    np.testing.assert_array_equal(with_copies(model.confidence_), copied.confidence_)
    assert copied.partitions_.shape == (30, 1000) and copied.confidence_.dtype == np.float32


def test_the_length_of_rows_does_not_matter_to_cosine():
    X = np.random.default_rng(0).normal(size=(300, 5)) + np.repeat(6*np.eye(5)[:3], 100, 0)
    lengths = np.tile([[1.], [64.]], (150, 1))
    model = SpectralClustering(3, metric="cosine", n_neighbors=4, random_state=0)
    labels = model.fit_predict(X)
    assert ari(labels, model.fit_predict(X*lengths)) == 1
    assert ari(np.repeat(range(3), 100), labels) == 1


def test_too_few_different_rows_give_a_warning():
    X = np.repeat(np.eye(3), 20, 0)
    with pytest.warns(ConvergenceWarning, match="only 3 of the 60 rows differ, so there are 3 clusters and not 5"):
        y = SpectralClustering(5, random_state=0).fit_predict(X)
    assert ari(np.repeat(range(3), 20), y) == 1


@pytest.mark.parametrize("n, k", [(1, 1), (2, 2), (3, 2), (40, 40), (40, 39), (600, 1), (700, 150)])
def test_any_number_of_clusters(n, k):
    X = np.random.default_rng(0).normal(size=(n, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SpectralClustering(k, n_init=2, n_members=6, random_state=0).fit(X)
    assert len(set(model.labels_)) == k
    if k > 1: assert np.isfinite(model.confidence_).all()
    else: assert np.isnan(model.confidence_).all()
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_the_memory_check_is_an_upper_bound():
    X = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32)
    with pytest.raises(ValueError, match=r"would need about \d+\.\d MB") as error:
        SpectralClustering(10, n_members=12, max_memory=1).check_rows(*X.shape)
    checked = 1e6*float(re.search(r"about ([\d.]+) MB", str(error.value))[1])
    tracemalloc.start()
    SpectralClustering(10, n_members=12, n_init=2, device="cpu", random_state=0).fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < checked + X.nbytes*2


def test_a_folder_by_content(words, tmp_path, capsys):
    folder, table = words
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--method", "spectral", "--n-clusters", "6",
        "--set", "n_neighbors=(5, 9)", "--no-page", "-q"]) == 0
    model = AudioClusterer.load(tmp_path/"run")
    assert tuple(model.clusterer_.n_neighbors) == (5, 9) and model.stability_.overall > .5
    assert nmi(table.set_index("path").loc[list(model.clips_.path), "label"], model.labels_) > .5
    assert main(["assign", str(tmp_path/"run"), str(folder), "--out", str(tmp_path/"new.csv"), "-q"]) == 0
    run, new = (pd.read_csv(file).set_index("path") for file in (tmp_path/"run/clusters.csv", tmp_path/"new.csv"))
    assert (run.cluster == new.cluster[run.index]).all()
    assert np.allclose(run.confidence, new.confidence[run.index], atol=1e-3)


def test_one_cluster_has_no_confidence(tmp_path, rng):
    X = rng.normal(size=(30, 4)).astype(np.float32)
    model = SpectralClustering(1, random_state=0).fit(X)
    model.save(tmp_path)
    assert not SpectralClustering.load(tmp_path).predict(X).any() and np.isnan(model.confidence_).all()
