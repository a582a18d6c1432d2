"What a stranger may have put into a run folder, and what a file of edits may hold."
import json
import os
import stat
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from safetensors.numpy import load_file, save_file

from audioclust.audio import clips, synthetic_sounds
from audioclust.cli import main
from audioclust.core.files import atomic_write, write_table
from audioclust.runs import Edits, Run
from audioclust.runs.edit_files import write_edits, write_name_columns
from audioclust.runs.run_folder import read_record, read_table

COMMON = ["--n-clusters", "3", "--encoder", "fixed", "--stability", "0", "-q", "--no-cache", "--no-page"]

@pytest.fixture
def run(tmp_path):
    synthetic_sounds(3, 6, sample_rate=8000).save(tmp_path/"sounds")
    assert main(["cluster", str(tmp_path/"sounds"), "--out", str(tmp_path/"run"), *COMMON]) == 0
    return tmp_path/"run"

def again(run, *more): return main(["cluster", str(run.parent/"sounds"), "--out", str(run), *COMMON, *more])

@pytest.mark.draws
def test_other_pictures_stay_and_links_in_a_run_folder_are_not_followed(run, capsys):
    (run/"figures/mine.png").write_text("mine")
    assert again(run, "--overwrite") == 0 and (run/"figures/mine.png").read_text() == "mine"
    def files(at): return sorted(p.name for p in at.iterdir()) if at.is_dir() else at.read_text()
    for name in "figures", "model", "clusters.csv", "names.json", "listen.html":
        mine, was_there = run.parent/f"mine-{name}", (run/name).exists()
        if was_there: (run/name).rename(mine)
        else: mine.write_text("mine")
        kept = files(mine)
        (run/name).symlink_to(mine)
        assert again(run, "--overwrite") == 2 and "is a link" in capsys.readouterr().err
        assert files(mine) == kept
        with pytest.raises(ValueError, match="is a link"): Run.open(run)
        (run/name).unlink()
        if was_there: mine.rename(run/name)

@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_not_waited_for(run):
    (run/"names.json").unlink(missing_ok=True)
    os.mkfifo(run/"names.json")
    with pytest.raises(ValueError, match="no regular file"): read_record(run)

def test_a_folder_with_a_foreign_run_json_is_no_run(tmp_path, capsys):
    synthetic_sounds(3, 6, sample_rate=8000).save(tmp_path/"sounds")
    (tmp_path/"run").mkdir()
    (tmp_path/"run/run.json").write_text('{"scripts": {"start": "node ."}}')
    (tmp_path/"run/figures").mkdir()
    (tmp_path/"run/figures/cat.png").write_text("cat")
    assert again(tmp_path/"run", "--overwrite") == 2
    assert "holds no run" in capsys.readouterr().err
    assert (tmp_path/"run/figures/cat.png").read_text() == "cat"

def test_only_regular_files_are_replaced(tmp_path):
    target = tmp_path/"target"
    target.write_text("precious")
    (tmp_path/"out.csv").symlink_to(target)
    with pytest.raises(OSError, match="a link is there"):
        with atomic_write(tmp_path/"out.csv") as tmp: tmp.write_text("x")
    assert target.read_text() == "precious"
    (tmp_path/"folder").mkdir()
    with pytest.raises(OSError, match="a folder is there"):
        with atomic_write(tmp_path/"folder") as tmp: tmp.write_text("x")

@pytest.mark.skipif(os.name == "nt", reason="permissions of Unix")
def test_temporary_names_cannot_be_guessed_and_permissions_are_the_usual_ones(tmp_path):
    seen = set()
    for _ in range(20):
        with atomic_write(tmp_path/"a.txt") as tmp:
            seen.add(tmp.name)
            os.chmod(tmp, 0o600)  # as some writers do
    assert len(seen) == 20
    (tmp_path/"plain").touch()
    assert stat.S_IMODE((tmp_path/"a.txt").stat().st_mode) == stat.S_IMODE((tmp_path/"plain").stat().st_mode)

