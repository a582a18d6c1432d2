import json, os, subprocess, sys

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main


def run(*args, cwd=None, **env):
    return subprocess.run([sys.executable, "-m", "audioclust", *map(str, args)], capture_output=True, text=True, cwd=cwd, env={**os.environ, **env})


def test_cluster_and_score_in_a_process(words, tmp_path):
    folder, _ = words
    r = run("cluster", folder, "--out", tmp_path/"run", "--n-clusters", 6, "--labels", "parent", "--device", "cpu")
    assert r.returncode == 0, r.stderr
    assert "192 clips" in r.stdout and "in 6 clusters by content, ignoring pitch, level, noise, room" in r.stdout
    for name in ("run.json", "clusters.csv", "errors.csv", "embeddings.npy", "figures/map.png", "figures/sizes.png", "figures/confusion.png", "figures/silhouette.png", "figures/groups.png", "figures/dendrogram.png", "listen.html", "model/encoder.json"):
        assert (tmp_path/"run"/name).stat().st_size > 0
    t = pd.read_csv(tmp_path/"run/clusters.csv")
    assert list(t.columns) == ["path", "start", "end", "cluster", "confidence", "representative", "stability", "clip_id"] and len(t) == 192 and t.representative.sum() == 6
    assert np.load(tmp_path/"run/embeddings.npy").shape[0] == 192
    scores = json.loads((tmp_path/"run/run.json").read_text())["scores"]
    assert scores["nmi"] > .5 and scores["labelled"] == 192
    before = (tmp_path/"run/clusters.csv").read_bytes()
    r = run("score", tmp_path/"run", "--labels", r"voice(\d)")
    assert r.returncode == 0 and json.loads((tmp_path/"run/run.json").read_text())["scores"]["nmi"] < .4
    assert (tmp_path/"run/clusters.csv").read_bytes() == before  # labels only score


def test_bad_files_are_a_warning_and_rows(tmp_path, tone):
    for i in range(4): tone(tmp_path/"in"/f"tone {i}.wav", hz=300*(i + 1))
    (tmp_path/"in/bad,\n\"name\".wav").write_bytes(b"x")
    r = run("cluster", tmp_path/"in", "--out", tmp_path/"run", "--n-clusters", 2)
    assert r.returncode == 0 and "1 file or clip could not be used" in r.stderr
    e = pd.read_csv(tmp_path/"run/errors.csv")
    assert e.path[0].endswith('bad,\n"name".wav') and "not audio" in e.reason[0]


def test_nothing_usable_is_status_2_and_one_line(tmp_path):
    (tmp_path/"in").mkdir()
    (tmp_path/"in/bad.wav").write_bytes(b"x"); (tmp_path/"in/empty.wav").touch()
    r = run("cluster", tmp_path/"in", "--out", tmp_path/"run")
    assert r.returncode == 2 and r.stderr.count("\n") == 1 and r.stdout == "" and "no usable recording" in r.stderr and "2 could not be used" in r.stderr
    assert not (tmp_path/"run").exists()


@pytest.mark.parametrize("option,value,said", [("--n-clusters", "0", "whole number above 0"), ("--n-clusters", "many", "whole number above 0"), ("--window", "-1", "above 0 of seconds"),
    ("--method", "magic", "invalid choice"), ("--by", "colour", "invalid choice"), ("--ignore", "colour", "choose from order"), ("--rate", "0", "hertz"), ("--set", "eps", "NAME=VALUE"),
    ("--labels", "zebra(", "not a regular expression"), ("--labels", "zebra", "match none"), ("--hop", "1", "hop needs window"), ("--device", "abacus", "abacus"), ("--device", "meta", "not supported"), ("--rate", "100", "from 2000 to 192000"),
    ("--set", "n_clusters=5", "argument of its own"), ("--set", "tol=None", "tol"), ("--set", "colour=1", "no parameter 'colour'"), ("--n-clusters", "5000", "only 192 clips")])
def test_wrong_options(words, tmp_path, capsys, option, value, said):
    folder, _ = words
    try: status = main(["cluster", str(folder), "--out", str(tmp_path/"run"), "-q", option, value])
    except SystemExit as e: status = e.code
    err = capsys.readouterr().err
    assert status == 2 and said in err and "Traceback" not in err
    assert not (tmp_path/"run").exists()


