"Runs that are stopped, resumed, and in each other's way."
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.core.files import write_json, write_table
from audioclust.runs import clips, run as run_module
from audioclust.runs.resuming import at_work, begun, check_same, continues_training, earlier_run, EARLIER, state
from audioclust.runs.run_folder import read_table, SCHEMA

SAME = "clusters.csv", "embeddings.npy", "errors.csv", "map.npy"
PLAIN = ["--n-clusters", "4", "--stability", "3", "-q"]
REQUEST = dict(method="kmeans", n_clusters=4, by="content", random_state=0, params=None)


def stop(out, write, **about):
    "Begin work on a folder, write something, and be killed."
    with pytest.raises(KeyboardInterrupt):
        with at_work(out, **about):
            write(out)
            raise KeyboardInterrupt


def checkpoint(out): # as a training writes it
    (out/"training").mkdir(exist_ok=True)
    (out/"training/training.safetensors").write_bytes(b"weights")


def test_what_was_asked_for_must_be_the_same(tmp_path):
    out = tmp_path/"run"
    seeded = REQUEST | dict(seeds=["/a.csv"], num_workers=1, device="cpu")
    stop(out, checkpoint, request=seeded, inputs=dict(clips="/clips.csv", grow=None), recordings="/sounds")
    assert state(out) == "stopped"
    check_same(out, seeded | dict(num_workers=4, device="cuda"), dict(clips="/clips.csv"), "/sounds")
    for request, inputs, recordings, message in [
            (seeded | dict(n_clusters=5), dict(clips="/clips.csv"), "/sounds", "n_clusters was 4 and is 5"),
            (seeded | dict(seeds=["/b.csv"]), dict(clips="/clips.csv"), "/sounds", "seeds was .* and is"),
            (seeded | dict(encoder="fixed"), dict(clips="/clips.csv"), "/sounds", "encoder was None and is 'fixed'"),
            (seeded, {}, "/sounds", "clips was '/clips.csv' and is None"),
            (seeded, dict(clips="/clips.csv", grow="/run"), "/sounds", "grow was None and is '/run'"),
            (seeded, dict(clips="/clips.csv"), "/others", "the recordings were /sounds")]:
        with pytest.raises(ValueError, match=f"was begun with another request .{message}.*--overwrite"):
            check_same(out, request, inputs, recordings)


def test_more_epochs_go_on_and_other_parameters_do_not(tmp_path):
    out = tmp_path/"run"
    asked = REQUEST | dict(params=dict(epochs=3, views=2))
    stop(out, checkpoint, request=asked, inputs={}, recordings="/sounds")
    more = REQUEST | dict(params=dict(epochs=5, views=2))
    check_same(out, more, {}, "/sounds")
    assert continues_training(out, more) and not continues_training(out, asked)
    for params in dict(epochs=2, views=2), dict(epochs=5, views=4), None:
        with pytest.raises(ValueError, match="params was"):
            check_same(out, REQUEST | dict(params=params), {}, "/sounds")


def test_what_an_error_leaves(tmp_path, run_folder):
    out = tmp_path/"new"
    with pytest.raises(ValueError, match="no recording"):
        with at_work(out): raise ValueError("no recording")
    assert not out.exists()
    errors = {"full": "full; what is done is kept: --resume goes on", "try --resume": "^try --resume$"}
    for text, message in errors.items():
        with pytest.raises(OSError, match=message):
            with at_work(out, recordings="/sounds"):
                checkpoint(out)
                raise OSError(text)
        assert state(out) == "stopped" and begun(out)
    run = run_folder()
    with pytest.raises(OSError, match="^full$"):
        with at_work(run): raise OSError("full") # nothing was written: the run is as it was
    assert state(run) == "whole" and not (run/".lock").exists()


@pytest.mark.parametrize("spoil, warned", [
    (lambda run: None, False), (lambda run: (run/"clusters.csv").write_text("path\n"), True),
    (lambda run: (run/"clusters.csv").unlink(), True), (lambda run: (run/"run.json").write_text("{}"), False)])