def test_a_record_does_not_say_where_to_write(run):
    record = json.loads((run/"run.json").read_text())
    record["request"] |= dict(cache=str(run.parent/"elsewhere"), max_memory=5)
    (run/"run.json").write_text(json.dumps(record))
    options = Run.open(run).request.options
    assert options.cache is True and options.max_memory is None, "the cache of the user"
    assert main(["assign", str(run), str(run.parent/"sounds"), "--out", str(run.parent/"n.csv")]) == 0
    assert not (run.parent/"elsewhere").exists()
    record["request"]["window"] = 1e-7
    (run/"run.json").write_text(json.dumps(record))
    assert main(["assign", str(run), str(run.parent/"sounds"), "--out", str(run.parent/"m.csv")]) == 2

def test_only_a_person_trusts_code(run, capsys):
    pytest.importorskip("transformers")
    for leave in None, 0, "no", 1, {}:
        record = {"class": "PretrainedEncoder", "name": "/nowhere", "remote_code": leave}
        (run/"model/encoder.json").write_text(json.dumps(record))
        assert main(["assign", str(run), str(run.parent/"sounds"), "--out", str(run.parent/"n.csv")]) == 2
        assert "brings code of its own" in capsys.readouterr().err

def test_a_long_chain_of_merges_takes_no_time(run):
    n = 60_000
    names = dict(names={}, merged={str(i): str(i + 1) for i in range(n)}, marks={}, notes={}, clips={})
    start = time.process_time()
    assert Edits.of(names).ends[0] == n
    (run/"names.json").write_text(json.dumps(dict(schema=1, edits=dict(content=names))))
    write_name_columns(run)
    assert time.process_time() - start < 10
    with pytest.raises(ValueError, match="circle"): Edits.of(dict(merged={"1": "2", "2": "1"}))

@pytest.mark.draws
def test_a_name_that_looks_like_a_formula(run):
    write_edits(run, Edits(names={0: "$\\frac$", 1: "a\n=1+1"}))
    assert main(["cluster", str(run.parent/"sounds"), "--out", str(run), *COMMON[:-1], "--overwrite"]) == 0
    assert (run/"figures/groups.png").is_file() and (run/"listen.html").is_file()
    (run.parent/"frac").mkdir()
    (run.parent/"sounds").rename(run.parent/"frac/$\\frac$")
    assert main(["compare", str(run), "--labels", "parent"]) == 0

def test_closed_output(run):
    sounds, out = str(run.parent/"sounds"), str(run.parent/"closed")
    command = " ".join([sys.executable, "-m audioclust cluster", sounds, "--out", out, *COMMON, ">&- 2>&-"])
    assert subprocess.run(["sh", "-c", command], capture_output=True).returncode == 0
    assert len(read_table(f"{out}/clusters.csv")) == 18

@pytest.mark.draws
def test_a_folder_whose_name_is_no_text_is_a_class(run):
    folder = os.path.join(os.fsencode(run.parent), b"latin", b"f\xe9")
    os.makedirs(folder)
    try: open(os.path.join(folder, b"x"), "w").close()
    except OSError: pytest.skip("this file system takes texts only")
    os.unlink(os.path.join(folder, b"x"))
    (run.parent/"sounds").rename(os.fsdecode(os.path.join(folder, b"sounds")))
    parent = os.fsdecode(os.path.join(os.fsencode(run.parent), b"latin"))
    for i,path in enumerate(clips(parent).path):
        os.rename(path, os.path.join(os.fsdecode(folder), f"{i}.wav"))
    assert main(["cluster", parent, "--out", str(run.parent/"latin-run"), *COMMON, "--labels", "parent"]) == 0
    assert (run.parent/"latin-run/figures/confusion.png").is_file()