def test_a_run_is_not_overwritten_unless_told(words, tmp_path, capsys):
    folder, _ = words
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q"]
    assert main(args) == 0
    first = (tmp_path/"run/run.json").read_text()
    assert main(args) == 2 and "already holds a run" in capsys.readouterr().err and (tmp_path/"run/run.json").read_text() == first
    assert main([*args, "--overwrite"]) == 0
    (tmp_path/"mine").mkdir(); (tmp_path/"mine/notes.txt").write_text("keep")
    assert main(["cluster", str(folder), "--out", str(tmp_path/"mine"), "--overwrite"]) == 2
    assert main(["demo", "--out", str(tmp_path/"mine")]) == 2 and (tmp_path/"mine/notes.txt").exists()


def test_an_interrupted_save_is_not_a_run_and_can_be_replaced(words, tmp_path, capsys, monkeypatch):
    from audioclust.pipeline import run_folder as kept
    folder, _ = words
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q"]
    def stop(*_): raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(kept, "plot_sizes", stop)
        assert main(args) == 130
    assert main(["score", str(tmp_path/"run"), "--labels", "parent"]) == 2 and "--resume" in capsys.readouterr().err
    assert main([*args, "--overwrite"]) == 0 and main(["score", str(tmp_path/"run"), "--labels", "parent"]) == 0


def test_old_pictures_do_not_outlive_their_scores(words, tmp_path):
    folder, _ = words
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q"]
    assert main([*args, "--labels", "parent"]) == 0 and (tmp_path/"run/figures/confusion.png").exists()
    assert main([*args, "--overwrite"]) == 0 and not (tmp_path/"run/figures/confusion.png").exists()


def test_odd_labels_score(tmp_path, tone):
    for name in ("$5_$6", "日本", "NA"):
        for i in range(3): tone(tmp_path/"in"/name/f"{i}.wav", hz=200*(i + 1))
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--labels", "parent", "-q"]) == 0
    assert json.loads((tmp_path/"run/run.json").read_text())["scores"]["n_classes"] == 3


def test_a_glob_and_a_csv(words, tmp_path, capsys):
    folder, table = words
    assert main(["cluster", f"{folder}/word0/*.wav", "--out", str(tmp_path/"a"), "--n-clusters", "2", "-q"]) == 0
    table.assign(path=[str(p) for p in table.path], end=.2).to_csv(tmp_path/"t.csv", index=False)
    assert main(["cluster", str(tmp_path/"t.csv"), "--out", str(tmp_path/"b"), "--n-clusters", "2", "-q"]) == 0
    assert pd.read_csv(tmp_path/"b/clusters.csv").end.max() == .2
    assert main(["cluster", f"{folder}/*.xyz", "--out", str(tmp_path/"c")]) == 2 and "no file matches" in capsys.readouterr().err


def test_help_is_quick_and_teaches():
    r = run("cluster", "--help")
    assert r.returncode == 0 and all(s in r.stdout for s in ("--by content", "--by source", "hdbscan", "clusters.csv", "examples", "status"))
    heavy = run("--version")
    assert heavy.returncode == 0 and heavy.stdout.startswith("audioclust ")
    r = subprocess.run([sys.executable, "-c", "import sys, audioclust.cli.parser as c; c._parser(); print([m for m in ('torch', 'fastai', 'pandas', 'matplotlib', 'sklearn') if m in sys.modules])"], capture_output=True, text=True)
    assert r.stdout.strip() == "[]"
    assert run().returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupt_is_130(tmp_path):
    # a shell starts what it puts in the background with SIGINT ignored, so the handler is set anew
    code = "import os, signal, sys, audioclust.cli.parser as c; signal.signal(signal.SIGINT, signal.default_int_handler); c.cluster = lambda a: os.kill(os.getpid(), signal.SIGINT) or __import__('time').sleep(5); sys.exit(c.main(['cluster', 'x', '--out', 'y']))"
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 130 and r.stderr == "audioclust: interrupted\n"


def test_demo(tmp_path):
    for name in "notes.txt", "words-by-source/old.txt", ".audioclust-demo":  # an earlier demo's, and a file that somebody put there
        (tmp_path/"demo"/name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path/"demo"/name).write_text("keep")
    r = run("demo", "--out", tmp_path/"demo", "-q")
    assert r.returncode == 0, r.stderr
    for name in ("families-by-content", "words-by-content", "words-by-source"): assert (tmp_path/"demo"/name/"figures/map.png").is_file()
    assert "words" in r.stdout and str(tmp_path/"demo") in r.stdout
    assert (tmp_path/"demo/notes.txt").exists() and not (tmp_path/"demo/words-by-source/old.txt").exists()  # its own results it may replace, nothing else


