"Neighbours of clips: exact, of the run and of new recordings, by the command."
import numpy as np
import pandas as pd
import pytest

from audioclust.core import write_table
from audioclust.audio import synthetic_sounds
from audioclust.cli import main
from audioclust.pipeline import AudioClusterer, Options, Request, run_of_embeddings, similar

@pytest.fixture(scope="module")
def at(tmp_path_factory):
    folder = tmp_path_factory.mktemp("similar")
    synthetic_sounds(6, 8, sample_rate=8000).save(folder/"sounds")
    synthetic_sounds(6, 1, sample_rate=8000, random_state=5).save(folder/"new")
    AudioClusterer(n_clusters=6, encoder="fixed", options=Options(stability=0)).fit(folder/"sounds").save(folder/"run")
    return folder

@pytest.mark.parametrize("n,top", [(2, 5), (3000, 70)])
def test_exact(n, top):
    "By distances in double precision, away from 0, where those of single precision are coarse; twice the same."
    X = 10 + np.random.default_rng(n).standard_normal((n, 16))
    run = run_of_embeddings(X, request=Request(n_clusters=2, options=Options(stability=0)))
    near = similar(run, run.table.clip_id[1], top)
    true = np.linalg.norm(run.embeddings.X.astype(float) - run.embeddings.X[1], axis=1)
    order = np.argsort(true, kind="stable")[1:top + 1]
    assert near.clip_id.tolist() == run.table.clip_id[order].tolist()
    np.testing.assert_allclose(near.distance, true[order], atol=1e-4)
    assert similar(run, run.table.clip_id[1], top).equals(near)

def test_clips_of_the_run(at):
    run = AudioClusterer.load(at/"run").run_
    clip = run.clips.table.path[11]
    near = similar(run, clip, top=4)
    assert near.columns.tolist() == ["query", "rank", "distance", "path", "start", "end", "cluster", "name", "clip_id"]
    assert near["rank"].tolist() == [1, 2, 3, 4] and (near.distance.diff().dropna() >= 0).all()
    assert str(clip) not in set(near.path)
    table = run.table
    by_id = similar(run, table.clip_id[11], top=4)
    assert by_id.clip_id.tolist() == near.clip_id.tolist()
    X = run.embeddings.X
    order = np.argsort(np.linalg.norm(X - X[11], axis=1))[1:5]
    assert near.clip_id.tolist() == table.clip_id[order].tolist()
    assert (similar(run, at/"sounds", top=1).distance > 0).all(), "no clip is its own neighbour"

def test_a_clip_is_named_as_the_page_shows_it():
    "By the end of its path, its channel and its times; where several recordings fit, they are named."
    paths = ["/s/a.wav", "/s/a.wav", "/s/pond/a.wav", "/s/pond/b.wav", "/s/pond/b.wav", "/s/lake/b.wav", "/s/lake/b.wav"]
    starts = np.array([0, 12.26, 0, 0, 0, 0, .05])
    table = pd.DataFrame(dict(path=paths, start=starts, end=starts + 1, channel=[1, 1, 1, 1, 2, 1, 1]))
    run = run_of_embeddings(np.random.default_rng(0).normal(size=(7, 4)), table, Request(n_clusters=2))
    names = [f"{path} (channel {n}) [{start:.3f} to {start + 1:.3f} s]" for path, n, start in zip(paths, table.channel, starts)]
    def rows(text): return [names.index(name) for name in similar(run, text, top=1)["query"]]
    assert rows("a.wav") == [0, 1] and rows("pond/a.wav") == [2] and rows("/s/pond/b.wav") == [3, 4]
    assert rows("a.wav [12.3 s to 13.3 s]") == [1] and rows("a.wav [12.260 to 13.260 s]") == [1]
    assert rows("pond/b.wav (channel 2)") == [4] and rows("pond/b.wav (channel 1) [0.00 s to 1.00 s]") == [3]
    assert rows("lake/b.wav [0.05 s to 1.05 s]") == [6]
    for text in "a.wav [5.00 s to 6.00 s]", "c.wav":
        with pytest.raises(ValueError, match="no clip_id and no recording of this run"): similar(run, text)
    with pytest.raises(ValueError, match="b.wav is the end of 2 paths, such as /s/pond/b.wav and /s/lake/b.wav"):
        similar(run, "b.wav")
    assert len(similar(run, "pond/b.wav (channel 2)", top=9)) == 6
    both = similar(run, "pond/b.wav", top=1)
    assert both["query"].tolist() == [f"/s/pond/b.wav (channel {n}) [0.000 to 1.000 s]" for n in (1, 2)]
    assert (both.channel == table.channel[[run.table.clip_id.tolist().index(clip) for clip in both.clip_id]].to_numpy()).all()

def test_new_recordings_and_errors(at):
    run = AudioClusterer.load(at/"run").run_
    (at/"new/broken.wav").write_bytes(b"no sound")
    errors = []
    near = similar(run, [at/"new", run.clips.table.path[0]], top=2, errors=errors)
    assert near["query"].nunique() == 7 and len(near) == 14 and len(errors) == 1
    with pytest.warns(UserWarning, match="broken.wav"): similar(run, at/"new", top=1)
    with pytest.raises(ValueError, match="at least one"): similar(run, at/"new", top=0)
    with pytest.raises(ValueError, match="no folder or file"): similar(run, "gone.wav")
    given = run_of_embeddings(np.random.default_rng(0).normal(size=(30, 4)), request=Request(n_clusters=2))
    assert len(similar(given, given.table.clip_id[3], top=3)) == 3
    with pytest.raises(ValueError, match="embeddings were given"): similar(given, at/"new")

def test_the_command(at, tmp_path, capsys):
    clip = next(iter((at/"sounds").rglob("*.wav")))
    typed = ["similar", str(at/"run"), str(clip), str(at/"new"), "--top", "3", "--out", str(tmp_path/"x.csv")]
    assert main([*typed, "-q"]) == 0
    said, table = capsys.readouterr().out, pd.read_csv(tmp_path/"x.csv")
    assert len(table) == 3*7 and said.count("\n   1 ") == 7
    assert said.startswith("rank  distance  group        clip\n") and "cluster" in said.splitlines()[2]
    assert main(["similar", str(at/"run"), str(clip), "--out", str(tmp_path/"x.csv")]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["similar", str(at/"run"), "gone.wav"]) == 2 and main(["similar", str(at), str(clip)]) == 2


def test_no_cell_of_a_table_begins_a_formula(tmp_path):
    table = pd.DataFrame({"query": ["=1+cmd.wav", "@SUM(1).wav", "a.wav"], "-x": [-1.5, 2, 3], "name": ["'=kept", "+", None]})
    write_table(table, tmp_path/"t.csv")
    cells = pd.read_csv(tmp_path/"t.csv", keep_default_na=False)
    assert cells["query"].tolist() == ["'=1+cmd.wav", "'@SUM(1).wav", "a.wav"]
    assert cells["name"].tolist() == ["'=kept", "'+", ""] and cells["'-x"].tolist() == [-1.5, 2, 3]
