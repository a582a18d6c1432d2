"What a page holds, without a browser."
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from browser import of_rows, page_data

from audioclust.audio.streaming import ClipDataset
from audioclust.ensembles.levels import tree_data
from audioclust.listen import listen_page, pictures_of, write_figures
from audioclust.listen.clip_audio import as_mp3
from audioclust.listen.pictures import clip_thumbnails, draw_pictures, shown_seconds
from audioclust.runs import Run


def test_the_tree_is_that_of_all_clips_and_of_the_clusters_shown(many, tmp_path):
    def data(**options): return page_data(listen_page(many, tmp_path/"p.html", **options))["views"][0]
    tree = tree_data(many.embeddings.X, many.clustering.labels)
    assert data()["tree"] == data(max_clips=40)["tree"] == tree and tree["leaves"] == list(range(18))
    few = data(max_clips=5)
    assert few["tree"]["leaves"] == sorted(int(c) for c in few["clusters"] if int(c) >= 0)
    assert len(few["tree"]["leaves"]) < 18
    assert tree_data(many.embeddings.X, np.full(len(many), -1)) is None


def test_formats_that_browsers_do_not_play_get_a_copy(run):
    data = page_data(run/"run/listen.html")
    i = next(i for i,f in enumerate(data["file"]) if data["files"][f].endswith("apple.aiff"))
    assert data["audio"][i].endswith(".mp3#copy") and (run/"run"/data["audio"][i].removesuffix("#copy")).is_file()
    assert "<img" not in (run/"run/listen.html").read_text(encoding="utf-8")


def test_thumbnails_and_sounds(tmp_path):
    sf.write(tmp_path/"low.wav", .5*np.sin(2*np.pi*300*np.arange(8000)/8000), 8000)
    sf.write(tmp_path/"bat.wav", .5*np.sin(2*np.pi*300*np.arange(96000)/192000), 192000)
    (tmp_path/"bad.wav").write_bytes(b"x")
    table = pd.DataFrame(dict(path=[tmp_path/"low.wav", tmp_path/"bad.wav"], start=0., end=1.))
    thumbnails, seconds = clip_thumbnails(table, 8000)
    assert seconds == 1 and thumbnails[0].max() == 255 and not thumbnails[1].any()
    assert thumbnails[0].mean(1).argmax() > 25  # low is at the bottom
    for name in ("low", "bat"):
        (tmp_path/"x.mp3").write_bytes(as_mp3(tmp_path/f"{name}.wav", .1, .4))
        x, rate = sf.read(tmp_path/"x.mp3")
        assert abs(len(x)/rate - .3) < .1 and rate == dict(low=8000, bat=48000)[name]


def test_a_short_sound_is_no_sliver_of_its_thumbnail(tmp_path):
    "The scale of time is that of the short sounds, also where as many are twenty times as long."
    table = []
    for i,seconds in enumerate([.2]*6 + [4.]*6):
        sf.write(tmp_path/f"{i}.wav", np.random.default_rng(i).normal(0, .1, round(8000*seconds)), 8000)
        table.append(dict(path=str(tmp_path/f"{i}.wav"), start=0., end=seconds, clip_id=str(i)))
    pictures = draw_pictures(pd.DataFrame(table), np.arange(0), num_workers=0, sample_rate=8000)
    columns = (pictures.thumbnails.max(1) > 0).sum(1)  # that are not black
    assert pictures.seconds == .4 and (np.abs(columns[:6] - 32) <= 4).all() and (columns[6:] == 64).all()
    assert shown_seconds(np.linspace(.5, 1, 20)) == pytest.approx(1, abs=.05)  # where all are similar, they fit
    assert shown_seconds(np.full(5, 3.)) == 3 and shown_seconds([]) == 1


