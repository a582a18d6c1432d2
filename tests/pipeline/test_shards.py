"Embedding in parts: shards that one process groups as if it had embedded all, restartable, and refused where they do not fit."
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.core.console import ProgressBar
from audioclust.encoders import FixedEncoder
from audioclust.pipeline import embed_shard, make_run, Observer, request_of_shards, run_of_shards, shard_folders, share_of
from audioclust.runs import Options, Request

ASKED = Request(n_clusters=6)


def embed_all(folder, shards, n_parts, request=ASKED, **more):
    "All parts, each into a folder of its own."
    for number in range(1, n_parts + 1): embed_shard(share_of(folder, request, number, n_parts), shards/str(number), **more)
    return str(shards/"*")


@pytest.mark.parametrize("request_, n_parts", [(ASKED, 1), (Request(n_clusters=4, by="source", window=.3), 3)])
def test_parts_give_the_groups_of_one_process(words, tmp_path, n_parts, request_):
    found = run_of_shards(embed_all(words[0], tmp_path, n_parts, request_), Request(request_.method, request_.n_clusters))
    alone = make_run(words[0], request_)
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert found.embeddings.X.tobytes() == alone.embeddings.X.tobytes()
    assert found.request.by == request_.by and found.clips.recordings == alone.clips.recordings


def test_embed_writes_raw_rows_and_their_clips(words, tmp_path):
    broken = tmp_path/"sounds"/"broken.wav"
    shutil.copytree(words[0]/"word0", broken.parent)
    broken.write_bytes(b"no sound")
    assert main(["embed", str(broken.parent), "--out", str(tmp_path/"raw"), "-q"]) == 0
    X, clips = np.load(tmp_path/"raw"/"embeddings.npy"), pd.read_csv(tmp_path/"raw"/"clips.csv")
    assert len(X) == len(clips) == len(words[1])//6 and list(clips) == ["path", "start", "end"]
    np.testing.assert_allclose(X, FixedEncoder(sample_rate=8000).embed(clips), rtol=1e-4, atol=1e-4)
    assert "broken.wav" in pd.read_csv(tmp_path/"raw"/"errors.csv").path[0]


def test_half_precision_takes_half_the_size(words, tmp_path):
    embed_all(words[0], tmp_path/"single", 1)
    embed_all(words[0], tmp_path/"half", 1, half=True)
    sizes = [np.load(tmp_path/kind/"1/embeddings.npy").nbytes for kind in ("single", "half")]
    assert sizes[0] == 2*sizes[1]
    labels = [run_of_shards(tmp_path/kind/"1", ASKED).clustering.labels for kind in ("single", "half")]
    assert (labels[0] == labels[1]).mean() > .9


def test_damaged_files(tmp_path, tone):
    for i in range(6): tone(tmp_path/"sounds"/f"{i}.wav", hz=300 + 200*i, seconds=.5 + .1*i)
    (tmp_path/"sounds"/"3.wav").write_bytes((tmp_path/"sounds"/"3.wav").read_bytes()[:60])
    (tmp_path/"sounds"/"x.wav").write_bytes(b"no sound")
    request = Request(n_clusters=2, options=Options(stability=0))
    found = run_of_shards(embed_all(tmp_path/"sounds", tmp_path/"shards", 2, request), request)
    alone = make_run(tmp_path/"sounds", request)
    assert found.clips.errors == alone.clips.errors and len(found) == len(alone)


class Stopped(Exception): pass


class StopsAfterTwo(ProgressBar):
    "A bar that is stopped when it has shown two blocks."
    def __init__(self): pass
    def __call__(self, things, total, desc="", unit=""):
        for i, thing in enumerate(things):
            if i == 2: raise Stopped
            yield thing


def test_a_part_that_was_stopped_goes_on_where_it_was(words, tmp_path, monkeypatch):
    share = share_of(words[0], ASKED, 2, 2)
    with pytest.raises(Stopped):
        embed_shard(share, tmp_path/"2", observer=Observer(StopsAfterTwo()), block_seconds=10)
    assert len(list((tmp_path/"2/blocks").glob("*.json"))) == 2
    with pytest.raises(ValueError, match="not complete: give the command that made it again"): run_of_shards(tmp_path/"2")
    with pytest.raises(ValueError, match="block: "): embed_shard(share, tmp_path/"2", block_seconds=3)
    embedded, embed = [], FixedEncoder.embed
    def counted(encoder, clips, *args, **kwargs):
        embedded.append(len(clips))
        return embed(encoder, clips, *args, **kwargs)
    monkeypatch.setattr(FixedEncoder, "embed", counted)
    embed_shard(share, tmp_path/"2", block_seconds=10)
    assert sum(embedded) < len(share.clips) - 20, "blocks that were there are not made again"
    embed_shard(share_of(words[0], ASKED, 1, 2), tmp_path/"1")
    assert len(run_of_shards(tmp_path/"[12]", ASKED)) == len(words[1])


