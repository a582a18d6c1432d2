"Hours in time zones, the nights in which clocks are changed, and hours in which something was recorded."
import sys
import warnings
from types import SimpleNamespace
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.pipeline.counting import clock
from audioclust.pipeline.counting.clock import (
    Clock, header_offset, offset_at, recorded_hours, recordings_of_run, zone_of,
)
from audioclust.pipeline.counting.counts import count_clips, day_by_hour, EFFORT, site_of, TOTAL


def clips(*times, start=0., end=None, name="owl"):
    "Clips of one name; each is a recording of its own."
    table = pd.DataFrame(dict(path=[f"/pond/{i}.wav" for i in range(len(times))], name=name, start=start, time=times))
    return table.assign(end=table.start + 1 if end is None else end)

def hours(table, recorded_in=None, zone=None):
    clock = Clock(recorded_in, zone)
    return clock.shown(clock.instants(table)).dt.strftime("%d %H:%M").tolist()


@pytest.mark.parametrize("zone, instant, shown", [
    ("Europe/Berlin", "2024-03-31T01:00:00", "31 03:00"), ("Europe/Berlin", "2024-10-27T01:30:00", "27 02:30"),
    ("America/St_Johns", "2024-03-10T05:30:00", "10 03:00"), ("Australia/Lord_Howe", "2024-10-05T15:30:00", "06 02:30"),
    ("UTC-03:30", "2024-01-01T01:00:00", "31 21:30"), ("+1", "2024-07-01T23:30:00", "02 00:30")])
def test_hours_of_a_zone_from_a_clock_in_utc(zone, instant, shown):
    assert hours(clips(instant), "UTC", zone) == [shown]

@pytest.mark.parametrize("written, in_utc", [
    ("2024-03-31T03:30:00", "31 01:30"), ("2024-10-27T03:30:00", "27 02:30"), ("2024-12-01T00:30:00", "30 23:30")])
def test_a_clock_of_berlin_read_in_utc(written, in_utc):
    assert hours(clips(written), "Europe/Berlin", "UTC") == [in_utc]