@pytest.mark.draws
def test_a_clip_is_decoded_once_for_all_pictures(many, tmp_path, monkeypatch):
    "For thumbnails, large spectrograms and the figure of the groups; browsers play the recordings themselves."
    made = replace(many, folder=None).save(tmp_path/"run")
    decoded = Counter()
    decode = ClipDataset.__getitem__
    def counted(self, row):
        decoded[self.path(row), self.start[row]] += 1
        return decode(self, row)
    monkeypatch.setattr(ClipDataset, "__getitem__", counted)
    pictures = pictures_of(made, max_clips=40, num_workers=0)
    assert len(decoded) == 40
    assert "groups" in write_figures(made, num_workers=0, pictures=pictures)
    listen_page(made, pictures=pictures)
    assert len(decoded) > 40 and set(decoded.values()) == {1}


def test_a_page_of_a_run_in_memory_is_that_of_its_folder(run, tmp_path):
    saved = Run.open(run/"run")
    made = replace(saved, folder=None)
    with pytest.raises(ValueError, match="in memory only"): listen_page(made)
    with pytest.raises(ValueError, match="save it first"): write_figures(made)
    page = listen_page(made, tmp_path/"page.html", max_clips=30)
    assert "Replace RUN by the folder of the run.<" in page.read_text(encoding="utf-8")
    data, of_folder = page_data(page), page_data(listen_page(saved, tmp_path/"folder.html", max_clips=30))
    assert data.pop("folder") is None and of_folder.pop("folder").endswith("/run")
    for one in data, of_folder: one["audio"] = [link.replace("page-", "folder-") for link in one["audio"]]
    assert data == of_folder


def test_a_pair_shows_the_clips_that_both_runs_have(run, tmp_path):
    one = Run.open(run/"run")
    rows = np.delete(np.arange(len(one)), [2, 5])
    other = of_rows(one, rows, one.embeddings.X[rows], one.clustering.labels[rows])
    other = replace(other, request=replace(one.request, by="source"))
    for max_clips in None, 30:
        data = page_data(listen_page([one, other], tmp_path/"page.html", max_clips=max_clips))
        shown, kept = data["ids"], set(other.table.clip_id)
        assert set(shown) <= kept and (max_clips or set(shown) == kept)
        for view,labelled in zip(data["views"], (one.table, other.table)):
            assert view["labels"] == labelled.set_index("clip_id").cluster[shown].tolist()
        assert [view["by"] for view in data["views"]] == ["content", "source"]
    assert data["others"]["n"] == len(kept) - len(shown)


def test_the_telling_clip_of_a_group_is_the_same_where_some_clips_are_shown(many, tmp_path):
    labels, representative = many.clustering.labels, np.zeros(len(many), bool)
    representative[[np.flatnonzero(labels == cluster)[-1] for cluster in np.unique(labels[labels >= 0])]] = True
    run = replace(many, clustering=replace(many.clustering, representative=representative))
    data = page_data(listen_page(run, tmp_path/"p.html", max_clips=60))
    clusters = data["views"][0]["clusters"]
    shown = list(zip(np.array(data["files"])[data["file"]], data["start"]))
    of = {(path.replace("\\", "/").rsplit("/", 1)[-1], round(start, 3)): row for row,(path,start) in enumerate(zip(many.table.path, many.table.start))}
    rows = [of[name.rsplit("/", 1)[-1], round(start, 3)] for name,start in shown]
    for cluster in (int(c) for c in clusters if int(c) >= 0):
        telling = set(np.flatnonzero(representative & (labels == cluster))) & set(rows)
        assert not telling or rows[clusters[str(cluster)]["typical"][0]] in telling
    assert set(np.flatnonzero(representative)) & set(rows)


def test_labels_of_any_bytes_are_packed(many):
    from audioclust.listen.page_data import label_data, other_clips
    labels = pd.Series(["b\udcffd", None]*(len(many)//2) + ["x"]*(len(many) % 2))
    shown, hidden = np.arange(5), np.arange(5, len(many))
    assert other_clips([many], [hidden], None, labels)["n"] == len(many) - 5
    json.dumps(label_data([many], [shown], [hidden], labels)).encode("utf-8")
