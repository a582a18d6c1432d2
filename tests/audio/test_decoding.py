import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from audioclust.audio import AudioError, clips, load_audio, LogMel, probe
from audioclust.audio.decoding import load_audio_at
from audioclust.audio.recordings import EXTENSIONS


FORMATS = [("WAV", "PCM_U8", 2e-2), ("WAV", "PCM_24", 1e-6), ("WAV", "DOUBLE", 1e-6), ("FLAC", "PCM_16", 1e-4),
           ("OGG", "VORBIS", .2), ("OGG", "OPUS", .2), ("MP3", "MPEG_LAYER_III", .2), ("AIFF", "PCM_16", 1e-4),
           ("CAF", "PCM_16", 1e-4), ("W64", "PCM_16", 1e-4)]

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


def test_channels_are_averaged(tmp_path):
    sf.write(tmp_path/"x.wav", np.tile([.8, 0, 0, 0], (800, 1)), 8000, subtype="FLOAT")
    torch.testing.assert_close(load_audio(tmp_path/"x.wav")[0], torch.full((800,), .2))


@pytest.mark.parametrize("own,want", [(192000, 16000), (44100, 16000), (22050, 32000)])
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


def test_reasons(tmp_path, tone):
    (tmp_path/"empty.wav").touch()
    (tmp_path/"text.mp3").write_text("not a sound at all, " * 50)
    sf.write(tmp_path/"header.wav", np.zeros(0), 8000)
    (tmp_path/"folder.wav").mkdir()
    os.mkfifo(tmp_path/"pipe.wav")
    for name, reason in (("gone.wav", "no such file"), ("empty.wav", "empty .0 bytes"), ("text.mp3", "not audio"),
                         ("header.wav", "0 samples"), ("folder.wav", "folder"), ("pipe.wav", "not a regular file")):
        with pytest.raises(AudioError, match=reason): probe(tmp_path/name)
    with pytest.raises(ValueError, match="holds nothing"): load_audio(tone(tmp_path/"x.wav"), start=1, end=.5)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read anything")
def test_no_permission(tmp_path, tone):
    os.chmod(path := tone(tmp_path/"x.wav"), 0)
    with pytest.raises(AudioError, match="no permission"): probe(path)


def test_nan_and_infinity(tmp_path):
    message = r"holds samples that are infinite or no numbers \(1\), the first at 0\.400 s"
    for value in np.nan, -np.inf:
        x = np.full(1000, .1, np.float32)
        x[400] = value
        sf.write(tmp_path/"x.wav", x, 1000, subtype="FLOAT")
        with pytest.raises(AudioError, match=message): load_audio(tmp_path/"x.wav", 500)
        part = load_audio(tmp_path/"x.wav", 2000, start=.401, end=1.)[0] # what is sound is used, also right behind
        assert len(part) == 1198 and torch.isfinite(part).all()