@pytest.mark.data
def test_fsdd_as_the_readme_does_it(tmp_path):
    folder = os.path.join(os.environ["AUDIOCLUST_DATA"], "fsdd", "recordings")
    r = run("cluster", folder, "--n-clusters", 10, "--labels", r"^(\d)_", "--out", tmp_path/"run", "-q")
    assert r.returncode == 0, r.stderr
    assert json.loads((tmp_path/"run/run.json").read_text())["scores"]["nmi"] > .55


TRAINING = ["--method", "deepcluster", "--n-clusters", "3", "--epochs", "3", "--set", "passes=1", "--set", "views=2", "--no-cache"]

@pytest.mark.parametrize("quiet", [[], ["-q"]], ids=["with its progress", "quiet"])
def test_a_training_that_was_stopped_goes_on_to_the_same_result(few, tmp_path, capsys, monkeypatch, quiet):
    from audioclust.training.checkpoints import Checkpoints
    TRAIN = [*TRAINING, *quiet]
    assert main(["cluster", str(few), "--out", str(tmp_path/"whole"), *TRAIN]) == 0
    assert len(pd.read_csv(tmp_path/"whole/curves.csv")) == 3
    kept = Checkpoints.after_epoch
    def stop(self):
        kept(self)
        if self.epoch == 1: raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(Checkpoints, "after_epoch", stop)
        assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *TRAIN]) == 130
    assert {p.name for p in (tmp_path/"run").iterdir()} == {"training", "started.json"}
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *TRAIN]) == 2 and "use --resume" in capsys.readouterr().err
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *TRAIN, "--seed", "1", "--resume"]) == 2 and "random_state was 0 and is 1" in capsys.readouterr().err
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *TRAIN, "--resume"]) == 0
    said = capsys.readouterr().err
    assert "epoch 1 of 3" not in said and "epoch 2 of 3" not in said and ("epoch 3 of 3" in said) == (not quiet)
    for name in ("clusters.csv", "embeddings.npy", "curves.csv", "model/encoder.safetensors", "training/training.safetensors"): assert (tmp_path/"run"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes(), name


SPICE = ["--method", "spice", "--n-clusters", "3", "--epochs", "2", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=2", "--no-cache"]

def test_spice_stopped_and_gone_on_with_is_the_same(few, brief, tmp_path, monkeypatch, capsys):
    from audioclust.training.checkpoints import Checkpoints
    assert main(["cluster", str(few), "--out", str(tmp_path/"whole"), *SPICE]) == 0
    said = capsys.readouterr().err
    assert "contrast by content, epoch 1 of 2" in said and "contrast by source, epoch 2 of 2" in said and "match, epoch" in said
    write, wrote = Checkpoints.after_epoch, []
    def stop(self):
        write(self)
        wrote.append(self.file.stem)
        if wrote == ["content"]*2 + ["source"]: raise KeyboardInterrupt
    monkeypatch.setattr(Checkpoints, "after_epoch", stop)
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *SPICE, "-q"]) == 130
    assert {p.name for p in (tmp_path/"run/training").iterdir()} == {"content.safetensors", "source.safetensors"}
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *SPICE, "-q"]) == 2 and "--resume" in capsys.readouterr().err
    monkeypatch.setattr(Checkpoints, "after_epoch", write)
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), *SPICE, "-q", "--resume"]) == 0
    assert (tmp_path/"run/clusters.csv").read_bytes() == (tmp_path/"whole/clusters.csv").read_bytes()
    assert (tmp_path/"run/training/match.safetensors").read_bytes() == (tmp_path/"whole/training/match.safetensors").read_bytes()
    assert set(pd.read_csv(tmp_path/"run/curves.csv").stage) == {"contrast by content", "contrast by source", "heads", "match"}

def stages(run): return pd.read_csv(run/"curves.csv").stage.value_counts().to_dict()

