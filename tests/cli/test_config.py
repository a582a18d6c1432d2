"A run again: the same result, other recordings, what is typed wins, what is refused."
import json

import numpy as np
import pytest

from audioclust.audio import synthetic_sounds
from audioclust.cli import main
from audioclust.runs import Run
from audioclust.runs.run_folder import read_record, read_table

QUIET = ["--no-page", "--no-cache", "-q"]
ASKED = ["--method", "consensus", "--n-clusters", "4", "--ignore", "level,room", "--seed", "7", "--window", "0.4",
         "--set", "n_members=9", "--encoder", "fixed"]

def cluster(*typed): return main(["cluster", *map(str, typed), *QUIET])
def asked(run): return read_record(run)["request"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp("config")
    for i,name in enumerate(("in", "other")): synthetic_sounds(4, 8, sample_rate=8000, random_state=i).save(at/name)
    assert cluster(at/"in", "--out", at/"first", *ASKED) == 0
    return at

def again(folder, out, *more): return cluster("--config", folder/"first/run.json", "--out", folder/out, *more)


def test_the_same_result(folder):
    assert again(folder, "again") == 0
    first, second = (read_table(folder/name/"clusters.csv") for name in ("first", "again"))
    assert first.equals(second)
    assert asked(folder/"first") == asked(folder/"again") and asked(folder/"again")["params"] == {"n_members": 9}


def test_other_recordings_and_typed_options(folder):
    out = folder/"other-run"
    assert again(folder, out.name, folder/"other", "--n-clusters", 3, "--set", "n_members=5") == 0
    request = Run.open(out).request
    assert (request.n_clusters, request.random_state, request.window) == (3, 7, .4)
    assert request.options.params == {"n_members": 5}
    assert Run.open(out).clips.recordings == str(folder/"other")


def test_events_come_along(folder):
    events = ["--cut", "events", "--event", "gap=0.05", "--n-clusters", "2", "--stability", "0"]
    assert cluster(folder/"in", "--out", folder/"events", *events) == 0
    assert cluster("--config", folder/"events", "--out", folder/"events2") == 0
    assert asked(folder/"events2") == asked(folder/"events")


DAMAGED = [
    (dict(request=[]), "damaged"), (dict(request={"window": "x"}), "--window"),
    (dict(request={"method": "magic"}), "no method"), (dict(request={"params": 5}), "damaged"),
    (dict(request={"events": {"gap": "wide"}, "window": None}), "say a number"),
    (dict(clips={"inputs": {"grow": "x"}}), "was grown")]

@pytest.mark.parametrize("change, says", DAMAGED)
def test_a_damaged_config_is_refused(folder, tmp_path, capsys, change, says):
    record = json.loads((folder/"first/run.json").read_text())
    for part, entries in change.items(): record[part] = {**record[part], **entries} if entries else entries
    (tmp_path/"run.json").write_text(json.dumps(record))
    try: status = main(["cluster", str(folder/"in"), "--config", str(tmp_path), "--out", str(tmp_path/"x"), "-q"])
    except SystemExit as e: status = e.code
    err = capsys.readouterr().err.strip()
    assert status == 2 and says in err and "\n" not in err and not (tmp_path/"x").exists()


def test_the_place_of_the_recordings_is_never_an_option(folder, tmp_path, capsys):
    recordings = "--out=elsewhere"
    record = json.loads((folder/"first/run.json").read_text())
    record["clips"]["recordings"] = recordings
    (tmp_path/"run.json").write_text(json.dumps(record))
    assert main(["cluster", "--config", str(tmp_path), "--out", str(tmp_path/"x"), "-q"]) == 2
    assert f"there is no folder or file '{recordings}'" in capsys.readouterr().err


def test_ignore_nothing_and_the_sounds_of_embeddings_come_along(folder):
    nothing = ["--ignore", "", "--n-clusters", "3", "--encoder", "fixed", "--stability", "0"]
    assert cluster(folder/"in", "--out", folder/"i", *nothing) == 0
    assert cluster("--config", folder/"i", "--out", folder/"i2", "--stability", "0") == 0
    assert asked(folder/"i2")["ignored"] == asked(folder/"i")["ignored"] == []
    names = [path.name for path in sorted((folder/"in/flute").glob("*.wav"))]
    np.savez(folder/"e.npz", embeddings=np.random.default_rng(0).normal(size=(8, 4)), path=names)
    given = ["--embeddings", folder/"e.npz", "--n-clusters", "2", "--stability", "0"]
    assert cluster(folder/"in", "--out", folder/"e", *given) == 0
    assert cluster("--config", folder/"e", "--out", folder/"e2", "--stability", "0") == 0
    assert read_table(folder/"e2/clusters.csv").path.tolist() == read_table(folder/"e/clusters.csv").path.tolist()
