"Several processes do what one does: the same groups, one run folder, one voice, and one failure stops all."
import json, re, subprocess, sys, time

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.metrics import ari
from audioclust.core.distributed import ProcessGroup


def torchrun(*args, n=2):
    return subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n),
            *map(str, args)], capture_output=True, text=True, timeout=300)


TEAM = """
import sys, time, numpy as np
from audioclust.encoders import FixedEncoder
from audioclust.pipeline import AudioClusterer, Options
from audioclust.core.distributed import ProcessGroup, process_group
class Picky(FixedEncoder):
    def embed(self, clips, *args, **kwargs):
        if team.rank == 1: raise OSError("the disk of process 1 is gone")
        return super().embed(clips, *args, **kwargs)
def said(f):
    try: return repr(f())
    except Exception as e: return f"{type(e).__name__} {e} {e.everywhere}"
with process_group() as team:
    x = np.arange(21, dtype=np.float32).reshape(7, 3)
    def fails_there():
        if team.rank == 2: raise MemoryError("full")
    got = dict(shares=team.gather(team.share(np.ones(7))), ends=team.gather(team.share([0, 0, 5, 0, 0, 0, 0])),
        rows=team.collect(x[team.share(np.ones(7))]).tolist(), lopsided=team.collect(x[team.share([9, 0, 0, 0, 0, 0, 0])]).tolist(), first=team.gather(team.first(lambda: team.rank)),
        there=team.gather(said(lambda: team.run_everywhere(fails_there))), refused=team.gather(said(lambda: team.first(lambda: int("six")))), kind=team.gather(said(lambda: team.run_everywhere(lambda: {}["gone"]))),
        alone=ProcessGroup().gather(3), fit=team.gather(said(lambda: AudioClusterer(encoder=Picky(sample_rate=8000), options=Options(sharded=True)).fit(sys.argv[1]))))
    if team.rank == 0: print(got)
"""

def test_a_team(tmp_path, words):
    (tmp_path/"team.py").write_text(TEAM)
    run = torchrun(tmp_path/"team.py", words[0], n=3)
    assert run.returncode == 0, run.stderr
    got = eval(run.stdout)
    x = np.arange(21, dtype=np.float32).reshape(7, 3).tolist()
    assert (got["shares"] == [slice(0, 3), slice(3, 5), slice(5, 7)]
            and got["ends"] == [slice(0, 3), slice(3, 3), slice(3, 7)])
    assert got["rows"] == x and got["lopsided"] == x
    assert got["first"] == [0, 0, 0] and got["alone"] == [3]
    assert got["there"] == ["MemoryError process 2: full True"]*2 + ["MemoryError full True"]
    assert (got["refused"][0].startswith("ValueError invalid literal")
            and got["refused"][1].startswith("ValueError process 0: invalid literal"))
    assert got["kind"] == ["KeyError 'gone' True"]*3
    assert got["fit"] == ["OSError process 1: the disk of process 1 is gone True",
            "OSError the disk of process 1 is gone True", "OSError process 1: the disk of process 1 is gone True"]


def test_alone():
    team = ProcessGroup()
    assert (team.rank, team.size, team.gather(4), team.first(lambda: 5), team.run_everywhere(lambda: 6),
            team.share([2, 0, 1])) == (0, 1, [4], 5, 6, slice(0, 3))
    x = np.eye(3)
    assert team.collect(x) is x
    with pytest.raises(ZeroDivisionError): team.run_everywhere(lambda: 1/0)
    with pytest.raises(ValueError, match="torchrun"): ProcessGroup(shared=True)


@pytest.mark.parametrize("options", [["--n-clusters", "6", "--labels", "parent"], ["--n-clusters", "auto"],
        ["--method", "hdbscan", "--window", ".2", "--set", "min_cluster_size=8"]], ids=["kmeans", "auto", "hdbscan"])
