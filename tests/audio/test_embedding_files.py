"Embeddings of other programs, in the layouts in which they write them."
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio.embedding_files import read_embeddings
from audioclust.cli import main
from audioclust.runs.run_folder import read_record

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 6)).astype(np.float32)
TIMES = [("a.wav", 0., 3.), ("a.wav", 3., 6.), ("sub/b.wav", 0., 3.), ("sub/b.wav", 3., 6.)]

@pytest.fixture
def sounds(tmp_path):
    for name in "a.wav", "sub/b.wav":
        path = tmp_path/"sounds"/name
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, .1*RNG.standard_normal(6*8000), 8000)
    return tmp_path/"sounds"

def check(found, sounds):
    read, clips = found
    np.testing.assert_allclose(read, X, atol=1e-6)
    assert [(str(Path(p).relative_to(sounds)), s, e) for p,s,e in zip(clips.path, clips.start, clips.end)] == TIMES

def text(row): return ",".join(map(str, row.tolist()))

def test_birdnet_2_csv(tmp_path, sounds):
    lines = [f'{name},{start},{end},"{text(x)}"' for (name, start, end),x in zip(TIMES, X)]
    (tmp_path/"e.csv").write_text("\n".join(["file_path,start,end,embedding", *lines]) + "\n")
    check(read_embeddings(tmp_path/"e.csv", recordings=sounds), sounds)

def test_birdnet_1_text_files(tmp_path, sounds):
    for name in "a", "sub/b":
        file = tmp_path/f"out/{name}.birdnet.embeddings.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [(start, end, x) for (n, start, end),x in zip(TIMES, X) if n == f"{name}.wav"]
        file.write_text("".join(f"{start}\t{end}\t{text(x)}\n" for start,end,x in rows))
    check(read_embeddings(tmp_path/"out", recordings=sounds), sounds)

def test_opensoundscape_csv(tmp_path, sounds):
    table = pd.DataFrame(X, columns=range(6))
    for i,name in enumerate(("file", "start_time", "end_time")): table.insert(i, name, [row[i] for row in TIMES])
    table["file"] = [str(sounds/name) for name in table.file]
    table.to_csv(tmp_path/"e.csv", index=False)
    check(read_embeddings(tmp_path/"e.csv"), sounds)

def test_numpy_with_and_without_clips(tmp_path, sounds):
    paths, starts, ends = zip(*TIMES)
    np.savez(tmp_path/"e.npz", embeddings=X, filename=np.array(paths), start=starts, end=ends)
    check(read_embeddings(tmp_path/"e.npz", recordings=sounds), sounds)
    np.save(tmp_path/"e.npy", X)
    read, clips = read_embeddings(tmp_path/"e.npy")
    assert (clips.path == "").all() and (read == X).all()
    pd.DataFrame(TIMES, columns=["Begin File", "Begin Time (s)", "End Time (s)"]).to_csv(tmp_path/"clips.txt",
            sep="\t", index=False)
    check(read_embeddings(tmp_path/"e.npy", tmp_path/"clips.txt", sounds), sounds)
    (tmp_path/"whole.csv").write_text("path\n" + "\n".join(name for name,*_ in TIMES))
    assert read_embeddings(tmp_path/"e.npy", tmp_path/"whole.csv", sounds)[1].end.tolist() == [6]*4

def test_rows_of_which_nothing_is_known_are_the_recordings_in_order(tmp_path, sounds):
    names = sorted(str(path) for path in sounds.rglob("*.wav"))
    np.save(tmp_path/"x.npy", np.arange(3.*len(names)).reshape(-1, 3))
    X, clips = read_embeddings(tmp_path/"x.npy", recordings=sounds)
    assert clips.path.tolist() == names and (clips.end == 6).all()
    np.save(tmp_path/"x.npy", np.ones((len(names) + 1, 3)))
    with pytest.raises(ValueError, match=rf"{len(names) + 1} embeddings, which do not say .* and {len(names)} recordings"):
        read_embeddings(tmp_path/"x.npy", recordings=sounds)


def test_parquet(tmp_path, sounds):
    table = pd.DataFrame(TIMES, columns=["file", "start", "end"]).assign(embedding=list(X))
    table.to_parquet(tmp_path/"e.parquet")
    check(read_embeddings(tmp_path/"e.parquet", recordings=sounds), sounds)

