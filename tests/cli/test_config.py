"A run again: the same answer, other recordings, what is typed wins, what is refused."
import json

import pytest

from audioclust.audio import synthetic_sounds
from audioclust.cli import main
from audioclust.runs.run_folder import read_run, read_table

@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp("config")
    for i,name in enumerate(("in", "other")): synthetic_sounds(4, 8, sample_rate=8000, random_state=i).save(at/name)
    assert main(["cluster", str(at/"in"), "--out", str(at/"first"), "--method", "consensus", "--n-clusters", "4", "--ignore", "level,room", "--seed", "7",
                 "--window", "0.4", "--set", "n_members=9", "--encoder", "fixed", "--no-page", "--no-cache", "-q"]) == 0
    return at

def again(folder, out, *more): return main(["cluster", "--config", str(folder/"first/run.json"), "--out", str(folder/out), "--no-page", "--no-cache", "-q", *more])

def test_the_same_answer(folder):
    assert again(folder, "again") == 0
    first, second = (read_table(folder/f"{name}/clusters.csv") for name in ("first", "again"))
    assert first.equals(second)
    one, other = (read_run(folder/name)["request"] for name in ("first", "again"))
    assert one == other and one["params"] == {"n_members": 9}

def test_other_recordings_and_typed_options(folder):
    assert again(folder, "other-run", str(folder/"other"), "--n-clusters", "3", "--set", "n_members=5") == 0
    asked = read_run(folder/"other-run")["request"]
    assert asked["n_clusters"] == 3 and asked["random_state"] == 7 and asked["params"] == {"n_members": 5} and asked["window"] == .4
    assert read_run(folder/"other-run")["recordings"] == str(folder/"other")

def test_events_come_along(folder):
    assert main(["cluster", str(folder/"in"), "--out", str(folder/"events"), "--cut", "events", "--event", "gap=0.05", "--n-clusters", "2", "--no-page", "--no-cache", "-q", "--stability", "0"]) == 0
    assert main(["cluster", "--config", str(folder/"events"), "--out", str(folder/"events2"), "--no-page", "--no-cache", "-q"]) == 0
    assert read_run(folder/"events2")["request"] == read_run(folder/"events")["request"]

@pytest.mark.parametrize("change,says", [(dict(request=[]), "damaged"), (dict(request={"window": "x"}), "--window"), (dict(request={"method": "magic"}), "invalid choice"),
    (dict(request={"params": 5}), "damaged"), (dict(request={"events": {"gap": "wide"}}), "say a number"), (dict(request={"grow": "x"}), "was grown")])
def test_a_damaged_config_is_refused(folder, tmp_path, capsys, change, says):
    record = json.loads((folder/"first/run.json").read_text()) | change
    (tmp_path/"run.json").write_text(json.dumps(record))
    try: status = main(["cluster", str(folder/"in"), "--config", str(tmp_path), "--out", str(tmp_path/"x"), "-q"])
    except SystemExit as e: status = e.code
    err = capsys.readouterr().err.strip()
    assert status == 2 and says in err and "\n" not in err and not (tmp_path/"x").exists()

def test_no_config(folder, tmp_path, capsys):
    assert main(["cluster", "--config", str(tmp_path), "--out", str(tmp_path/"x")]) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_ignore_nothing_and_the_sounds_of_embeddings_come_along(folder):
    import numpy as np
    quiet = ["--no-page", "--no-cache", "-q", "--stability", "0"]
    assert main(["cluster", str(folder/"in"), "--out", str(folder/"i"), "--ignore", "", "--n-clusters", "3", "--encoder", "fixed", *quiet]) == 0
    assert main(["cluster", "--config", str(folder/"i"), "--out", str(folder/"i2"), *quiet]) == 0
    assert read_run(folder/"i2")["ignored"] == read_run(folder/"i")["ignored"] == []
    np.savez(folder/"e.npz", embeddings=np.random.default_rng(0).normal(size=(8, 4)), path=[p.name for p in sorted((folder/"in/flute").glob("*.wav"))])
    assert main(["cluster", str(folder/"in"), "--embeddings", str(folder/"e.npz"), "--out", str(folder/"e"), "--n-clusters", "2", *quiet]) == 0
    assert main(["cluster", "--config", str(folder/"e"), "--out", str(folder/"e2"), *quiet]) == 0
    assert read_table(folder/"e2/clusters.csv").path.tolist() == read_table(folder/"e/clusters.csv").path.tolist()
