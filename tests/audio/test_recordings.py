import pickle

import numpy as np
import pytest

from audioclust.audio import AudioError, clips, find_audio, load_audio, probe


def test_find_any_case_stable_order_hidden_skipped(tmp_path, tone):
    for name in ("b.WAV", "a.Flac", "z/c.ogg", ".hidden.wav", ".git/d.wav"):
        tone(tmp_path/name, format=name.rsplit(".")[-1].upper())
    (tmp_path/"notes.txt").write_text("x")
    assert [p.relative_to(tmp_path).as_posix() for p in find_audio(tmp_path)] == ["a.Flac", "b.WAV", "z/c.ogg"]


def test_find_survives_link_loops_and_broken_links(tmp_path, tone):
    tone(tmp_path/"a/x.wav")
    (tmp_path/"a/up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path/"a/self").symlink_to(tmp_path/"a", target_is_directory=True)
    (tmp_path/"broken.wav").symlink_to(tmp_path/"nowhere.wav")
    found = find_audio(tmp_path)
    assert sorted(p.name for p in found) == ["broken.wav", "x.wav"]
    errors = []
    assert len(clips(tmp_path, errors=errors)) == 1
    assert [r for _, r in errors] == ["there is no such file"]


def test_find_takes_lists_globs_and_csv(tmp_path, tone):
    a, b = tone(tmp_path/"a.wav"), tone(tmp_path/"sub/b.wav")
    (tmp_path/"list.csv").write_text("path,other\na.wav,1\nsub/b.wav,2\ngone.wav,3\n")
    assert find_audio(str(tmp_path/"**/*.wav")) == [a, b]
    assert find_audio([b, a, a]) == [a, b]
    assert find_audio(tmp_path/"list.csv") == [a, tmp_path/"gone.wav", b]
    (tmp_path/"bad.csv").write_text("file\na.wav\n")
    with pytest.raises(ValueError, match="no column `path`"): find_audio(tmp_path/"bad.csv")


def test_any_iterable_of_paths(tmp_path, tone):
    a, b = tone(tmp_path/"a.wav"), tone(tmp_path/"b.wav")
    assert find_audio(p for p in (a, b)) == find_audio({a, b}) == find_audio(np.array([str(a), str(b)])) == [a, b]


ODD_NAMES = ["two words.wav", "take[1].wav", "it's.wav", 'a "quote".wav', "日本語.wav", "new\nline.wav",
             b"latin-\xe9.wav".decode(errors="surrogateescape")]


def test_odd_names(tmp_path, tone):
    made = 0
    for i, name in enumerate(ODD_NAMES):
        try: path = tone(tmp_path/str(i)/name)
        except OSError: continue  # the file system does not allow this name
        made += 1
        assert find_audio(path.parent) == find_audio(str(path)) == [path]
        assert probe(path).frames == len(load_audio(path)[0]) == 8000
    assert made >= 4


def test_errors_cross_processes(tmp_path):
    e = pickle.loads(pickle.dumps(AudioError("x.wav", "because")))
    assert (str(e.path), e.reason) == ("x.wav", "because")
