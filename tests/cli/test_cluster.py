"audioclust cluster: what comes out, what is refused, and what is left alone."
import contextlib
import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.runs import Run

COLUMNS = ["path", "start", "end", "cluster", "confidence", "representative", "stability", "strangeness", "clip_id"]
PLAIN = ["--n-clusters", "2", "--stability", "0", "--no-page", "-q"]
FIGURES = "map", "sizes", "confusion", "silhouette", "groups", "dendrogram"


def run(*args):
    "What a process of these arguments would say and end with."
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): status = main([str(arg) for arg in args])
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())

def scores(folder): return json.loads((folder/"run.json").read_text())["findings"]["scores"]


def test_cluster_and_score_in_a_process(words, tmp_path):
    folder, out = words[0], tmp_path/"run"
    typed = "cluster", folder, "--out", out, "--n-clusters", "6", "--labels", "parent", "--device", "cpu"
    r = subprocess.run([sys.executable, "-m", "audioclust", *map(str, typed)], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    assert "192 clips" in r.stdout and "in 6 clusters by content, ignoring pitch, level, noise, room" in r.stdout
    files = "run.json", "clusters.csv", "errors.csv", "embeddings.npy", "listen.html", "model/encoder.json"
    for name in (*files, *(f"figures/{figure}.png" for figure in FIGURES)): assert (out/name).stat().st_size > 0, name
    table = pd.read_csv(out/"clusters.csv")
    assert list(table.columns) == COLUMNS and len(table) == 192 and table.representative.sum() == 6
    assert np.load(out/"embeddings.npy").shape[0] == 192
    assert scores(out)["nmi"] > .5 and scores(out)["labelled"] == 192
    before = (out/"clusters.csv").read_bytes()
    r = run("compare", out, "--labels", r"voice(\d)")
    assert r.returncode == 0 and scores(out)["nmi"] < .4
    assert (out/"clusters.csv").read_bytes() == before # labels only score


def test_bad_files_are_a_warning_and_rows(tmp_path, tone):
    for i in range(4): tone(tmp_path/"in"/f"tone {i}.wav", hz=300*(i + 1))
    (tmp_path/"in/bad,\n\"name\".wav").write_bytes(b"x")
    r = run("cluster", tmp_path/"in", "--out", tmp_path/"run", "--n-clusters", 2)
    assert r.returncode == 0 and "1 file or clip could not be used" in r.stderr
    errors = pd.read_csv(tmp_path/"run/errors.csv")
    assert errors.path[0].endswith('bad,\n"name".wav') and "not audio" in errors.reason[0]


def test_nothing_usable_is_status_2_and_one_line(tmp_path):
    (tmp_path/"in").mkdir()
    (tmp_path/"in/bad.wav").write_bytes(b"x")
    (tmp_path/"in/empty.wav").touch()
    r = run("cluster", tmp_path/"in", "--out", tmp_path/"run")
    assert r.returncode == 2 and r.stderr.count("\n") == 1 and r.stdout == ""
    assert "no usable recording" in r.stderr and "2 could not be used" in r.stderr
    assert not (tmp_path/"run").exists()


def test_a_run_is_not_overwritten_unless_told(words, tmp_path, capsys):
    folder, mine = words[0], tmp_path/"mine"
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), *PLAIN]
    assert main(args) == 0
    assert Run.open(tmp_path/"run").made["command"] == args
    first = (tmp_path/"run/run.json").read_text()
    assert main(args) == 2 and "already holds a run" in capsys.readouterr().err
    assert (tmp_path/"run/run.json").read_text() == first
    assert main([*args, "--overwrite"]) == 0
    mine.mkdir()
    (mine/"notes.txt").write_text("keep")
    assert main(["cluster", str(folder), "--out", str(mine), "--overwrite"]) == 2
    assert main(["demo", "--out", str(mine)]) == 2 and (mine/"notes.txt").exists()