def test_export_replaces_nothing_in_silence(run, capsys):
    out = run.parent/"table.csv"
    out.write_text("mine")
    assert main(["export", str(run), "--to", "csv", "--out", str(out)]) == 2
    assert out.read_text() == "mine" and "--overwrite" in capsys.readouterr().err
    assert main(["export", str(run), "--to", "csv", "--out", str(out), "--overwrite"]) == 0
    for to in "raven", "audacity":
        arguments = ["export", str(run), "--to", to, "--out", str(run.parent/to)]
        assert main(arguments) == 0 and main(arguments) == 2 and main([*arguments, "--overwrite"]) == 0

def with_a_nan(x): return np.where(np.arange(x.size).reshape(x.shape) == 0, np.nan, x).astype(x.dtype)
def shorter(x): return x[:-1]
def wider(x): return np.concatenate([x, x], -1)

@pytest.mark.parametrize("method, field", [("kmeans", "cluster_centers_"), ("consensus", "cluster_centers_"),
    ("spectral", "reference_points_"), ("meanshift", "reference_points_")])
def test_a_damaged_model_names_the_file_and_the_field(run, capsys, method, field):
    assert main(["cluster", str(run.parent/"sounds"), "--out", str(run), *COMMON, "--method", method, "--overwrite"]) == 0
    for part, name in ("whitening", "mean_"), ("whitening", "components_"), ("clusterer", field):
        arrays = load_file(run/f"model/{part}.safetensors")
        for change in with_a_nan, shorter, wider:
            damaged = {**arrays, name: np.ascontiguousarray(change(arrays[name]))}
            save_file(damaged, run/f"model/{part}.safetensors")
            assert main(["assign", str(run), str(run.parent/"sounds"), "--out", str(run.parent/"n.csv")]) == 2
            err = capsys.readouterr().err
            assert f"{part}.safetensors is damaged" in err and name in err, (part, name, change)
        save_file(arrays, run/f"model/{part}.safetensors")

def test_folders_are_given_copies_of_the_recordings_only(run, capsys):
    (run.parent/"sounds/secret.txt").write_text("secret")
    text, first = (run/"clusters.csv").read_text(), read_table(run/"clusters.csv").path[0]
    (run.parent/"private").mkdir()
    (run.parent/"private/mine.wav").write_bytes(Path(first).read_bytes())
    for secret, said in ((run.parent/"sounds/secret.txt", "not audio"),
                         (run.parent/"private/mine.wav", "lies outside the recordings")):
        (run/"clusters.csv").write_text(text.replace(first, str(secret)))
        assert main(["export", str(run), "--to", "folders", "--out", str(run.parent/secret.stem)]) == 2
        assert said in capsys.readouterr().err and not list((run.parent/secret.stem).rglob(f"*{secret.stem}*"))


def test_hours_of_silence_take_no_memory(run, capsys):
    silence = run/"../sounds/three hours.flac"
    with sf.SoundFile(silence, "w", 8000, 1, format="FLAC") as f:
        for _ in range(180): f.write(np.zeros(60*8000, np.float32))  # three hours, 260 kB
    table = read_table(run/"clusters.csv")
    table.loc[:1, "path"] = str(silence.resolve())
    table.loc[:1, "start"] = [0., 1.]
    table.loc[:1, "end"] = 10800.
    write_table(table, run/"clusters.csv")
    tracemalloc.start()
    assert main(["export", str(run), "--to", "folders", "--out", str(run/"../sorted")]) == 0
    sorting = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    assert main(["listen", str(run), "--embed"]) == 0
    embedding = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(sorting, embedding) < 300e6, (sorting, embedding)  # three hours are 345 MB
    assert max(p.stat().st_size for p in (run/"../sorted").rglob("*.wav")) > 170e6


