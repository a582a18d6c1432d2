"Full disks, no permission, files that vanish: one line, nothing half-written, nothing lost."
import errno, os, re, shutil, sqlite3, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

resource = pytest.importorskip("resource")  # limits of a process, as Unix has them
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.core.files import write_json
from audioclust.encoders.cache import ArrayCache
from audioclust.runs.resuming import state
from audioclust.runs.run_folder import read_table, SCHEMA

SAME = "clusters.csv", "embeddings.npy", "errors.csv"
PLAIN = ["--n-clusters", "4", "--stability", "0", "-q"]
root = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(scope="module")
def home():
    "Recordings, and a run of them with its cache, where any user may look."
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    synthetic_words(4, 3, 3).save(home/"sounds")
    time.sleep(.2)  # until they have settled: digests of files that just changed are not cached
    assert main(["cluster", str(home/"sounds"), "--out", str(home/"whole"), "--cache", str(home/"cache"), *PLAIN]) == 0
    yield home
    for p in (home, *home.rglob("*")): p.chmod(0o755)  # a folder before what is in it
    shutil.rmtree(home)

@pytest.fixture
def sounds(home, tmp_path): return Path(shutil.copytree(home/"sounds", tmp_path/"sounds"))

@pytest.fixture
def cluster(home, capsys):
    "Cluster, and what was said on stderr, a line each."
    def run(sounds, out, *more, cache=home/"cache"):
        capsys.readouterr()
        status = main(["cluster", str(sounds), "--out", str(out), "--cache", str(cache), *PLAIN, *more])
        err = capsys.readouterr().err
        assert "Traceback" not in err and "should not happen" not in err, err
        return status, err.splitlines()
    return run

def same(a, b): return all((a/n).read_bytes() == (b/n).read_bytes() for n in SAME)
def temporary(folder): return [p for p in folder.rglob(".*") if p.is_file()] if folder.is_dir() else []

def full(*_): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

@contextmanager
def longest(size):
    "No file may become longer than this (bytes)."
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))  # Python ignores the signal, so that writing fails
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, before)

@contextmanager
def nobody():
    "As a user who may do nothing in particular; root may do everything."
    if not root:
        yield
        return
    os.setresgid(65534, 65534, 0)
    os.setresuid(65534, 65534, 0)
    try: yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


# A full disk

@pytest.mark.draws
@pytest.mark.parametrize("size", [0, 2000, 90_000])
def test_a_run_whose_files_may_not_be_long(home, cluster, tmp_path, size):
    out = tmp_path/"run"
    with longest(size): status, err = cluster(home/"sounds", out)
    assert status == 2 and not temporary(out)
    assert re.search("could not be written: it would be larger|only a part of it|as said above", err[-1])
    assert state(out) == ("stopped" if out.exists() else "new")
    assert cluster(home/"sounds", out, "--resume")[0] == 0 and same(out, home/"whole")

def test_each_file_in_turn_finds_the_disk_full(home, cluster, tmp_path, monkeypatch):
    out, fsync, seen = tmp_path/"run", os.fsync, []
    for n in range(1, 40):
        calls, status = [], None
        def sync(f):
            calls.append(f)
            return full() if len(calls) == n else fsync(f)
        with monkeypatch.context() as m:
            m.setattr(os, "fsync", sync)
            status, err = cluster(home/"sounds", out, "--no-page", *(["--resume"] if n > 1 else []))
        if status == 0: break
        kept = "(; what is done is kept: --resume goes on from there)?"
        said = rf"audioclust cluster: {re.escape(str(out))}/(\S+) could not be written: the disk is full{kept}"
        name = re.fullmatch(said, "\n".join(err))
        assert status == 2 and name and not temporary(out), err
        expected = "whole" if "run.json" in seen[1:] else "new"
        assert state(out) == ("stopped" if name[2] else expected)
        seen.append(name[1])
    written = """started.json run.json clusters.csv errors.csv embeddings.npy
        model/encoder.json model/whitening.safetensors model/whitening.json model/clusterer.safetensors
        model/clusterer.json"""
    assert set(written.split()) <= set(seen)
    assert same(out, home/"whole") and state(out) == "whole"