def hoplite(folder, index):
    "A database with the tables, columns and types of hoplite 1, and vectors in an index."
    folder.mkdir()
    with sqlite3.connect(folder/"hoplite.sqlite") as db:
        db.execute("CREATE TABLE recordings (id INTEGER PRIMARY KEY, filename TEXT NOT NULL, datetime TEXT, "
                   "deployment_id INTEGER)")
        db.execute("CREATE TABLE windows (id INTEGER PRIMARY KEY, recording_id INTEGER NOT NULL, "
                   "offsets FLOAT_LIST NOT NULL)")
        names = sorted({name for name,*_ in TIMES})
        db.executemany("INSERT INTO recordings VALUES (?, ?, NULL, 1)", list(enumerate(names, 1)))
        db.executemany("INSERT INTO windows VALUES (?, ?, ?)",
                       [(i + 1, names.index(n) + 1, np.array([s, e], "<f8").tobytes())
                        for i,(n,s,e) in enumerate(TIMES)])
    db.close()
    if index:
        made = index.Index(ndim=6, dtype="f16", metric="ip")
        made.add(np.arange(1, 5), X)
        made.save(str(folder/"usearch.index"))

def test_hoplite(tmp_path, sounds):
    index = pytest.importorskip("usearch.index")
    hoplite(tmp_path/"db", index)
    read, clips = read_embeddings(tmp_path/"db", recordings=sounds)
    np.testing.assert_allclose(read, X, atol=2e-3) # 16 bits
    check((X, clips), sounds)

def test_hoplite_without_its_package_or_index(tmp_path, monkeypatch):
    hoplite(tmp_path/"db", None)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "usearch.index", None)
        with pytest.raises(ValueError, match="pip install usearch"): read_embeddings(tmp_path/"db")
    pytest.importorskip("usearch.index")
    with pytest.raises(ValueError, match="no database of hoplite"): read_embeddings(tmp_path/"db")

def test_what_cannot_be_used_is_left_out_and_said(tmp_path, sounds):
    bad = X.copy()
    bad[1, 2] = np.nan
    np.savez(tmp_path/"e.npz", embeddings=bad, path=["a.wav", "a.wav", "gone.wav", "b.wav"], start=[0, 3, 0, 0],
            end=[3, 6, 3, 3])
    errors = []
    read, clips = read_embeddings(tmp_path/"e.npz", recordings=sounds, errors=errors)
    assert [Path(p).name for p in clips.path] == ["a.wav", "b.wav"] and (read == X[[0, 3]]).all()
    assert {str(Path(p).name) for p,_ in errors} == {"gone.wav", "e.npz"}
    with pytest.warns(UserWarning, match="not there"): read_embeddings(tmp_path/"e.npz", recordings=sounds)

@pytest.mark.parametrize("name,content,says", [
    ("x.csv", "path,label\na.wav,b\n", "no column `embedding`"),
    ("x.csv", "path,embedding\na.wav,1 2\nb.wav,1 2 3\n", "equally many numbers"),
    ("x.csv", "path,d0,d1\na.wav,1,two\n", "do not hold numbers only"),
    ("x.csv", "path,start,e0,e1\na.wav,0,1,2\n", "column start and none for the end"),
    ("x.npy", "no array", "no file of arrays"),
    ("x.h5", "", "embeddings are read from .npy"),
    ("x.parquet", "PAR1 no more", "x.parquet cannot be read as Parquet"),
    ("x.csv", "path,embedding\n", "holds no embeddings")])
def test_errors(tmp_path, name, content, says):
    with pytest.raises(ValueError, match="there is no file"): read_embeddings(tmp_path/name)
    with pytest.raises(ValueError, match="holds no file of embeddings"): read_embeddings(tmp_path)
    (tmp_path/name).write_text(content)
    with pytest.raises(ValueError, match=says): read_embeddings(tmp_path/name)