def test_the_table_that_is_replaced_is_put_aside(run_folder, recwarn, spoil, warned):
    run = run_folder()
    before = read_table(run/"clusters.csv")
    spoil(run)
    by, table = earlier_run(run)
    assert bool(recwarn) == warned and ("clusters are numbered anew" in str(recwarn[0].message) if warned else True)
    is_read = (run/EARLIER).is_file()
    assert (by == "content") == is_read and (table is not None) == is_read
    if not is_read: return
    run_folder("run", [1, 1, 0, 0])
    by, table = earlier_run(run)
    assert by == "content" and table.cluster.tolist() == before.cluster.tolist()
    (run/EARLIER).write_text("path,cluster\na.wav,0\n")
    with pytest.warns(UserWarning, match="lacks by, start or end"): assert earlier_run(run) == (None, None)


# Whole runs

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

def cluster(sounds, out, *more):
    return main(["cluster", str(sounds), "--out", str(out), "--cache", str(out.parent/"cache"), *PLAIN, *more])

def same(a, b): return all((a/n).read_bytes() == (b/n).read_bytes() for n in SAME)


@pytest.mark.parametrize("call", [0, 1, 4, 7])
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
    command = "cluster", str(sounds), "--out", str(out), "--cache", str(out.parent/"cache"), *PLAIN, *more
    return subprocess.Popen([sys.executable, "-m", "audioclust", *command], stderr=subprocess.PIPE, text=True)

def test_killed_before_it_had_written_what_was_asked_it_begins_anew(sounds, whole, tmp_path):
    out = tmp_path/"run"
    out.mkdir()
    (out/".lock").touch()
    (out/".started.json.2583.json").write_text("{")
    assert state(out) == "new" and cluster(sounds, out, "--resume") == 0 and same(out, whole)
    (out/"both").mkdir()
    for name in ".lock", ".started.json.2583.json": (out/"both"/name).touch()
    assert cluster(sounds, out/"both", "--by", "both", "--method", "kmeans", "--no-page") == 0 and not list((out/"both").glob(".*"))


def test_recordings_that_came_since_are_said(sounds, tmp_path, capsys):
    folder = tmp_path/"sounds"
    shutil.copytree(sounds, folder)
    assert cluster(folder, tmp_path/"run") == 0
    assert cluster(folder, tmp_path/"run", "--resume") == 0
    assert "came after" not in capsys.readouterr().err
    shutil.copy(next(folder.rglob("*.wav")), folder/"later.wav")
    assert cluster(folder, tmp_path/"run", "--resume") == 0
    assert "1 recording came after this run was made, such as later.wav, and is not in it" in capsys.readouterr().err
    first, second = sorted(set(read_table(tmp_path/"run/clusters.csv").path))[:2]
    os.utime(first, (2e9, 2e9)), os.remove(second)
    assert cluster(folder, tmp_path/"run", "--resume") == 0
    assert f"2 recordings of this run, such as {os.path.basename(first)}, went or changed since" in capsys.readouterr().err
    assert main(["cluster", str(folder), "--grow", str(tmp_path/"run"), "--out", str(tmp_path/"grown"), "-q"]) == 0
    assert len(read_table(tmp_path/"grown/clusters.csv")) == len(read_table(tmp_path/"run/clusters.csv")) + 1


def test_a_recording_without_an_event_did_not_come_since(tmp_path, capsys):
    from audioclust.audio import synthetic_tape
    (tmp_path/"tapes").mkdir()
    quiet = 1e-3*np.random.default_rng(0).standard_normal(16000*20)
    for name, wave in ("calls", synthetic_tape(60, "hiss", 10, every=4, random_state=0)[0]), ("quiet", quiet):
        sf.write(tmp_path/"tapes"/f"{name}.wav", wave, 16000)
    typed = ["cluster", str(tmp_path/"tapes"), "--cut", "events", "--n-clusters", "2", "--stability", "0", "--no-page",
             "--no-cache", "--out", str(tmp_path/"run"), "-q"]
    for more in [], ["--resume"]: assert main([*typed, *more]) == 0
    assert "quiet.wav" not in set(read_table(tmp_path/"run/clusters.csv").path.str.rsplit("/", n=1).str[-1])
    assert "came after" not in capsys.readouterr().err


