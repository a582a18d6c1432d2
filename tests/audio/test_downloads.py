"Spoken digits, from a server that may misbehave."
import http.server
import io
import threading
import zipfile

import pytest
import soundfile as sf

from audioclust.audio import fsdd
from audioclust.audio.datasets import folder_sha256


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
    files = {f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")}
    url = serve(archive(files | {"fsdd-1/README.md": b"x", "fsdd-1/other/z.wav": b"x"}))
    sha = folder_sha256(recordings)
    t = fsdd(tmp_path/"cache", progress=False, url=url, sha256=sha)
    assert t.label.tolist() == ["0", "0", "1", "1"] and t.speaker.tolist() == ["ann", "bob"]*2
    assert [p.name for p in (tmp_path/"cache").iterdir()] == ["recordings"]
    assert len(list((tmp_path/"cache/recordings").iterdir())) == 4
    # the second time nothing is fetched
    assert len(fsdd(tmp_path/"cache", url="http://127.0.0.1:9/never", sha256=sha)) == 4


def bad_downloads(recordings):
    files = {f"fsdd-1/recordings/{p.name}": p.read_bytes() for p in recordings.glob("*.wav")}
    good = archive(files)
    first = next(iter(files))
    return dict(corrupt=(dict(body=archive(files | {first: files[first][:-2] + b"zz"})), ValueError,
            "not the expected ones"),
                flipped=(dict(body=good[:200] + bytes([good[200] ^ 255]) + good[201:]), Exception, None),
                interrupted=(dict(body=good[:len(good)//2], length=len(good)), OSError, "broke off|failed"),
                not_zip=(dict(body=b"<html>not found</html>"), ValueError, "not a zip"),
                missing=(dict(body=b"", status=404), OSError, "failed.*404"),
                traversal=(dict(body=archive(files | {"fsdd-1/recordings/../../../evil.wav": b"x"})), ValueError,
                        "outside"),
                absolute=(dict(body=archive(files | {"/tmp/evil.wav": b"x"})), ValueError, "outside"))


@pytest.mark.parametrize("case", ["corrupt", "flipped", "interrupted", "not_zip", "missing", "traversal", "absolute"])
def test_bad_downloads_leave_nothing(tmp_path, recordings, serve, case):
    answer, error, message = bad_downloads(recordings)[case]
    url, sha = serve(**answer), folder_sha256(recordings)
    with pytest.raises(error, match=message): fsdd(tmp_path/"cache", progress=False, url=url, sha256=sha)
    assert not list((tmp_path/"cache").iterdir())
    assert not list(tmp_path.rglob("evil.wav"))
