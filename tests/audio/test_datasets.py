import pytest

from audioclust.audio import from_csv, from_folder, fsdd
from audioclust.audio.datasets import FSDD_SHA256, folder_sha256


def test_labels_from_everywhere(tmp_path, tone):
    for n in ("cat/a_1.wav", "dog/b_2.wav", "dog/c.wav"): tone(tmp_path/n)
    assert from_folder(tmp_path, "parent").label.tolist() == ["cat", "dog", "dog"]
    assert from_folder(tmp_path, r"_(\d)").label.tolist() [:2] == ["1", "2"]
    assert from_folder(tmp_path, r"^.").label.tolist() == ["a", "b", "c"]  # no group: the match
    (tmp_path/"labels.csv").write_text("path,label\ncat/a_1.wav,meow\nc.wav,wuff\n")
    labelled = from_folder(tmp_path, str(tmp_path/"labels.csv"))
    assert labelled.label.isna().tolist() == [False, True, False] and labelled.label[0] == "meow"
    with pytest.raises(ValueError, match="match none of the 3"): from_folder(tmp_path, "zebra")
    (tmp_path/"bad.csv").write_text("file,label\n")
    with pytest.raises(ValueError, match="needs columns"): from_folder(tmp_path, str(tmp_path/"bad.csv"))


def test_same_name_in_two_folders_needs_the_path(tmp_path, tone):
    for n in ("a/x.wav", "b/x.wav"): tone(tmp_path/n)
    (tmp_path/"labels.csv").write_text("path,label\na/x.wav,A\nb/x.wav,B\n")
    assert from_folder(tmp_path, str(tmp_path/"labels.csv")).label.tolist() == ["A", "B"]


def test_from_csv(tmp_path, tone):
    tone(tmp_path/"x.wav", seconds=2.)
    (tmp_path/"t.csv").write_text("file,kind,start,end\nx.wav,a,0,0.5\nx.wav,b,1,1.5\n")
    t = from_csv(tmp_path/"t.csv", "file", "kind")
    assert t[["start", "end", "label"]].values.tolist() == [[0, .5, "a"], [1, 1.5, "b"]]
    (tmp_path/"u.csv").write_text("path\nx.wav\n")
    assert from_csv(tmp_path/"u.csv", window=1).start.tolist() == [0, 1]
    with pytest.raises(ValueError, match="no column 'nope'"): from_csv(tmp_path/"t.csv", "nope")


def test_labels_stay_as_they_are_written(tmp_path, tone):
    for n in ("a.wav", "b.wav", "c.wav"): tone(tmp_path/n)
    (tmp_path/"l.csv").write_text("path,label,other\na.wav,01,x\nb.wav,NA,y\nc.wav,,z\n")
    t = from_folder(tmp_path, str(tmp_path/"l.csv"))
    assert t.label[:2].tolist() == ["01", "NA"] and t.label.isna().tolist() == [False, False, True]
    assert from_csv(tmp_path/"l.csv", label_column="label").label.tolist() == ["01", "NA", ""]
    assert from_csv(tmp_path/"l.csv", label_column="other").label.tolist() == ["x", "y", "z"]


def test_nothing_there_and_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOCLUST_DATA", str(tmp_path)); monkeypatch.setenv("AUDIOCLUST_CACHE", str(tmp_path/"c"))
    with pytest.raises(FileNotFoundError, match="AUDIOCLUST_DATA"): fsdd(download=False)


@pytest.mark.data
def test_fsdd_is_release_1_0_10():
    t = fsdd(download=False)
    assert len(t) == 3000 and t.groupby(["label", "speaker"]).size().eq(50).all()
    assert folder_sha256(t.path[0].parent) == FSDD_SHA256


def test_labels_join_by_time(tmp_path, tone):
    "Of events the last label of a path won, and a run printed an NMI of .215 where it is .927."
    import pandas as pd, pytest
    from audioclust.audio import label_clips
    tape, other = tone(tmp_path/"a/tape.wav", seconds=10), tone(tmp_path/"b/tape.wav", seconds=10)
    events = pd.DataFrame(dict(path=[tape, tape, tape, other], start=[.9, 4., 7., 0.], end=[2.1, 6., 8., 10.]))
    calls = pd.DataFrame(dict(path=["a/tape.wav"]*3 + ["b/tape.wav"], start=[1., 4.5, 5.8, 3.], end=[2., 5., 6.3, 4.],
            label=["wren", "owl", "coot", "crake"]))
    calls.to_csv(tmp_path/"calls.csv", index=False)
    with pytest.warns(UserWarning, match="1 of 4 labels in .* lie in no clip"):
        found = label_clips(events, str(tmp_path/"calls.csv"))
    assert found.label.fillna("").tolist() == ["wren", "owl", "", "crake"]
    raven = calls.rename(columns=dict(path="Begin Path", start="Begin Time (s)", end="End Time (s)", label="Species"))
    raven.to_csv(tmp_path/"calls.txt", sep="\t", index=False)
    with pytest.warns(UserWarning):
        assert label_clips(events, str(tmp_path/"calls.txt")).label.fillna("").tolist() == ["wren", "owl", "", "crake"]
    calls.drop(columns=["start", "end"]).to_csv(tmp_path/"paths.csv", index=False)
    with pytest.raises(ValueError, match="has 3 labels"): label_clips(events, str(tmp_path/"paths.csv"))
    with pytest.raises(ValueError, match="no row of"):
        label_clips(events.assign(path=tone(tmp_path/"c.wav")), str(tmp_path/"calls.csv"))
    (tmp_path/"odd.txt").write_text("x\ty\n1\t2\n")
    with pytest.raises(ValueError, match="needs columns"): label_clips(events, str(tmp_path/"odd.txt"))


def test_a_label_inside_a_clip_wins_over_one_that_only_touches_it(tmp_path, tone):
    import pandas as pd
    from audioclust.audio import label_clips
    tape = tone(tmp_path/"tape.wav", seconds=25)
    def labels(rows, start, end):
        pd.DataFrame(rows, columns=["start", "end", "label"]).assign(path="tape.wav").to_csv(tmp_path/"l.csv",
                index=False)
        return label_clips(pd.DataFrame(dict(path=[tape], start=[start], end=[end])),
                str(tmp_path/"l.csv")).label.tolist()
    assert labels([(.5, 1.4, "A"), (2., 20., "B")], 0., 3.) == ["A"]
    assert labels([(0., 1., "A"), (1., 2., "A"), (1.8, 3., "B")], 0.,
            3.) == ["A"], "two calls of one kind count together"
