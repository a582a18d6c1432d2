"Files that users name: what is a pipe, and what is far too large, is refused before anything is read."
import os
import signal
import time

import pytest

from audioclust.cli import main

FILES = {"labels": ["--labels", "x.csv"], "labels of Raven": ["--labels", "x.txt"], "clips": ["--clips", "x.csv"],
    "seeds": ["--seeds", "x.csv"], "embeddings": ["--embeddings", "x.csv"], "arrays": ["--embeddings", "x.npy"]}


@pytest.fixture
def sounds(tmp_path, tone):
    for name in "ab": tone(tmp_path/f"sounds/{name}.wav")
    return tmp_path/"sounds"


def refused(capsys, *arguments):
    def end(number, frame): raise TimeoutError("it waits for a pipe")
    signal.signal(signal.SIGALRM, end)
    signal.alarm(10)
    started = time.perf_counter()
    try: assert main(list(map(str, arguments))) == 2
    finally: signal.alarm(0)
    assert time.perf_counter() - started < 10
    return capsys.readouterr().err


@pytest.mark.parametrize("which", FILES)
def test_a_pipe_is_not_waited_for(sounds, tmp_path, capsys, which):
    option, name = FILES[which]
    os.mkfifo(tmp_path/name)
    said = refused(capsys, "cluster", sounds, "--out", tmp_path/"run", "--n-clusters", 2, option, tmp_path/name)
    assert f"{name} is a pipe or a device: write what comes out of it to a file" in said


def test_a_pipe_as_list_of_recordings_or_edits(tmp_path, capsys, sounds):
    os.mkfifo(tmp_path/"x.csv")
    os.mkfifo(tmp_path/"x.json")
    assert "is a pipe" in refused(capsys, "cluster", tmp_path/"x.csv", "--out", tmp_path/"run")
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"run"), "--n-clusters", "2", "--no-page", "-q"]) == 0
    assert "is a pipe" in refused(capsys, "listen", tmp_path/"run", "--edits", tmp_path/"x.json")


@pytest.mark.parametrize("which", ["labels", "labels of Raven", "clips", "seeds", "embeddings"])
def test_a_table_that_is_far_too_large_is_not_read(sounds, tmp_path, capsys, which):
    option, name = FILES[which]
    with open(tmp_path/name, "wb") as f:
        f.write(b"path,start,end,label\na.wav,0,1,x\n")
        f.truncate(2_100_000_000) # sparse
    said = refused(capsys, "cluster", sounds, "--out", tmp_path/"run", "--n-clusters", 2, option, tmp_path/name)
    assert "2,100 MB, far too many for a table" in said
