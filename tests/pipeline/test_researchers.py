"Python as researchers use it: scikit-learn's nested parameters, own methods and encoders, fastai's arguments."
import importlib
import sys
import types
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.callback.core import Callback
from fastai.optimizer import Adam, SGD
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, Birch
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from torch import nn

from audioclust import AudioClusterer, Options
from audioclust.audio.clip_table import clips as clips_of
from audioclust.core.registry import METHODS, Registry, trains_encoder
from audioclust.deepcluster import DeepCluster, TrainingOptions
from audioclust.encoders import FixedEncoder, encode
from audioclust.kmeans import KMeans
from audioclust.metrics import nmi, score
from audioclust.nf_spice.self_heads import heads_learner, SelfHeads

QUICK = Options(stability=0, device="cpu")


@pytest.fixture(scope="module")
def points():
    "40 rows of 6 numbers in two groups, and the groups."
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 20)
    return (rng.normal(size=(40, 6)) + 6*y[:, None]).astype(np.float32), y


class Seen(Callback):
    "Counts the trainings that it sees, and notes their optimisers and losses."
    def __init__(self): self.losses, self.optimisers = [], []
    def before_fit(self):
        self.losses.append(self.learn.loss_func)
        self.optimisers.append(self.opt)


def test_embeddings_are_cached_unless_told_otherwise(few, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path))
    def n_cached(**more): return AudioClusterer("kmeans", 3, options=Options(stability=0, **more)).fit(few).n_cached_
    assert (n_cached(cache=None), n_cached(), n_cached()) == (0, 0, 48)