def test_arrays_that_cannot_be_used(tmp_path):
    np.save(tmp_path/"o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="no file of arrays"): read_embeddings(tmp_path/"o.npy")
    np.save(tmp_path/"o.npy", np.full((4, 3), np.nan))
    with pytest.raises(ValueError, match="o.npy holds a number that is not finite"): read_embeddings(tmp_path/"o.npy")
    np.save(tmp_path/"p.npy", np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"several sizes: \[3, 4\]"): read_embeddings(tmp_path)

def test_headers_of_numbers_and_first_rows_without_one(tmp_path):
    pd.DataFrame(X).to_csv(tmp_path/"a.csv", index=False) # 0,1,…,5 are names
    pd.DataFrame(X).to_csv(tmp_path/"b.csv") # and an index
    np.savetxt(tmp_path/"c.txt", X) # blanks between numbers
    np.savetxt(tmp_path/"e.csv", X, delimiter=",")
    pd.DataFrame(X, columns=range(1, 7)).to_csv(tmp_path/"f.csv", index=False)
    pd.DataFrame(X, columns=[f"d{i}" for i in range(6)]).assign(features=6).to_csv(tmp_path/"g.csv", index=False)
    for name in "a.csv", "b.csv", "c.txt", "e.csv", "f.csv", "g.csv":
        np.testing.assert_allclose(read_embeddings(tmp_path/name)[0], X, atol=1e-6)
    with_nan = X.copy()
    with_nan[0, 0] = np.nan
    pd.DataFrame(with_nan).to_csv(tmp_path/"d.csv", index=False, header=False, na_rep="nan")
    errors = []
    np.testing.assert_allclose(read_embeddings(tmp_path/"d.csv", errors=errors)[0], X[1:], atol=1e-6)
    assert "not finite" in errors[0][1]

def test_semicolons_and_decimal_commas(tmp_path):
    for name, sep, header in ("bare.csv", ";", False), ("named.csv", ";", True), ("blanks.txt", " ", False):
        pd.DataFrame(X).add_prefix("d").to_csv(tmp_path/name, sep=sep, decimal=",", index=False, header=header)
        np.testing.assert_allclose(read_embeddings(tmp_path/name)[0], X, atol=1e-6)

def several(path):
    "Two embeddings under numbered names, one under a name of its own in another file."
    table = pd.DataFrame(X, columns=[f"emb{i}" for i in range(6)]).assign(duration_s=3.)
    for i in range(9): table[f"aux{i}"] = -1.
    table.to_csv(path/"numbered.csv", index=False)
    pd.DataFrame(dict(features=list(-X), embeddings=list(X))).to_parquet(path/"lists.parquet")
    np.savez(path/"arrays.npz", features=-X, embeddings=X)

@pytest.mark.parametrize("name,seen,wanted", [
    ("numbered.csv", "emb0, emb1, .*aux0", "em[ab]*"), ("lists.parquet", "features, embeddings", "embeddings"),
    ("arrays.npz", "features .*, embeddings ", "embeddings")])
def test_several_embeddings_are_refused_until_one_is_named(tmp_path, name, seen, wanted):
    several(tmp_path)
    with pytest.raises(ValueError, match=rf"{seen}.*say which, as in .*{name}:NAME"): read_embeddings(tmp_path/name)
    np.testing.assert_allclose(read_embeddings(f"{tmp_path/name}:{wanted}")[0], X, atol=1e-6)
    with pytest.raises(ValueError, match="holds nothing called none"): read_embeddings(f"{tmp_path/name}:none")

def test_named_columns_on_the_command_line(tmp_path, capsys):
    several(tmp_path)
    arguments = ["cluster", "--out", str(tmp_path/"run"), "--n-clusters", "2", "--no-page", "-q", "--stability", "0"]
    assert main([*arguments, "--embeddings", f"{tmp_path}/numbered.csv:emb"]) == 0
    assert read_record(tmp_path/"run")["clips"]["recordings"] == str(tmp_path/"numbered.csv")
    assert main([*arguments, "--embeddings", f"{tmp_path}/numbered.csv:emb", "--resume"]) == 0
    assert main([*arguments, "--embeddings", f"{tmp_path}/numbered.csv:aux", "--resume"]) == 2
    assert main(["assign", str(tmp_path/"run"), "--embeddings", f"{tmp_path}/numbered.csv:emb", "--out",
                 str(tmp_path/"a.csv")]) == 0
    assert main([*arguments, "--embeddings", f"{tmp_path}/none.csv:emb", "--overwrite"]) == 2
    assert "there is no file" in capsys.readouterr().err

def test_a_table_without_names(tmp_path):
    (tmp_path/"bare.csv").write_text("".join(f"f{i}.wav,{text(row)}\n" for i, row in enumerate(X)))
    with pytest.raises(ValueError, match="none whose names end with a number .its columns: f0.wav"):
        read_embeddings(tmp_path/"bare.csv")
