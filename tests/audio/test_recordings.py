import os, stat, struct, subprocess, sys

import numpy as np
import pytest
import soundfile as sf
import torch

from audioclust.audio import AudioError, LogMel, clips, find_audio, load_audio, probe
from audioclust.audio.recordings import EXTENSIONS


# finding

def test_find_any_case_stable_order_hidden_skipped(tmp_path, tone):
    for name in ("b.WAV", "a.Flac", "z/c.ogg", ".hidden.wav", ".git/d.wav"): tone(tmp_path/name, format=dict(wav="WAV", flac="FLAC", ogg="OGG")[name.rsplit(".")[-1].lower()])
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


def test_find_takes_names_with_brackets_literally(tmp_path, tone):
    p = tone(tmp_path/"take[1].wav")
    assert find_audio(str(p)) == [p]


# decoding

FORMATS = [("WAV", "PCM_U8", 2e-2), ("WAV", "PCM_16", 1e-4), ("WAV", "PCM_24", 1e-6), ("WAV", "PCM_32", 1e-6), ("WAV", "FLOAT", 1e-6), ("WAV", "DOUBLE", 1e-6),
           ("FLAC", "PCM_16", 1e-4), ("OGG", "VORBIS", .2), ("OGG", "OPUS", .2), ("MP3", "MPEG_LAYER_III", .2), ("AIFF", "PCM_16", 1e-4), ("CAF", "PCM_16", 1e-4), ("W64", "PCM_16", 1e-4)]