def test_a_method_of_another_distribution_may_train(tmp_path, monkeypatch):
    made = types.ModuleType("trainers")
    made.Trains, made.Not = type("Trains", (), dict(trains_encoder=True)), type("Not", (), {})
    monkeypatch.setitem(sys.modules, "trainers", made)
    about = tmp_path/"trainers-0.1.dist-info"
    about.mkdir()
    (about/"METADATA").write_text("Metadata-Version: 2.1\nName: trainers\nVersion: 0.1\n")
    (about/"entry_points.txt").write_text("[audioclust.methods]\nits = trainers:Trains\nnot = trainers:Not\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert trains_encoder("its") and not trains_encoder("not")


def test_learners_take_what_fastai_takes(points):
    def loss(p, y): return p.square().mean()
    learn = heads_learner(points[0], 2, loss_func=loss, opt_func=SGD)
    assert learn.loss_func is loss and learn.opt_func is SGD


@pytest.mark.parametrize("method, n_trainings", [("deepcluster", 1), ("deepcluster-published", 1), ("nf-spice", 4),
                                                 ("spice", 3), ("scan", 3)])
def test_callbacks_optimiser_and_loss_reach_every_training(few, brief, method, n_trainings):
    seen = Seen()
    stages = dict(epochs=1, views=2, heads=2, head_epochs=2)
    labelled = dict(epochs=1, passes=1, views=2)
    params = {"deepcluster": labelled, "deepcluster-published": labelled,
              "nf-spice": dict(epochs=1, match_epochs=1, head_epochs=2, n_other=2, views=2),
              "spice": {**stages, "match_epochs": 1, "share": .1}, "scan": {**stages, "label_epochs": 1}}[method]
    model = AudioClusterer(method, 3, options=Options(params=params, stability=0, device="cpu"))
    model.fit(few, cbs=[seen], opt_func=partial(Adam, eps=1e-7))
    assert len(seen.losses) == n_trainings and {opt.hypers[0].get("eps") for opt in seen.optimisers} == {1e-7}
    with pytest.raises(ValueError, match="cbs is for methods that train, and kmeans trains nothing"):
        AudioClusterer("kmeans").fit(few, cbs=[seen])


def test_estimators_take_callbacks_loss_and_balance(few):
    def loss(p, y): return nn.functional.cross_entropy(p, y, label_smoothing=.1)
    class Counts(Callback):
        def before_train(self): self.balance = self.learn.pseudo_label_sampler.balance
    seen, counts, table = Seen(), Counts(), clips_of(few)
    options = TrainingOptions(epochs=1, passes=1, views=1, balance=False)
    DeepCluster(3, training=options, anchor=False).fit(table, cbs=[seen, counts], loss_func=loss)
    assert seen.losses == [loss] and counts.balance is False


def test_parameters_that_lie_deeper_are_searched(points):
    model = AudioClusterer("spectral", 2, options=Options(params=dict(n_init=2)))
    model.set_params(options__stability=0, params__n_neighbors=5)
    assert model.options == Options(stability=0, params=dict(n_init=2, n_neighbors=5))
    assert clone(model).options == model.options
    with pytest.raises(ValueError, match="Options has no stabilty; it has hop"): model.set_params(options__stabilty=0)
    X, y = points
    grid = {"n_clusters": [2, 4], "params__n_init": [1, 2]}
    search = GridSearchCV(AudioClusterer("kmeans", options=QUICK), grid, cv=2, error_score="raise",
                          scoring=lambda model, X, y: nmi(y, model.predict(X)))
    mixed = np.random.default_rng(0).permutation(40)
    assert search.fit(X[mixed], y[mixed]).best_params_["n_clusters"] == 2


def test_rows_come_as_lists_tables_and_tensors(points):
    X, y = points
    expected = AudioClusterer("kmeans", 2, options=QUICK).fit(X)
    for rows in (X.tolist(), list(X), pd.DataFrame(X), torch.from_numpy(X)):
        model = AudioClusterer("kmeans", 2, options=QUICK).fit(rows)
        np.testing.assert_array_equal(model.labels_, expected.labels_)
        np.testing.assert_array_equal(model.predict(rows), expected.labels_)


def test_points_stay_as_they_are_where_nothing_is_whitened(points, tmp_path):
    X, y = points
    model = AudioClusterer("kmeans", 2, options=QUICK, whiten=False).fit(X)
    np.testing.assert_array_equal(model.embeddings_, X)
    model.save(tmp_path/"run", page=False)
    again = AudioClusterer.load(tmp_path/"run")
    np.testing.assert_array_equal(again.predict(X), model.labels_)
    assert not again.whiten and not again.regroup("agglomerative").run_.request.options.whiten
    with pytest.raises(ValueError, match="whiten=False is for"): AudioClusterer(whiten=False).fit(["a.wav"])


@pytest.mark.parametrize("method", [GaussianMixture(2, random_state=0), AgglomerativeClustering(2), Birch(n_clusters=2)])
def test_an_estimator_as_the_method(points, tmp_path, method):
    X, y = points
    model = AudioClusterer(method).fit(X)
    assert nmi(y, model.labels_) == 1 and model.stability_.overall > .9
    model.save(tmp_path/"run", page=False)
    again = AudioClusterer.load(tmp_path/"run")
    assert again.method == type(method).__name__ and (again.predict(X) == model.predict(X)).all()
    assert hasattr(model, "predict_proba") == isinstance(method, GaussianMixture)
    assert clone(model).set_params(params__n_clusters=3).options.params == dict(n_clusters=3)
    for wrong in GaussianMixture, 5:
        with pytest.raises(ValueError, match="give a name, such as kmeans, or an"): AudioClusterer(wrong).fit(X)


def test_probabilities_where_there_are_some(points):
    X, y = points
    model = AudioClusterer(GaussianMixture(2, random_state=0), options=QUICK).fit(X)
    p = model.predict_proba(X)
    assert p.shape == (40, 2) and (p.argmax(1) == model.predict(X)).all() and np.allclose(p.sum(1), 1)
    assert [hasattr(AudioClusterer(name), "predict_proba") for name in ("nf-spice", "kmeans")] == [True, False]
    with pytest.raises(AttributeError): AudioClusterer("kmeans", 2, options=QUICK).fit(X).predict_proba(X)


def test_a_function_or_a_network_as_the_encoder(few, tmp_path):
    def bands(waves): # [N, samples] -> [N, 24]
        assert isinstance(waves, np.ndarray) and waves.dtype == np.float32
        spectrum = np.abs(np.fft.rfft(waves, 4096))[:, :2040].reshape(len(waves), 24, -1)
        return np.log(spectrum.mean(2) + 1e-6)
    model = AudioClusterer("kmeans", 3, encoder=bands, options=QUICK).fit(few)
    assert (model.predict(few) == model.labels_).all() and model.encoder_.dim == 24 and not model.n_cached_
    class Net(nn.Module):
        sample_rate = 8000
        def forward(self, waves): return torch.stack([waves.std(1), waves.abs().amax(1), waves.diff().std(1)], 1)
    net = AudioClusterer("kmeans", 3, encoder=Net(), options=QUICK).fit(few)
    assert net.encoder_.sample_rate == 8000 and clone(net).fit(few).labels_.tolist() == net.labels_.tolist()
    model.save(tmp_path/"run", page=False)
    with pytest.raises(ValueError, match="was a function, which a run folder cannot keep"):
        AudioClusterer.load(tmp_path/"run").predict(few)
    with pytest.raises(ValueError, match="give a name, an Encoder, or a function"): AudioClusterer(encoder=Net).fit(few)


def test_waveforms_are_encoded_as_files_are(few):
    import soundfile as sf
    paths = clips_of(few).path[:3].tolist()
    waves, rate = [sf.read(path, dtype="float32")[0] for path in paths], sf.info(paths[0]).samplerate
    expected = FixedEncoder(sample_rate=rate).embed(clips_of(paths))
    np.testing.assert_allclose(encode(waves, "fixed", rate), expected, atol=1e-3)
    same = np.stack([wave[:2000] for wave in waves])
    np.testing.assert_allclose(encode(same, FixedEncoder(sample_rate=8000), rate).shape, (3, expected.shape[1]))


def test_progress_is_shown_in_python(few, capsys):
    params = dict(epochs=1, passes=1, views=1)
    AudioClusterer("deepcluster", 3, options=Options(params=params, stability=0)).fit(few, verbose=True)
    shown = capsys.readouterr()
    assert "epoch 1 of 1" in shown.out and "0/48" in shown.err


def test_a_saved_run_has_its_page(few, tmp_path):
    model = AudioClusterer("kmeans", 3, options=QUICK).fit(few)
    model.save(tmp_path/"run")
    assert (tmp_path/"run"/"listen.html").is_file()
    model.save(tmp_path/"bare", page=False)
    assert not (tmp_path/"bare"/"listen.html").exists()


def test_names_come_in_one_order():
    assert list(METHODS)[:3] == ["kmeans", "agglomerative", "hdbscan"]
    some = Registry("method", "audioclust.none")
    for name, package in (("late", "nf_spice"), ("mine", None), ("early", "kmeans")):
        some.register(name, f"audioclust.{package}.x:Y" if package else object)
    assert list(some) == ["early", "late", "mine"]


def test_no_seed_is_another_seed_each_time(points, few):
    no_seed = dict(random_state=None)
    for estimator in SelfHeads(2, epochs=1, **no_seed), AudioClusterer("kmeans", 2, options=QUICK, **no_seed):
        first, second = (clone(estimator).fit(points[0]) for _ in range(2))
        if hasattr(first, "run_"): assert first.run_.request.random_state != second.run_.request.random_state
        else: assert (first.w1_ != second.w1_).any()
    table, options = clips_of(few), TrainingOptions(epochs=0, views=1)
    trained = [DeepCluster(3, training=options, random_state=None).fit(table) for _ in range(2)]
    first, second = (model.encoder_.state_dict() for model in trained)
    assert any((first[name] != second[name]).any() for name in first)


def test_scores_are_numbers():
    assert pd.Series(score([0, 0, 1], [1, 1, 0])).round(2)["nmi"] == 1


def test_what_is_shown_is_short(points):
    model = AudioClusterer("kmeans", 2, options=QUICK).fit(points[0])
    assert "options=Options(device='cpu', stability=0))" in repr(model)
    run = model.run_
    assert max(len(repr(part)) for part in (run.embeddings, run.clustering, run.findings, run.clips)) < 250


def test_wrong_arguments_are_told(points, few):
    with pytest.raises(ValueError, match="a whole number of at least 1, got True"): KMeans(True).fit(points[0])
    with pytest.raises(ValueError, match="n_clusters=True: say a whole number"): AudioClusterer("kmeans", True).fit(few)
    with pytest.raises(ValueError, match="None names no recordings: give a folder"): AudioClusterer().fit(None)
    with pytest.raises(ValueError, match="3 names no recordings"): AudioClusterer().fit(3)
