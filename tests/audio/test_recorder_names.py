"The clock time of clips, from the names of recorders' files to tables, exports, new clips and the page's data."
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import label_clips
from audioclust.audio.recordings import recorded_at, with_times
from audioclust.listen import listen_page, to_raven
from audioclust.listen.page_data import clip_data
from audioclust.pipeline import AudioClusterer, Options
from audioclust.runs.run_folder import read_table


@pytest.mark.parametrize("name,iso", [
    ("20260512_053000.WAV", "2026-05-12T05:30:00"), ("20260512T053000.flac", "2026-05-12T05:30:00"),
    ("20260512053000.wav", "2026-05-12T05:30:00"), ("2MM01234_20260512_235959.wav", "2026-05-12T23:59:59"),
    ("SMU01_20260512_053000_0+1_x.wav", "2026-05-12T05:30:00"), ("2026-05-12 05-30-00.m4a", "2026-05-12T05:30:00"),
    ("2026-05-12_05:30:00.wav", "2026-05-12T05:30:00"), ("a20260512_053000Z.wav", "2026-05-12T05:30:00+00:00"),
    ("20260512_053000+01:00.wav", "2026-05-12T05:30:00+01:00"),
    ("20260512_053000.123Z.wav", "2026-05-12T05:30:00+00:00"),
    ("20260512_053000-0330.wav", "2026-05-12T05:30:00-03:30"),
    ("20260512_053000.000+1000.wav", "2026-05-12T05:30:00+10:00"), ("20260512_053000_utcb.wav", "2026-05-12T05:30:00"),
    ("20260512_053000(UTC+2).wav", "2026-05-12T05:30:00+02:00"),
    ("20260512_053000 (UTC-9:30).wav", "2026-05-12T05:30:00-09:30"),
    ("20260512_053000_UTC.wav", "2026-05-12T05:30:00+00:00"),
    ("20260512_053000_GMT+11.wav", "2026-05-12T05:30:00+11:00"),
    ("20260512T053000-03.wav", "2026-05-12T05:30:00-03:00"), ("20260512_053000-03.wav", "2026-05-12T05:30:00"), ("20260512_053000.5+01.flac", "2026-05-12T05:30:00+01:00"),
    ("20260512_053000-03_2.wav", "2026-05-12T05:30:00"), ("20260512_053000-20.wav", "2026-05-12T05:30:00"),
    ("20260512_053000_UTC+99.wav", "2026-05-12T05:30:00"),
    ("20260512_053000-05.5.wav", "2026-05-12T05:30:00"), ("5EBA3D48.WAV", "2020-05-12T06:08:08+00:00")])
def test_names_that_say_a_time(name, iso): assert recorded_at(f"/somewhere/20010101_000000/{name}").isoformat() == iso

def test_a_number_behind_a_time_is_no_offset():
    for number in "-9000", "+0075", "-0001", "+8000":
        assert recorded_at(f"20210603_050000{number}.wav").isoformat() == "2021-06-03T05:00:00"

@pytest.mark.parametrize("name", ["", "dog.wav", "12345678901234.wav", "20261399_053000.wav", "20260512_993000.wav",
    "120260512_053000.wav", "20260512_0530001.wav", "12345678.WAV", "DEADBEEF.wav", "5eba3d48.wav", "20260512.wav"])
def test_names_that_say_none(name): assert recorded_at(name) is None

def test_times_of_clips_and_those_that_a_table_has():
    table = pd.DataFrame(dict(path=["20261231_235959.wav", "20261231_235959.wav", "x.wav"], start=[0., 61.5, 0.],
            end=1.))
    assert with_times(table)["time"].tolist() == ["2026-12-31T23:59:59.000", "2027-01-01T00:01:00.500", ""]
    assert with_times(table.assign(time="noon"))["time"].tolist() == ["noon"]*3
    assert "time" not in with_times(table[2:]) and "time" not in with_times(table[:0])


def test_times_are_in_the_table_come_back_and_go_to_exports_and_pages(tmp_path):
    at, rng = tmp_path, np.random.default_rng(0)
    (at/"in").mkdir()
    t = np.arange(8000*4)/8000
    for hour in (0, 1, 12, 13):
        sf.write(at/f"in/AM_20260512_{hour:02d}3000.wav",
                .01*rng.normal(size=len(t)) + .2*np.sin(2*np.pi*(500 if hour < 6 else 2000)*t), 8000)
    sf.write(at/"in/notes.wav", .2*np.sin(2*np.pi*900*t), 8000)
    AudioClusterer(n_clusters=2, window=1., encoder="fixed", options=Options(stability=0)).fit(at/"in").save(at/"run")
    table = read_table(at/"run/clusters.csv")
    first = table[table.path.str.contains("013000")].iloc[1]
    assert first["time"] == "2026-05-12T01:30:01.000" and (table[table.path.str.contains("notes")]["time"] == "").all()
    loaded = AudioClusterer.load(at/"run")
    assert loaded.clips_["time"].tolist() == table["time"].tolist()
    assert loaded.assign(at/"in")["time"].tolist() == table["time"].tolist()
    to_raven(at/"run", at/"raven")
    selections = pd.read_csv(at/"raven/AM_20260512_123000.wav.selections.txt", sep="\t")
    assert set(selections["Begin Date"]) == {"2026-05-12"} and selections["Begin Clock Time"][1] == "12:30:01.000"
    assert set(label_clips(table, str(at/"raven/AM_20260512_123000.wav.selections.txt")).label.dropna()) <= {"cluster 0", "cluster 1"}
    assert "Begin Date" not in pd.read_csv(at/"raven/notes.wav.selections.txt", sep="\t")
    hours = dict(zip(table.path.str[-10:-4], clip_data(table)["hour"]))
    assert hours == {"003000": 0, "013000": 1, "123000": 12, "133000": 13, "/notes": None}
    assert set(clip_data(table.assign(time="at noon"))["hour"]) == {None}
    assert "hoursChart" in listen_page(at/"run").read_text(encoding="utf-8")