@pytest.mark.parametrize("kind,subtype,tolerance", FORMATS)
def test_every_encoding(tmp_path, tone, kind, subtype, tolerance):
    sr = 48000 if subtype == "OPUS" else 44100
    ext = {"MP3": "mp3", "AIFF": "aiff"}.get(kind, kind.lower())
    path = tone(tmp_path/f"x.{ext}", sr=sr, format=kind, subtype=subtype)
    assert path.suffix in EXTENSIONS
    info = probe(path)
    assert (info.sample_rate, info.channels) == (sr, 1) and abs(info.duration - .5) < .06
    wave, rate = load_audio(path)
    assert wave.dtype == torch.float32 and rate == sr and len(wave) == info.frames
    inner = wave[sr//10:-sr//10]
    assert abs(inner.abs().max().item() - .5) < max(tolerance, 1e-3)*2
    assert abs(inner.pow(2).mean().sqrt().item() - .5/2**.5) < max(tolerance, 1e-3)


@pytest.mark.parametrize("channels", [2, 8])
def test_channels_are_averaged(tmp_path, channels):
    x = np.zeros((800, channels), np.float32); x[:, 0] = .8
    sf.write(tmp_path/"x.wav", x, 8000, subtype="FLOAT")
    wave, _ = load_audio(tmp_path/"x.wav")
    torch.testing.assert_close(wave, torch.full((800,), .8/channels))


@pytest.mark.parametrize("own,want", [(192000, 16000), (8000, 16000), (44100, 16000), (22050, 32000), (16000, 16000)])
def test_resampling_keeps_a_tone(tmp_path, tone, own, want):
    path = tone(tmp_path/"x.wav", hz=500, sr=own, seconds=1., subtype="FLOAT")
    wave, rate = load_audio(path, want)
    assert rate == want and len(wave) == want
    t = torch.arange(want)/want
    inner = slice(want//10, -want//10)
    assert (wave - .5*torch.sin(2*torch.pi*500*t))[inner].abs().max() < 1e-3


def test_a_part_equals_that_part_of_the_whole(tmp_path, rng):
    x = rng.standard_normal(44100).astype(np.float32)*.1
    sf.write(tmp_path/"x.wav", x, 44100, subtype="FLOAT")
    same, _ = load_audio(tmp_path/"x.wav", start=.25, end=.5)
    np.testing.assert_array_equal(same, x[11025:22050])
    whole, _ = load_audio(tmp_path/"x.wav", 16000)
    part, _ = load_audio(tmp_path/"x.wav", 16000, start=.25, end=.5)
    assert len(part) == 4000
    assert (part - whole[4000:8000]).abs().max() < 1e-3  # the margin is what keeps the edges right


def test_a_part_does_not_read_the_rest(tmp_path, monkeypatch):
    sf.write(tmp_path/"x.wav", np.zeros(16000*60), 16000)
    read, real = [], sf.SoundFile.read
    monkeypatch.setattr(sf.SoundFile, "read", lambda self, n, **k: (read.append(n), real(self, n, **k))[1])
    load_audio(tmp_path/"x.wav", 8000, start=30, end=31)
    assert sum(read) < 16000*1.1


def test_wrong_part_is_refused(tmp_path, tone):
    with pytest.raises(ValueError, match="holds nothing"): load_audio(tone(tmp_path/"x.wav"), start=1, end=.5)


# bad and odd input

def test_reasons(tmp_path, tone):
    (tmp_path/"empty.wav").touch()
    (tmp_path/"text.mp3").write_text("not a sound at all, " * 50)
    sf.write(tmp_path/"header.wav", np.zeros(0), 8000)
    (tmp_path/"folder.wav").mkdir()
    os.mkfifo(tmp_path/"pipe.wav")
    why = {}
    for name in ("gone.wav", "empty.wav", "text.mp3", "header.wav", "folder.wav", "pipe.wav"):
        with pytest.raises(AudioError) as e: probe(tmp_path/name)
        why[name] = e.value.reason
    assert why["gone.wav"] == "there is no such file" and why["empty.wav"] == "the file is empty (0 bytes)"
    assert "not audio" in why["text.mp3"] and "0 samples" in why["header.wav"]
    assert "folder" in why["folder.wav"] and "not a regular file" in why["pipe.wav"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_permission(tmp_path, tone):
    path = tone(tmp_path/"x.wav")
    os.chmod(path, 0)
    if os.geteuid() != 0:
        with pytest.raises(AudioError, match="no permission"): probe(path)
        return
    for p in (tmp_path, *tmp_path.parents): # root may read anything: become nobody in a child
        if str(p) != "/": os.chmod(p, stat.S_IMODE(os.stat(p).st_mode) | 0o055)
    pid = os.fork()
    if pid == 0:
        try:
            os.setuid(65534)
            try: probe(path); os._exit(1)
            except AudioError as e: os._exit(0 if "no permission" in e.reason else 2)
        finally: os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(tmp_path, value):
    x = np.zeros(1000, np.float32); x[400] = value
    sf.write(tmp_path/"x.wav", x, 1000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"holds 1 samples that are not numbers or infinite, the first at 0\.400 s"): load_audio(tmp_path/"x.wav", 500)
    assert len(load_audio(tmp_path/"x.wav", start=.5, end=1.)[0]) == 500  # the sound parts of the file are used


def test_truncated_files_give_what_is_there(tmp_path, rng):
    x = rng.standard_normal(16000)*.1
    for name in ("x.wav", "x.flac"):
        sf.write(tmp_path/name, x, 16000)
        data = (tmp_path/name).read_bytes()
        (tmp_path/f"cut-{name}").write_bytes(data[:len(data)//2])
    wave, _ = load_audio(tmp_path/"cut-x.wav")
    assert 7900 < len(wave) <= 8000
    try: assert 0 < len(load_audio(tmp_path/"cut-x.flac")[0]) <= 16000
    except AudioError as e: assert "damaged" in e.reason or "not audio" in e.reason
    with pytest.raises(AudioError, match="the sound ends at 0.499"): load_audio(tmp_path/"cut-x.wav", start=.8)


def test_header_that_lies_costs_no_memory(tmp_path):
    "100 bytes that claim 4 GiB."
    body = b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", 0xFFFFFFC0)
    (tmp_path/"liar.wav").write_bytes(body + b"\1\0"*28)
    wave, _ = load_audio(tmp_path/"liar.wav")
    assert len(wave) == 28


def test_one_sample_and_silence_are_sounds(tmp_path):
    sf.write(tmp_path/"one.wav", np.array([.5]), 8000)
    sf.write(tmp_path/"silence.wav", np.zeros(4000), 8000)
    assert len(load_audio(tmp_path/"one.wav", 16000)[0]) == 2
    for name in ("one.wav", "silence.wav"):
        L = LogMel(16000)(load_audio(tmp_path/name, 16000)[0][None])
        assert torch.isfinite(L).all()


@pytest.mark.parametrize("name", ["two words.wav", "it's.wav", 'a "quote".wav', "日本語.wav", "new\nline.wav", "tab\t.wav", b"latin-\xe9.wav".decode(errors="surrogateescape")])
def test_names(tmp_path, tone, name):
    try: path = tone(tmp_path/name)
    except OSError: pytest.skip("the file system does not allow this name")
    assert find_audio(tmp_path) == [path]
    assert probe(path).frames == 8000 and len(load_audio(path)[0]) == 8000


def test_errors_cross_processes(tmp_path):
    import pickle
    e = pickle.loads(pickle.dumps(AudioError("x.wav", "because")))
    assert (str(e.path), e.reason) == ("x.wav", "because")


# clips

def test_windows_cover_every_sample_once_and_are_whole(tmp_path, tone):
    for seconds in (3., 3.2, 7.05, .4):
        path = tone(tmp_path/"x.wav", seconds=seconds)
        t = clips(path, window=1.)
        if seconds < 1: assert t[["start", "end"]].values.tolist() == [[0, seconds]]; continue
        np.testing.assert_allclose(t.end - t.start, 1., atol=1e-9)
        assert t.start.iloc[0] == 0 and abs(t.end.iloc[-1] - seconds) < 1e-9
        assert (t.start.diff().dropna() <= 1 + 1e-9).all() and len(t) == int(np.ceil(seconds - 1e-9))


def test_hop_and_given_times(tmp_path, tone):
    path = tone(tmp_path/"x.wav", seconds=2.)
    assert clips(path, 1., .25).start.tolist() == [0, .25, .5, .75, 1]
    import pandas as pd
    table = clips(pd.DataFrame(dict(path=[str(path)], start=[.5], end=[1.], label=["x"])))
    assert table.label.tolist() == ["x"] and table.start.tolist() == [.5]
    with pytest.raises(ValueError, match="1 clips do not start"): clips(pd.DataFrame(dict(path=[path], start=[1.], end=[.5])))
    with pytest.raises(ValueError, match="hop needs window"): clips(path, hop=1)


# log-mels

def test_log_mels_are_found_where_files_are():
    code = "from audioclust import frontend; from audioclust.audio import LogMel; from audioclust.audio.logmel import frame_mask, sounding; assert (LogMel, frame_mask, sounding) == (frontend.LogMel, frontend.frame_mask, frontend.sounding)"
    assert subprocess.run([sys.executable, "-W", "error:audioclust:DeprecationWarning", "-c", code]).returncode == 0


@pytest.mark.parametrize("sr,n_mels", [(8000, 40), (16000, 64), (22050, 128), (44100, 64)])
def test_parity_with_librosa(rng, sr, n_mels):
    librosa = pytest.importorskip("librosa")
    x = (.1*rng.standard_normal(sr) + np.sin(2*np.pi*440*np.arange(sr)/sr)).astype(np.float32)
    front = LogMel(sr, n_mels, f_min=50, normalize=False, eps=1e-5)
    win = round(.025*sr)
    S = librosa.feature.melspectrogram(y=x, sr=sr, n_fft=front.n_fft, win_length=win, hop_length=round(.01*sr), n_mels=n_mels, fmin=50, fmax=sr/2)
    torch.testing.assert_close(front(torch.from_numpy(x)[None])[0, 0], torch.from_numpy(np.log(S + 1e-5)), atol=1e-4, rtol=1e-4)


def test_no_band_is_empty():
    for sr in (8000, 16000, 32000, 44100): assert (LogMel(sr).fb.sum(0) > 0).all()


def test_normalisation_and_level():
    x = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0)); x[1] = x[0]/100
    L = LogMel(8000, eps=1e-12)(x)
    torch.testing.assert_close(L[0], L[1], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(L.mean((1, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(L.std((1, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)
    raw = LogMel(8000, eps=1e-12, normalize=False)(x)
    torch.testing.assert_close(raw[0] - raw[1], torch.full_like(raw[0], 2*np.log(100)), atol=1e-2, rtol=0)


def test_f_max_above_nyquist_is_refused():
    with pytest.raises(ValueError, match="above half the sample rate"): LogMel(8000, f_max=5000)


@pytest.mark.gpu
def test_logmel_on_cuda():
    x = torch.randn(3, 16000)
    torch.testing.assert_close(LogMel().cuda()(x.cuda()).cpu(), LogMel()(x), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("sr,samples", [(8000, 1), (8000, 79), (8000, 80), (11025, 5000), (16000, 40001), (22050, 300)])
def test_blocks_equal_torchaudio_at_once(rng, sr, samples):
    import torchaudio
    x, front = torch.from_numpy(rng.standard_normal((3, samples)).astype(np.float32)), LogMel(sr)
    win = len(front.window)
    whole = torchaudio.transforms.Spectrogram(front.n_fft, win, front.hop_length, pad_mode="constant")(x)
    torch.testing.assert_close(front.mel(x), front.fb.T @ whole, atol=1e-4, rtol=1e-4)


def test_cut_short_and_wrong_tables(tmp_path, tone):
    import pandas as pd
    path = tone(tmp_path/"x.wav", seconds=2.)
    t = clips(pd.DataFrame(dict(path=[path, path], start=[0., 1.5], end=[1., 50.])), window=.4)
    assert t.end.max() == 2. and t.start.round(3).tolist() == [0, .4, .6, 1.5, 1.6]  # cut inside the given spans, and not past the end
    errors = []
    assert len(clips(pd.DataFrame(dict(path=[path], start=[3.], end=[4.])), errors=errors)) == 0 and "before the clip that starts at 3 s" in errors[0][1]
    with pytest.raises(ValueError, match="both of start and end"): clips(pd.DataFrame(dict(path=[path], start=[0.])))
    (tmp_path/"t.csv").write_text("path,start,end\nx.wav,0.5,1\nx.wav,1,1.5\n,0,1\n")
    errors = []
    assert clips(tmp_path/"t.csv", errors=errors).start.tolist() == [.5, 1] and errors[0][1] == "1 rows have no path"


def test_formats_that_cannot_be_decoded_are_named(tmp_path, tone):
    tone(tmp_path/"a.wav"); (tmp_path/"b.M4A").write_bytes(b"x")
    errors = []
    assert [p.name for p in find_audio(tmp_path, errors)] == ["a.wav"]
    assert [(p.name, r) for p, r in errors] == [("b.M4A", ".M4A cannot be decoded: convert it to wav or flac")]


def test_any_iterable_of_paths(tmp_path, tone):
    a, b = tone(tmp_path/"a.wav"), tone(tmp_path/"b.wav")
    assert find_audio(p for p in (a, b)) == find_audio({a, b}) == find_audio(np.array([str(a), str(b)])) == [a, b]


def test_nan_beside_a_clip_does_not_spoil_it(tmp_path):
    x = np.full(16000, .1, np.float32); x[7990] = np.nan
    sf.write(tmp_path/"x.wav", x, 8000, subtype="FLOAT")
    assert torch.isfinite(load_audio(tmp_path/"x.wav", 16000, start=1., end=2.)[0]).all()
    with pytest.raises(AudioError, match="0.999 s"): load_audio(tmp_path/"x.wav", 16000, end=1.)


def test_the_mp3_decoder_is_quiet(tmp_path, rng):
    sf.write(tmp_path/"x.mp3", rng.standard_normal(22050*20)*.3, 22050)
    data = (tmp_path/"x.mp3").read_bytes()
    (tmp_path/"cut.mp3").write_bytes(data[:len(data)//3])
    code = "import sys; from audioclust.audio import clips, load_audio; [load_audio(p, None, s, e) for p, s, e in clips(sys.argv[1], 1., .5).itertuples(index=False) if 'x.mp3' in p.name]; print('said', file=sys.stderr)"
    r = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "said\n"


def test_a_header_that_does_not_say_its_length(tmp_path, tone):
    "What an encoder writes that streams: FLAC with 0 for the number of samples."
    data = bytearray(tone(tmp_path/"x.flac").read_bytes())
    data[21] &= 0xF0; data[22:26] = bytes(4)
    (tmp_path/"x.flac").write_bytes(data)
    errors = []
    assert len(clips(tmp_path, window=1., errors=errors)) == 0 and "does not say how long" in errors[0][1]
    with pytest.raises(AudioError, match="does not say how long"): load_audio(tmp_path/"x.flac")