def test_the_skipped_and_the_doubled_hour_are_said():
    with pytest.warns(UserWarning, match="1 recordings began at a time that the clocks of Europe/Berlin skipped, such as 2024-03-31"):
        assert hours(clips("2024-03-31T02:30:00"), "Europe/Berlin", "UTC") == ["31 01:30"] # of a clock that stayed on winter time
    with pytest.warns(UserWarning, match="came twice in Europe/Berlin, such as 2024-10-27 02:30:00"):
        assert hours(clips("2024-10-27T02:30:00"), "Europe/Berlin", "UTC") == ["27 00:30"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hours(clips("2024-03-31T02:30:00"), "UTC+01:00", "Europe/Berlin") == ["31 03:30"]

def test_every_quarter_of_an_hour_goes_through_local_time_and_back():
    "But for those of the doubled hour, of which the first is taken. Two weeks with each change."
    zone = zone_of("Europe/Berlin")
    quarters = pd.date_range("2024-03-20", "2024-04-05", freq="15min").union(pd.date_range("2024-10-20", "2024-11-05", freq="15min"))
    local = quarters.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = Clock("Europe/Berlin", "UTC").instants(clips(*local.strftime("%Y-%m-%dT%H:%M:%S")))
    differ = quarters[(back != quarters).to_numpy()]
    assert differ.strftime("%m-%d %H:%M").tolist() == ["10-27 01:00", "10-27 01:15", "10-27 01:30", "10-27 01:45"]
    assert {offset_at(time.to_pydatetime(), zone)[1] for time in local} == {"", "twice"}

@pytest.mark.parametrize("begun, shown", [("2024-03-31T01:30:00", "31 04:30"), ("2024-10-27T01:30:00", "27 02:30")])
def test_a_recording_that_goes_on_through_the_change(begun, shown):
    "The clip begins two hours after the recording, whatever the clocks do."
    written = (pd.Timestamp(begun) + pd.Timedelta(hours=2)).isoformat()
    assert hours(clips(written, start=7200.), "Europe/Berlin") == [shown]

def test_an_offset_in_the_name_is_respected():
    table = clips("2024-07-01T01:30:00Z", "2024-07-01T01:30:00.250+02:00", "2024-07-01T01:30:00-0330", "2024-07-01T01:30:00")
    assert hours(table, "UTC+05:00", "UTC") == ["01 01:30", "30 23:30", "01 05:00", "30 20:30"]
    assert hours(table[:3], zone="UTC") == ["01 01:30", "30 23:30", "01 05:00"]
    with pytest.warns(UserWarning, match=r"several offsets from UTC \(\+02:00, -0330, Z, none\)"):
        assert set(hours(table)) == {"01 01:30"} # as they are written
    with pytest.raises(ValueError, match="1 recordings, such as one of 2024-07-01 01:30:00, do not say .* say --recorded-in UTC"):
        hours(table, zone="UTC")

@pytest.mark.parametrize("name", ["", "../../etc/passwd", "UTC+25", "\0"])
def test_what_is_no_zone(name):
    with pytest.raises(ValueError, match="there is no time zone"): zone_of(name)

def test_a_machine_without_zones(monkeypatch):
    "As Windows, where Python takes them from the package tzdata."
    def no_zone(name): raise ZoneInfoNotFoundError(name)
    monkeypatch.setattr(clock, "ZoneInfo", no_zone)
    with pytest.raises(ValueError, match="or an offset such as .*pip install tzdata"): zone_of("Europe/Berlin")
    assert str(zone_of("UTC")) == "UTC" and str(zone_of("UTC+02:00")) == "UTC+02:00"


def test_hours_recorded_add_up_and_lie_in_their_hours():
    rng = np.random.default_rng(0)
    begun = pd.Timestamp("2024-03-30") + pd.to_timedelta(rng.integers(0, 2*86400, 50), unit="s")
    lengths = rng.integers(1, 9000, 50)
    table = clips(*begun.strftime("%Y-%m-%dT%H:%M:%S"), end=lengths)
    parts = recorded_hours(table, Clock("UTC", "Asia/Kathmandu"))
    assert np.isclose(parts.hours.sum()*3600, lengths.sum()) and (parts.hours > 0).all() and parts.hours.max() <= .25
    by_hand = pd.Series(0., index=range(24))
    for at,long in zip(begun + pd.Timedelta(minutes=345), lengths):
        seconds = at.hour*3600 + at.minute*60 + at.second + np.arange(long)
        by_hand += np.bincount(seconds//3600 % 24, minlength=24)/3600
    assert np.allclose(parts.hours.groupby(parts.time.dt.hour).sum(), by_hand)

def test_hours_recorded_in_the_nights_of_the_change():
    "From midnight to six by the clock: five hours in March, seven in October, two of them from two to three."
    for begun, long, doubled in ("2024-03-31T00:00:00", 5, 0), ("2024-10-27T00:00:00", 7, 2):
        parts = recorded_hours(clips(begun, end=3600.*long), Clock("Europe/Berlin"))
        found = parts.hours.groupby(parts.time.dt.hour).sum().to_dict()
        assert found == {hour: 1. for hour in (0, 1, 3, 4, 5)} | ({2: 2.} if doubled else {})

def test_counts_with_hours_recorded_keep_every_clip_and_every_hour():
    table = clips("2026-05-01T04:10:00", "2026-05-01T04:50:00", "2026-05-02T06:00:00", "")
    ran = clips("2026-05-01T04:00:00", "2026-05-01T05:00:00", end=3600.)
    with pytest.warns(UserWarning, match="1 of 4 recordings have no time in their names: their 1 clips are in no hour"):
        counts = count_clips(table, ["day", "hour"], recordings=ran)
    assert counts[["day", "hour", "owl"]].to_numpy().tolist() == [["2026-05-01", "04", 2], ["2026-05-01", "05", 0],
        ["2026-05-02", "06", 1], ["unknown", "unknown", 1]]
    assert counts[TOTAL].sum() == 4 and counts[EFFORT].fillna(-1).tolist() == [1, 1, -1, -1]
    field, days = day_by_hour(counts, "owl")
    assert days == ["2026-05-01", "2026-05-02"] and field[4, 0] == 2 and field[5, 0] == 0 and field[6, 1] == 1
    assert np.isnan(field).sum() == 48 - 3 # what was not recorded is not zero

@pytest.mark.parametrize("path, root, site", [("/may/pond/2024/1.wav", "/may", "pond"), ("/may/1.wav", "/may", "may"),
    ("/may/pond/1.wav", "/", "may"), ("/maypole/pond/1.wav", "/may", "/maypole/pond"), ("/a/1.wav", "", "/a")])
def test_sites_are_the_folders_below_the_root(path, root, site):
    if sys.platform != "win32": assert site_of(path, root) == site

@pytest.fixture
def nights(tmp_path):
    "An AudioMoth at two sites, in UTC, in the night of March; a table as `assign` writes it; one broken file and one without a time."
    table = []
    for site,names in dict(pond=("20240331_000000", "20240331_010000", "20240331_020000"), wood=("20240331_000000", "memo")).items():
        for name in names:
            path = tmp_path/"all"/site/f"{name}.WAV"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, np.zeros(1000*180), 1000, format="WAV") # three minutes
            if name.endswith("020000"): continue # nothing was heard
            time = f"2024-03-31T{name[9:11]}:01:00.000" if name != "memo" else ""
            table.append((str(path), 60., 61., 0, "owl", time, f"{site} 7"))
    (tmp_path/"all/wood/20240331_030000.WAV").touch()
    pd.DataFrame(table, columns="path start end cluster name time station".split()).to_csv(tmp_path/"new.csv", index=False)
    return tmp_path

def typed(nights, capsys, *more, status=0):
    assert main(["export", str(nights/"new.csv"), "--to", "counts", *map(str, more)]) == status
    return capsys.readouterr()

@pytest.mark.draws
def test_the_command_counts_in_a_zone_and_draws(nights, capsys):
    out, png = nights/"counts.csv", nights/"hours.png"
    said = typed(nights, capsys, "--by", "site,hour", "--recorded-in", "UTC", "--zone", "Europe/Berlin",
        "--recordings", nights/"all", "--out", out, "--picture", png)
    counts = pd.read_csv(out, dtype=dict(hour=str), keep_default_na=False)
    assert counts[["site", "hour", "owl", EFFORT]].to_numpy().tolist() == [["pond", "01", 1, "0.05"],
        ["pond", "03", 1, "0.05"], ["pond", "04", 0, "0.05"], ["wood", "01", 1, "0.05"], ["wood", "unknown", 1, ""]]
    assert "hours: of Europe/Berlin; times without an offset are read as UTC" in said.out
    assert f"picture: {png}" in said.out
    assert "1 of 4 recordings have no time" in said.err and "1 recordings could not be used" in said.err
    assert png.read_bytes()[1:4] == b"PNG"

def test_the_command_says_how_hours_are_read(nights, capsys):
    assert "hours: as the recordings' names say them" in typed(nights, capsys, "--by", "hour").out
    assert "hours: of UTC\n" in typed(nights, capsys, "--by", "hour", "--recorded-in", "UTC").out
    assert "hours:" not in typed(nights, capsys, "--by", "site").out
    for more, message in ((["--zone", "Europe/Berlin"], "say --recorded-in UTC"),
                          (["--picture", "x.txt"], "written as .png, .svg, .pdf"),
                          (["--site-column", "plot"], "no column plot: say one of path")):
        assert message in typed(nights, capsys, "--by", "site,hour", *more, status=2).err

def test_sites_from_a_column_of_the_table_or_of_a_list(nights, capsys):
    typed(nights, capsys, "--by", "site", "--site-column", "station", "--out", nights/"o.csv")
    assert set(pd.read_csv(nights/"o.csv").site) == {"pond 7", "wood 7"}
    rows = [f"{path.relative_to(nights)},{'A' if 'pond' in str(path) else 'B'}" for path in sorted((nights/"all").rglob("*0.WAV"))]
    (nights/"list.csv").write_text("path,plot\n" + "\n".join(rows))
    said = typed(nights, capsys, "--by", "site,hour", "--site-column", "plot", "--recordings", nights/"list.csv",
        "--out", nights/"o.csv", "--overwrite")
    found = pd.read_csv(nights/"o.csv", dtype=dict(hour=str))
    assert found[["site", "hour", "owl"]].to_numpy().tolist() == [["A", "00", 1], ["A", "01", 1], ["A", "02", 0], ["B", "00", 1],
        ["unknown", "unknown", 1]]
    assert "1 of 4 recordings with clips are not in" in said.err and "memo.WAV" in said.err
    missing = typed(nights, capsys, "--by", "site", "--site-column", "plots", "--recordings", nights/"list.csv", status=2)
    assert "list.csv has no column plots: say --site-column with one of path, plot" in missing.err

@pytest.mark.parametrize("text, offset", [("(UTC) by AudioMoth", "Z"), ("(UTC+2) by AudioMoth", "+02:00"),
    ("(UTC-3:30) by AudioMoth", "-03:30"), ("GUANO|Timestamp:2026-05-01 21:04:05-04:00", "-04:00"), ("(UTC+2) by Nobody", ""),
    ("Timestamp: 2026-05-01T21:04:05", ""), ("", "")])
def test_offsets_of_headers(tmp_path, text, offset):
    for before, behind in (0, 100_000), (100_000, 0):
        (tmp_path/"a.wav").write_bytes(bytes(before) + text.encode() + bytes(behind))
        assert header_offset(tmp_path/"a.wav") == offset
    assert header_offset(tmp_path/"gone.wav") == ""

def test_an_offset_in_the_header_is_respected(nights, capsys):
    for path in (nights/"all").rglob("*0.WAV"):
        with path.open("ab") as file: file.write(b"ICMTRecorded at 00:00:00 31/03/2024 (UTC-2:30) by AudioMoth 24F3190")
    typed(nights, capsys, "--by", "hour", "--recorded-in", "UTC", "--zone", "Europe/Berlin", "--recordings", nights/"all",
        "--out", nights/"o.csv")
    found = pd.read_csv(nights/"o.csv", dtype=dict(hour=str))
    assert found[["hour", "owl"]].to_numpy().tolist() == [["04", 2], ["05", 1], ["06", 0], ["unknown", 1]]

def test_what_a_run_knows_of_its_recordings(tmp_path):
    def run(table=clips("2026-05-01T04:00:00"), inputs=(), recordings="/pond", events=None):
        return SimpleNamespace(table=table, clips=SimpleNamespace(inputs=dict(inputs), recordings=recordings), folder=tmp_path,
                               request=SimpleNamespace(options=SimpleNamespace(events=events)))
    assert len(recordings_of_run(run())) == 1 and recordings_of_run(run(table=clips("").drop(columns="time"))) is None
    for unknown in dict(inputs={"clips": "a.csv"}), dict(inputs={"grow": "run"}), dict(recordings="/list.csv"), dict(events="some"):
        assert recordings_of_run(run(**unknown)) is None
    between = pd.DataFrame(dict(path=["/pond/20260501_040000.wav", "/pond/20260501_060000.wav"], start=[1., 0.], end=[60., 7200.], share=1.))
    between.to_csv(tmp_path/"between.csv", index=False)
    events = clips("2026-05-01T04:00:00").assign(path=["/pond/20260501_040000.wav"])
    parts = recorded_hours(recordings_of_run(run(events, events="some")), Clock())
    found = parts.hours.groupby(parts.time.dt.hour).sum().round(6).to_dict()
    assert found == {4: round(1/60, 6), 6: 1, 7: 1} # also where no event was
