import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch

from audioclust.encoders import NetworkEncoder, load_encoder
from audioclust.encoders.augmentations import BatchRandom, Views
from audioclust.encoders.logmel_store import LogMelBatch, LogMelStore, TrimmedLogMel
from audioclust.encoders.networks import has_bf16, make_body


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder, rng, rows = tmp_path_factory.mktemp("clips"), np.random.default_rng(0), []
    for i in range(30):
        n = int(rng.integers(1500, 9000))
        wave = np.sin(2*np.pi*(200 + 60*(i % 3))*np.arange(n)/8000)*np.hanning(n)*.5 + .01*rng.standard_normal(n)
        sf.write(folder/f"{i:02}.wav", wave, 8000)
        rows.append((folder/f"{i:02}.wav", 0., n/8000))
    return pd.DataFrame(rows, columns=["path", "start", "end"])


@pytest.mark.parametrize("options", [
    dict(), dict(by="source"), dict(ignore="noise"), dict(views=1, backbone="resnet18", n_mels=40, frames=32)], ids=str)
def test_files_kept_log_mels_and_what_was_saved_agree(table, tmp_path, options):
    encoder = NetworkEncoder(sample_rate=8000, **{"views": 2, **options})
    store = LogMelStore.from_clips(table, encoder.front)
    encoder.calibrate(store)
    z = encoder.embed_logmels(store)
    assert z.shape == (30, encoder.dim) and z.dtype == np.float32 and np.isfinite(z).all() and z.std(0).max() > 0
    np.testing.assert_allclose(encoder.embed(table), z, atol=2e-3*np.abs(z).max())
    np.testing.assert_allclose(encoder.embed_logmels(store, rows=[4, 2], bs=1), z[[4, 2]], atol=1e-4*np.abs(z).max())
    encoder.save(tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.suffix not in (".json", ".safetensors")]
    again = load_encoder(tmp_path)
    np.testing.assert_array_equal(again.embed_logmels(store), z)
    assert json.loads((tmp_path/"encoder.json").read_text())["class"] == "NetworkEncoder"
    other = NetworkEncoder(sample_rate=8000, seed=9, **options)
    assert again.fingerprint("cpu") == encoder.fingerprint("cpu") != other.fingerprint("cpu")


def test_the_order_of_files_does_not_tell_the_network_who_belongs_together(table):
    # the background of a clip is another clip of its batch: batches must not be neighbours in the folder
    encoder = NetworkEncoder(sample_rate=8000)
    store, seen = LogMelStore.from_clips(table, encoder.front), []
    batch = store.batch
    store.batch = lambda rows: seen.append(list(rows)) or batch(rows)
    encoder.embed_logmels(store, views=2, bs=10)
    assert sorted(sum(seen, [])) == list(range(30)) and all(np.ptp(rows) > 15 for rows in seen)


def test_a_clip_that_cannot_be_decoded_keeps_its_row(table, tmp_path):
    (tmp_path/"bad.wav").write_bytes(b"RIFFnothing")
    bad = pd.DataFrame([(tmp_path/"bad.wav", 0., 1.)], columns=table.columns)
    mixed = pd.concat([table.iloc[:3], bad, table.iloc[3:6]], ignore_index=True)
    encoder, errors = NetworkEncoder(sample_rate=8000, views=1), []
    store = LogMelStore.from_clips(mixed, encoder.front, errors)
    assert [row for row,_ in errors] == [3] and store.lengths[3] == 0 and store.rows.tolist() == [0, 1, 2, 4, 5, 6]
    z = encoder.embed_logmels(store)
    assert np.isnan(z[3]).all() and np.isfinite(np.delete(z, 3, 0)).all()
    few = store.subset(store.rows)
    np.testing.assert_array_equal(few.batch([3]).logmels, store.batch([4]).logmels)


@pytest.mark.parametrize("wave", [torch.zeros(1, 4000), torch.ones(1, 3)*.1, torch.randn(1, 1)])
def test_silence_and_the_shortest_clips(wave):
    kept = TrimmedLogMel(8000)(wave, torch.tensor([wave.shape[1]]))
    assert kept.n_frames.item() >= 1 and kept.logmels.isfinite().all() and kept.level.isfinite().all()
    encoder = NetworkEncoder(sample_rate=8000).eval()
    with torch.no_grad(): assert encoder.embed_batch(kept).isfinite().all()


def test_the_padding_of_a_silent_clip_is_not_part_of_it():
    wave = torch.stack([torch.zeros(4000), torch.randn(4000)])
    assert TrimmedLogMel(8000)(wave, torch.tensor([800, 4000])).n_frames.tolist() == [11, 51]


def test_long_clips_are_read_in_pieces_with_the_same_result(monkeypatch):
    from audioclust.encoders import augmentations
    batch = LogMelBatch(-torch.rand(5, 64, 300).half(), torch.tensor([300, 20, 100, 299, 1]), torch.zeros(5))
    at_once = Views(torch.linspace(60, 4000, 64))(batch, BatchRandom(0))
    monkeypatch.setattr(augmentations, "_MAX_FRAMES", 299)
    in_parts = Views(torch.linspace(60, 4000, 64))(batch, BatchRandom(0))
    torch.testing.assert_close(in_parts, at_once, atol=1e-4, rtol=1e-4)


def test_worker_processes_compute_the_same_log_mels(table):
    front = TrimmedLogMel(8000)
    a, b = (LogMelStore.from_clips(table, front, num_workers=n) for n in (0, 2))
    np.testing.assert_array_equal(a.frames, b.frames)
    np.testing.assert_allclose(a.seconds, table.end)


def test_calibrating_gives_maps_of_mean_0_and_spread_1(table):
    encoder = NetworkEncoder(sample_rate=8000)
    store = LogMelStore.from_clips(table, encoder.front)
    encoder.calibrate(store)
    with torch.no_grad(): y = encoder.body[:2](encoder.views(store.batch(np.arange(30)), BatchRandom(0)))
    assert y.mean((0, 2, 3)).abs().max() < .1 and (y.std((0, 2, 3)) - 1).abs().max() < .2


def test_wrong_requests():
    with pytest.raises(ValueError, match="there is no backbone"): make_body("resnet17")
    with pytest.raises(ValueError, match="at least 1"): NetworkEncoder(views=1.5)
    with pytest.raises(ValueError, match="at least 2 frames"): NetworkEncoder("source", part=1)


def test_what_the_processor_says_decides_on_16_bits(monkeypatch):
    said = {"processor: 0\nflags: avx2 avx512_bf16": True, "Features: bf16": True, "flags: avx2 avx512f": False, "": False}
    for text,has in said.items():
        monkeypatch.setattr(Path, "read_text", lambda path: text)
        assert has_bf16(torch.device("cpu")) == has
    def not_there(path): raise FileNotFoundError
    monkeypatch.setattr(Path, "read_text", not_there)  # as on other systems than Linux
    assert not has_bf16(torch.device("cpu"))