@pytest.mark.draws
def test_a_full_disk_at_a_figure_leaves_a_whole_run(home, cluster, tmp_path, monkeypatch):
    out, replace, name = tmp_path/"run", os.replace, "figures/map.png"
    with monkeypatch.context() as m:
        m.setattr(os, "replace", lambda a, b: full() if str(b).endswith(name) else replace(a, b))
        status, err = cluster(home/"sounds", out, "--no-page")
    assert status == 2 and name in err[0] and "the disk is full" in err[0], err
    assert "is whole, but its page or some figures are missing" in err[-1]
    assert not (out/name).exists() and not temporary(out)
    assert cluster(home/"sounds", out, "--no-page", "--resume")[0] == 0 and same(out, home/"whole")

def test_a_cache_on_a_full_disk_is_a_warning(tmp_path):
    with longest(300_000): ArrayCache(tmp_path/"cache").put([(b"1"*16, np.zeros(10), 0)])
    with longest(300_000), pytest.warns(UserWarning, match="cannot be used now"):
        ArrayCache(tmp_path/"cache").put([(b"2"*16, np.zeros(100_000), 0)])
    assert [i for i, *_ in ArrayCache(tmp_path/"cache").get([b"1"*16, b"2"*16])] == [0]

WRITERS = { # a command, and the file or folder that it writes
    "assign": ("assign RUN SOUNDS --out OUT.csv -q", "OUT.csv"),
    "csv": ("export RUN --to csv --out OUT.csv", "OUT.csv"),
    "folders": ("export RUN --to folders --out OUT", "OUT"),
    "listen": ("listen RUN --page OUT.html", "OUT.html"), "edits": ("listen RUN --edits EDITS", "RUN/names.json"),
    "score": ("compare RUN --labels parent", "RUN/run.json"),
    "duplicates": ("duplicates SOUNDS --out OUT.csv", "OUT.csv"),
    "compare": ("compare SOUNDS --out OUT --methods kmeans --encoders fixed --n-clusters 4", "OUT/")}

@pytest.mark.parametrize("what", WRITERS)
def test_other_commands_on_a_full_disk(home, tmp_path, capsys, monkeypatch, what):
    command, file = WRITERS[what]
    words = command.split()
    run, sounds = Path(shutil.copytree(home/"whole", tmp_path/"run")), home/"sounds"
    (tmp_path/"edits.json").write_text('{"schema": 1, "edits": {"content": {"names": {"0": "hello"}}}}')
    def there(text):
        places = dict(RUN=run, SOUNDS=sounds, OUT=tmp_path/"out", EDITS=tmp_path/"edits.json")
        for name,place in places.items(): text = re.sub(rf"^{name}(?=$|[./])", str(place), text)
        return text
    if what == "duplicates":
        sounds = Path(shutil.copytree(sounds, tmp_path/"sounds"))
        shutil.copy(next(sounds.rglob("*.wav")), sounds/"twin.wav")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with longest(10): status = main([*map(there, words)])
    err = capsys.readouterr().err.splitlines()
    said = [l for l in err if l.startswith(f"audioclust {words[0]}: ")]
    assert status == 2 and len(said) == 1 and "Traceback" not in "".join(err)
    reason = rf"{re.escape(there(file))}[^:]* could not be written: it would be larger than a file may be here"
    assert re.search(reason, said[0])
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before and not temporary(tmp_path)
    shutil.rmtree(tmp_path/"out", ignore_errors=True)  # of folders
    assert main([*map(there, words)]) == 0

def test_the_page_of_an_earlier_run_does_not_stay_beside_the_new_one(home, cluster, tmp_path):
    out = tmp_path/"run"
    assert cluster(home/"sounds", out)[0] == 0 and (out/"listen.html").is_file()
    with longest(90_000): assert cluster(home/"sounds", out, "--overwrite", "--seed", "1")[0] == 2
    assert state(out) == "stopped" and not (out/"listen.html").exists()
    assert cluster(home/"sounds", out, "--resume", "--seed", "1")[0] == 0 and (out/"listen.html").is_file()

@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_is_said_does_not_get_through(home, monkeypatch, capsys):
    words, (r, w) = ["compare", str(home/"whole"), "--labels", "parent"], os.pipe()
    os.close(r)  # as `| head` does, which has heard enough
    said = "audioclust compare: what there is to say could not be written: the disk is full\n"
    for where,status,err in (open("/dev/full", "w"), 2, said), (os.fdopen(w, "w"), 0, ""):
        with where, monkeypatch.context() as m:
            m.setattr(sys, "stdout", where)
            assert (main(words), capsys.readouterr().err) == (status, err)


# No permission