def test_truncated_files_give_what_is_there(tmp_path, rng):
    x = rng.standard_normal(16000)*.1
    sf.write(tmp_path/"x.wav", x, 16000)
    data = (tmp_path/"x.wav").read_bytes()
    (tmp_path/"cut-x.wav").write_bytes(data[:len(data)//2])
    assert 7900 < len(load_audio(tmp_path/"cut-x.wav")[0]) <= 8000
    with pytest.raises(AudioError, match="the sound ends at 0.499"): load_audio(tmp_path/"cut-x.wav", start=.8)


def test_header_that_lies_costs_no_memory(tmp_path):
    "100 bytes that claim 4 GiB."
    format_chunk = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    header = b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + format_chunk + b"data" + struct.pack("<I", 0xFFFFFFC0)
    (tmp_path/"liar.wav").write_bytes(header + b"\1\0"*28)
    wave, _ = load_audio(tmp_path/"liar.wav")
    assert len(wave) == 28


def test_a_header_that_does_not_say_its_length(tmp_path, tone):
    "What an encoder writes that streams: FLAC with 0 for the number of samples."
    data = bytearray(tone(tmp_path/"x.flac").read_bytes())
    data[21] &= 0xF0; data[22:26] = bytes(4)
    (tmp_path/"x.flac").write_bytes(data)
    errors = []
    assert len(clips(tmp_path, window=1., errors=errors)) == 0 and "does not say how long" in errors[0][1]
    with pytest.raises(AudioError, match="does not say how long"): load_audio(tmp_path/"x.flac")


def test_one_sample_and_silence_are_sounds(tmp_path):
    sf.write(tmp_path/"one.wav", np.array([.5]), 8000)
    sf.write(tmp_path/"silence.wav", np.zeros(4000), 8000)
    assert len(load_audio(tmp_path/"one.wav", 16000)[0]) == 2
    for name in ("one.wav", "silence.wav"):
        L = LogMel(16000)(load_audio(tmp_path/name, 16000)[0][None])
        assert torch.isfinite(L).all()


def test_the_mp3_decoder_is_quiet(tmp_path, rng):
    sf.write(tmp_path/"x.mp3", rng.standard_normal(22050*20)*.3, 22050)
    data = (tmp_path/"x.mp3").read_bytes()
    (tmp_path/"cut.mp3").write_bytes(data[:len(data)//3])
    code = """
import sys
from audioclust.audio import clips, load_audio
for clip in clips(sys.argv[1], 1., .5).itertuples():
    if "x.mp3" in clip.path: load_audio(clip.path, None, clip.start, clip.end)
print("stderr is back", file=sys.stderr)"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "stderr is back\n"


@pytest.mark.parametrize("start, end", [(0, None), (.3, .9)])
def test_several_rates_from_one_decoding(tmp_path, rng, start, end):
    path, rate = tmp_path/"noise.flac", 22050
    sf.write(path, .1*rng.normal(size=int(1.5*rate)), rate)
    rates = 8000, 16000, 44100, None
    waves, own = load_audio_at(path, rates, start, end)
    assert own == rate
    for wave, wanted in zip(waves, rates): assert torch.equal(wave, load_audio(path, wanted, start, end)[0])

def test_parts_of_an_mp3_do_not_depend_on_what_was_read_before(tmp_path):
    rate, seconds = 8000, 300 # three chunks
    sf.write(tmp_path/"t.mp3", np.random.default_rng(0).normal(0, .1, rate*seconds).astype("f4"), rate, format="MP3",
            subtype="MPEG_LAYER_III")
    starts = [0, 3, 130.5, 131, 200, 262, 296]
    def read(order):
        another = shutil.copy(tmp_path/"t.mp3", tempfile.mkdtemp(dir=tmp_path))  # nothing that was read of it is kept
        return {s: load_audio(another, None, s, s + 4)[0] for s in order}
    forward, backward, alone = read(starts), read(starts[::-1]), {s: read([s])[s] for s in starts}
    whole = load_audio(tmp_path/"t.mp3")[0]
    for s in starts:
        assert torch.equal(forward[s], backward[s]) and torch.equal(forward[s], alone[s])
        torch.testing.assert_close(forward[s], whole[round(s*rate):round(s*rate) + len(forward[s])], atol=1e-6, rtol=0)

@pytest.mark.parametrize("rate,target,start,end", [(44100, 16000, 0, None), (11025, 16000, 5, 20)])
def test_a_long_part_is_resampled_block_by_block(tmp_path, monkeypatch, rate, target, start, end):
    from audioclust.audio import decoding
    sf.write(tmp_path/"x.wav", np.random.default_rng(0).normal(0, .1, (rate*20, 2)).astype("f4"), rate, subtype="FLOAT")
    whole = load_audio(tmp_path/"x.wav", target, start, end)[0]
    monkeypatch.setattr(decoding, "_LONG_PART", 1000)
    monkeypatch.setattr(decoding, "_BLOCK", 2**15)
    streamed = load_audio(tmp_path/"x.wav", target, start, end)[0]
    assert len(whole) == len(streamed)
    torch.testing.assert_close(whole[100:-100], streamed[100:-100], atol=1e-4, rtol=0)

def test_a_bomb_of_a_high_rate_takes_little_memory(tmp_path):
    "Eight channels at 655,350 Hz, 60 s of silence: 1.3 GB when decoded, and 0.16 GB in one channel."
    pytest.importorskip("resource")
    with sf.SoundFile(tmp_path/"bomb.flac", "w", 655_350, 8, subtype="PCM_16") as f:
        for _ in range(60): f.write(np.zeros((655_350, 8), np.int16))
    code = f"""
import resource
from audioclust.audio import load_audio
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(load_audio({str(tmp_path/'bomb.flac')!r}, 16000)[0]) == 960_000
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000 # kB
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def _untold(path, rate=22050, channels=1, before=b"", seconds=40, **how):
    "An MP3 file without the frame that tells its length."
    t = np.arange(seconds//2*rate)/rate
    wave = np.concatenate([.3*np.sin(2*np.pi*440*t), .3*np.random.default_rng(0).standard_normal(len(t))])
    sf.write(path, np.stack([wave]*channels, 1), rate, format="MP3", **how)
    data = path.read_bytes()
    path.write_bytes(before + data[data.index(data[:2], 100):]) # from where the second frame begins as the first

VARIABLE = dict(bitrate_mode="VARIABLE", compression_level=.5)
CONSTANT = dict(bitrate_mode="CONSTANT", compression_level=.5)

@pytest.mark.parametrize("rate, channels", [(44100, 2), (8000, 1)])
def test_an_mp3_file_that_does_not_tell_its_length_is_read_to_its_end(tmp_path, monkeypatch, rate, channels):
    tag = b"ID3\4\0\0" + bytes([0, 0, 2, 0]) + b"\xff\xfb"*128  # that looks like frames
    _untold(path := tmp_path/"a.mp3", rate, channels, tag, **VARIABLE)
    with monkeypatch.context() as without:
        without.setattr("audioclust.audio.opening.find_spec", lambda _: None)
        with pytest.raises(AudioError, match="does not tell how long it is needs PyAV: pip install"): probe(path)
    pytest.importorskip("av")
    assert abs(probe(path).duration - 40) < .5
    parts = [load_audio(path, 8000, s, s + 5)[0] for s in (0, 10, 30)]
    assert parts[2].diff().std() > 2*parts[0].diff().std() and all(len(p) == 40000 for p in parts)
    torch.testing.assert_close(load_audio(path, 8000)[0][240000:280000], parts[2], atol=1e-3, rtol=0)
    path.write_bytes(path.read_bytes()[:50_000] + bytes(3000) + path.read_bytes()[53_000:])
    with pytest.raises(AudioError, match="damaged: decoding stopped"): probe(path)


def test_other_mp3_files_are_read_as_they_are(tmp_path):
    _untold(path := tmp_path/"constant.mp3", **CONSTANT)
    for behind in b"", b"TAG".ljust(128, b"\0"), np.random.default_rng(0).bytes(20_000):
        (tmp_path/"a.mp3").write_bytes(path.read_bytes() + behind)
        about = probe(tmp_path/"a.mp3")
        assert "MPEG_LAYER_III" in about.encoding and about.duration == pytest.approx(40, abs=2.2 if behind else .5)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "opus", "flac"])
def test_a_second_stream_in_a_file_is_not_lost_in_silence(tmp_path, kind):
    from audioclust.cli import main
    (tmp_path/"in").mkdir()
    how = dict(format="OGG", subtype="OPUS") if kind == "opus" else {}
    for i,name in enumerate("abcd"):
        wave = .3*np.sin(np.arange(24000*(1 + i%2))*(.1 + .1*i))
        sf.write(tmp_path/f"in/{name}.{kind}", wave, 24000, **how)
    tag = b"ID3\4\0\0\0\4\0\0" + b"\xff"*65536 if kind == "mp3" else b"" # a large picture of the cover
    first, second = (tag + (tmp_path/f"in/{name}.{kind}").read_bytes() for name in "ab")
    (tmp_path/f"in/a.{kind}").write_bytes(first + (b"TAG".ljust(128, b"\0") if tag else b""))
    for name,data in dict(ab=first + second, aa=first*2).items(): (tmp_path/f"in/{name}.{kind}").write_bytes(data)
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "2", "--no-page", "-q",
                 "--no-cache", "--stability", "0"]) == 0
    errors = (tmp_path/"run/errors.csv").read_text().splitlines()[1:]
    assert sorted(Path(line.split('"')[1]).name for line in errors) == [f"aa.{kind}", f"ab.{kind}"]
    assert all("another stream follows after 1.0 s, and only the first can be read" in line for line in errors)


@pytest.mark.parametrize("second, is_read", [(dict(), True), (dict(rate=22050), False), (dict(channels=2), False)])
def test_joined_mp3_files_that_tell_no_length_are_read_whole_or_refused(tmp_path, second, is_read):
    pytest.importorskip("av")
    how = dict(rate=44100, seconds=4, **CONSTANT)
    _untold(tmp_path/"a.mp3", **how)
    _untold(tmp_path/"b.mp3", **{**how, **second})
    (tmp_path/"ab.mp3").write_bytes((tmp_path/"a.mp3").read_bytes() + (tmp_path/"b.mp3").read_bytes())
    if is_read: assert len(load_audio(tmp_path/"ab.mp3")[0]) == pytest.approx(8*44100, rel=.02)
    else:
        with pytest.raises(AudioError, match="another stream follows"): load_audio(tmp_path/"ab.mp3")


def test_a_guess_of_the_length_that_is_too_long(tmp_path):
    pytest.importorskip("av")
    sf.write(tmp_path/"quiet.mp3", np.zeros(4*22050), 22050, format="MP3", **VARIABLE)
    data = (tmp_path/"quiet.mp3").read_bytes()
    _untold(tmp_path/"loud.mp3", **VARIABLE)
    (tmp_path/"a.mp3").write_bytes(data[data.index(data[:2], 100):] + (tmp_path/"loud.mp3").read_bytes())
    assert probe(tmp_path/"a.mp3").duration == pytest.approx(44, abs=.3)