@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "complete"])
@pytest.mark.parametrize("options", [TRAINING, SPICE], ids=["deepcluster", "spice"])
def test_more_epochs_than_before_go_on(few, brief, tmp_path, monkeypatch, capsys, options, stopped):
    from audioclust.training.checkpoints import Checkpoints
    def cluster(epochs, *more): return main(["cluster", str(few), "--out", str(tmp_path/"run"), *options, "--epochs", str(epochs), *more])
    write, trained = Checkpoints.after_epoch, []
    def note(self):
        write(self)
        if self.epoch > self.loaded_epoch: trained.append((self.file.stem, self.epoch))
        if stopped and self.file.stem in ("training", "source") and self.epoch == 1: raise KeyboardInterrupt
    monkeypatch.setattr(Checkpoints, "after_epoch", note)
    assert cluster(2, "-q") == 130*stopped
    trained.clear()
    stopped = False
    assert cluster(4, "--resume") == 0, capsys.readouterr().err
    assert [e for name,e in trained if name in ("training", "content")] == [2, 3], "it goes on, and does not begin again"
    if options is SPICE: assert [e for name,e in trained if name == "source"] == [2, 3] and [e for name,e in trained if name == "match"] == [0, 1] and stages(tmp_path/"run")["contrast by content"] == 4
    else: assert len(pd.read_csv(tmp_path/"run/curves.csv")) == 4
    capsys.readouterr()
    assert cluster(3, "--resume") == 2 and "'epochs': 4" in capsys.readouterr().err
    trained.clear()
    assert cluster(4, "--resume") == 0 and not trained, "all is done"
    for f in (tmp_path/"run/training").iterdir(): f.unlink()
    assert cluster(5, "--resume") == 2 and "cannot go on: start again with --overwrite" in capsys.readouterr().err
    assert main(["cluster", str(few), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--overwrite", "-q"]) == 0 and not (tmp_path/"run/training").exists()


@pytest.mark.parametrize("options, said", [(["--epochs", "3"], "--epochs is for"), (["--method", "deepcluster", "--encoder", "untrained"], "encoder of its own"),
    (["--method", "deepcluster", "--epochs", "-1"], "whole number"), (["--method", "deepcluster", "--set", "by='source'"], "argument of its own"), (["--method", "deepcluster", "--set", "backbone='tiny'"], "no backbone")])
def test_wrong_options_of_a_training(words, tmp_path, capsys, options, said):
    folder, _ = words
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "-q", *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_an_untrained_network_and_a_consensus(words, tmp_path):
    folder, _ = words
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--encoder", "untrained", "--method", "consensus", "--by", "source", "--n-clusters", "4", "--labels", r"voice(\d)", "-q"]) == 0
    run = json.loads((tmp_path/"run/run.json").read_text())
    assert run["scores"]["nmi"] > .4 and run["encoder"]["class"] == "NetworkEncoder" and run["request"]["encoder"] == "untrained"
    from audioclust.pipeline import AudioClusterer
    again = AudioClusterer.load(tmp_path/"run")
    assert (again.predict(folder) == again.labels_).all()


@pytest.mark.parametrize("options", [["--overwrite"], ["--resume"], ["--resume", "--overwrite"], []], ids=str)
def test_a_folder_of_recordings_named_training_is_safe(tone, tmp_path, capsys, options):
    for i in range(4): tone(tmp_path/"data/training"/f"{i}.wav", hz=300*(i + 1))
    for source in "data", "data/training":
        assert main(["cluster", str(tmp_path/source), "--out", str(tmp_path/"data"), "--method", "deepcluster", "--n-clusters", "2", "--epochs", "1", "-q", *options]) == 2
        assert "choose another --out" in capsys.readouterr().err
    assert len(list((tmp_path/"data/training").glob("*.wav"))) == 4


def test_nothing_to_train_on_is_told_with_its_reasons(tmp_path, capsys):
    (tmp_path/"in").mkdir()
    for i in range(3): (tmp_path/"in"/f"{i}.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0")
    for options in (["--method", "deepcluster"], ["--encoder", "untrained"]):
        assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q", *options]) == 2
        assert "no usable recording" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--encoder", "--method", "--out", "--labels", "--set", "--n-clusters"])
def test_two_dashes_are_no_value(words, tmp_path, capsys, option):
    with pytest.raises(SystemExit): main(["cluster", str(words), f"--out={tmp_path/'run'}", f"{option}=--"])
    assert "-- is no value" in capsys.readouterr().err and not (tmp_path/"run").exists()


@pytest.mark.parametrize("error, gone", [(RuntimeError("[/pytorch/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer"), True), (ValueError("no usable recording in /data/gloo/transport"), False), (RuntimeError("the igloo is full"), False)])
def test_another_process_that_has_ended_is_told_from_other_errors(monkeypatch, error, gone):
    from argparse import Namespace
    from audioclust.cli.parser import _message
    monkeypatch.setenv("RANK", "0")
    assert ("another process of this run has ended" in _message(error, Namespace())) == gone
    monkeypatch.delenv("RANK")
    assert "another process" not in _message(error, Namespace())
