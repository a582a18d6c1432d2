"The same seed gives the same answer: in each run, with any number of workers, and stopped after each epoch."
import os
from pathlib import Path

import pytest

from audioclust.cli import main
from audioclust.audio import synthetic_words

SPICE = ["--method", "spice", "--epochs", "2", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=1", "--set", "heads=2"]
METHODS = {"deepcluster": (["--method", "deepcluster", "--epochs", "2", "--set", "passes=1", "--set", "views=2"], ["training"]*2),
           "spice": ([*SPICE, "--set", "nonredundant=False"], ["content"]*2 + ["match"]*2),
           "spice crossed": ([*SPICE, "--set", "n_other=(3,)"], ["content"]*2 + ["source"]*2 + ["match"]*2),
           "untrained, consensus": (["--encoder", "untrained", "--method", "consensus"], [])}

@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    synthetic_words(3, 2, 10).save(folder)
    return folder

def held(out): return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "run.json"}

@pytest.mark.parametrize("name", [pytest.param(m, marks=pytest.mark.slow) if m == "spice crossed" else m for m in METHODS])
def test_the_same_seed_gives_the_same(sounds, tmp_path, monkeypatch, name):
    options, epochs = METHODS[name]
    def cluster(out, *more): return main(["cluster", str(sounds), "--out", str(out), "--n-clusters", "3", "--stability", "0", "--no-cache", "--no-page", "-q", *options, *more])
    assert cluster(tmp_path/"once", "--workers", "0") == 0
    out, replace, seen = tmp_path/"again", os.replace, []
    def stop(a, b):
        replace(a, b)
        if Path(b).parent == out/"training": seen.append(Path(b).stem); raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(os, "replace", stop)
        for i in range(20):  # each goes on to the next epoch
            status = cluster(out, "--workers", str((i + 2) % 3), "--resume")
            if status != 130: break
    assert seen == epochs and status == 0
    once, again = held(tmp_path/"once"), held(out)
    assert set(once) == set(again) and [n for n in once if once[n] != again[n]] == []
    if "spice" not in name: assert cluster(tmp_path/"other", "--seed", "1") == 0 and held(tmp_path/"other")["embeddings.npy"] != once["embeddings.npy"]
