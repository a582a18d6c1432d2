"No temporary files are left, however a command ends, and few files are open at once."
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
import soundfile as sf

resource = pytest.importorskip("resource")  # limits of a process, as Unix has them
from audioclust.runs.run_folder import read_table
from audioclust.cli import main
from audioclust.audio import synthetic_words
from audioclust.runs.resuming import state

TRAINING = ["--method", "deepcluster", "--set", "passes=1", "--set", "views=2", "--set", "anchor=False",
    "--n-clusters", "3", "--stability", "0", "--workers", "2", "--no-page", "-q"]

@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    synthetic_words(3, 2, 4).save(folder)
    return folder

def start(sounds, tmp_path, *more):
    (tmp_path/"tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "audioclust", "cluster", str(sounds), "--out", str(tmp_path/"run"),
        "--cache", str(tmp_path/"cache"), *TRAINING, *more]
    environment = {**os.environ, "TMPDIR": str(tmp_path/"tmp")}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

def left(tmp_path):
    return sorted(str(p.relative_to(tmp_path)) for name in ("tmp", "run")
        for p in (tmp_path/name).rglob("*" if name == "tmp" else ".*"))

@pytest.fixture(autouse=True)
def as_in_a_terminal():
    "What runs in the background, or under nohup, ignores some signals, and so would all that it starts."
    before = {s: signal.signal(s, h) for s,h in ((signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL), (signal.SIGTERM, signal.SIG_DFL))}
    yield
    for s,h in before.items(): signal.signal(s, h)

@pytest.mark.parametrize("how", [pytest.param("SIGINT", marks=pytest.mark.slow), "SIGTERM"])
def test_a_command_that_is_told_to_end(sounds, tmp_path, how):
    p = start(sounds, tmp_path, "--epochs", "500")
    end = time.monotonic() + 120
    checkpoint = tmp_path/"run"/"training"/"training.safetensors"
    while p.poll() is None and time.monotonic() < end and not checkpoint.is_file(): time.sleep(.01)
    p.send_signal(getattr(signal, how))
    err = p.communicate(timeout=60)[1]
    assert p.returncode == (130 if how == "SIGINT" else 128 + getattr(signal, how))
    assert err.splitlines()[-1] == "audioclust: interrupted"
    assert "Traceback" not in err
    assert left(tmp_path) == [] and state(tmp_path/"run") == "stopped"

@pytest.mark.slow
def test_a_command_that_ends_well_and_one_that_fails(sounds, tmp_path, monkeypatch):
    p = start(sounds, tmp_path, "--epochs", "1")
    assert p.wait() == 0 and left(tmp_path) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path/"tmp"))
    # found out when the clips had been heard
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"run"), *TRAINING, "--overwrite", "--set",
        "train_clusters=1"]) == 2
    assert left(tmp_path) == [] and state(tmp_path/"run") == "whole"

def test_a_signal_in_the_middle_of_a_file(sounds, tmp_path, monkeypatch):
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--stability", "0",
        "--no-cache", "--no-page", "-q"]) == 0
    for how,status in ("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130):
        with monkeypatch.context() as m:
            m.setattr(os, "fsync", lambda f: signal.raise_signal(getattr(signal, how)))
            assert main(["export", str(tmp_path/"run"), "--to", "csv", "--out", str(tmp_path/"a.csv")]) == status
        assert [p.name for p in tmp_path.iterdir()] == ["run"]
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

@pytest.fixture(scope="module")
def many(tmp_path_factory):
    "400 short recordings, every fourth an MP3, and a few that are none."
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(0)
    for i in range(400):
        sf.write(folder/f"{i:03d}.{'mp3' if i % 4 == 0 else 'wav'}",
            .1*rng.standard_normal(1600)*np.sin(np.arange(1600)*(i % 5 + 1)/20), 8000)
    for i in range(5):
        (folder/f"bad{i}.wav").write_text("no sound")
        (folder/f"bad{i}.mp3").write_bytes(b"ID3" + bytes(100))
    return folder

@pytest.mark.parametrize("spare", [4, 24])
def test_no_worker_waits_for_a_pipe_that_cannot_be_opened(many, tmp_path, spare):
    command = ["cluster", str(many), "--out", str(tmp_path/"run"), "--no-cache", "--no-page", "--n-clusters", "5",
        "--stability", "0", "-q", "--workers", "2"]
    code = f"""import os, resource, sys
from audioclust.cli import main
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + {spare}, most))
sys.exit(main({command!r}))"""
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stderr
    assert len(read_table(tmp_path/"run"/"clusters.csv")) == 400

@pytest.mark.parametrize("options", [["--workers", "0"], ["--workers", "2"],
    pytest.param(["--workers", "2", "--encoder", "untrained", "--no-page"], marks=pytest.mark.slow),
    ["--workers", "2", "--no-page", "--method", "deepcluster", "--epochs", "1", "--set", "passes=.2", "--set",
        "views=2"]], ids=lambda options: " ".join(options))
def test_few_files_are_open_at_once(many, tmp_path, options):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(64, used + 40), before[1]))
    try:
        assert main(["cluster", str(many), "--out", str(tmp_path/"run"), "--cache", str(tmp_path/"cache"),
            "--n-clusters", "5", "--stability", "0", "-q", *options]) == 0
    finally: resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(read_table(tmp_path/"run"/"clusters.csv")) == 400
    assert len(read_table(tmp_path/"run"/"errors.csv")) == 10
    assert len(os.listdir("/dev/fd")) <= used + 8  # what libraries keep open; not a file for each clip
