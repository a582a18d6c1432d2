"Runs of embeddings that another program made: the command, the run folder, the page, new embeddings, Python."
import json

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.datasets import make_blobs

from audioclust.cli import main
from audioclust.metrics import ari
from audioclust.pipeline import AudioClusterer, Run

X, TRUTH = make_blobs(90, 12, centers=3, random_state=0)
X = X.astype(np.float32)

@pytest.fixture
def given(tmp_path):
    "A tape of 90 seconds, an embedding for each."
    rng = np.random.default_rng(0)
    (tmp_path/"tapes").mkdir()
    sf.write(tmp_path/"tapes/20260512_053000.wav", .1*rng.standard_normal(90*8000), 8000)
    clips = dict(path=["tapes/20260512_053000.wav"]*90, start=np.arange(90.), end=np.arange(90.) + 1)
    np.savez(tmp_path/"e.npz", embeddings=X, **clips)
    return tmp_path

def cluster(*arguments): return main(["cluster", *map(str, arguments)])

def test_with_recordings(given, capsys):
    run = given/"run"
    assert cluster(given/"tapes", "--embeddings", given/"e.npz", "--out", run, "--n-clusters", "auto") == 0
    said = capsys.readouterr().out
    assert "of the embeddings that were given" in said and "--ignore" not in said
    table = pd.read_csv(run/"clusters.csv")
    assert len(table) == 90 and ari(TRUTH, table.cluster) == 1
    assert table.time[3] == "2026-05-12T05:30:03.000"
    assert (run/"listen.html").stat().st_size > 1e5
    record = json.loads((run/"run.json").read_text())
    assert record["clips"]["inputs"]["embeddings"] == str(given/"e.npz") and "encoder" not in record["embeddings"]
    assert main(["export", str(run), "--to", "raven", "--out", str(given/"raven")]) == 0
    assert main(["listen", str(run), "--embed", "--page", str(given/"p.html")]) == 0
    assert Run.open(run).embeddings.encoder is None

def test_new_embeddings(given):
    run, new = given/"run", given/"new.csv"
    np.save(given/"x.npy", X[:60])
    assert cluster("--embeddings", given/"x.npy", "--out", run, "--n-clusters", "3", "--no-page") == 0
    np.save(given/"y.npy", X[60:])
    assert main(["assign", str(run), "--embeddings", str(given/"y.npy"), "--out", str(new)]) == 0
    assert ari(TRUTH[60:], pd.read_csv(new).cluster) == 1
    found = AudioClusterer.load(run).assign(X[60:])
    assert (found.cluster.to_numpy() == pd.read_csv(new).cluster.to_numpy()).all()

def test_python():
    made = AudioClusterer(n_clusters=3).fit(X)
    assert ari(TRUTH, made.labels_) == 1 and (made.predict(X) == made.labels_).all()
    clips = pd.DataFrame(dict(path="x.wav", start=np.arange(90.), end=np.arange(90.) + 1))
    assert AudioClusterer(n_clusters=3).fit(X, clips=clips).clips_.start[5] == 5
    with pytest.raises(ValueError, match="shape"): AudioClusterer().fit(X[:, 0])
    with pytest.raises(ValueError, match="11 dimensions, and those of the run 12"): made.assign(X[:, 1:])
    with pytest.raises(ValueError, match="window cannot be said"): AudioClusterer(window=2.).fit(X)

@pytest.mark.parametrize("arguments,says", [
    ([], "say the folder of recordings, or --embeddings"),
    (["--embeddings", "gone.npy"], "there is no file gone.npy"),
    (["--embeddings", "E", "--encoder", "fixed", "--ignore", "pitch"], "leave out --encoder, --ignore"),
    (["--embeddings", "E", "--method", "nf-spice"], "nf-spice trains its own embeddings"),
    (["--embeddings", "E", "--n-clusters", "200"], "ask for at most 90")])
def test_errors(given, capsys, arguments, says):
    arguments = [str(given/"e.npz") if a == "E" else a for a in arguments]
    assert cluster(*arguments, "--out", given/"run") == 2
    err = capsys.readouterr().err.strip()
    assert says in err and "\n" not in err
    assert not (given/"run").exists()

def test_assign_needs_the_same_kind(given, capsys):
    np.save(given/"x.npy", X)
    cluster("--embeddings", given/"x.npy", "--out", given/"run", "--n-clusters", "3", "--no-page")
    assert main(["assign", str(given/"run"), str(given/"tapes"), "--out", str(given/"n.csv")]) == 2
    assert "came from elsewhere" in capsys.readouterr().err
    cluster(given/"tapes", "--window", "3", "--out", given/"run2", "--n-clusters", "2", "--no-page", "--no-cache")
    new = ["--embeddings", str(given/"x.npy"), "--out", str(given/"n.csv")]
    assert main(["assign", str(given/"run2"), *new]) == 2
    assert "give it recordings" in capsys.readouterr().err


def test_embeddings_of_no_known_recording_say_so(tmp_path, capsys):
    "They have no files: no sound to copy, no pictures, and no names to search."
    np.save(tmp_path/"x.npy", np.random.default_rng(0).normal(size=(60, 8)).astype("f4"))
    typed = "--embeddings", tmp_path/"x.npy", "--n-clusters", "3", "-v"
    assert cluster(*typed, "--out", tmp_path/"run", "-q") == 0
    said = capsys.readouterr().out
    assert "60 clips in 3 clusters of the embeddings that were given" in said
    assert cluster(*typed, "--out", tmp_path/"run", "-q", "--resume") == 0
    for labels in "parent", "^(.)": assert main(["compare", str(tmp_path/"run"), "--labels", labels]) == 2
    assert capsys.readouterr().err.count("match none of the 60 clips") == 2
    text = (tmp_path/"run/listen.html").read_text(encoding="utf-8")
    data = json.loads(text.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    assert data["files"][:2] == ["embedding 0", "embedding 1"] and data["audio"] == [None]*60
    assert not any(data["parts"]) and not (tmp_path/"run/listen-sounds").exists()
    assert main(["listen", str(tmp_path/"run"), "--page", str(tmp_path/"few.html"), "--max-clips", "12"]) == 0
    assert "12 of 60 clips are on this page." in (tmp_path/"few.html").read_text(encoding="utf-8")


def test_recordings_that_are_elsewhere_are_named_with_what_to_do(given, capsys):
    "Nothing is lost: the groups, the paths and a page without sound."
    names = [f"tape {i}.wav" for i in range(90)]
    pd.DataFrame(X).add_prefix("e").assign(path=names).to_csv(given/"e.csv", index=False)
    assert cluster("--embeddings", given/"e.csv", "--out", given/"run", "--n-clusters", "3") == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "90 of 90 recordings that" in err
    assert f"{given/'tape 0.wav'}: give the FOLDER" in err
    found = pd.read_csv(given/"run/clusters.csv")
    assert ari(TRUTH, found.cluster) == 1 and found.path.tolist() == [str(given/name) for name in names]
    assert (given/"run/listen.html").is_file()