def test_places_that_may_not_be_written(home, cluster, tmp_path, monkeypatch):
    locked = home/"locked"
    locked.mkdir(mode=0o555)
    with nobody():
        status, err = cluster(home/"sounds", locked/"run")
        said = f"audioclust cluster: {locked/'run'} cannot be written: no permission in {locked}"
        assert (status, err) == (2, [said])
        monkeypatch.setattr(os, "access", lambda *_, **__: True)  # as on a disk that says more than it keeps
        status, err = cluster(home/"sounds", locked/"run")
        said = f"audioclust cluster: {locked/'run'} could not be written: no permission to write there"
        assert (status, err) == (2, [said])
    assert not list(locked.iterdir())

def test_a_run_folder_that_may_be_read_only(home, cluster, capsys):
    run = Path(shutil.copytree(home/"whole", home/"theirs"))
    for p in (run, *run.rglob("*")): p.chmod(0o555 if p.is_dir() else 0o444)
    with nobody():
        for words in ["listen", str(run)], ["compare", str(run), "--labels", "parent"]:
            assert main(words) == 2
            said = rf"audioclust {words[0]}: {run}/\S+ could not be written: no permission to write there\n"
            assert re.fullmatch(said, capsys.readouterr().err)
        status, err = cluster(home/"sounds", run, "--overwrite")
        assert status == 2 and err == [f"audioclust cluster: {run} cannot be written: no permission in {run}"]
        assert main(["export", str(run), "--to", "csv", "--out", str(run/"a.csv")]) == 2
        assert main(["assign", str(run), str(home/"sounds"), "--out", str(run/"a.csv"), "-q"]) == 2
    assert same(run, home/"whole") and not (run/"a.csv").exists()

def test_recordings_that_may_not_be_read(home, cluster):
    mine, out = Path(shutil.copytree(home/"sounds", home/"mine")), home/"out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    some, folder = sorted(mine.rglob("*.wav"))[0], sorted(p for p in mine.rglob("*") if p.is_dir())[-1]
    some.chmod(0)
    folder.chmod(0)
    with nobody():
        assert cluster(mine, out/"run", "--no-page", "--n-clusters", "2", cache=out/"cache")[0] == 0
        bad = read_table(out/"run"/"errors.csv").set_index("path").reason
        assert "no permission to read" in bad[str(some)] and "ermission" in bad[str(folder)] and len(bad) == 2
        mine.chmod(0) if not root else os.seteuid(0) or mine.chmod(0) or os.seteuid(65534)
        status, err = cluster(mine, out/"none", cache=out/"cache")
        assert status == 2 and len(err) == 1 and "ermission" in err[0] and not (out/"none").exists()
    for p in mine, folder, some: p.chmod(0o755)

@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_cache_that_may_not_be_written_is_a_warning(home, cluster, kind):
    cache, out = Path(shutil.copytree(home/"cache", home/f"cache-{kind}")), home/f"out-{kind}"
    out.mkdir()
    out.chmod(0o777)
    for p in cache.iterdir(): p.chmod(0o444)
    cache.chmod(0o555 if kind == "folder" else 0o777)
    with nobody():
        status, err = cluster(home/"sounds", out/"run", "--no-page", cache=cache)
        # what is in the file can still be read
        assert status == 0 and len(err) == (kind == "folder") and same(out/"run", home/"whole")
        status, err = cluster(home/"sounds", out/"more", "--no-page", "--rate", "12000", cache=cache)
        assert status == 0 and len(err) == 1 and err[0].startswith(f"warning: the cache in {cache} cannot be used now")


# Files where folders are wanted, and caches of other versions

def test_a_cache_of_a_later_version_is_left_alone(home, cluster, tmp_path):
    cache = Path(shutil.copytree(home/"cache", tmp_path/"cache"))
    later = cache/"arrays-2.sqlite"
    table = "create table arrays(key blob primary key, model text); pragma user_version=2"
    with sqlite3.connect(later) as db: db.executescript(table)
    db.close()
    kept = later.read_bytes()
    assert cluster(home/"sounds", tmp_path/"a", "--no-page", cache=cache) == (0, []) and later.read_bytes() == kept
    with sqlite3.connect(cache/"arrays-1.sqlite") as db: db.executescript(f"drop table arrays; {table}")
    db.close()
    status, err = cluster(home/"sounds", tmp_path/"b", "--no-page", cache=cache)
    assert status == 0 and len(err) == 1 and err[0].startswith("warning: the cache")
    assert same(tmp_path/"b", home/"whole")


# What vanishes

def before_embedding(monkeypatch, do):
    "Do something to the recordings after they were found and before they are decoded."
    from audioclust.pipeline import all_steps
    embed = all_steps.embed
    def then(*args, **more):
        do()
        return embed(*args, **more)
    monkeypatch.setattr(all_steps, "embed", then)

