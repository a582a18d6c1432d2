"Arguments that make no sense are refused in words."
import numpy as np
import pytest
import soundfile as sf

from audioclust.audio import load_audio
from audioclust.encoders import FixedEncoder, Whiten
from audioclust.kmeans import KMeans
from audioclust.pipeline import make_run, Options, Request

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)

@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound")/"a.wav"
    sf.write(path, X.ravel()*.1, 8000)
    return path

@pytest.mark.parametrize("wrong,says", [
    (lambda s: KMeans(2, device="zzz").fit(X), "there is no device 'zzz'"),
    (lambda s: Whiten().fit(X[:0]), "at least one row"),
    (lambda s: Whiten().fit(X[0]), "a table of numbers"),
    (lambda s: Whiten().fit(np.array([["a", "b"]])), "a table of numbers"),
    (lambda s: Whiten().fit(np.where(X > 1, np.nan, X)), "NaN or infinite"),
    (lambda s: Whiten().fit(X).transform(X[:, :3]), "X has 3 features, but Whiten is expecting"),
    (lambda s: FixedEncoder(sample_rate=0), "sample_rate=0"),
    (lambda s: FixedEncoder(sample_rate="x"), "sample_rate='x'"),
    (lambda s: FixedEncoder(n_mels=0), "n_mels=0"),
    (lambda s: FixedEncoder(n_cepstra=-1), "n_cepstra=-1"),
    (lambda s: FixedEncoder(steps=1.5), "steps=1.5"),
    (lambda s: make_run(s, Request(options=Options(params=5))), "params=5"),
    (lambda s: load_audio(s, -5), "sample_rate=-5"),
    (lambda s: load_audio(s, "x"), "sample_rate='x'"),
    (lambda s: load_audio(s, None, float("nan")), "start must be at least 0"),
    (lambda s: load_audio(s, channel=0), "channel=0"),
    (lambda s: load_audio(s, channel="each"), "channel='each'"),
])
def test_what_makes_no_sense_is_said(sound, wrong, says):
    with pytest.raises(ValueError) as e: wrong(sound)
    assert says in str(e.value)

def test_a_row_of_nan_stays_one(): # of a clip that could not be decoded
    rows = X.copy()
    rows[3] = np.nan
    Z = Whiten().fit(X).transform(rows)
    assert np.isnan(Z[3]).all() and np.isfinite(np.delete(Z, 3, 0)).all()
