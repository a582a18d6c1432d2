"What every encoder has: rows that stay in order, a whitening, a claim of memory, and a folder from which it is loaded."
import subprocess, sys

import numpy as np
import pytest
import torch

from audioclust.encoders import Encoder, FixedEncoder, load_encoder
from audioclust.encoders.base import EmbeddingDetails


class Scaled(Encoder):
    "Mean power times a weight."
    sample_rate, dim, version = 8000, 1, "1"
    def __init__(self, power=2):
        super().__init__()
        self.power, self.w = power, torch.nn.Parameter(torch.tensor(3.))
    def config(self): return dict(power=self.power)
    def forward(self, wave, lengths): return self.w*(wave.abs()**self.power).sum(1, keepdim=True)/lengths[:, None]


def test_embed_keeps_rows_and_reasons(words):
    folder, table = words
    table = table[["path", "start", "end"]].copy()
    table.loc[3, "path"] = str(folder/"gone.wav")
    errors, details = [], EmbeddingDetails()
    e = FixedEncoder("source", sample_rate=8000)
    X = e.embed(table, errors, device="cpu", details=details)
    assert errors == [(3, "there is no such file")] and np.isnan(X[3]).all() and np.isfinite(np.delete(X, 3, 0)).all()
    assert details.cached == [] and details.seconds[3] == 0 and (np.delete(details.seconds, 3) > 0).all()
    Y = e.embed(table.iloc[::-1].reset_index(drop=True), [], device="cpu", num_workers=2)[::-1]
    np.testing.assert_allclose(np.delete(X, 3, 0), np.delete(Y, 3, 0), atol=1e-3)
    with pytest.warns(UserWarning, match="gone.wav"): e.embed(table, device="cpu")


def test_an_encoder_says_what_memory_a_batch_takes(words):
    folder, table = words
    e = FixedEncoder("source", sample_rate=8000)
    within = e.embed(table, [], device="cpu", max_bytes=1e6/e.memory_factor)
    np.testing.assert_allclose(within, e.embed(table, [], device="cpu"), atol=1e-3)
    with pytest.raises(ValueError, match="are left"): e.embed(table, [], device="cpu", max_bytes=1e3)


def test_embedding_leaves_the_mode_of_a_network_as_it_was(words):
    folder, table = words
    e = Scaled()
    for training in (True, False):
        e.train(training)
        e.embed(table[:3], [], device="cpu")
        assert e.training == training


def test_weights_and_settings_are_saved(tmp_path):
    e = Scaled(power=3)
    with torch.no_grad(): e.w.fill_(7)
    e.save(tmp_path)
    again = load_encoder(tmp_path)
    assert type(again) is Scaled and again.power == 3 and again.w == 7
    assert again.fingerprint("cpu") == e.fingerprint("cpu")
    (tmp_path/"encoder.json").write_text('{"class": "Magic"}')
    with pytest.raises(ValueError, match="'Magic'"): load_encoder(tmp_path)


TILINGS = """
import torch
from audioclust.encoders import Encoder
class Level(Encoder):
    sample_rate, dim = 8000, 1
    def __init__(self, power=2):
        super().__init__()
        self.power = power
    def config(self): return dict(power=self.power)
    def forward(self, wave, lengths): return (wave.abs()**self.power).sum(1, keepdim=True)/lengths[:, None]
"""
ENTRY_POINTS = """
[audioclust.encoders]
broken = nowhere_at_all:Level
level = tilings:Level
"""

def test_an_encoder_of_another_package_is_found_when_a_run_is_loaded(tmp_path):
    "In a process that has imported nothing of it; a package that is broken is not in the way."
    (tmp_path/"tilings.py").write_text(TILINGS)
    about = tmp_path/"tilings-0.1.dist-info"
    about.mkdir()
    (about/"METADATA").write_text("Metadata-Version: 2.1\nName: tilings\nVersion: 0.1\n")
    (about/"entry_points.txt").write_text(ENTRY_POINTS)
    model = tmp_path/"model"
    model.mkdir()
    (model/"encoder.json").write_text('{"class": "Level", "power": 3}')
    with pytest.raises(ValueError, match="import the module that defines it first"): load_encoder(model)
    code = (f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from audioclust.encoders import load_encoder; "
            f"print(load_encoder({str(model)!r}).config())")
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert r.stdout.strip() == "{'power': 3}", r.stderr
