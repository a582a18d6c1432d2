"Channels: one, each, or the mean of all, from the command line to the page and the exports."
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio.annotation_tables import clips_of_tables
from audioclust.audio import clips, label_clips, load_audio
from audioclust.audio.clip_table import channel_numbers
from audioclust.audio.events import between_events, EventSettings, find_events
from audioclust.cli import main
from audioclust.encoders.cache import clip_keys
from audioclust.listen import to_raven
from audioclust.pipeline.pair import merge_tables
from audioclust.runs.clips import clip_ids
from audioclust.runs.run_folder import read_record, read_table
from audioclust.runs.seeds import read_seeds
from audioclust.runs.stable_ids import shared_clusters

RATE = 8000

@pytest.fixture(scope="module")
def stereo(tmp_path_factory):
    "Twelve tapes: tones on the left, noise on the right; and one of a single channel."
    folder, rng = tmp_path_factory.mktemp("stereo"), np.random.default_rng(0)
    t = np.arange(RATE)/RATE
    for i in range(12):
        left = .3*np.sin(2*np.pi*(300 + 5*i)*t)
        sf.write(folder/f"tape{i:02d}.wav", np.column_stack([left, .1*rng.standard_normal(RATE)]), RATE)
    sf.write(folder/"zmono.wav", .1*rng.standard_normal(RATE), RATE)
    return folder

def cluster(folder, out, *more):
    return main(["cluster", str(folder), "--out", str(out), "--n-clusters", "2", "--encoder", "fixed", "--stability",
            "0", "-q", "--no-cache", *more])

def test_each_channel_is_a_clip_of_its_own(stereo, tmp_path):
    assert cluster(stereo, tmp_path/"run", "--channel", "each") == 0
    table = read_table(tmp_path/"run/clusters.csv")
    assert len(table) == 25 and table.clip_id.is_unique
    groups = pd.crosstab(table.channel[:24], table.cluster[:24])
    assert sorted(groups.to_numpy().ravel().tolist()) == [0, 0, 12, 12] # tones apart from noise
    assert read_record(tmp_path/"run")["request"]["channel"] == "each"
    page = (tmp_path/"run/listen.html").read_text()
    assert "tape03.wav (channel 2)" in page
    to_raven(tmp_path/"run", tmp_path/"raven")
    assert pd.read_csv(tmp_path/"raven/tape03.wav.selections.txt", sep="\t").Channel.tolist() == [1, 2]
    assert main(["export", str(tmp_path/"run"), "--to", "folders", "--out", str(tmp_path/"sorted")]) == 0
    written = sorted(tmp_path.glob("sorted/*/tape03*"))
    assert [p.name for p in written if "channel 1" in p.name] and all(sf.info(p).channels == 1 for p in written)
    left = next(p for p in written if "channel 1" in p.name)
    assert np.allclose(sf.read(left)[0], sf.read(stereo/"tape03.wav")[0][:, 0], atol=1e-4)

def test_one_channel_is_used_for_assigned_clips_too(stereo, tmp_path):
    assert cluster(stereo, tmp_path/"run", "--channel", "1", "--no-page") == 0
    table = read_table(tmp_path/"run/clusters.csv")
    assert set(table.channel.astype(int)) == {1} and len(table) == 13
    assert main(["assign", str(tmp_path/"run"), str(stereo), "--out", str(tmp_path/"new.csv")]) == 0
    assert (pd.read_csv(tmp_path/"new.csv").cluster == table.cluster).all()
    assert main(["cluster", "--config", str(tmp_path/"run"), "--out", str(tmp_path/"again"), "--no-page", "-q",
            "--no-cache"]) == 0
    assert (read_table(tmp_path/"again/clusters.csv").cluster == table.cluster).all()
    errors = []
    assert len(clips(stereo, channel=2, errors=errors)) == 12
    assert [reason for _, reason in errors] == ["has 1 channel, and channel 2 was asked for"]

def test_keys_and_ids_tell_channels_apart(stereo):
    each, mean = clips(stereo, channel="each"), clips(stereo)
    assert len(set(clip_keys(each, "x"))) == len(each) == len(set(clip_ids(each, str(stereo))))
    assert (clip_keys(mean, "x") == clip_keys(mean.assign(channel=""), "x")
            and clip_ids(mean) == clip_ids(mean.assign(channel="")))

