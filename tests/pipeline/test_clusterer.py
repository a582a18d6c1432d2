import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile as sf
import torch
from hypothesis import given, settings, strategies as st

from audioclust.core.registry import METHODS
from audioclust.ensembles.membership import confidence_and_representatives
from audioclust.ensembles.coding_length import bits_saved
from audioclust.metrics import nmi
from audioclust.pipeline import AudioClusterer, make_run, Options
from audioclust.runs.request import request_from_record
from audioclust.runs.run_folder import read_record, read_table


def truth(model, table, column): return table.set_index("path").loc[list(model.clips_.path), column]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_from_folder_to_kept_run(words, few, brief, tmp_path, method):
    folder, n, k = (few, 48, 3) if METHODS[method].trains_encoder else (words[0], 192, 6)
    stages = dict(epochs=2, views=2, heads=2, head_epochs=3)
    quick = dict(dbscan=dict(min_samples=4), hdbscan=dict(min_cluster_size=8),
                 deepcluster=dict(epochs=2, passes=4, views=4),
                 scan={**stages, "label_epochs": 1}, **{"deepcluster-published": dict(epochs=2, views=2),
                 "nf-spice": dict(epochs=4, match_epochs=2, head_epochs=3, n_other=4, views=2),
                 "spice": {**stages, "match_epochs": 1, "strong_views": 2, "n_neighbors": 20}})
    params = quick.get(method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a method at its defaults may say that it found little
        m = AudioClusterer(method, k, options=Options(params=params, device="cpu")).fit(folder)
    assert len(m.labels_) == len(m.clips_) == n and m.labels_.dtype == np.int64 and m.embeddings_.dtype == np.float32
    m.save(tmp_path/"run")
    again = AudioClusterer.load(tmp_path/"run")
    np.testing.assert_array_equal(again.labels_, m.labels_)
    on_train = m.predict(folder)
    np.testing.assert_array_equal(again.predict(folder), on_train)
    if method in ("kmeans", "spectral", "agglomerative", "meanshift"):
        np.testing.assert_array_equal(on_train, m.labels_)
    assert set(on_train) <= set(m.labels_) | {-1}


def test_by_decides_what_is_found(words):
    folder, table = words
    for by, k, wanted, other in (("content", 6, "label", "voice"), ("source", 4, "voice", "label")):
        m = AudioClusterer(n_clusters=k, by=by, options=Options(device="cpu")).fit(folder)
        assert nmi(truth(m, table, wanted), m.labels_) > .5 > .35 > nmi(truth(m, table, other), m.labels_)


def test_what_the_program_around_has_set_changes_nothing(few, tmp_path):
    def fitted(): return AudioClusterer("kmeans", 3, encoder="untrained", options=Options(stability=0)).fit(few)
    expected = fitted()
    torch.set_default_dtype(torch.float64)
    try:
        with sklearn.config_context(transform_output="pandas"):
            found = fitted()
            found.save(tmp_path/"run", page=True)
            assert np.isfinite(bits_saved(found.embeddings_)(found.labels_))
            np.testing.assert_array_equal(found.assign(few).cluster, expected.labels_)
        assert torch.get_default_dtype() == torch.float64
    finally: torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(found.embeddings_, expected.embeddings_)
    assert (tmp_path/"run"/"listen.html").is_file()


def test_every_file_is_a_row_somewhere(tmp_path, tone):
    for i in range(6): tone(tmp_path/"in"/f"{i}.wav", hz=200*(i + 1))
    (tmp_path/"in/bad.wav").write_bytes(b"x"*100)
    nan = np.zeros(8000, np.float32)
    nan[-1] = np.nan
    sf.write(tmp_path/"in/nan.wav", nan, 16000, subtype="FLOAT")
    m = AudioClusterer(n_clusters=2, options=Options(device="cpu")).fit(tmp_path/"in")
    assert len(m.clips_) == 6 and sorted(Path(p).name for p, _ in m.errors_) == ["bad.wav", "nan.wav"]
    m.save(tmp_path/"run")
    assert len(read_table(tmp_path/"run/errors.csv")) == 2
    files = [p for p in (tmp_path/"run").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {".csv", ".html", ".json", ".npy", ".safetensors"}, "nothing is a pickle"
    assert not any(p.name.startswith(".") for p in files)


def test_windows_of_a_long_recording(tmp_path, rng):
    x = np.concatenate([np.sin(2*np.pi*400*np.arange(32000)/8000), rng.standard_normal(32000)])*.2
    sf.write(tmp_path/"x.wav", x, 8000)
    m = AudioClusterer(n_clusters=2, by="source", window=.5, options=Options(device="cpu")).fit(tmp_path/"x.wav")
    assert len(m.labels_) == 16 and m.labels_[0] != m.labels_[-1]
    assert len(set(m.labels_[:8])) == len(set(m.labels_[8:])) == 1
    assert m.assign(tmp_path/"x.wav").start.tolist() == m.clips_.start.tolist()  # new recordings are cut alike


def test_a_table_of_clips_a_list_and_an_encoder_of_ones_own(words):
    from audioclust.encoders import Encoder
    folder, table = words
    class Length(Encoder):
        sample_rate, dim = 8000, 2
        def forward(self, wave, lengths): return torch.stack([lengths.float(), lengths.float()**2], 1)
    m = AudioClusterer(n_clusters=2, encoder=Length(), options=Options(device="cpu")).fit(table)
    seconds = (m.clips_.end - m.clips_.start).to_numpy()
    order = m.labels_[np.argsort(seconds)]
    assert (np.diff(order) != 0).sum() == 1  # cut by length, at one place
    assert len(AudioClusterer(n_clusters=2, options=Options(device="cpu")).fit(list(table.path[:9])).labels_) == 9


@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_typicality_matches_a_plain_loop(n, k, seed):
    rng = np.random.default_rng(seed)
    X, labels = rng.standard_normal((n, 3)).astype(np.float32), rng.integers(-1, k, n)
    confidence, representative = confidence_and_representatives(X, labels)
    means = {c: X[labels == c].mean(0) for c in set(labels) - {-1}}
    for i, c in enumerate(labels):
        if c < 0:
            assert confidence[i] == 0 and not representative[i]
            continue
        a = np.linalg.norm(X[i] - means[c])
        b = min((np.linalg.norm(X[i] - m) for o, m in means.items() if o != c), default=None)
        if b is None: assert np.isnan(confidence[i])
        elif (labels == c).sum() == 1: assert confidence[i] == 0  # alone in its cluster
        else: assert abs(confidence[i] - (b - a)/max(a, b, 1e-12)) < 1e-3
    assert representative.sum() == len(means)


def test_run_json_says_what_repeats_it(words, tmp_path):
    folder, _ = words
    m = AudioClusterer(n_clusters=5, by="source", ignore="order,room", random_state=7, options=Options(device="cpu"))
    m.fit(folder)
    m.save(tmp_path/"run")
    about = read_record(tmp_path/"run")
    asked, made_with = about["request"], about["made"]["versions"]
    assert made_with["libsndfile"] == sf.__libsndfile_version__  # an MP3 decodes to what it makes of it
    np.testing.assert_array_equal(make_run(folder, request_from_record(asked)).clustering.labels, m.labels_)


def test_dir_shows_what_a_fitted_clusterer_has(rng, tmp_path):
    fitted = AudioClusterer(n_clusters=3, options=Options(stability=0)).fit(rng.normal(size=(30, 4)))
    fitted.save(tmp_path/"run")
    loaded = AudioClusterer.load(tmp_path/"run")
    shown = [{name for name in dir(model) if name.endswith("_") and name[0] != "_"} for model in (fitted, loaded)]
    assert shown[0] == shown[1] >= {"run_", "labels_", "embeddings_", "clips_", "clusterer_", "stability_", "errors_"}
    assert "labels_" not in dir(AudioClusterer()) and all(hasattr(loaded, name) for name in shown[1])


def test_cut_short_clips_end_where_their_sound_ends(tmp_path, tone):
    for i in range(3): tone(tmp_path/"in"/f"{i}.mp3", hz=300*(i + 1), seconds=4., format="MP3")
    whole = (tmp_path/"in/0.mp3").read_bytes()
    (tmp_path/"in/0.mp3").write_bytes(whole[:len(whole)//3])
    with pytest.warns(UserWarning, match="1 of 3 clips hold less sound"):
        m = AudioClusterer(n_clusters=2, options=Options(device="cpu")).fit(tmp_path/"in")
    assert m.clips_.end[0] < 2 < 3.9 < m.clips_.end[1]


def test_trained_encoders_keep_their_weights(words, tmp_path):
    from audioclust.encoders import Encoder
    folder, table = words
    class Linear(Encoder):
        sample_rate, dim = 8000, 3
        def __init__(self): super().__init__(); self.layer = torch.nn.Linear(1, 3)
        def forward(self, wave, lengths): return self.layer(wave.square().mean(1, keepdim=True))
    e = Linear()
    m = AudioClusterer(n_clusters=2, encoder=e, options=Options(device=torch.device("cpu"))).fit(table)
    m.save(tmp_path/"run")
    again = AudioClusterer.load(tmp_path/"run")
    assert torch.equal(again.encoder_.layer.weight, e.layer.weight)
    np.testing.assert_array_equal(again.predict(folder), m.labels_)


def test_a_run_made_on_cuda_is_read_without_it(words, tmp_path):
    if torch.cuda.is_available(): pytest.skip("there is one")
    folder, _ = words
    m = AudioClusterer(n_clusters=2, options=Options(device="cpu")).fit(folder)
    m.save(tmp_path/"run")
    for file in tmp_path/"run/run.json", tmp_path/"run/model/clusterer.json":
        file.write_text(file.read_text().replace('"device": "cpu"', '"device": "cuda"'))
    np.testing.assert_array_equal(AudioClusterer.load(tmp_path/"run").predict(folder), m.labels_)


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(words):
    folder, _ = words
    a, b = (AudioClusterer(n_clusters=6, options=Options(device=d)).fit(folder) for d in ("cpu", "cuda"))
    np.testing.assert_allclose(a.embeddings_, b.embeddings_, atol=1e-3)
    assert nmi(a.labels_, b.labels_) > .95


def test_windows_whose_groups_do_not_come_again_and_clips_of_other_lengths(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(2): sf.write(tmp_path/f"{i}.wav", rng.normal(size=16000*30)*.1, 16000)
    with pytest.warns(UserWarning, match="order should not matter"):
        AudioClusterer(n_clusters=5, window=1.).fit(tmp_path)
    table = pd.DataFrame(dict(path=[tmp_path/"0.wav"]*10, start=np.arange(10.), end=np.arange(10.) + 1))
    model = AudioClusterer(n_clusters=2).fit(table)
    with pytest.warns(UserWarning, match="30 s long where those of the run are 1 s"): model.assign(tmp_path)


@pytest.mark.parametrize("method", ["hdbscan", "meanshift"])
def test_auto_changes_no_cluster_of_a_method_without_a_number(tmp_path, tone, method):
    for i in range(12): tone(tmp_path/f"{i}.wav", hz=300*(1 + i % 3))
    model = AudioClusterer(method, n_clusters="auto", encoder="untrained", options=Options(stability=0)).fit(tmp_path)
    given = AudioClusterer(method, n_clusters=4, encoder="untrained", options=Options(stability=0)).fit(tmp_path)
    assert (model.labels_ == given.labels_).all() and len(model.labels_) == 12 and given.n_clusters_choice_ is None
    assert all(len(np.unique(level.labels)) < len(np.unique(model.labels_)) for level in model.levels_)


def test_progress_and_logging(words, caplog):
    import logging
    from tqdm import tqdm
    clips = words[1].iloc[:40]
    seen = []
    class Bar(tqdm):
        def update(self, n=1):
            seen.append(n)
            return super().update(n)
    with caplog.at_level(logging.INFO, logger="audioclust"):
        AudioClusterer(n_clusters=2, encoder="fixed", options=Options(stability=0, cache=None)).fit(clips, progress=Bar)
    assert sum(seen) == 40
    assert any(m.startswith("embed: ") for m in caplog.messages)
