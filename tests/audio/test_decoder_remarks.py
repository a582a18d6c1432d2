"Decoders write no line on the screen; one line tells of damaged recordings, and nothing that others write is lost."
import io
import os
import struct
import subprocess
import sys
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

_PYTHON = """
from audioclust import AudioClusterer, Options
fitted = AudioClusterer(n_clusters=2, options=Options(num_workers={workers}, cache=None)).fit({folder!r})
assert fitted.run_.table.damaged.sum() == 5, fitted.run_.table
"""
_THREADS = """
import os, subprocess, sys, threading
from audioclust.audio.decoding import load_audio
def decode():
    for _ in range(20): load_audio({file!r}, 16000)
threads = [threading.Thread(target=decode) for _ in range(3)]
for thread in threads: thread.start()
for i in range(200):
    sys.stderr.write(f"python {{i}}\\n") # in one piece, also where Python does not buffer
    os.write(2, b"plugin %d\\n" % i)
if (child := os.fork()) == 0:
    os.write(2, b"child\\n")
    os._exit(0)
os.waitpid(child, 0)
for thread in threads: thread.join()
"""

def _in_wav(mp3, n): # the MP3 inside a WAV file
    about = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 44100, 16000, 1, 0, 12, 1, 2, 417, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", 30) + about + b"fact" + struct.pack("<II", 4, n)
    body += b"data" + struct.pack("<I", len(mp3)) + mp3
    return b"RIFF" + struct.pack("<I", len(body)) + body

@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Five damaged recordings and four that are not."
    path, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    for i in range(9):
        wave = np.sin(2*np.pi*(300 + 200*i)*np.arange(66150)/44100)*.3 + .02*rng.standard_normal(66150)
        sf.write(written := io.BytesIO(), wave, 44100, format="MP3")
        mp3 = bytearray(written.getvalue())
        for at in range(3000, len(mp3) - 1000, 1700) if i < 5 else ():
            mp3[at:at + 200] = rng.integers(0, 256, 200, np.uint8).tobytes()
        (path/(f"{i}.mp3" if i % 2 else f"{i}.wav")).write_bytes(mp3 if i % 2 else _in_wav(mp3, len(wave)))
    return path

def _screen(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr

def _is_quiet(screen):
    told = [line for line in screen.splitlines() if "damaged recordings" in line]
    return len(told) == 1 and "5 of 9 (0.wav, 1.mp3, 2.wav, …)" in told[0] and not any(
        said in screen for said in ("libmpg123", "Note:", "resync", "Illegal", "Skipped"))

def test_command(folder, tmp_path):
    command = [sys.executable, "-m", "audioclust", "cluster", str(folder), "--n-clusters", "2", "--out"]
    env = os.environ | dict(XDG_CACHE_HOME=str(tmp_path/"cache"))
    for run in "first", "cached": # the cache remembers what the decoder said
        screen = _screen(*command, str(tmp_path/run), env=env)
        assert _is_quiet(screen), screen
        table = pd.read_csv(tmp_path/run/"clusters.csv")
        assert sorted(os.path.basename(path) for path in table.path[table.damaged]) == [
            "0.wav", "1.mp3", "2.wav", "3.mp3", "4.wav"]
    assert "9 of 9 clips came from the cache" in screen
    assert "damaged" not in pd.read_csv(tmp_path/run/"errors.csv").to_string()
    screen = _screen(*command, str(tmp_path/"events"), "--cut", "events")
    assert "libmpg123" not in screen and "Note:" not in screen, screen

@pytest.mark.parametrize("workers", [0, 2])
def test_python(folder, workers):
    screen = _screen(sys.executable, "-c", _PYTHON.format(folder=str(folder), workers=workers))
    assert _is_quiet(screen), screen

@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_nothing_of_others_is_lost(folder):
    screen = _screen(sys.executable, "-W", "ignore", "-c", _THREADS.format(file=str(folder/"1.mp3")))
    lines = screen.splitlines()
    assert sorted(lines) == sorted([*(f"python {i}" for i in range(200)), *(f"plugin {i}" for i in range(200)), "child"])

def test_training_marks_damage(folder):
    from audioclust.audio.clip_table import clips
    from audioclust.encoders.logmel_store import TrimmedLogMel, usable_clips
    assert usable_clips(clips(folder), TrimmedLogMel(16000), [])[0].damaged.sum() == 5