def test_an_interrupted_save_is_not_a_run_and_can_be_replaced(words, tmp_path, capsys, monkeypatch):
    from audioclust.runs import run as saving
    out = str(tmp_path/"run")
    args = ["cluster", str(words[0]), "--out", out, "--n-clusters", "2", "-q"]
    def stop(*_): raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(saving, "complete_run", stop)
        assert main(args) == 130
    assert main(["compare", out, "--labels", "parent"]) == 2 and "--resume" in capsys.readouterr().err
    assert main([*args, "--overwrite"]) == 0
    assert main(["compare", out, "--labels", "parent"]) == 0


def test_odd_labels_score(tmp_path, tone):
    for name in ("$5_$6", "日本", "NA"):
        for i in range(3): tone(tmp_path/"in"/name/f"{i}.wav", hz=200*(i + 1))
    typed = ["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--labels", "parent"]
    assert main([*typed, "-q"]) == 0
    assert scores(tmp_path/"run")["n_classes"] == 3


def test_a_glob_and_a_csv(words, tmp_path, capsys):
    folder, table = words
    assert main(["cluster", f"{folder}/word0/*.wav", "--out", str(tmp_path/"a"), *PLAIN]) == 0
    table.assign(path=[str(p) for p in table.path], end=.2).to_csv(tmp_path/"t.csv", index=False)
    assert main(["cluster", str(tmp_path/"t.csv"), "--out", str(tmp_path/"b"), *PLAIN]) == 0
    assert pd.read_csv(tmp_path/"b/clusters.csv").end.max() == .2
    assert main(["cluster", f"{folder}/*.xyz", "--out", str(tmp_path/"c")]) == 2
    assert "no file matches" in capsys.readouterr().err


@pytest.mark.data
def test_fsdd_as_the_readme_does_it(tmp_path):
    folder = os.path.join(os.environ["AUDIOCLUST_DATA"], "fsdd", "recordings")
    r = run("cluster", folder, "--n-clusters", 10, "--labels", r"^(\d)_", "--out", tmp_path/"run", "-q")
    assert r.returncode == 0, r.stderr
    assert scores(tmp_path/"run")["nmi"] > .55


def test_an_untrained_network_and_a_consensus(words, tmp_path):
    from audioclust.pipeline import assign
    folder, out = words[0], tmp_path/"run"
    typed = ["cluster", str(folder), "--out", str(out), "--encoder", "untrained", "--method", "consensus"]
    assert main([*typed, "--by", "source", "--n-clusters", "4", "--labels", r"voice(\d)", "--stability", "0", "--no-page", "-q"]) == 0
    again = Run.open(out)
    assert scores(out)["nmi"] > .4 and again.request.encoder == "untrained"
    assert type(again.embeddings.encoder).__name__ == "NetworkEncoder"
    assert (assign(again, folder).cluster == again.clustering.labels).all()


@pytest.mark.parametrize("options", [["--overwrite"], ["--resume"]], ids=str)
def test_a_folder_of_recordings_named_training_is_safe(tone, tmp_path, capsys, options):
    data = tmp_path/"data"
    for i in range(4): tone(data/"training"/f"{i}.wav", hz=300*(i + 1))
    train = ["--method", "deepcluster", "--n-clusters", "2", "--epochs", "1", "-q"]
    for source in data, data/"training":
        assert main(["cluster", str(source), "--out", str(data), *train, *options]) == 2
        assert "choose another --out" in capsys.readouterr().err
    assert len(list((data/"training").glob("*.wav"))) == 4


def test_a_log_has_a_line_for_each_stage(words, tmp_path, monkeypatch):
    monkeypatch.setattr("audioclust.cli.one_run.QUIET_SECONDS", -1)
    args = "cluster", words[0], "--out", tmp_path/"run", "--n-clusters", "3", "--method", "kmeans"
    stages = [line.removesuffix(" …") for line in run(*args).stderr.splitlines() if line.endswith(" …")]
    assert stages[:3] == ["find", "choose encoder", "embed"] and "cluster" in stages
    assert "…" not in run(*args, "--overwrite", "-q").stderr
