import http.server, io, threading, zipfile

import numpy as np
import pytest
import soundfile as sf

from audioclust.audio import datasets
from audioclust.audio.datasets import folder_sha256
from audioclust.audio import from_csv, from_folder, fsdd, synthetic_sounds, synthetic_words
from audioclust.audio.synthetic import FAMILIES


# made to order

def test_sounds_are_finite_distinct_and_within_range():
    s = synthetic_sounds(12, 4, n_voices=3)
    assert len(s.waves) == 48 and set(s.label) == set(FAMILIES) and set(s.voice) <= {0, 1, 2}
    for w in s.waves: assert w.dtype == np.float32 and np.isfinite(w).all() and 0 < np.abs(w).max() <= 1
    assert len({w.tobytes() for w in s.waves}) == 48


def test_seed_decides_and_does_not_touch_the_global_state():
    np.random.seed(1); before = np.random.get_state()[1].copy()
    a, b, c = synthetic_sounds(2, 2), synthetic_sounds(2, 2), synthetic_sounds(2, 2, random_state=1)
    assert all((x == y).all() for x, y in zip(a.waves, b.waves)) and not all(len(x) == len(y) and (x == y).all() for x, y in zip(a.waves, c.waves))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("make", [synthetic_sounds, synthetic_words])
def test_saved_sounds_read_back(tmp_path, make):
    s = make(2, 2)
    table = s.save(tmp_path)
    assert list(table.columns) == ["path", "start", "end", "label", "voice"] and len(table) == len(s.waves)
    for p, w, label in zip(table.path, s.waves, s.label):
        x, sr = sf.read(p)
        assert sr == s.sample_rate and p.parent.name == label and np.abs(x - w).max() < 1e-4


@pytest.mark.parametrize("kwargs", [dict(n_classes=0), dict(n_classes=13), dict(n_per_class=0), dict(n_voices=0)])
def test_wrong_numbers(kwargs):
    with pytest.raises(ValueError, match=str(next(iter(kwargs.values())))): synthetic_sounds(**kwargs)


# labels

def test_labels_from_everywhere(tmp_path, tone):
    for n in ("cat/a_1.wav", "dog/b_2.wav", "dog/c.wav"): tone(tmp_path/n)
    assert from_folder(tmp_path, "parent").label.tolist() == ["cat", "dog", "dog"]
    assert from_folder(tmp_path, r"_(\d)").label.tolist() [:2] == ["1", "2"]
    assert from_folder(tmp_path, r"^.").label.tolist() == ["a", "b", "c"]  # no group: the match
    (tmp_path/"labels.csv").write_text("path,label\ncat/a_1.wav,meow\nc.wav,wuff\n")
    labelled = from_folder(tmp_path, str(tmp_path/"labels.csv"))
    assert labelled.label.isna().tolist() == [False, True, False] and labelled.label[0] == "meow"
    with pytest.raises(ValueError, match="match none of the 3"): from_folder(tmp_path, "zebra")
    (tmp_path/"bad.csv").write_text("file,label\n")
    with pytest.raises(ValueError, match="needs columns"): from_folder(tmp_path, str(tmp_path/"bad.csv"))


def test_same_name_in_two_folders_needs_the_path(tmp_path, tone):
    for n in ("a/x.wav", "b/x.wav"): tone(tmp_path/n)
    (tmp_path/"labels.csv").write_text("path,label\na/x.wav,A\nb/x.wav,B\n")
    assert from_folder(tmp_path, str(tmp_path/"labels.csv")).label.tolist() == ["A", "B"]


def test_from_csv(tmp_path, tone):
    tone(tmp_path/"x.wav", seconds=2.)
    (tmp_path/"t.csv").write_text("file,kind,start,end\nx.wav,a,0,0.5\nx.wav,b,1,1.5\n")
    t = from_csv(tmp_path/"t.csv", "file", "kind")
    assert t[["start", "end", "label"]].values.tolist() == [[0, .5, "a"], [1, 1.5, "b"]]
    (tmp_path/"u.csv").write_text("path\nx.wav\n")
    assert from_csv(tmp_path/"u.csv", window=1).start.tolist() == [0, 1]
    with pytest.raises(ValueError, match="no column 'nope'"): from_csv(tmp_path/"t.csv", "nope")


