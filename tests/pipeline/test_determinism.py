"The same seed gives the same answer: in each run, with any number of workers, and stopped after each epoch."
import os
from pathlib import Path

import pytest

from audioclust.cli import main
from audioclust.audio import synthetic_words

TINY_SPICE = "--method nf-spice --epochs 2 --set views=2 --set match_epochs=2 --set head_epochs=1 --set heads=2".split()
METHODS = { # options, and the checkpoints that are written
    "deepcluster": ("--method deepcluster --epochs 2 --set passes=1 --set views=2".split(), ["training"]*2),
    "nf-spice": ([*TINY_SPICE, "--set", "nonredundant=False"], ["content"]*2 + ["match"]*2),
    "nf-spice nonredundant": ([*TINY_SPICE, "--set", "n_other=(3,)"], ["content"]*2 + ["source"]*2 + ["match"]*2),
    "untrained, consensus": ("--encoder untrained --method consensus".split(), [])}
SLOW = "nf-spice nonredundant"

@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    synthetic_words(3, 2, 10).save(folder)
    return folder

def held(out):
    "What a run folder holds but for the record, in which the seconds differ."
    files = [p for p in out.rglob("*") if p.is_file() and p.name != "run.json"]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}

@pytest.mark.parametrize("name", [pytest.param(m, marks=pytest.mark.slow if m == SLOW else ()) for m in METHODS])
def test_the_same_seed_gives_the_same(sounds, tmp_path, monkeypatch, name):
    options, epochs = METHODS[name]
    quick = "--n-clusters 3 --stability 0 --no-cache --no-page -q".split()
    def cluster(out, *more): return main(["cluster", str(sounds), "--out", str(out), *quick, *options, *more])
    assert cluster(tmp_path/"once", "--workers", "0") == 0
    out, replace, seen = tmp_path/"again", os.replace, []
    def stop(a, b):
        replace(a, b)
        if Path(b).parent == out/"training":
            seen.append(Path(b).stem)
            raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(os, "replace", stop)
        for i in range(20):  # each goes on to the next epoch
            status = cluster(out, "--workers", str((i + 2) % 3), "--resume")
            if status != 130: break
    assert seen == epochs and status == 0
    once, again = held(tmp_path/"once"), held(out)
    assert set(once) == set(again) and [n for n in once if once[n] != again[n]] == []
    if "nf-spice" in name: return
    assert cluster(tmp_path/"other", "--seed", "1") == 0
    assert held(tmp_path/"other")["embeddings.npy"] != once["embeddings.npy"]