def test_what_does_not_fit_is_refused(words, tmp_path):
    folder = words[0]
    embed_shard(share_of(folder, ASKED, 1, 3), tmp_path/"1")
    embed_shard(share_of(folder, ASKED, 3, 3), tmp_path/"3")
    with pytest.raises(ValueError, match="part 2 of 3 is missing"): run_of_shards(tmp_path)
    embed_shard(share_of(folder, Request(by="source"), 2, 3), tmp_path/"2")
    with pytest.raises(ValueError, match="another list of clips, or by another encoder"): run_of_shards(tmp_path)
    with pytest.raises(ValueError, match="holds a shard of something else"): embed_shard(share_of(folder, ASKED, 2, 3), tmp_path/"2")
    known = replace(ASKED, options=replace(ASKED.options, ignore_column="parent"))
    with pytest.raises(ValueError, match="leave out ignore_column"): request_of_shards(tmp_path/"1", known)
    (tmp_path/"own").mkdir()
    (tmp_path/"own/letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="not empty and holds no shard"): embed_shard(share_of(folder, ASKED, 2, 3), tmp_path/"own")
    with pytest.raises(ValueError, match="trained needs all clips"): share_of(folder, Request("deepcluster"), 1, 2)
    with pytest.raises(ValueError, match="trains its own embeddings"): run_of_shards(embed_all(folder, tmp_path/"all", 1), Request("nf-spice"))
    with pytest.raises(ValueError, match="was embedded by content"): run_of_shards(tmp_path/"all/1", Request(by="source"))
    with pytest.raises(ValueError, match="cannot be divided"): share_of(folder, ASKED, 1, 1000)
    assert shard_folders(tmp_path/"nothing") == []
    with pytest.raises(ValueError, match="there are no shards there"): run_of_shards(tmp_path/"nothing")
    shutil.copytree(tmp_path/"all/1", tmp_path/"twice/one")
    shutil.copytree(tmp_path/"all/1", tmp_path/"twice/other")
    with pytest.raises(ValueError, match="are the same part: leave one out"): run_of_shards(tmp_path/"twice/*")


def test_commands(words, tmp_path, capsys):
    folder, shards, out = str(words[0]), tmp_path/"shards", tmp_path/"run"
    for part in "1/2", "2/2":
        assert main(["embed", folder, "--part", part, "--out", str(shards/part[0]), "--by", "source", "-q"]) == 0
    assert f"audioclust cluster --embeddings '{shards}/*' --out RUN" in capsys.readouterr().out
    cluster = ["cluster", "--embeddings", f"{shards}/*", "--out", str(out), "--n-clusters", "4", "--stability", "0", "-q"]
    assert main(cluster) == 0 and (out/"listen.html").is_file()
    assert json.loads((out/"run.json").read_text())["request"]["by"] == "source"
    assert main([*cluster, "--resume"]) == 0, "there is nothing to do"
    assert main(["assign", str(out), folder, "--out", str(tmp_path/"a.csv"), "-q"]) == 0
    labels = [pd.read_csv(table).cluster for table in (out/"clusters.csv", tmp_path/"a.csv")]
    np.testing.assert_array_equal(*labels)
    capsys.readouterr()
    assert main([*cluster[:3], "--window", "1", *cluster[3:-1]]) == 2
    assert main(["cluster", folder, *cluster[1:], "--overwrite"]) == 2
    assert "which say what their clips are" in capsys.readouterr().err
    assert main(["cluster", "--grow", str(out), *cluster[1:3], "--out", str(tmp_path/"grown")]) == 2
    assert "give the recordings" in capsys.readouterr().err
    with pytest.raises(SystemExit): main(["embed", folder, "--part", "3/2", "--out", "x"])
    assert "such as 3/16" in capsys.readouterr().err


def test_what_torchrun_says_sets_the_part(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("WORLD_SIZE", "2")
    embed = ["embed", str(words[0]), "--out", str(tmp_path), "-q"]
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        assert main(embed) == 0
    assert main([*embed, "--part", "1/2"]) == 2
    assert "torchrun gives each process its part: leave out --part" in capsys.readouterr().err
    assert [folder.name for folder in shard_folders(tmp_path)] == ["1", "2"]
    assert len(run_of_shards(tmp_path, ASKED)) == len(words[1])


@pytest.mark.parametrize("name", ["stranger", "fixed+stranger:0.5"])
def test_encoders_that_are_named(words, tmp_path, stranger, name):
    found = run_of_shards(embed_all(words[0], tmp_path, 2, Request(encoder=name)), ASKED)
    alone = make_run(words[0], Request(n_clusters=6, encoder=name))
    assert found.embeddings.X.tobytes() == alone.embeddings.X.tobytes() and found.request.encoder == name


def test_an_encoder_that_is_chosen_is_the_same_in_all_parts(words, tmp_path, stranger):
    shares = [share_of(words[0], ASKED, number, 2) for number in (1, 2)]
    assert shares[0].shared == shares[1].shared and shares[0].choice.name == shares[0].request.encoder
    with pytest.raises(ValueError, match="has no name"): share_of(words[0], Request(encoder=FixedEncoder()), 1, 2)
