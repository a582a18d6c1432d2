"What a grouping follows, and how its groups differ: planted attributes, chance, odd clips."
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.pipeline import make_run, Options, Request, run_of_embeddings
from audioclust.pipeline.explanations import (
    ATTRIBUTES, clip_attributes, clock_hours, differences, followed,
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    "48 clips of four kinds: long or short, and loud or quiet."
    folder, rng, rows = tmp_path_factory.mktemp("planted"), np.random.default_rng(0), []
    for i in range(48):
        is_long, is_loud = i % 2, i//2 % 2
        wave = rng.normal(size=int(16000*(1.5 if is_long else .4)*rng.uniform(.9, 1.1)))*(.3 if is_loud else .01)
        sf.write(folder/f"{i:02d}.wav", wave, 16000)
        rows.append((folder/f"{i:02d}.wav", 0., len(wave)/16000, is_long, is_loud))
    return pd.DataFrame(rows, columns=["path", "start", "end", "is_long", "is_loud"])


def test_the_attribute_that_was_planted_is_named(planted):
    attributes = clip_attributes(planted, np.arange(48))
    for kind, name in ("is_long", "length"), ("is_loud", "level"):
        labels = planted[kind].to_numpy()
        of = followed(attributes, labels)
        assert of[name]["share"] > .9 and max(v["share"] for n,v in of.items() if n != name) < .5
        about = differences(attributes, labels)
        # half of the clips are at either end, so each group is about one unit of spread from the middle
        assert [sign*about[c]["differences"].get(name, 1.) >= 0 for c,sign in ((0, -1), (1, 1))]


def test_a_rare_kind_is_put_into_words(planted):
    common = planted[(planted.is_long == 0) & (planted.is_loud == 1)]
    rare = planted[(planted.is_long == 1) & (planted.is_loud == 0)]
    table = pd.concat([common, common, common, rare], ignore_index=True)
    labels = table.is_long.to_numpy()
    about = differences(clip_attributes(table, np.arange(len(table))), labels)
    assert {"long", "quiet"} <= set(about[1]["words"].split(", ")) and about[0]["words"] == ""


def test_random_groups_follow_nothing(planted):
    attributes, rng, above = clip_attributes(planted, np.arange(48)), np.random.default_rng(0), []
    for _ in range(20):
        found = followed(attributes, rng.integers(0, 4, 48))
        above += [of["share"] > of["chance"] for of in found.values()]
    assert np.mean(above) < .15


ODD = {"silence": np.zeros(8000), "three samples": np.ones(3), "twenty": np.random.default_rng(0).normal(size=20)*.1}

@pytest.mark.parametrize("wave", ODD.values(), ids=list(ODD))
def test_odd_clips_have_attributes_or_none(wave, tmp_path):
    sf.write(tmp_path/"a.wav", wave, 16000)
    found = clip_attributes(pd.DataFrame(dict(path=[tmp_path/"a.wav"], start=0., end=len(wave)/16000)), np.arange(1))
    assert list(found) == ["row", *ATTRIBUTES, "midi_note"] and len(found) == 1
    assert np.isfinite(found[["length", "level", "silence", "noise"]].to_numpy(float)).all()


def test_clips_that_are_gone_or_have_no_file_explain_nothing(planted, tmp_path):
    for path in "", tmp_path/"gone.wav": assert clip_attributes(planted.assign(path=path), np.arange(48)).empty
    made = run_of_embeddings(np.random.default_rng(0).normal(size=(40, 5)), request=Request(n_clusters=3))
    assert made.findings.followed == {}
    assert all(about["words"] == "" for about in made.findings.differences.values())


def test_the_folder_is_an_attribute(planted, tmp_path):
    for i,path in enumerate(planted.path):
        place = tmp_path/("a" if planted.is_loud[i] else "b")
        place.mkdir(exist_ok=True)
        (place/path.name).write_bytes(path.read_bytes())
    made = make_run(tmp_path, Request(n_clusters=2, ignore="order", by="source", options=Options(stability=0)))
    assert "folder" in made.findings.followed and made.findings.followed["folder"]["share"] <= 1


def test_the_time_of_day_is_read_from_the_names_of_recorders_files():
    times = {"20260512_053000.WAV": 5.5, "2MM01234_20260512_235959.wav": 24 - 1/3600, "SMM_20260512-000000_x.wav": 0,
             "20260512T120000.flac": 12, "20269999_999999.wav": np.nan, "12345678901234.wav": np.nan,
             "dog.wav": np.nan, "120260512_053000.wav": np.nan}
    hours = clock_hours(pd.DataFrame(dict(path=[f"/night/{n}" for n in times], start=0.)))
    np.testing.assert_allclose(hours, list(times.values()))
    assert clock_hours(pd.DataFrame(dict(path=["/n/20260512_233000.wav"], start=[5400.])))[0] == 1


def test_groups_of_the_day_and_of_the_night_are_named(planted):
    hours = np.repeat(range(24), 4)
    day = pd.DataFrame(dict(path=[f"/tape/20260512_{h:02d}0000.wav" for h in hours], start=0., end=1.))
    is_night = ((hours < 6) | (hours >= 21)).astype(int)
    none = clip_attributes(day.assign(path=""), np.arange(len(day)))
    found = followed(none, is_night, day)
    assert found["hour"]["share"] > .3 and "folder" not in found
    assert "hour" not in followed(none, is_night, day.assign(path="/tape/a.wav"))
