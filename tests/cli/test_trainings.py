"Methods that train: stopped, resumed, and trained for longer."
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.training.checkpoints import Checkpoints

TRAINING = ["--method", "deepcluster", "--n-clusters", "3", "--epochs", "3", "--set", "passes=1", "--set", "views=2",
            "--no-cache", "--stability", "0", "--no-page"]
NFSPICE = ["--method", "nf-spice", "--n-clusters", "3", "--epochs", "2", "--set", "views=2", "--set", "match_epochs=2",
         "--set", "head_epochs=2", "--no-cache", "--stability", "0", "--no-page"]


def same(a, b, *names):
    for name in names: assert (a/name).read_bytes() == (b/name).read_bytes(), name

def stages(run): return pd.read_csv(run/"curves.csv").stage.value_counts().to_dict()


def test_a_training_that_was_stopped_goes_on_to_the_same_result(few, tmp_path, capsys, monkeypatch):
    run, whole = tmp_path/"run", tmp_path/"whole"
    def cluster(out, *more): return main(["cluster", str(few), "--out", str(out), *TRAINING, *more])
    assert cluster(whole) == 0
    assert len(pd.read_csv(whole/"curves.csv")) == 3
    write = Checkpoints.after_epoch
    def stop(self):
        write(self)
        if self.epoch == 1: raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(Checkpoints, "after_epoch", stop)
        assert cluster(run) == 130
    assert {p.name for p in run.iterdir()} == {"training", "started.json"}
    assert cluster(run) == 2 and "use --resume" in capsys.readouterr().err
    assert cluster(run, "--seed", "1", "--resume") == 2
    assert "random_state was 0 and is 1" in capsys.readouterr().err
    assert cluster(run, "--resume") == 0
    said = capsys.readouterr().err
    assert "epoch 1 of 3" not in said and "epoch 2 of 3" not in said and "epoch 3 of 3" in said
    same(run, whole, "clusters.csv", "embeddings.npy", "curves.csv", "model/encoder.safetensors",
         "training/training.safetensors")


def test_nf_spice_stopped_and_gone_on_with_is_the_same(few, brief, tmp_path, monkeypatch, capsys):
    run, whole = tmp_path/"run", tmp_path/"whole"
    def cluster(out, *more): return main(["cluster", str(few), "--out", str(out), *NFSPICE, *more])
    assert cluster(whole) == 0
    said = capsys.readouterr().err
    for line in "contrast by content, epoch 1 of 2", "contrast by source, epoch 2 of 2", "match, epoch":
        assert line in said
    write, wrote = Checkpoints.after_epoch, []
    def stop(self):
        write(self)
        wrote.append(self.file.stem)
        if wrote == ["content"]*2 + ["source"]: raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(Checkpoints, "after_epoch", stop)
        assert cluster(run, "-q") == 130
    assert {p.name for p in (run/"training").iterdir()} == {"content.safetensors", "source.safetensors"}
    assert cluster(run, "-q") == 2 and "--resume" in capsys.readouterr().err
    assert cluster(run, "-q", "--resume") == 0
    same(run, whole, "clusters.csv", "training/match.safetensors")
    assert set(stages(run)) == {"contrast by content", "contrast by source", "heads", "match"}


@pytest.mark.parametrize("options", [TRAINING, pytest.param(NFSPICE, marks=pytest.mark.slow)])
def test_more_epochs_than_before_go_on(few, brief, tmp_path, monkeypatch, capsys, options):
    run, stops = tmp_path/"run", True
    def cluster(epochs, *more):
        return main(["cluster", str(few), "--out", str(run), *options, "--epochs", str(epochs), *more])
    write, trained = Checkpoints.after_epoch, []
    def note(self):
        write(self)
        if self.epoch > self.loaded_epoch: trained.append((self.file.stem, self.epoch))
        if stops and self.file.stem in ("training", "source") and self.epoch == 1: raise KeyboardInterrupt
    def epochs_of(*names): return [epoch for name,epoch in trained if name in names]
    monkeypatch.setattr(Checkpoints, "after_epoch", note)
    assert cluster(2, "-q") == 130
    trained.clear()
    stops = False
    assert cluster(4, "--resume") == 0, capsys.readouterr().err
    assert epochs_of("training", "content") == [2, 3], "it goes on, and does not begin again"
    if options is NFSPICE:
        assert epochs_of("source") == [2, 3] and epochs_of("match") == [0, 1]
        assert stages(run)["contrast by content"] == 4
    else: assert len(pd.read_csv(run/"curves.csv")) == 4
    capsys.readouterr()
    assert cluster(3, "--resume") == 2 and "'epochs': 4" in capsys.readouterr().err
    trained.clear()
    assert cluster(4, "--resume") == 0 and not trained, "all is done"
    for file in (run/"training").iterdir(): file.unlink()
    assert cluster(5, "--resume") == 2
    assert "cannot go on: start again with --overwrite" in capsys.readouterr().err
    assert main(["cluster", str(few), "--out", str(run), "--n-clusters", "3", "--overwrite", "-q"]) == 0
    assert not (run/"training").exists()


WRONG = [(["--epochs", "3"], "--epochs is for"),
    (["--method", "deepcluster", "--encoder", "untrained"], "encoder of its own"),
    (["--method", "deepcluster", "--epochs", "-1"], "whole number"),
    (["--method", "deepcluster", "--set", "by='source'"], "argument of its own"),
    (["--method", "deepcluster", "--set", "backbone='tiny'"], "no backbone")]

@pytest.mark.parametrize("options, said", WRONG)
def test_wrong_options_of_a_training(words, tmp_path, capsys, options, said):
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), "-q", *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_nothing_to_train_on_is_told_with_its_reasons(tmp_path, capsys):
    empty = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
    (tmp_path/"in").mkdir()
    for i in range(3): (tmp_path/"in"/f"{i}.wav").write_bytes(empty)
    typed = ["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "2", "-q"]
    for options in (["--method", "deepcluster"], ["--encoder", "untrained"]):
        assert main([*typed, *options]) == 2
        assert "no usable recording" in capsys.readouterr().err