def test_labels_stay_as_they_are_written(tmp_path, tone):
    for n in ("a.wav", "b.wav", "c.wav"): tone(tmp_path/n)
    (tmp_path/"l.csv").write_text("path,label,other\na.wav,01,x\nb.wav,NA,y\nc.wav,,z\n")
    t = from_folder(tmp_path, str(tmp_path/"l.csv"))
    assert t.label[:2].tolist() == ["01", "NA"] and t.label.isna().tolist() == [False, False, True]
    assert from_csv(tmp_path/"l.csv", label_column="label").label.tolist() == ["01", "NA", ""]
    assert from_csv(tmp_path/"l.csv", label_column="other").label.tolist() == ["x", "y", "z"]


# spoken digits, from a server that may misbehave

@pytest.fixture
def recordings(tmp_path, rng):
    folder = tmp_path/"made"; folder.mkdir()
    for d in range(2):
        for who in ("ann", "bob"): sf.write(folder/f"{d}_{who}_0.wav", rng.standard_normal(800)*.1, 8000)
    return folder


def archive(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as z:
        for name, content in files.items(): z.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def serve():
    servers = []
    def start(body, length=None, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(length or len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1.zip"
    yield start
    for s in servers: s.shutdown(); s.server_close()


def test_download_is_checked_unpacked_and_kept(tmp_path, recordings, serve):
    good = archive({f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")} | {"fsdd-1/README.md": b"x", "fsdd-1/other/z.wav": b"x"})
    url, sha = serve(good), folder_sha256(recordings)
    t = fsdd(tmp_path/"cache", progress=False, url=url, sha256=sha)
    assert t.label.tolist() == ["0", "0", "1", "1"] and t.speaker.tolist() == ["ann", "bob"]*2
    assert sorted(p.name for p in (tmp_path/"cache").iterdir()) == ["recordings"] and len(list((tmp_path/"cache/recordings").iterdir())) == 4
    assert len(fsdd(tmp_path/"cache", url="http://127.0.0.1:9/never", sha256=sha)) == 4  # the second time nothing is fetched


def bad_downloads(recordings):
    files = {f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")}
    good = archive(files)
    first = next(iter(files))
    return dict(corrupt=(dict(body=archive(files | {first: files[first][:-2] + b"zz"})), ValueError, "not the expected ones"),
                flipped=(dict(body=good[:200] + bytes([good[200] ^ 255]) + good[201:]), Exception, None),
                interrupted=(dict(body=good[:len(good)//2], length=len(good)), OSError, "broke off|failed"),
                not_zip=(dict(body=b"<html>not found</html>"), ValueError, "not a zip"),
                missing=(dict(body=b"", status=404), OSError, "failed.*404"),
                traversal=(dict(body=archive(files | {"fsdd-1/recordings/../../../evil.wav": b"x"})), ValueError, "outside"),
                absolute=(dict(body=archive(files | {"/tmp/evil.wav": b"x"})), ValueError, "outside"))


@pytest.mark.parametrize("case", ["corrupt", "flipped", "interrupted", "not_zip", "missing", "traversal", "absolute"])
def test_bad_downloads_leave_nothing(tmp_path, recordings, serve, case):
    answer, error, message = bad_downloads(recordings)[case]
    with pytest.raises(error, match=message): fsdd(tmp_path/"cache", progress=False, url=serve(**answer), sha256=folder_sha256(recordings))
    assert not list((tmp_path/"cache").iterdir())
    assert not list(tmp_path.rglob("evil.wav"))


def test_nothing_there_and_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOCLUST_DATA", str(tmp_path)); monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path/"c"))
    with pytest.raises(FileNotFoundError, match="AUDIOCLUST_DATA"): fsdd(download=False)


@pytest.mark.data
def test_fsdd_is_release_1_0_10():
    t = fsdd(download=False)
    assert len(t) == 3000 and t.groupby(["label", "speaker"]).size().eq(50).all()
    assert folder_sha256(t.path[0].parent) == datasets.FSDD_SHA256