def test_the_command_in_two_processes(tmp_path, words, tone, capsys, options):
    for i in range(2): (words[0]/f"zzz-bad{i}.wav").write_text("no sound")
    try:
        assert main(["cluster", str(words[0]), "--out", str(tmp_path/"one"), "--no-cache", *options]) == 0
        run = torchrun("-m", "audioclust", "cluster", words[0], "--out", tmp_path/"two", "--cache", tmp_path/"cache",
                *options)
        again = torchrun("-m", "audioclust", "cluster", words[0], "--out", tmp_path/"two", "--cache",
                tmp_path/"cache", "--overwrite", *options) if "--labels" in options else None
    finally:
        for i in range(2): (words[0]/f"zzz-bad{i}.wav").unlink()
    assert run.returncode == 0, run.stderr
    one, two = capsys.readouterr(), (run.stdout,
            "\n".join(line for line in run.stderr.splitlines() if line.startswith("warning")))
    assert two[0] == one.out.replace(str(tmp_path/"one"), str(tmp_path/"two"))
    assert two[1].strip() == one.err.strip().replace(str(tmp_path/"one"), str(tmp_path/"two"))
    for name in "clusters.csv", "errors.csv":
        assert (tmp_path/"two"/name).read_text() == (tmp_path/"one"/name).read_text(), name
    z = [np.load(tmp_path/name/"embeddings.npy") for name in ("one", "two")]
    assert np.allclose(*z, atol=1e-5)
    about = [json.loads((tmp_path/name/"run.json").read_text()) for name in ("one", "two")]
    assert (about[0]["request"] == about[1]["request"] and "sharded" not in about[1]["request"]
            and not about[1]["clusterer"].get("sharded"))
    if again: assert again.returncode == 0 and "192 of 192 clips came from the cache" in again.stdout


def test_a_wrong_request_is_refused_by_one_voice_and_soon(tmp_path, words):
    start = time.monotonic()
    gone = torchrun("-m", "audioclust", "cluster", tmp_path/"gone", "--out", tmp_path/"x")
    wrong = torchrun("-m", "audioclust", "cluster", words[0], "--out", tmp_path/"x", "--seed", "one")
    none = torchrun("-m", "audioclust", "cluster", words[0], "--out", tmp_path/"x", "--set", "max_iter=0")
    assert gone.returncode and wrong.returncode and none.returncode and not (tmp_path/"x").exists()
    assert len(re.findall("max_iter must be", none.stderr)) == 1
    assert len(re.findall("there is no folder or file", gone.stderr)) == 1
    assert len(re.findall("invalid int value", wrong.stderr)) == 1
    # three starts of torch on a busy machine; processes that wait for each other do so for half an hour
    assert time.monotonic() - start < 240


@pytest.mark.parametrize("options", [["--method", "deepcluster", "--epochs", "1", "--set", "passes=1", "--set",
        "views=2"], ["--encoder", "untrained"]], ids=" ".join)
def test_a_network_is_trained_by_the_first_process(tmp_path, few, options):
    run = torchrun("-m", "audioclust", "cluster", few, "--out", tmp_path/"two", "--n-clusters", "3", "--no-page",
            "-q", *options)
    assert run.returncode == 0, run.stderr
    assert main(["cluster", str(few), "--out", str(tmp_path/"one"), "--n-clusters", "3", "--no-page", "-q",
            *options]) == 0
    one, two = (pd.read_csv(tmp_path/name/"clusters.csv") for name in ("one", "two"))
    assert len(two) == 48 and (one.path == two.path).all() and two.cluster.nunique() == 3
    if "untrained" in options:
        # a training with another number of threads rounds, and ends, elsewhere
        assert ari(one.cluster, two.cluster) > .6


def test_other_commands_are_done_once(tmp_path, words):
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), "--n-clusters", "6", "-q"]) == 0
    run = torchrun("-m", "audioclust", "score", tmp_path/"run", "--labels", "parent")
    assert run.returncode == 0 and run.stdout.count("groups:") == 1


def test_fewer_clips_than_would_be_worth_it(tmp_path, tone):
    for i in range(3): tone(tmp_path/"sounds"/f"{i}.wav", hz=300*2**i)
    run = torchrun("-m", "audioclust", "cluster", tmp_path/"sounds", "--out", tmp_path/"run", "--n-clusters", "2",
            "--no-cache")
    assert run.returncode == 0 and "3 clips" in run.stdout, run.stderr


PAIR = """
import functools, sys
from audioclust.core.distributed import process_group
from audioclust.pipeline import Options, Request, group_pair, pair
pair.refine = functools.partial(pair.refine, most_shared_before=2., most_shared_after=2.)  # so that it is tried
with process_group():  # ends the group: Gloo's threads abort a process that leaves them running
    made = group_pair(sys.argv[1], Request(n_clusters=4, options=Options(sharded=True, stability=2, num_workers=0)))
    sys.stdout.write(f"tried {'silhouette' in made.reasons['content']} {made.content.request.options.sharded}\\n")  # at once, since print writes its parts apart where output is unbuffered
"""

def test_a_pair_is_refined_by_the_first_process(tmp_path, words):
    (tmp_path/"pair.py").write_text(PAIR)
    run = torchrun(tmp_path/"pair.py", words[0])
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("tried True True") == 2, run.stdout