@pytest.mark.skipif(sys.platform != "linux", reason="needs openat")
def test_very_deep_folders(run, capsys):
    wav = next((run/"../sounds").rglob("*.wav")).read_bytes()
    here = os.getcwd()
    try:
        os.chdir(run/"../sounds")
        for i in range(1100):
            os.mkdir("deep")
            os.chdir("deep")
            if i in (10, 500): Path("a.wav").write_bytes(wav)
    finally: os.chdir(here)
    assert again(run, "--overwrite") == 0
    paths, errors = read_table(run/"clusters.csv").path, read_table(run/"errors.csv")
    assert sorted(p.count("/deep") for p in paths)[-2:] == [11, 501]
    assert errors.reason.tolist() == ["the folder could not be read: File name too long"]
    assert main(["export", str(run), "--to", "folders", "--out", str(run/"../sorted")]) == 0
    assert len(list((run/"../sorted").rglob("*.wav"))) == 20
    assert main(["listen", str(run), "--embed"]) == 0
    os.chdir(run/"../sounds")
    try: subprocess.run(["rm", "-rf", "deep"])  # too deep for pytest
    finally: os.chdir(here)


ENCODINGS = {"ascii": {"PYTHONIOENCODING": "ascii"}, "cp1252": {"PYTHONIOENCODING": "cp1252"}, "C": {"LC_ALL": "C"}}

def spoken(arguments, **environment):
    "A command in a process of its own with other variables."
    kept = {name: value for name,value in os.environ.items()
        if not name.startswith(("PYTHONIOENCODING", "LC_", "LANG"))}
    return subprocess.run([sys.executable, "-W", "ignore", "-m", "audioclust", *map(str, arguments)],
        capture_output=True, env={**kept, **environment})

@pytest.mark.parametrize("encoding", [pytest.param(name, marks=pytest.mark.slow if name == "cp1252" else ())
                                      for name in ENCODINGS])
def test_terminals_that_lack_letters(tmp_path, encoding):
    synthetic_sounds(2, 4, sample_rate=8000).save(tmp_path/"птицы")
    for command in "", "cluster", "similar":
        r = spoken([*command.split(), "--help"], **ENCODINGS[encoding])
        assert r.returncode == 0 and len(r.stdout) > 500, r.stderr
    run = tmp_path/"rцy"
    r = spoken(["cluster", tmp_path/"птицы", "--out", run, *COMMON[:1], "2", *COMMON[2:-1]], **ENCODINGS[encoding])
    assert r.returncode == 0 and (run/"listen.html").is_file(), r.stderr
    r = spoken(["similar", run, read_table(run/"clusters.csv").path[0]], **ENCODINGS[encoding])
    assert r.returncode == 0, r.stderr
    r = spoken(["cluster", tmp_path/"нет", "--out", tmp_path/"x"], **ENCODINGS[encoding])
    assert r.returncode == 2 and r.stderr.count(b"\n") == 1 and b"Traceback" not in r.stderr

def test_a_user_without_a_home(run, monkeypatch, capsys):
    def no_home(): raise RuntimeError("Could not determine home directory.")
    monkeypatch.delenv("AUDIOCLUST_CACHE", raising=False)
    monkeypatch.setattr("pathlib.Path.home", no_home)
    arguments = [c for c in COMMON if c not in ("--no-cache", "-q")]
    assert main(["cluster", str(run.parent/"sounds"), "--out", str(run.parent/"homeless"), *arguments]) == 0
    assert "nothing is cached: there is no home folder: set AUDIOCLUST_CACHE" in capsys.readouterr().err
    compare = ["compare", str(run.parent/"sounds"), "--out", str(run.parent/"compared"), "--n-clusters", "3",
        "--encoders", "fixed", "-q"]
    for command in (compare, ["duplicates", str(run.parent/"sounds"), "--out", str(run.parent/"d.csv")], ["encoders"]):
        assert main(command) == 0, capsys.readouterr().err

