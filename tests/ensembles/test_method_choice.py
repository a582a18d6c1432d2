"K-means or spectral clustering: which is chosen, from how many clips, and when nothing is compared."
import numpy as np
import pytest

from audioclust.ensembles import choose_method, SpectralClustering
from audioclust.ensembles.method_choice import agreement_matrix, AutoClustering, FEWER_MEMBERS
from audioclust.kmeans import KMeans
from audioclust.metrics import nmi


def circles(n):
    "Three circles in planes that have nothing in common: K-means finds parts of them."
    angle = np.linspace(0, 2*np.pi, n, endpoint=False)
    X, truth = np.zeros((3*n, 6)), np.repeat(range(3), n)
    for i in range(3): X[truth == i, 2*i:2*i + 2] = np.stack([np.cos(angle), np.sin(angle)], 1)
    return X + np.random.default_rng(0).normal(0, .02, X.shape), truth

def blobs(sizes):
    "Three round groups, of which the last is small: a graph of neighbours cuts a large one in two instead."
    truth = np.repeat(range(3), sizes)
    return np.eye(3, 6)[truth]*4 + np.random.default_rng(0).normal(0, 1.1, (len(truth), 6)), truth

SETS = dict(spectral=circles(30), kmeans=blobs([60, 60, 8]))


@pytest.mark.parametrize("method", SETS)
def test_the_right_method_is_chosen_and_the_estimator_is_it(method, tmp_path):
    X, truth = SETS[method]
    found = AutoClustering(3, random_state=0).fit(X)
    alone = dict(spectral=SpectralClustering(3, random_state=0, **FEWER_MEMBERS), kmeans=KMeans(3, n_init=20, random_state=0))
    labels = {name: clusterer.fit(X).labels_ for name,clusterer in alone.items()}
    np.testing.assert_array_equal(found.labels_, labels[method])
    np.testing.assert_array_equal(found.predict(X), found.labels_)
    found.save(tmp_path)
    np.testing.assert_array_equal(type(alone[method]).load(tmp_path).predict(X), found.labels_)
    assert nmi(truth, labels.pop(method)) > .95 > nmi(truth, *labels.values())
    choice = found.choice_
    assert choice.method == method and choice.why.startswith(f"method {method}: ")
    assert choice.stability[method] == max(choice.stability.values()) > min(choice.stability.values())
    assert all(f"{name} {value:.2f}" in choice.why for name,value in choice.stability.items())


@pytest.fixture
def sizes(monkeypatch):
    "Which clusterer was fitted to how many rows; both divide rows by their first number, K-means the worse."
    seen = []
    def fitted(method):
        def fit(self, X, y=None, **known):
            seen.append((method, len(X)))
            self.labels_ = (X[:, 0] > X[:, 0].mean()).astype(int)
            if method == "kmeans": self.labels_[np.random.default_rng(self.random_state).permutation(len(X))[:40]] = 2
            return self
        return fit
    monkeypatch.setattr(KMeans, "fit", fitted("kmeans"))
    monkeypatch.setattr(SpectralClustering, "fit", fitted("spectral"))
    return seen


@pytest.mark.parametrize("n, most", [(200, 140), (20_001, 700)])
def test_a_fixed_subsample_decides_however_many_clips_there_are(rng, sizes, n, most):
    X = rng.normal(size=(n, 3))
    assert choose_method(X, 3).method == "spectral"
    assert sizes == [("kmeans", most)]*4 + [("spectral", most)]*4


@pytest.mark.parametrize("n, k, memory, why", [(200, 1, None, "one group"), (200, 51, None, "200 clips are too few"),
    (2000, 3, 1e5, "more memory than it may use")])
def test_nothing_is_compared_where_spectral_clustering_cannot_be(rng, sizes, n, k, memory, why):
    choice = choose_method(rng.normal(size=(n, 3)), k, max_memory=memory)
    assert choice.method == "kmeans" and why in choice.why and not choice.stability
    assert "too few of the embeddings differ" in choose_method(np.repeat(np.eye(4), 30, 0), 3).why and not sizes


def test_agreement_counts_shared_clips_only():
    class Half:
        "Two groups, which two subsamples name otherwise."
        def __init__(self, seed): self.seed = seed
        def fit(self, X):
            self.labels_ = (X[:, 0] > 0) ^ bool(self.seed % 2)
            return self
    X = np.linspace(-1, 1, 40)[:, None]
    assert agreement_matrix(Half, X) == pytest.approx(1)


@pytest.mark.parametrize("kmeans, spectral, taken", [(.91, .89, "spectral"), (.80, .90, "spectral"), (.95, .91, "kmeans")])
def test_a_tie_names_its_rule(monkeypatch, kmeans, spectral, taken):
    reached = iter([kmeans, spectral])
    monkeypatch.setattr("audioclust.ensembles.method_choice.mean_with_error", lambda matrix: (next(reached), 0.))
    choice = choose_method(SETS["kmeans"][0], 3)
    is_tie = taken == "spectral" and kmeans > spectral
    assert choice.method == taken and ("unless it is more than 0.03 behind" in choice.why) == is_tie
