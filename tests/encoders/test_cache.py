"What was computed once: the same bytes, never another clip's, never damaged ones, never a crash."
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from hypothesis import HealthCheck, example, given, settings, strategies as st

from audioclust.cli import main
from audioclust.core import file_contents
from audioclust.encoders import Encoder, FixedEncoder
from audioclust.encoders.base import EmbeddingDetails
from audioclust.encoders.cache import ArrayCache


@pytest.fixture
def sounds(tmp_path, rng):
    "Twelve noises of different lengths in two folders, and their table."
    rows = []
    for i in range(12):
        path = tmp_path/"sounds"/str(i % 2)/f"{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, .1*rng.standard_normal(2000 + 300*i), 8000)
        rows.append((path, 0., (2000 + 300*i)/8000))
    return pd.DataFrame(rows, columns=["path", "start", "end"])


def embed(table, cache, encoder=None, **kwargs):
    "Embeddings, the rows that came from the cache, and the seconds."
    details = EmbeddingDetails()
    encoder = encoder or FixedEncoder(sample_rate=8000)
    z = encoder.embed(table, [], device="cpu", cache=cache, details=details, **kwargs)
    return z, details.cached, details.seconds


def stored(folder, dtype):
    "How many arrays of a type are in a cache: float32 for embeddings, bytes for what files hold."
    with contextlib.closing(sqlite3.connect(ArrayCache(folder).file)) as db:
        return db.execute("select count(*) from arrays where dtype=?", (dtype,)).fetchone()[0]


@pytest.fixture
def settled(sounds):
    "The same, written long enough ago that a further change has another time."
    time.sleep(.15)
    return sounds


KEYS, TYPES = st.binary(min_size=16, max_size=16), st.sampled_from(["<f4", "<f8", "<i8", "|u1"])
SHAPES, NUMBERS = st.lists(st.integers(0, 4), max_size=3), st.none() | st.floats(allow_nan=False)