def test_every_file_of_a_run_is_refused_where_it_is_far_too_large(run, capsys):
    "Sparse: it takes no room on the disk, and all the memory of whoever reads it."
    assign = ["assign", str(run), str(run.parent/"sounds"), "--out", str(run.parent/"a.csv"), "--overwrite", "-q"]
    for name in ("run.json", "clusters.csv", "errors.csv", "names.json", "embeddings.npy", "map.npy",
                 "model/encoder.json", "model/whitening.json"):
        kept = (run/name).read_bytes() if (run/name).exists() else None
        with open(run/name, "wb") as f: f.truncate(10**11)
        start = time.process_time()
        statuses = [main(["listen", str(run)]), main(assign)]
        err = capsys.readouterr().err
        assert 2 in statuses and name.split("/")[-1] in err and time.process_time() - start < 20, err
        (run/name).unlink()
        if kept is not None: (run/name).write_bytes(kept)
    with open(run/"clusters.csv", "r+b") as f: f.truncate(10**9)  # a hole at its end
    assert main(["listen", str(run)]) == 2
    assert "holds null bytes" in capsys.readouterr().err

def test_maps_for_samplers_copy_nothing_from_elsewhere(run, capsys):
    (run.parent/"private").mkdir()
    sf.write(run.parent/"private/secret.mp3", np.zeros(8000) + .1, 8000)
    table = read_table(run/"clusters.csv")
    text = (run/"clusters.csv").read_text()
    for path in table.path[table.representative]: text = text.replace(path, str(run.parent/"private/secret.mp3"))
    (run/"clusters.csv").write_text(text)
    for to in "sfz", "decentsampler", "hydrogen", "kit":
        assert main(["export", str(run), "--to", to, "--out", str(run.parent/"out")]) == 2
        assert "lies outside the recordings" in capsys.readouterr().err and not (run.parent/"out").exists()

def test_label_tracks_are_not_written_through_links(run, capsys):
    (run.parent/"sounds/deep").mkdir()
    (run.parent/"out").mkdir()
    (run.parent/"mine").mkdir()
    table = read_table(run/"clusters.csv")
    inner = run.parent/"sounds/deep"/os.path.basename(table.path[0])
    os.rename(table.path[0], inner)
    (run/"clusters.csv").write_text((run/"clusters.csv").read_text().replace(table.path[0], str(inner)))
    folders = {os.path.relpath(os.path.dirname(p), run.parent/"sounds") for p in read_table(run/"clusters.csv").path}
    for folder in folders - {"."}: (run.parent/"out"/folder).symlink_to(run.parent/"mine")
    assert main(["export", str(run), "--to", "raven", "--out", str(run.parent/"out")]) == 2
    assert "is a link" in capsys.readouterr().err and not any((run.parent/"mine").iterdir())

def test_a_page_replaces_pages_only(run, capsys):
    mine = run.parent/"mine.html"
    mine.write_text("<title>mine</title>")
    assert main(["listen", str(run), "--page", str(mine)]) == 2
    assert "no listening page" in capsys.readouterr().err and mine.read_text() == "<title>mine</title>"
    assert [main(["listen", str(run), "--page", str(run.parent/"page.html")]) for _ in range(2)] == [0, 0]

def test_small_shared_memory(run):
    "Docker gives 64 MB by default, and here are 64 kB: batches of two workers do not fit."
    small = "mount -t tmpfs -o size=64k tmpfs /dev/shm && exec \"$@\""
    def inside(*command):
        return subprocess.run(["unshare", "-m", "sh", "-c", small, "sh", *command], capture_output=True, timeout=300)
    try: there = inside("true").returncode == 0
    except OSError: there = False
    if not there: pytest.skip("needs unshare, and the right to mount")
    r = inside(sys.executable, "-W", "ignore", "-m", "audioclust", "cluster", str(run.parent/"sounds"), "--out",
        str(run.parent/"small"), *COMMON, "--workers", "2")
    assert r.returncode == 0 and len(read_table(run.parent/"small/clusters.csv")) == 18, r.stderr

def test_a_table_in_another_encoding_is_told_of(run, capsys):
    (run.parent/"labels.csv").write_bytes("path,label\nа.wav,b\n".encode("utf-16"))
    assert main(["compare", str(run), "--labels", str(run.parent/"labels.csv")]) == 2
    assert "save it as CSV, in UTF-8" in capsys.readouterr().err
