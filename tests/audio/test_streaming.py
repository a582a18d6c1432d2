import os, subprocess, sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

from audioclust.audio import clips, load_audio
from audioclust.audio.streaming import length_batches, MAX_CLIP_SECONDS
from audioclust.audio.streaming import stream


@given(st.lists(st.floats(.01, 500), min_size=1, max_size=60), st.floats(1, 300), st.integers(1, 20))
def test_batches_hold_each_row_once_within_bounds(seconds, batch_seconds, batch_size):
    batches = length_batches(np.array(seconds), batch_seconds, batch_size)
    assert sorted(i for b in batches for i in b) == list(range(len(seconds)))
    for b in batches:
        assert len(b) <= batch_size
        assert len(b) == 1 or len(b)*max(seconds[i] for i in b) <= batch_seconds*(1 + 1e-9)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_bad_clips_stop_nothing(tmp_path, tone, num_workers):
    for i in range(5): tone(tmp_path/f"{i}.wav", seconds=.1 + .05*i)
    table = clips(tmp_path)
    (tmp_path/"1.wav").unlink(); (tmp_path/"3.wav").write_bytes(b"no sound")  # gone and broken since they were found
    table.loc[len(table)] = dict(path=tmp_path/"4.wav", start=0., end=MAX_CLIP_SECONDS + 1.)
    rows, errors = [], {}
    for b in stream(table, 8000, batch_seconds=.4, num_workers=num_workers):
        for r, w, n in zip(b.rows.tolist(), b.wave, b.lengths):
            torch.testing.assert_close(w[:n], load_audio(table.path[r], 8000, table.start[r], table.end[r])[0])
            assert (w[n:] == 0).all()
            rows.append(r)
        errors |= dict(b.errors)
    assert sorted(rows) == [0, 2, 4] and sorted(errors) == [1, 3, 5]
    assert errors[1] == "there is no such file" and "not audio" in errors[3] and "too long" in errors[5]


def test_all_bad_and_none(tmp_path):
    t = pd.DataFrame(dict(path=["gone.wav"], start=[0.], end=[1.]))
    (b,) = stream(t, 8000)
    assert len(b.rows) == 0 and b.errors == [(0, "there is no such file")]
    assert list(stream(t.iloc[:0], 8000)) == []


def test_worker_processes_need_no_short_name_for_temporary_files(tmp_path, tone):
    "A socket in a folder with a long name (75 letters) cannot be opened; a worker that needs one loses its batch."
    for i in range(4): tone(tmp_path/"in"/f"{i}.wav")
    long = tmp_path/("t"*110)
    long.mkdir()
    code = """import sys
from audioclust.audio import clips
from audioclust.audio.streaming import stream
print([tuple(b.wave.shape) for b in stream(clips(sys.argv[1]), 8000, batch_seconds=1, num_workers=2)])"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path/"in")], env={**os.environ, "TMPDIR": str(long)},
            capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[(2, 4000), (2, 4000)]", done.stderr
    assert list(long.iterdir()) == []


def test_without_a_place_for_locks_one_process_does_the_work(tmp_path, tone, monkeypatch):
    "As in a container that has no /dev/shm."
    table = clips([tone(tmp_path/f"{i}.wav", 200 + i) for i in range(4)])
    expected = [b.wave for b in stream(table, 8000, batch_seconds=1)]
    def refuse(*_): raise FileNotFoundError(2, "No such file or directory")
    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing", SimpleNamespace(SemLock=refuse))
    with pytest.warns(UserWarning, match="no place for locks"): batches = list(stream(table, 8000, 1, num_workers=2))
    for batch, wave in zip(batches, expected, strict=True): assert torch.equal(batch.wave, wave)
