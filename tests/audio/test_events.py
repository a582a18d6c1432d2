"Events: times, bands, silence, the floor, streams, many recordings."
from pathlib import Path
import numpy as np
import pytest
import soundfile as sf

from audioclust.audio.events import EventSettings, between_events, events_in, find_events
from audioclust.audio.synthetic import NOISES, synthetic_tape

RATE = 16000
RNG = np.random.default_rng(0)

def noise(seconds, level=.01): return level*np.random.default_rng(1).standard_normal(int(seconds*RATE))
def tone(hz, seconds, level=.3): return level*np.sin(2*np.pi*hz*np.arange(int(seconds*RATE))/RATE)
def put(x, at, y):
    x = x.copy()
    x[int(at*RATE):int(at*RATE) + len(y)] += y
    return x

@pytest.fixture
def found(tmp_path):
    def find(x, rate=RATE, **settings):
        sf.write(tmp_path/"x.wav", x, rate)
        return events_in(tmp_path/"x.wav", EventSettings(**settings))
    return find

def test_one_call_has_its_times_and_its_frequencies(found):
    e = found(put(noise(30), 10, tone(1300, .25)), margin=0)
    assert len(e) == 1
    assert abs(e.start[0] - 10) < .08 and abs(e.end[0] - 10.25) < .08
    assert 1000 < e.low_hz[0] < 1300 < e.high_hz[0] < 1700

def test_nothing_in_what_holds_nothing(found):
    for x in noise(30), np.zeros(30*RATE), np.full(5*RATE, .1), tone(700, 20), noise(.1), np.ones(20)*.1:
        assert not len(found(x))

def test_margins_meet_in_the_middle_and_pauses_are_bridged(found):
    x = put(put(noise(30), 10, tone(1300, .3)), 10.8, tone(1300, .3))
    two = found(x, margin=.4)
    assert len(two) == 2 and two.end[0] == pytest.approx(two.start[1], abs=1e-9)
    assert len(found(x, gap=1)) == 1

def test_short_ones_are_left_out_and_long_ones_cut(found):
    x = put(noise(40), 10, tone(1300, 6))
    parts = found(x, longest=2.5, margin=0)
    assert len(parts) == 3 and (parts.end - parts.start).max() <= 2.5
    assert (parts.start[1:].to_numpy() == parts.end[:-1].to_numpy()).all()
    assert not len(found(put(noise(30), 10, tone(1300, .1)), shortest=.5))

def test_only_the_band_counts(found):
    x = put(put(noise(30), 10, tone(1300, .3)), 20, tone(5000, .3))
    assert [round(e) for e in found(x, low=3000).start] == [20]
    assert [round(e) for e in found(x, high=3000).start] == [10]

def test_zeros_after_a_stopped_recorder_say_nothing_of_the_noise(found):
    x = put(noise(60), 10, tone(1300, .3))
    x[35*RATE:] = 0
    assert [round(s) for s in found(x).start] == [10]

def test_sound_between_zeros_stands_on_silence(found):
    x = np.zeros(30*RATE)
    for at in 2, 7, 12: x = put(x, at, noise(.5, .3))
    assert [round(s) for s in found(x).start] == [2, 7, 12]

def test_the_floor_follows(found):
    quiet_then_loud = np.concatenate([noise(60, .002), noise(60, .02)])
    e = found(put(put(quiet_then_loud, 20, tone(2000, .3, .01)), 100, tone(2000, .3, .1)), margin=0)
    assert {20, 100} <= {round(s) for s in e.start}
    assert len(e) <= 3, "the step itself may be one"

def test_blocks_are_those_of_the_whole(tmp_path, monkeypatch):
    "Where a stream is cut into blocks changes nothing."
    from audioclust.audio import decoding, noise_floor
    from audioclust.audio.opening import open_recording
    x = put(noise(23.4), 9.9, tone(1300, .4)).astype(np.float32)
    sf.write(tmp_path/"x.wav", x, RATE, subtype="FLOAT")
    bands = noise_floor.Bands(RATE)
    def levels():
        with open_recording(tmp_path/"x.wav") as file:
            return np.concatenate([levels for levels,_ in noise_floor._blocks(file, "x.wav", None, bands)])
    whole = levels()
    assert len(whole) == (len(x) - bands.n_fft)//bands.hop + 1
    monkeypatch.setattr(decoding, "_BLOCK", 1777) # samples that are read at a time
    np.testing.assert_allclose(levels(), whole, atol=1e-4)
    monkeypatch.setattr(noise_floor, "_BLOCK", 1000.) # all in one block
    np.testing.assert_allclose(levels(), whole, atol=1e-3)

@pytest.mark.parametrize("kind", NOISES)
def test_tapes(found, kind):
    "F1 as the issue of detection is scored: intersection over union of a half."
    x, truth = synthetic_tape(90, kind, 10, every=4, random_state=9)
    e = found(x, margin=0)
    start, end = e.start.to_numpy()[:, None], e.end.to_numpy()[:, None]
    shared = np.minimum(end, truth.end.to_numpy()) - np.maximum(start, truth.start.to_numpy())
    right = shared/(end - start + (truth.end - truth.start).to_numpy() - shared) >= .5
    assert 2*right.any(0).sum()/(len(e) + len(truth)) > .85

def test_other_rates_and_channels(found):
    assert len(found(put(noise(30), 10, tone(1300, .25))[::2], 8000)) == 1
    y = put(noise(30), 10, tone(1300, .25))
    assert len(found(np.stack([y, 0*y], 1))) == 1
    assert not len(found(.1*RNG.standard_normal(3000), 1000))

def test_many_recordings_and_what_lies_between(tmp_path):
    sf.write(tmp_path/"b.flac", put(noise(20), 10, tone(1300, .3)), RATE)
    sf.write(tmp_path/"a.wav", noise(20), RATE)
    (tmp_path/"c.wav").write_bytes(b"no sound")
    errors = []
    events = find_events(tmp_path, errors=errors)
    assert [Path(p).name for p in events.path] == ["b.flac"] and [Path(p).name for p,_ in errors] == ["c.wav"]
    rest = between_events(tmp_path, events)
    assert [Path(p).name for p in rest.path] == ["a.wav", "b.flac", "b.flac"]
    assert rest.groupby(rest.path.map(str)).share.sum().round(2).tolist() == [1., .98]
    with pytest.warns(UserWarning, match="c.wav"): find_events(tmp_path)

def test_a_band_above_all_frequencies_is_an_error_of_that_file(tmp_path):
    sf.write(tmp_path/"low.wav", noise(2), 8000)
    sf.write(tmp_path/"high.wav", put(noise(20), 10, tone(6000, .3)), RATE)
    errors = []
    events = find_events(tmp_path, EventSettings(low=5000), errors)
    assert [Path(p).name for p in events.path] == ["high.wav"]
    assert "between 5000 and 4000 Hz" in errors[0][1]

@pytest.mark.parametrize("wrong", [dict(shortest=0), dict(gap=float("nan")), dict(threshold="x"), dict(low=True),
                                   dict(shortest=3, longest=2), dict(low=5000, high=4000)])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match="of events"): EventSettings(**wrong)
