"Labels from everywhere, and the spoken digits from a server that may misbehave."
import http.server
import io
import threading
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import clips, fsdd, label_clips
from audioclust.audio.labels import folder_sha256, FSDD_SHA256


def test_labels_from_everywhere(tmp_path, tone):
    for n in ("cat/a_1.wav", "dog/b_2.wav", "dog/c.wav", "cow/c.wav"): tone(tmp_path/n)
    table = clips(tmp_path)
    def labels(how): return label_clips(table, str(how)).label.fillna("").tolist()
    assert labels("parent") == ["cat", "cow", "dog", "dog"]
    assert labels(r"_(\d)") == ["1", "", "2", ""]
    assert labels(r"^.") == ["a", "c", "b", "c"]  # no group: the match
    (tmp_path/"labels.csv").write_text("path,label\ncat/a_1.wav,01\nb_2.wav,NA\ndog/c.wav,\ncow/c.wav,x\n")
    assert labels(tmp_path/"labels.csv") == ["01", "x", "NA", ""]  # as they are written, one name in two folders
    (tmp_path/"late.csv").write_text("path,start,end,label\na_1.wav,50,60,x\n")
    for nowhere in "zebra", tmp_path/"late.csv":
        with pytest.raises(ValueError, match="match none of the 4"): labels(nowhere)
    (tmp_path/"bad.csv").write_text("file,label\n")
    with pytest.raises(ValueError, match="needs columns"): labels(tmp_path/"bad.csv")


def test_labels_join_by_time(tmp_path, tone):
    "Of events the last label of a path won, and a run printed an NMI of .215 where it is .927."
    tape, other = tone(tmp_path/"a/tape.wav", seconds=10), tone(tmp_path/"b/tape.wav", seconds=10)
    events = pd.DataFrame(dict(path=[tape, tape, tape, other], start=[.9, 4., 7., 0.], end=[2.1, 6., 8., 10.]))
    calls = pd.DataFrame(dict(path=["a/tape.wav"]*3 + ["b/tape.wav"], start=[1., 4.5, 5.8, 3.], end=[2., 5., 6.3, 4.],
            label=["wren", "owl", "coot", "crake"]))
    calls.to_csv(tmp_path/"calls.csv", index=False)
    with pytest.warns(UserWarning, match="1 of 4 labels in .* lie in no clip"):
        found = label_clips(events, str(tmp_path/"calls.csv"))
    assert found.label.fillna("").tolist() == ["wren", "owl", "", "crake"]
    calls.drop(columns=["start", "end"]).to_csv(tmp_path/"paths.csv", index=False)
    with pytest.raises(ValueError, match="has 3 labels"): label_clips(events, str(tmp_path/"paths.csv"))
    with pytest.raises(ValueError, match="no row of"):
        label_clips(events.assign(path=tone(tmp_path/"c.wav")), str(tmp_path/"calls.csv"))


def test_a_label_inside_a_clip_wins_over_one_that_only_touches_it(tmp_path, tone):
    tape = tone(tmp_path/"tape.wav", seconds=25)
    def labels(rows, start, end):
        pd.DataFrame(rows, columns=["start", "end", "label"]).assign(path="tape.wav").to_csv(tmp_path/"l.csv",
                index=False)
        return label_clips(pd.DataFrame(dict(path=[tape], start=[start], end=[end])),
                str(tmp_path/"l.csv")).label.tolist()
    assert labels([(.5, 1.4, "A"), (2., 20., "B")], 0., 3.) == ["A"]
    assert labels([(0., 1., "A"), (1., 2., "A"), (1.8, 3., "B")], 0.,
            3.) == ["A"], "two calls of one kind count together"


def test_nothing_there_and_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOCLUST_DATA", str(tmp_path)); monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path/"c"))
    with pytest.raises(FileNotFoundError, match="AUDIOCLUST_DATA"): fsdd(download=False)


@pytest.mark.data
def test_fsdd_is_release_1_0_10():
    t = fsdd(download=False)
    assert len(t) == 3000 and t.groupby(["label", "speaker"]).size().eq(50).all()
    assert folder_sha256(Path(t.path[0]).parent) == FSDD_SHA256


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


def test_download_is_checked_unpacked_and_kept(tmp_path, recordings, serve, monkeypatch):
    files = {f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")}
    url = serve(archive(files | {"fsdd-1/README.md": b"x", "fsdd-1/other/z.wav": b"x",
                                 "fsdd-1/recordings/../../../evil.wav": b"x", "/tmp/evil.wav": b"x",
                                 "fsdd-1/recordings/..\\..\\evil.wav": b"x"}))
    monkeypatch.setattr("audioclust.audio.labels.FSDD_URL", url)
    monkeypatch.setattr("audioclust.audio.labels.FSDD_SHA256", folder_sha256(recordings))
    t = fsdd(tmp_path/"cache")
    assert t.label.tolist() == ["0", "0", "1", "1"] and t.speaker.tolist() == ["ann", "bob"]*2
    assert [p.name for p in (tmp_path/"cache").iterdir()] == ["recordings"]
    assert len(list((tmp_path/"cache/recordings").iterdir())) == 4 and not list(tmp_path.rglob("*evil.wav"))
    monkeypatch.setattr("audioclust.audio.labels.FSDD_URL", "http://127.0.0.1:9/never")
    assert len(fsdd(tmp_path/"cache")) == 4, "the second time nothing is fetched"


def test_bad_downloads_leave_nothing(tmp_path, recordings, serve, monkeypatch):
    files = {f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")}
    good, first = archive(files), next(iter(files))
    at = good.index(files[first][:64])
    changed = good[:at] + b"zz" + good[at + 2:]
    monkeypatch.setattr("audioclust.audio.labels.FSDD_SHA256", folder_sha256(recordings))
    for answer, error, message in (
            (dict(body=archive(files | {first: files[first][:-2] + b"zz"})), ValueError, "not the expected ones"),
            (dict(body=archive({"fsdd-1/README.md": b"x"})), ValueError, "not the expected ones"),
            (dict(body=good[:len(good)//2], length=len(good)), OSError, "failed.*try again"),
            (dict(body=changed), OSError, "failed.*try again"),
            (dict(body=b"", status=404), OSError, "failed.*404")):
        monkeypatch.setattr("audioclust.audio.labels.FSDD_URL", serve(**answer))
        with pytest.raises(error, match=message) as raised: fsdd(tmp_path/"cache")
        assert "\n" not in str(raised.value)
        assert not list((tmp_path/"cache").iterdir())
