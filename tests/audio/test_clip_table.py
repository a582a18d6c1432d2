import numpy as np
import pandas as pd
import pytest

from audioclust.audio import clips
from audioclust.audio.clip_table import clip_ends_as_decoded


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
    table = clips(pd.DataFrame(dict(path=[str(path)], start=[.5], end=[1.], label=["x"])))
    assert table.label.tolist() == ["x"] and table.start.tolist() == [.5]
    with pytest.raises(ValueError, match="1 clips do not start"):
        clips(pd.DataFrame(dict(path=[path], start=[1.], end=[.5])))
    with pytest.raises(ValueError, match="hop needs window"): clips(path, hop=1)


def test_cut_short_and_wrong_tables(tmp_path, tone):
    path = tone(tmp_path/"x.wav", seconds=2.)
    t = clips(pd.DataFrame(dict(path=[path, path], start=[0., 1.5], end=[1., 50.])), window=.4)
    # cut inside the given spans, and not past the end
    assert t.end.max() == 2. and t.start.round(3).tolist() == [0, .4, .6, 1.5, 1.6]
    errors = []
    beyond = clips(pd.DataFrame(dict(path=[path], start=[3.], end=[4.])), errors=errors)
    assert len(beyond) == 0 and "before the clip that starts at 3 s" in errors[0][1]
    with pytest.raises(ValueError, match="both of start and end"): clips(pd.DataFrame(dict(path=[path], start=[0.])))
    (tmp_path/"t.csv").write_text("path,start,end\nx.wav,0.5,1\nx.wav,1,1.5\n,0,1\n")
    errors = []
    assert clips(tmp_path/"t.csv", errors=errors).start.tolist() == [.5, 1] and errors[0][1] == "rows without a path: 1"


def test_overlapping_clips_count_once():
    "4,800 s of tape with a hop of a third of the window were reported as 14,388 s of sound."
    from audioclust.audio.clip_table import covered_seconds, window_starts
    starts = window_starts(4800, 3, 1)
    tape = pd.DataFrame(dict(path="a.wav", start=starts, end=starts + 3))
    assert covered_seconds(tape) == 4800
    assert covered_seconds(pd.concat([tape, tape.assign(path="b.wav").iloc[:1]])) == 4803
    assert covered_seconds(pd.DataFrame(dict(path="a", start=[5., 0., 1., 9.], end=[6., 4., 2., 12.]))) == 8
    assert covered_seconds(tape.iloc[:0]) == 0


def test_clips_that_end_after_their_recording_are_counted(tmp_path, tone):
    for name in "ab": tone(tmp_path/f"in/{name}.wav", seconds=2.)
    rows = dict(path=[tmp_path/f"in/{name}.wav" for name in "aabb"], start=[0, 1, 0, 1.5], end=[1, 9, 2.02, 4])
    said = "2 of 4 clips end after their recording does, and are cut off there; the first ends at 9 s, and a.wav at 2 s"
    with pytest.warns(UserWarning, match=said): clips(pd.DataFrame(rows)) # 20 ms are a matter of rounding


def test_rows_of_a_list_that_are_there_twice_count_once(tmp_path, tone):
    for name in "ab": tone(tmp_path/f"{name}.wav", seconds=2.)
    (tmp_path/"t.csv").write_text("path,start,end\na.wav,0,1\nb.wav,0,1\n./a.wav,0,1\na.wav,1,2\n")
    errors = []
    assert clips(tmp_path/"t.csv", errors=errors).start.tolist() == [0, 0, 1]
    assert errors == [(str(tmp_path/"t.csv"), "rows that repeat another row, and do not count: 1")]


def test_a_clip_that_holds_less_than_10_ms_does_not_end_at_its_start():
    table = pd.DataFrame(dict(path=["a.wav"], start=[.25], end=[.5]))
    with pytest.warns(UserWarning, match="cut short"): ends = clip_ends_as_decoded(table, np.array([.004])).end
    assert ends.tolist() == [.254]
