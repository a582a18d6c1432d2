"Formats of phones and videos, by FFmpeg where PyAV is installed, and what is said where it is not."
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from audioclust.audio import find_audio, load_audio, probe
from audioclust.audio.recordings import AudioError, MEDIA_EXTENSIONS

av = pytest.importorskip("av")
RATE = 16000
FORMATS = {"a.m4a": ("aac", None), "a.aac": ("aac", "adts"), "a.webm": ("libopus", "webm"),
           "a.wma": ("wmav2", "asf"), "a.amr": ("libopencore_amrnb", "amr"), "a.mka": ("flac", "matroska")}


def write(path, wave, rate=RATE, codec="aac", kind=None, bit_rate=None):
    "A file by FFmpeg; wave [n] or [channels, n]."
    wave = np.atleast_2d(wave).astype(np.float32)
    layout = "mono" if len(wave) == 1 else "stereo"
    with av.open(str(path), "w", format=kind) as container:
        track = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate: track.bit_rate = bit_rate
        convert = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for one in (*convert.resample(frame), None):
            for packet in track.encode(one): container.mux(packet)
    return path


def chirp(seconds, rate=RATE):
    t = np.arange(round(seconds*rate))/rate
    return .5*np.sin(2*np.pi*(200 + 15*t)*t)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_decoded_also_in_parts(tmp_path, name):
    codec, kind = FORMATS[name]
    rate = dict(libopus=48000, libopencore_amrnb=8000).get(codec, RATE)
    path, wave = tmp_path/name, chirp(12, rate)
    if name == "a.amr":  # newer versions of PyAV cannot write it: 12 s of frames that each sound differently
        rng = np.random.default_rng(0)
        path.write_bytes(b"#!AMR\n" + b"".join(b"\x3c" + rng.bytes(31) for _ in range(600)))
    else: write(path, wave, rate, codec, kind, dict(wmav2=64000).get(codec))
    assert find_audio(tmp_path) == [path]
    about = probe(path)
    assert (about.sample_rate, about.channels) == (rate, 1) and abs(about.duration - 12) < .2
    whole, _ = load_audio(path)
    if name != "a.amr": # what was written, perhaps a frame later
        n = rate*4
        lag = np.correlate(whole[:n + rate].numpy(), wave[rate//2:rate//2 + n - rate], "valid").argmax() - rate//2
        shifted = whole[max(0, lag):max(0, lag) + n].numpy()
        assert np.corrcoef(shifted, wave[max(0, -lag):max(0, -lag) + n])[0, 1] > .95
    for start, end in (0, 2), (1.25, 2), (5.001, 6.5), (9, 11.5):
        part, _ = load_audio(path, start=start, end=end)
        np.testing.assert_allclose(part, whole[round(start*rate):round(end*rate)], atol=1e-2 if codec == "wmav2" else 1e-5)


def test_channels_and_rates(tmp_path):
    path = write(tmp_path/"two.m4a", np.stack([chirp(3), 0*chirp(3)]))
    left, right, both = (load_audio(path, channel=n)[0] for n in (1, 2, None))
    assert left.abs().max() > .4 and right.abs().max() < .01
    np.testing.assert_allclose(both, (left + right)/2, atol=1e-6)
    slow, rate = load_audio(path, 8000)
    assert rate == 8000 and abs(len(slow) - len(left)/2) <= 1


def test_a_file_that_was_cut_off(tmp_path):
    data = write(tmp_path/"whole.aac", chirp(5), kind="adts").read_bytes()
    path = tmp_path/"cut.aac"
    path.write_bytes(data[:len(data)//2])
    assert 1 < probe(path).duration < 4, "what is there can be used"
    read, _ = load_audio(path)
    assert abs(len(read)/RATE - probe(path).duration) < .1


@pytest.mark.parametrize("name, data, said", [
    ("empty.m4a", b"", "the file is empty"), ("noise.webm", bytes(range(256))*40, "not audio that can be decoded")])
def test_what_is_no_recording(tmp_path, name, data, said):
    (tmp_path/name).write_bytes(data)
    with pytest.raises(AudioError, match=said): probe(tmp_path/name)
    with pytest.raises(AudioError, match="there is no such file"): probe(tmp_path/"gone.m4a")


def test_a_video_without_sound(tmp_path):
    with av.open(str(tmp_path/"silent.mp4"), "w") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.width = track.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        for one in (frame, None):
            for packet in track.encode(one): container.mux(packet)
    with pytest.raises(AudioError, match="there is no sound track in it"): probe(tmp_path/"silent.mp4")


def test_without_pyav_the_file_is_named_with_what_to_install(tmp_path, tone, monkeypatch):
    tone(tmp_path/"a.wav")
    (tmp_path/"b.M4A").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "av", None)
    errors = []
    assert [p.name for p in find_audio(tmp_path, errors)] == ["a.wav"]
    said = ".M4A needs PyAV: pip install av, or convert it to wav or flac"
    assert [(Path(p).name, reason) for p, reason in errors] == [("b.M4A", said)]
    with pytest.raises(AudioError, match="needs PyAV"): probe(tmp_path/"b.M4A")
    assert ".m4a" in MEDIA_EXTENSIONS
