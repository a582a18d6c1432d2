"Runs that are stopped, resumed, and in each other's way."
import json, os, signal, subprocess, sys, time

import pandas as pd
import pytest

from audioclust.core.files import write_json, write_table
from audioclust.pipeline import run_folder
from audioclust.runs.run_folder import SCHEMA, read_table
from audioclust.cli import main
from audioclust.audio import synthetic_words
from audioclust.runs.resuming import at_work, state

SAME = "clusters.csv", "embeddings.npy", "errors.csv", "map.npy"
PLAIN = ["--n-clusters", "4", "--stability", "3", "-q"]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    synthetic_words(4, 3, 4).save(folder)
    return folder

@pytest.fixture(scope="module")
def whole(sounds, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")/"run"
    assert main(["cluster", str(sounds), "--out", str(out), "--cache", str(out.parent/"cache"), *PLAIN]) == 0
    return out

def cluster(sounds, out, *more): return main(["cluster", str(sounds), "--out", str(out), "--cache", str(out.parent/"cache"), *PLAIN, *more])
def same(a, b): return all((a/n).read_bytes() == (b/n).read_bytes() for n in SAME)


@pytest.mark.parametrize("call", range(8))
def test_stopped_at_any_file_it_goes_on_to_the_same(sounds, whole, tmp_path, monkeypatch, capsys, call):
    out, calls, replace = tmp_path/"run", [], os.replace
    def stop(a, b):
        if str(out) in str(b): calls.append(b)
        if len(calls) == call + 1: raise KeyboardInterrupt
        replace(a, b)
    with monkeypatch.context() as m:
        m.setattr(os, "replace", stop)
        assert cluster(sounds, out) == 130
    assert state(out) == ("stopped" if call else "new") and not list(out.rglob(".*.tmp"))
    if call: assert cluster(sounds, out) == 2 and "use --resume" in capsys.readouterr().err
    assert cluster(sounds, out, "--resume") == 0
    assert same(out, whole) and state(out) == "whole" and (out/"listen.html").is_file() and not (out/".lock").exists()


def start(sounds, out, *more):
    return subprocess.Popen([sys.executable, "-m", "audioclust", "cluster", str(sounds), "--out", str(out), "--cache", str(out.parent/"cache"), *PLAIN, *more], stderr=subprocess.PIPE, text=True)

@pytest.fixture(scope="module")
def took(sounds, tmp_path_factory): # Seconds of a run
    begin = time.monotonic()
    assert start(sounds, tmp_path_factory.mktemp("timed")/"run").wait() == 0
    return time.monotonic() - begin

@pytest.mark.parametrize("share", [.5, .8])
def test_killed_at_some_moment_it_goes_on_to_the_same(sounds, whole, took, tmp_path, share):
    p, out = start(sounds, tmp_path/"run"), tmp_path/"run"
    time.sleep(share*took)
    p.send_signal(signal.SIGKILL)
    p.wait()
    assert cluster(sounds, out, "--resume") == 0 and same(out, whole)


def test_killed_before_it_had_written_what_was_asked_it_begins_anew(sounds, whole, tmp_path):
    out = tmp_path/"run"
    out.mkdir()
    (out/".lock").touch()
    (out/".started.json.2583.json").write_text("{")
    assert state(out) == "new" and cluster(sounds, out, "--resume") == 0 and same(out, whole)


@pytest.mark.parametrize("more", [[], ["--resume"]], ids=["new", "resumed"])
def test_both_ways_begin_anew_as_well(sounds, tmp_path, more):
    out = tmp_path/"run"
    out.mkdir()
    for name in (".lock", ".started.json.2583.json"): (out/name).touch()
    assert main(["cluster", str(sounds), "--out", str(out), "--by", "both", "--n-clusters", "4,3", "--stability", "0", "--no-page", "-q", *more]) == 0
    assert (out/"both.json").is_file() and not list(out.glob(".*"))


def test_what_was_half_written_is_removed(sounds, whole, tmp_path):
    out = tmp_path/"run"
    (out/"model").mkdir(parents=True)
    for name in (".clusters.csv.123.csv", "model/.encoder.json.9.json", ".embeddings.npy.77.npy"): (out/name).write_text("half")
    assert state(out) == "other"  # a folder that we did not begin is left alone
    write_json(dict(schema=SCHEMA, request={}, created="2020-01-01T00:00:00+00:00"), out/"started.json")
    (out/".hidden").write_text("mine")
    assert cluster(sounds, out, "--resume") == 0 and same(out, whole)
    assert {p.name for p in out.rglob(".*")} == {".hidden"}


def test_two_at_once(sounds, tmp_path, capsys):
    with at_work(tmp_path/"run"):
        assert cluster(sounds, tmp_path/"run", "--overwrite") == 2
        err = capsys.readouterr().err
        assert "another audioclust is at work" in err and err.count("\n") == 1
        p = start(sounds, tmp_path/"run", "--overwrite")
        assert p.wait() == 2 and "another audioclust is at work" in p.stderr.read()
    assert cluster(sounds, tmp_path/"run") == 0


def test_the_lock_of_a_dead_process_keeps_nobody_out(sounds, tmp_path):
    out = tmp_path/"run"
    p = subprocess.Popen([sys.executable, "-c", f"from audioclust.runs.resuming import at_work\nimport time\nwith at_work({str(out)!r}): print('in', flush=True); time.sleep(60)"], stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "in\n" and (out/".lock").exists()
    p.kill(); p.wait()
    assert state(out) == "stopped" and cluster(sounds, out, "--overwrite") == 0 and state(out) == "whole"


def test_a_whole_run_is_finished_and_another_request_refused(sounds, tmp_path, capsys):
    out = tmp_path/"run"
    assert cluster(sounds, out, "--no-page") == 0 and not (out/"listen.html").exists()
    made = (out/"run.json").stat().st_mtime_ns
    assert cluster(sounds, out, "--resume") == 0 and (out/"listen.html").is_file() and (out/"run.json").stat().st_mtime_ns == made
    for more, said in (["--seed", "1"], "random_state was 0 and is 1"), (["--by", "source"], "by was 'content' and is 'source'"):
        assert cluster(sounds, out, "--resume", *more) == 2 and said in capsys.readouterr().err
    other = tmp_path/"other"
    synthetic_words(2, 2, 3).save(other)
    assert cluster(other, out, "--resume") == 2 and "the recordings were" in capsys.readouterr().err


def test_a_wrong_request_leaves_nothing(sounds, tmp_path, capsys):
    assert cluster(sounds, tmp_path/"run", "--method", "dbscan", "--set", "eps=-1") == 2
    assert not (tmp_path/"run").exists()
    (tmp_path/"empty").mkdir()
    assert cluster(tmp_path/"empty", tmp_path/"run") == 2 and not (tmp_path/"run").exists()
    assert cluster(sounds, tmp_path/"run") == 0
    kept = {p: p.read_bytes() for p in (tmp_path/"run").rglob("*") if p.is_file()}
    assert cluster(sounds, tmp_path/"run", "--overwrite", "--n-clusters", "500") == 2
    assert {p: p.read_bytes() for p in (tmp_path/"run").rglob("*") if p.is_file()} == kept and state(tmp_path/"run") == "whole"


def test_replacing_a_run_keeps_its_numbers_though_stopped(sounds, tmp_path, monkeypatch):
    out = tmp_path/"run"
    assert cluster(sounds, out) == 0
    about, table = json.loads((out/"run.json").read_text()), pd.read_csv(out/"clusters.csv")
    write_table(read_table(out/"clusters.csv").assign(cluster=(table.cluster + 1) % 4), out/"clusters.csv")
    write = write_table
    def stop(t, path):
        if path == out/"errors.csv": raise KeyboardInterrupt  # clusters.csv is the new one by now
        write(t, path)
    with monkeypatch.context() as m:
        m.setattr(run_folder, "write_table", stop)
        assert cluster(sounds, out, "--overwrite") == 130
    assert cluster(sounds, out, "--resume") == 0
    assert (pd.read_csv(out/"clusters.csv").cluster == (table.cluster + 1) % 4).all() and not (out/"earlier.csv").exists()


def test_both_ways_go_on(sounds, tmp_path, monkeypatch):
    out, write = tmp_path/"run", write_table
    def stop(t, path):
        if "source" in str(path): raise KeyboardInterrupt
        write(t, path)
    with monkeypatch.context() as m:
        m.setattr(run_folder, "write_table", stop)
        assert cluster(sounds, out, "--by", "both") == 130
    made = (out/"content/run.json").stat().st_mtime_ns
    assert state(out) == "stopped" and state(out/"content") == "whole" and state(out/"source") == "stopped"
    assert cluster(sounds, out, "--by", "both", "--resume") == 0
    assert (out/"content/run.json").stat().st_mtime_ns == made and (out/"both.csv").is_file() and state(out/"source") == "whole" and not (out/"started.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_mark_that_says_nothing(sounds, tmp_path, capsys, text):
    out = tmp_path/"run"
    out.mkdir()
    (out/"started.json").write_text(text)
    assert cluster(sounds, out, "--resume") == 2
    err = capsys.readouterr().err
    assert "start again with --overwrite" in err and err.count("\n") == 1
    assert cluster(sounds, out, "--overwrite") == 0