def test_events_of_each_channel(tmp_path):
    rng, n = np.random.default_rng(0), 20*RATE
    tape = .01*rng.standard_normal((n, 2))
    for channel,at in (0, 5), (1, 12):
        tape[at*RATE:at*RATE + RATE//2, channel] += .3*np.sin(2*np.pi*900*np.arange(RATE//2)/RATE)
    sf.write(tmp_path/"tape.wav", tape, RATE)
    each = find_events(tmp_path, EventSettings(), channel="each")
    assert each.channel.tolist() == [1, 2] and np.allclose(each.start, [5, 12], atol=.15)
    assert find_events(tmp_path, EventSettings(), channel=2).start.round().tolist() == [12]
    assert len(find_events(tmp_path, EventSettings())) == 2 and "channel" not in find_events(tmp_path, EventSettings())
    nested = pd.DataFrame(dict(path=[tmp_path/"tape.wav"]*3, start=[2., 3, 10], end=[8., 4, 11]))
    rest = between_events(tmp_path, nested)
    assert rest.start.round(6).tolist() == [0, 8, 11] and rest.end.round(6).tolist() == [2, 10, 20]

def test_a_table_of_selections_names_channels(stereo, tmp_path):
    (tmp_path/"s.csv").write_text("path,start,end,channel\ntape00.wav,0,0.5,2\ntape00.wav,0,0.5,1\ntape01.wav,0,0.5,\n")
    assert sorted(channel_numbers(clips_of_tables(tmp_path/"s.csv", stereo)).tolist()) == [0, 1, 2]

@pytest.mark.parametrize("wrong", ["0", "left"])
def test_what_is_no_channel_is_refused(stereo, tmp_path, capsys, wrong):
    with pytest.raises(SystemExit): cluster(stereo, tmp_path/"run", "--channel", wrong)
    assert "channel" in capsys.readouterr().err

# What belongs to a channel stays with it: a clip is a recording, a start, an end and a channel

@pytest.fixture
def table(stereo):
    "A clip of each channel, tones on the left and noise on the right; the mono tape is left out."
    return clips(sorted(stereo.glob("tape*.wav")), channel="each")

def test_labels_of_a_channel_are_of_its_clips(table, tmp_path):
    tables = [pd.DataFrame({"Begin File": Path(tape).name, "Channel": [1, 2], "Begin Time (s)": 0., "End Time (s)": 1.,
                            "Annotation": ["tone", "noise"]}) for tape in table.path.unique()]
    pd.concat(tables).to_csv(tmp_path/"raven.txt", sep="\t", index=False)
    labels = label_clips(table, str(tmp_path/"raven.txt")).label
    assert pd.crosstab(labels, table.channel).to_numpy().tolist() == [[0, 12], [12, 0]]
    mixed = label_clips(table[["path", "start", "end"]].drop_duplicates(), str(tmp_path/"raven.txt")).label
    assert set(mixed) == {"noise"} # a mixed clip has both; of labels that share as much time, the first by alphabet

def test_seeds_of_a_channel_are_of_its_clips(table):
    one = pd.DataFrame(dict(path=[table.path[0]], label="tone", channel=2))
    assert np.flatnonzero([label != "" for label in read_seeds(one, table).labels()]).tolist() == [1]
    link = dict(path=[table.path[0]], other=[table.path[2]], link="must", channel="1", other_channel="2")
    assert read_seeds(pd.DataFrame(link), table).constraints.must_link.tolist() == [[0, 3]]
    with pytest.raises(ValueError, match="names a clip"): # two clips are meant, or four
        read_seeds(pd.DataFrame({**link, "channel": "", "other_channel": ""}), table)

def test_a_list_of_recordings_may_name_channels(table, tmp_path):
    table[["path", "channel"]].to_csv(tmp_path/"list.csv", index=False)
    errors = []
    assert clips(tmp_path/"list.csv", errors=errors).channel.tolist() == table.channel.tolist() and errors == []

def test_numbers_and_pairs_keep_to_the_channel(table):
    table = table.assign(cluster=table.channel - 1)
    left, right = (table[table.channel == channel].reset_index(drop=True) for channel in (1, 2))
    assert len(merge_tables(table, table[::-1])) == 24 and len(merge_tables(left, right)) == 0
    assert merge_tables(table, table[::-1]).channel.tolist() == table.channel.tolist()
    assert shared_clusters(left, right)[0].size == 0 # else the names of one side would go to the other
    assert shared_clusters(table, right)[0].tolist() == right.cluster.tolist()


def test_channels_that_cancel_out_are_reported_with_the_option(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path/"in").mkdir()
    for i in range(3): sf.write(tmp_path/f"in/{i}.wav", .1*rng.standard_normal((RATE, 2)), RATE)
    wave = .3*np.sin(np.arange(2*RATE)/5)[:, None]
    for kind in "wav", "mp3": sf.write(tmp_path/f"in/turned.{kind}", wave*[1, -1], RATE)
    sf.write(tmp_path/"in/silent.wav", 0*wave*[1, -1], RATE)
    assert cluster(tmp_path/"in", tmp_path/"run", "--no-page") == 0
    errors = pd.read_csv(tmp_path/"run/errors.csv")
    assert len(errors) == 2 and errors.path.str.contains("turned").all()
    said = "cancel each other out where they are mixed: choose one with --channel 1"
    assert errors.reason.str.contains(said, regex=False).all()
    for name in "wav", "mp3": assert load_audio(tmp_path/f"in/turned.{name}", channel=1)[0].abs().max() > .1


def test_no_events_in_channels_that_cancel_out_is_said(tmp_path):
    wave = .1*np.random.default_rng(0).standard_normal(20*RATE)*(np.arange(20*RATE) % (4*RATE) < RATE)
    sf.write(tmp_path/"turned.wav", np.outer(wave, [1, -1]), RATE)
    errors = []
    assert not len(find_events(tmp_path, errors=errors)) and "choose one with --channel 1" in errors[0][1]
    assert len(find_events(tmp_path, channel=1)) == 5