TRAINED = ["--method", "deepcluster", "--epochs", "1", "--set", "passes=1", "--set", "views=2"]

@pytest.mark.parametrize("options", [[], TRAINED], ids=["fixed", "deepcluster"])
def test_recordings_that_change_after_they_were_found(sounds, cluster, tmp_path, monkeypatch, options):
    gone, text, cut, other, last = sorted(sounds.rglob("*.wav"))[:5]
    def change():
        gone.unlink()
        text.write_text("no sound")
        cut.write_bytes(cut.read_bytes()[:len(cut.read_bytes())//2])
        shutil.copy(last, other)
    before_embedding(monkeypatch, change)
    status, err = cluster(sounds, tmp_path/"run", "--no-page", *options, cache=tmp_path/"cache")
    bad, table = (read_table(tmp_path/"run"/n) for n in ("errors.csv", "clusters.csv"))
    assert status == 0 and "warning: 2 files or clips could not be used" in err[-1]
    assert dict(zip(bad.path, bad.reason))[str(gone)] == "there is no such file"
    assert set(bad.path) == {str(gone), str(text)}
    assert len(table) == 34 and {str(cut), str(other)} <= set(table.path)
    assert table.end[table.path == str(cut)].item() < .75*sf.info(last).duration + .3

@pytest.mark.parametrize("options", [[], TRAINED], ids=["fixed", "deepcluster"])
def test_a_disk_of_recordings_that_is_taken_out(sounds, cluster, tmp_path, monkeypatch, options):
    before_embedding(monkeypatch, lambda: sounds.rename(tmp_path/"elsewhere") if sounds.exists() else None)
    status, err = cluster(sounds, tmp_path/"run", *options, cache=tmp_path/"cache")
    assert status == 2 and len(err) == 1 and "is their disk still there?" in err[0] and not (tmp_path/"run").exists()
    monkeypatch.undo()
    (tmp_path/"elsewhere").rename(sounds)
    assert cluster(sounds, tmp_path/"run", "--resume", "--no-page", *options, cache=tmp_path/"cache")[0] == 0

@pytest.mark.parametrize("what", ["replaced", "new"])
def test_recordings_that_change_between_a_training_and_going_on(sounds, cluster, tmp_path, monkeypatch, what):
    out, replace = tmp_path/"run", os.replace
    options = "--no-page --method deepcluster --epochs 3 --set passes=1 --set views=2".split()
    def stop(a, b):
        replace(a, b)
        if "training" in str(b): raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(os, "replace", stop)
        assert cluster(sounds, out, *options)[0] == 130
    a, b = sorted(sounds.rglob("*.wav"))[:2]
    shutil.copy(b, a if what == "replaced" else a.with_name("new.wav"))
    status, err = cluster(sounds, out, "--resume", *options)
    said = "training.safetensors is from another training, or its recordings have changed since: .*--overwrite"
    assert status == 2 and re.search(said, err[-1]) and state(out) == "stopped"
    assert cluster(sounds, out, "--overwrite", *options)[0] == 0
    assert len(read_table(out/"clusters.csv")) == 36 + (what == "new")

def test_a_damaged_training_is_told(home, cluster, tmp_path, monkeypatch):
    out, options = tmp_path/"run", ["--no-page", *TRAINED]
    (out/"training").mkdir(parents=True)
    write_json(dict(schema=SCHEMA, request={}), out/"started.json")
    (out/"training"/"training.safetensors").write_bytes(b"no tensors")
    status, err = cluster(home/"sounds", out, "--resume", *options)
    assert status == 2 and "training.safetensors is damaged" in err[-1] and "--overwrite" in err[-1]
    assert cluster(home/"sounds", out, "--overwrite", *options)[0] == 0

@pytest.mark.draws
def test_a_run_folder_that_is_removed(home, cluster, tmp_path, monkeypatch):
    out, replace, calls = tmp_path/"run", os.replace, []
    def remove(a, b):
        replace(a, b)
        calls.append(b)
        if len(calls) == 5: shutil.rmtree(out)
    with monkeypatch.context() as m:
        m.setattr(os, "replace", remove)
        status, err = cluster(home/"sounds", out, "--no-page")
    assert status == 2 and len(err) == 1 and "disappeared from" in err[0] and "--resume" in err[0]
    assert state(out) == "stopped" and not temporary(out)
    assert cluster(home/"sounds", out, "--resume", "--no-page")[0] == 0 and same(out, home/"whole")
