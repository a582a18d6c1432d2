"Runs of events: the request, the run folder, assigning, the command."
import json

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio.events import events_in, EventSettings, find_events
from audioclust.cli import main
from audioclust.pipeline import AudioClusterer, find_step, Options
from audioclust.pipeline.find_step import cut
from audioclust.runs.request import clusterer_of, Request, request_from_record, request_record

RATE = 16000

def tape(path, seed, seconds=40):
    "Noise with a low and a high note every three seconds."
    rng = np.random.default_rng(seed)
    x = .005*rng.standard_normal(seconds*RATE)
    t = np.arange(int(.3*RATE))/RATE
    note = np.sin(np.pi*t/.3)
    for i,at in enumerate(range(2, seconds - 2, 3)):
        hz = (700 if i % 2 else 4000)*rng.normal(1, .02)
        x[at*RATE:at*RATE + len(t)] += .2*np.sin(2*np.pi*hz*t)*note
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, x, RATE)

@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tapes")
    for i in range(2): tape(folder/f"in/20260512_05{i}000.wav", i)
    tape(folder/"new/20260513_050000.wav", 9)
    return folder

def run(tapes, tmp_path, *more):
    out = tmp_path/"run"
    typed = ["cluster", str(tapes/"in"), "--out", str(out), "--cut", "events", "--n-clusters", "2"]
    main([*typed, "--ignore", "level", "--no-cache", "--no-page", *more])
    return out

def test_the_command_cuts_events_and_lists_the_rest(tapes, tmp_path, capsys):
    out = run(tapes, tmp_path)
    table, between = pd.read_csv(out/"clusters.csv"), pd.read_csv(out/"between.csv")
    assert len(table) == 24 and {"low_hz", "high_hz", "time"} <= set(table)
    assert table.time.str.startswith("2026-05-12T05:").all()
    high = (table.low_hz > 2000).to_numpy()
    assert len(set(table.cluster[high])) == len(set(table.cluster[~high])) == 1, "the two notes are the two groups"
    total = (table.end - table.start).sum() + (between.end - between.start).sum()
    assert total == pytest.approx(80, abs=1e-3)
    said = capsys.readouterr()
    assert f"% of 80 s; the rest is listed in {out/'between.csv'}" in said.out
    assert "looking for events in the recordings\n" in said.err
    assert json.loads((out/"run.json").read_text())["request"]["events"]["threshold"] == 6

def test_settings_reach_the_detector(tapes, tmp_path, capsys):
    out = run(tapes, tmp_path, "--event", "low=2000", "--event", "margin=0", "--n-clusters", "1", "-q")
    assert "looking" not in capsys.readouterr().err
    table = pd.read_csv(out/"clusters.csv")
    assert len(table) == 12 and (table.low_hz > 2000).all()

def test_new_recordings_are_cut_alike(tapes, tmp_path):
    out = run(tapes, tmp_path)
    main(["assign", str(out), str(tapes/"new"), "--out", str(tmp_path/"new.csv")])
    came = pd.read_csv(tmp_path/"new.csv")
    assert len(came) == 12 and {"low_hz", "high_hz", "time"} <= set(came)
    before = pd.read_csv(out/"clusters.csv")
    high = before.cluster[before.low_hz > 2000].iloc[0]
    assert ((came.cluster == high) == (came.low_hz > 2000)).all()
    assert (AudioClusterer.load(out).assign(tapes/"new").cluster.to_numpy() == came.cluster.to_numpy()).all()

def test_what_was_searched_and_embedded_is_not_searched_and_embedded_again(tapes, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path/"cache"))
    out, searched = run(tapes, tmp_path), []
    monkeypatch.setattr(find_step, "events_in", lambda *of: searched.append(of) or events_in(*of))
    def assigned(name, *more):
        main(["assign", str(out), str(tapes/"new"), "--out", str(tmp_path/name), *more])
        return (tmp_path/name).read_text(), len(searched)
    (first, n_first), (second, n_second), (third, n_third) = assigned("1.csv"), assigned("2.csv"), assigned("3.csv", "--no-cache")
    assert first == second == third and (n_first, n_second, n_third) == (1, 1, 2)
    channels, asked = find_events(tapes/"new", channel=1), Request(options=Options(events=EventSettings(), channel=1, cache=tmp_path/"c"))
    for _ in range(2): pd.testing.assert_frame_equal(cut(tapes/"new", asked, [])[list(channels)], channels)
    compare = ["compare", str(tapes/"in"), "--out", str(tmp_path/"ways"), "--cut", "events", "--methods", "kmeans"]
    assert main([*compare, "--encoders", "fixed", "--n-clusters", "2"]) == 0
    assert len(pd.read_csv(tmp_path/"ways/fixed-kmeans/clusters.csv")) == 24

def test_resume_and_overwrite_know_the_settings(tapes, tmp_path, capsys):
    out = run(tapes, tmp_path)
    run(tapes, tmp_path, "--resume")
    run(tapes, tmp_path, "--resume", "--event", "threshold=9")
    assert "another request" in capsys.readouterr().err
    windows = ["cluster", str(tapes/"in"), "--out", str(out), "--window", "2", "--n-clusters", "2"]
    main([*windows, "--overwrite", "--no-cache", "--no-page"])
    assert not (out/"between.csv").exists(), "what belongs to the run before is gone"

@pytest.mark.parametrize("arguments,says", [
    (["--cut", "events", "--window", "2"], "windows or into events"),
    (["--event", "low=100"], "say that as well"),
    (["--cut", "events", "--event", "threshold=quiet"], "threshold='quiet' of events: say a number above 0"),
    (["--cut", "events", "--clips", "x.csv"], "leave out --cut"),
    (["--cut", "events", "--event", "threshold=500"], "no event stands out of the noise in 2 recordings")])
def test_what_cannot_be_is_said_in_one_line(tapes, tmp_path, capsys, arguments, says):
    assert main(["cluster", str(tapes/"in"), "--out", str(tmp_path/"run"), "--no-cache", "--no-page", *arguments]) == 2
    err = capsys.readouterr().err.strip().removeprefix("looking for events in the recordings\n")
    assert says in err and err.count("\n") == 0
    assert not (tmp_path/"run").exists()

def test_python(tapes):
    options = Options(events=EventSettings(shortest=.1))
    found = AudioClusterer(n_clusters=2, ignore="level", options=options).fit(tapes/"in")
    assert len(found.clips_) == 24
    request = found.run_.request
    assert request_from_record(json.loads(json.dumps(request_record(request)))) == request
    with pytest.raises(ValueError, match="EventSettings"): clusterer_of(Request(options=Options(events="events")))
    both = Request(window=2, options=Options(events=EventSettings()))
    with pytest.raises(ValueError, match="leave out window"): clusterer_of(both)
    table = pd.DataFrame(dict(path=[found.clips_.path.iloc[0]], start=[1.9], end=[2.5]))
    assert len(found.assign(table)) == 1, "a table of clips is taken as it is"