def test_what_was_half_written_is_removed(sounds, whole, tmp_path):
    out = tmp_path/"run"
    (out/"model").mkdir(parents=True)
    for name in (".clusters.csv.123.csv", "model/.encoder.json.9.json", ".embeddings.npy.77.npy"):
        (out/name).write_text("half")
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
        assert cluster(sounds, tmp_path/"run") == 2 and main(["listen", str(tmp_path/"run")]) == 2
        err = capsys.readouterr().err
        assert err.count("another audioclust is at work") == 2 and "stopped" not in err
        p = start(sounds, tmp_path/"run", "--overwrite")
        assert p.wait() == 2 and "another audioclust is at work" in p.stderr.read()
    assert cluster(sounds, tmp_path/"run") == 0


def test_the_lock_of_a_dead_process_keeps_nobody_out(tmp_path):
    out = tmp_path/"run"
    code = f"""
import time
from audioclust.runs.resuming import at_work
with at_work({str(out)!r}):
    print("in", flush=True)
    time.sleep(60)
"""
    p = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "in\n" and (out/".lock").exists()
    with pytest.raises(ValueError, match="another audioclust is at work"):
        with at_work(out): pass
    p.kill()
    p.wait()
    assert state(out) == "stopped"
    with at_work(out): pass
    assert state(out) == "new"


def test_a_whole_run_is_finished_and_another_request_refused(sounds, tmp_path, capsys):
    out = tmp_path/"run"
    assert cluster(sounds, out, "--no-page") == 0 and not (out/"listen.html").exists()
    made = (out/"run.json").stat().st_mtime_ns
    assert cluster(sounds, out, "--resume") == 0 and (out/"listen.html").is_file()
    assert (out/"run.json").stat().st_mtime_ns == made
    for more, said in [(["--seed", "1"], "random_state was 0 and is 1"),
                       (["--by", "source"], "by was 'content' and is 'source'"),
                       (["--encoder", "fixed"], "encoder was None and is 'fixed'")]:
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
    assert {p: p.read_bytes() for p in (tmp_path/"run").rglob("*") if p.is_file()} == kept
    assert state(tmp_path/"run") == "whole"


def test_replacing_a_run_keeps_its_numbers_though_stopped(sounds, tmp_path, monkeypatch):
    out = tmp_path/"run"
    assert cluster(sounds, out) == 0
    table = pd.read_csv(out/"clusters.csv")
    write_table(read_table(out/"clusters.csv").assign(cluster=(table.cluster + 1) % 4), out/"clusters.csv")
    write = write_table
    def stop(t, path):
        if path == out/"errors.csv": raise KeyboardInterrupt  # clusters.csv is the new one by now
        write(t, path)
    with monkeypatch.context() as m:
        m.setattr(clips, "write_table", stop)
        assert cluster(sounds, out, "--overwrite") == 130
    assert cluster(sounds, out, "--resume") == 0
    assert (pd.read_csv(out/"clusters.csv").cluster == (table.cluster + 1) % 4).all()
    assert not (out/"earlier.csv").exists()


def test_both_ways_go_on(sounds, tmp_path, monkeypatch):
    out, write = tmp_path/"run", write_table
    def stop(t, path):
        if "source" in str(path): raise KeyboardInterrupt
        write(t, path)
    with monkeypatch.context() as m:
        m.setattr(run_module, "write_table", stop)
        assert cluster(sounds, out, "--by", "both", "--method", "kmeans") == 130
    made = (out/"content/run.json").stat().st_mtime_ns
    assert state(out) == "stopped" and state(out/"content") == "whole" and state(out/"source") == "stopped"
    assert cluster(sounds, out, "--by", "both", "--method", "kmeans", "--resume") == 0
    assert (out/"content/run.json").stat().st_mtime_ns == made and (out/"both.csv").is_file()
    assert state(out/"source") == "whole" and not (out/"started.json").exists()


@pytest.mark.parametrize("text", ["[]", "{"])
def test_a_mark_that_says_nothing(sounds, tmp_path, capsys, text):
    out = tmp_path/"run"
    out.mkdir()
    (out/"started.json").write_text(text)
    assert cluster(sounds, out, "--resume") == 2
    err = capsys.readouterr().err
    assert "start again with --overwrite" in err and err.count("\n") == 1
    assert cluster(sounds, out, "--overwrite") == 0