@given(st.lists(st.tuples(KEYS, TYPES, SHAPES, NUMBERS), max_size=8, unique_by=lambda row: row[0]))
@example([(bytes(16), "<f4", [], -0.)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_in_comes_out(tmp_path, rows):
    shutil.rmtree(tmp_path/"c", ignore_errors=True)
    cache = ArrayCache(tmp_path/"c")
    rng = np.random.default_rng(0)
    put = [(key, rng.integers(0, 200, shape).astype(kind), number) for key, kind, shape, number in rows]
    cache.put(put)
    got = {i: (a, n) for i, a, n in cache.get([k for k, *_ in put])}
    assert sorted(got) == list(range(len(put)))
    for i, (_, a, n) in enumerate(put):
        array, number = got[i]
        assert array.dtype == a.dtype and array.shape == a.shape and array.tobytes() == a.tobytes() and number == n


def test_the_second_time_is_the_same_to_the_last_bit(settled, tmp_path):
    "A clip that is listed twice, too; a file that did not change is not read again."
    sounds = pd.concat([settled, settled], ignore_index=True)
    fresh, none, s = embed(sounds, None)
    first, c1, s1 = embed(sounds, tmp_path/"c", num_workers=2)
    second, c2, s2 = embed(sounds, tmp_path/"c")
    assert none == c1 == [] and c2 == list(range(24)) and stored(tmp_path/"c", "|u1") == 12
    assert second.tobytes() == first.tobytes()
    np.testing.assert_allclose(first, fresh, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(s, s1)
    np.testing.assert_array_equal(s, s2)


def test_only_what_changed_is_done_again(settled, tmp_path, rng):
    sounds = settled
    old, _, _ = embed(sounds, tmp_path/"c")
    p = sounds.path[5]
    before = os.stat(p)
    sf.write(p, .1*rng.standard_normal(3500), 8000)
    os.utime(p, ns=(before.st_atime_ns, before.st_mtime_ns))  # as long as before, and as old
    assert os.stat(p).st_size == before.st_size
    if os.name == "nt": os.utime(p)
    new, cached, _ = embed(sounds, tmp_path/"c")
    assert cached == [i for i in range(12) if i != 5]
    assert not np.allclose(new[5], old[5])
    np.testing.assert_allclose(new, embed(sounds, None)[0], rtol=1e-5, atol=1e-5)  # whichever clips share a batch


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_what_was_moved_copied_or_linked_is_found(settled, tmp_path):
    old, _, _ = embed(settled, tmp_path/"c")
    paths = list(settled.path)
    paths[0] = paths[0].rename(tmp_path/"moved.wav")
    paths[1] = shutil.copy(paths[1], tmp_path/"copy.wav")
    for i,link in (2, os.link), (3, os.symlink):
        link(paths[i], tmp_path/f"link{i}.wav")
        paths[i] = tmp_path/f"link{i}.wav"
    paths[4].chmod(0o600)
    os.utime(paths[5], (1e9, 1e9))
    new, cached, _ = embed(settled.assign(path=paths), tmp_path/"c")
    assert cached == list(range(12)) and new.tobytes() == old.tobytes()


def test_states_that_could_stand_for_other_contents_are_not_remembered(tmp_path, monkeypatch):
    (tmp_path/"file").write_bytes(b"sound")
    def n_read(changed):
        unread = []
        monkeypatch.setattr(file_contents, "file_state", lambda path: (1, 2, 3, 4, changed))
        file_contents.contents_of([tmp_path/"file"], ArrayCache(tmp_path/"c"), lambda files, n: unread.append(n) or files)
        return unread[0]
    changed = 10**18 + 1
    assert [n_read(changed), n_read(changed), n_read(changed + 1), n_read(changed)] == [1, 0, 1, 0]
    now = time.time_ns() + 10**10 + 1
    assert [n_read(now), n_read(now)] == [1, 1], "changed just now"
    for coarse in 10**18, 10**18 + 3*10**7: assert [n_read(coarse), n_read(coarse)] == [1, 1], "a memory card"


def test_a_file_that_changes_before_it_is_decoded_is_not_kept(settled, tmp_path):
    "Else the row of the new sound would be found for the old one, wherever a copy of that is."
    shutil.copytree(tmp_path/"sounds", tmp_path/"before")
    def change(batches):
        sf.write(settled.path[5], np.zeros(3500), 8000)
        return batches
    embed(settled, tmp_path/"c", progress=change)
    copies = settled.assign(path=[tmp_path/"before"/p.relative_to(tmp_path/"sounds") for p in settled.path])
    z, cached, _ = embed(copies, tmp_path/"c")
    assert cached == [i for i in range(12) if i != 5]
    np.testing.assert_allclose(z, embed(copies, None)[0], rtol=1e-5, atol=1e-5)


def test_copies_have_the_same_row_from_the_first(sounds, tmp_path):
    class OfBatch(Encoder):
        "Rows that depend on the batch, as last bits do."
        sample_rate, dim, version = 8000, 2, "1"
        def forward(self, wave, lengths): return torch.full((len(wave), 2), float(wave.abs().sum()))
    copies = [shutil.copy(sounds.path[0], tmp_path/f"{i}.wav") for i in range(2)]
    table = pd.DataFrame(dict(path=[copies[i % 2] for i in range(300)], start=0., end=.25)) # two batches
    first, cached, _ = embed(table, tmp_path/"c", OfBatch())
    assert cached == [] and len(np.unique(first)) == 1 and len(np.unique(embed(table, None, OfBatch())[0])) == 2
    assert embed(table, tmp_path/"c", OfBatch())[0].tobytes() == first.tobytes()


def test_other_settings_and_weights_are_other_embeddings(sounds, tmp_path):
    class Linear(Encoder):
        sample_rate, dim, version = 8000, 3, "1"
        def __init__(self, w):
            super().__init__()
            self.w = torch.nn.Parameter(torch.full((3,), w))
        def forward(self, wave, lengths): return wave.square().sum(1, keepdim=True)*self.w
    embed(sounds, tmp_path/"c", Linear(1.))
    others = [Linear(2.), FixedEncoder(sample_rate=8000), FixedEncoder("source", sample_rate=8000),
              FixedEncoder(sample_rate=16000), FixedEncoder(sample_rate=8000, steps=16)]
    for other in others: assert embed(sounds, tmp_path/"c", other)[1] == []
    assert len(embed(sounds, tmp_path/"c", Linear(1.))[1]) == 12
    class Unsaid(Linear): pass  # may do anything: it states no version of its own
    embed(sounds, tmp_path/"c", Unsaid(1.))
    assert embed(sounds, tmp_path/"c", Unsaid(1.))[1] == []


def test_clips_that_cannot_be_decoded_are_not_kept(sounds, tmp_path):
    sounds.path[3].write_bytes(b"no sound")
    sounds.path[4].unlink()
    for _ in range(2):
        errors = []
        z = FixedEncoder(sample_rate=8000).embed(sounds, errors, device="cpu", cache=tmp_path/"c")
        assert sorted(i for i, _ in errors) == [3, 4]
        assert np.isnan(z[[3, 4]]).all() and np.isfinite(np.delete(z, [3, 4], 0)).all()
    assert stored(tmp_path/"c", "<f4") == 10


def test_the_true_end_is_kept_too(tmp_path, rng):
    "A file that holds less than its header says ends earlier, also when it comes from the cache."
    for i in range(3): sf.write(tmp_path/f"{i}.flac", .1*rng.standard_normal(80000), 8000)
    table = pd.DataFrame(dict(path=[tmp_path/f"{i}.flac" for i in range(3)], start=0., end=20.))
    s = [embed(table, tmp_path/"c")[2] for _ in range(2)]
    np.testing.assert_array_equal(s[0], s[1])
    assert (s[0] == 10).all()


def test_damage_anywhere_is_noticed(sounds, tmp_path):
    "Bytes overwritten at some place of the file: a warning or nothing, the same numbers, no crash."
    good, _, _ = embed(sounds, tmp_path/"c")
    file = ArrayCache(tmp_path/"c").file
    whole, wrong = file.read_bytes(), []
    for percent in (*range(0, 100, 14), None):
        file.write_bytes(whole)
        if percent is None: file.write_bytes(b"no database"*100)
        with open(file, "r+b") as f:
            f.seek(len(whole)*(percent or 0)//100)
            if percent is not None: f.write(bytes(range(256))*2)
        for _ in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                z, _, _ = embed(sounds, tmp_path/"c")
            if not np.allclose(z, good, rtol=1e-5, atol=1e-5): wrong.append(percent)
    assert not wrong, f"other embeddings after damage at {wrong} % of the file"


@pytest.mark.skipif(os.name == "nt", reason="kills")
def test_a_process_killed_while_it_writes_leaves_whole_rows(tmp_path):
    code = f"""
import os, numpy as np
from audioclust.encoders.cache import ArrayCache
c = ArrayCache({str(tmp_path/'c')!r})
c.put([(i.to_bytes(16, "big"), np.full(2000, i), i) for i in range(50)])
def die(db, max_bytes): os.kill(os.getpid(), 9)
import audioclust.encoders.cache; audioclust.encoders.cache._evict = die  # in the middle of the transaction
c.put([(i.to_bytes(16, "big"), np.full(2000, i), i) for i in range(50, 100)])
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = {i: a for i, a, _ in ArrayCache(tmp_path/"c").get([i.to_bytes(16, "big") for i in range(100)])}
    assert sorted(got) == list(range(50)) and all((a == i).all() and len(a) == 2000 for i, a in got.items())


WRITE = """
import sys
import numpy as np
from audioclust.encoders.cache import ArrayCache
cache, first = ArrayCache(sys.argv[1]), 100*int(sys.argv[2])
for i in range(20):
    key = (first + i).to_bytes(16, 'big')
    cache.put([(key, np.full(500, first + i), i)])
    list(cache.get([key]))
"""

@pytest.mark.slow
def test_processes_share_it(tmp_path):
    typed = [sys.executable, "-W", "error", "-c", WRITE, tmp_path/"c"]
    ps = [subprocess.Popen([*typed, str(j)], stderr=subprocess.PIPE, text=True) for j in range(2)]
    for p in ps: assert p.wait() == 0, p.stderr.read()
    keys = [(100*j + i).to_bytes(16, "big") for j in range(2) for i in range(20)]
    got = list(ArrayCache(tmp_path/"c").get(keys))
    assert len(got) == 40 and all((a == 100*(k//20) + k % 20).all() for k, a, _ in got)


def test_room_is_bounded_and_the_oldest_go_first(tmp_path):
    cache = ArrayCache(tmp_path/"c", max_bytes=50*(800 + 128))
    for block in range(10):
        cache.put([((100*block + i).to_bytes(16, "big"), np.zeros(100), 0) for i in range(10)])
        with contextlib.closing(sqlite3.connect(cache.file)) as db, db: db.execute("update arrays set used=used-10")
        with contextlib.closing(sqlite3.connect(cache.file)) as db:
            assert db.execute("select sum(bytes) from arrays").fetchone()[0] <= cache.max_bytes
    left = {k for k in range(1000) if list(cache.get([k.to_bytes(16, "big")]))}
    assert {900 + i for i in range(10)} <= left and not left & set(range(500))
    assert cache.file.stat().st_size < 10*cache.max_bytes


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="permissions")
def test_a_place_that_cannot_be_written_is_said_and_left(sounds, tmp_path):
    (tmp_path/"file").write_text("not a folder")
    with pytest.warns(UserWarning, match="cannot be used now"): z, cached, _ = embed(sounds, tmp_path/"file")
    assert cached == [] and np.isfinite(z).all()


def test_the_command_uses_it_unless_told(few, tmp_path, capsys, monkeypatch):
    quick = ["--n-clusters", "3", "--stability", "0", "--no-page", "-q"]
    monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path/"user"))
    def go(name, *more):
        assert main(["cluster", str(few), "--out", str(tmp_path/name), *quick, *more]) == 0
        record = json.loads((tmp_path/name/"run.json").read_text())
        embeddings = (tmp_path/name/"embeddings.npy").read_bytes()
        return capsys.readouterr().out, record["embeddings"]["n_cached"], embeddings
    out0, n0, z0 = go("a", "--no-cache")
    assert not (tmp_path/"user").exists()
    out1, n1, z1 = go("b")
    out2, n2, z2 = go("c")
    assert (n0, n1, n2) == (0, 0, 48) and z0 == z1 == z2
    assert "cache" not in out0 + out1 and "48 of 48 clips came from the cache" in out2
    own = ["--cache", str(tmp_path/"own")]
    assert go("d", *own)[1] == 0 and go("e", *own)[1] == 48
    assert str(tmp_path/"own") not in json.dumps(json.loads((tmp_path/"e/run.json").read_text())["request"])
