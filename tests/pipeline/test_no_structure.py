"Clips without groups: equal ones, noise, and windows of wind; no run claims more than it found."
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from scipy.signal import butter, sosfilt

from audioclust.cli import main
from audioclust.metrics import ari
from audioclust.pipeline import Options, Request, run_of_embeddings

WITH_NUMBER = "kmeans", "spectral", "agglomerative"
METHODS = *WITH_NUMBER, "dbscan", "hdbscan"
QUICK = ["--encoder", "fixed", "--stability", "3", "--no-page", "--no-cache", "-q"]


def grouped(X, method="kmeans", k="auto"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = run_of_embeddings(X, request=Request(method, k, options=Options(stability=3)))
    return made, [str(w.message) for w in caught]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", ["auto", 3])
def test_equal_embeddings(rng, method, k):
    made, said = grouped(np.repeat(rng.normal(size=(1, 8)), 24, 0).astype("f4"), method, k)
    clustering = made.clustering
    assert made.findings.stability is None and not (clustering.confidence > 1/3).any()
    if k == "auto" and method in WITH_NUMBER:
        assert clustering.number.k == 1 and "are all equal" in clustering.number.why and not clustering.levels
    if k == 3 and method == "agglomerative":
        assert any("only 1 of the 24 embeddings is different" in text for text in said)
    elif method in WITH_NUMBER: assert not clustering.labels.any() and np.isnan(clustering.confidence).all()


@pytest.mark.parametrize("method", METHODS)
def test_two_different_embeddings(rng, method):
    X = np.repeat(rng.normal(size=(2, 8)), 12, 0).astype("f4")
    made, _ = grouped(X, method)
    assert ari(made.clustering.labels, np.repeat([0, 1], 12)) == 1
    if method not in WITH_NUMBER: return
    number = made.clustering.number
    assert number.k == 2 and number.curve.k.tolist() == [2] and "finer" not in number.why and "coarse" not in number.why
    three, said = grouped(X, method, 3)
    if len(np.unique(three.clustering.labels)) == 3:
        assert three.findings.stability is None
        assert any("only 2 of the 24 embeddings are different" in text for text in said)


@pytest.mark.parametrize("method", METHODS)
def test_rounding_makes_no_groups(rng, method):
    X = (np.repeat(rng.normal(size=(1, 16)), 24, 0) + 1e-7*rng.normal(size=(24, 16))).astype("f4")
    made, _ = grouped(X, method)
    assert (method not in WITH_NUMBER or made.clustering.number.k == 1) and not (made.clustering.confidence > .9).any()
    if made.findings.stability: assert made.findings.stability.overall < .6


@pytest.mark.parametrize("d", [8, 512])
def test_gaussian_embeddings_have_no_groups(tmp_path, rng, capsys, d):
    np.save(tmp_path/"X.npy", rng.standard_normal((60, d)).astype("f4"))
    typed = ["cluster", "--embeddings", str(tmp_path/"X.npy"), "--stability", "5", "--no-page", "-q"]
    assert main([*typed, "--out", str(tmp_path/"auto"), "--n-clusters", "auto"]) == 0
    assert "no groups stand out" in capsys.readouterr().out
    assert main([*typed, "--out", str(tmp_path/"four"), "--n-clusters", "4"]) == 0
    stability = json.loads((tmp_path/"four/run.json").read_text())["findings"]["stability"]
    assert stability["overall"] < .6 and sum(v <= stability["chance"] for v in stability["clusters"].values()) >= 3
    assert "hardly sure" in capsys.readouterr().out


RATE = 16000

def windy_tape(path, n, rng):
    "Windows of 3 s in one tape, half with gusts below 250 Hz, some with faint calls of two kinds. Which have wind."
    low, t = butter(4, 250, fs=RATE, output="sos"), np.arange(3*RATE)/RATE
    chirp = np.arange(RATE//6)/RATE
    def call(hz, slope): return .02*np.hanning(len(chirp))*np.sin(2*np.pi*(hz*chirp + slope*chirp**2))
    calls = call(3000, 3000), call(5000, -3000)
    windows, windy = [], np.arange(n) % 2 == 1
    for i in range(n):
        x = .005*rng.standard_normal(3*RATE)
        if windy[i]:
            gust = sosfilt(low, rng.standard_normal(3*RATE))
            x += .1*rng.uniform(.5, 1.5)*gust/gust.std()*(.3 + np.abs(np.sin(t + rng.uniform(0, 3))))
        if i % 5 == 0: x[RATE:RATE + len(chirp)] += calls[i//5 % 2]
        windows.append(x)
    sf.write(path, np.concatenate(windows), RATE)
    return windy


def test_groups_of_wind_are_called_so(tmp_path, rng, capsys):
    windy = windy_tape(tmp_path/"tape.wav", 60, rng)
    typed = ["cluster", str(tmp_path/"tape.wav"), "--n-clusters", "auto", *QUICK]
    for ignored in "order,level", "order,level,noise":  # the second is what the report advises
        run = tmp_path/ignored
        assert main([*typed, "--out", str(run), "--window", "3", "--ignore", ignored]) == 0
        said = capsys.readouterr()
        assert ari(pd.read_csv(run/"clusters.csv").cluster.to_numpy(), windy) > .9  # stable groups, and not of calls
        assert "they may be wind" in said.err and "--cut events" in said.err and "noise 0." in said.err
    assert main([*typed, "--out", str(tmp_path/"events"), "--cut", "events"]) == 0  # the advice
    assert "they may be wind" not in capsys.readouterr().err
    events = pd.read_csv(tmp_path/"events/clusters.csv")
    assert (events.low_hz > 1000).sum() >= 10  # most of the twelve calls
