"Several processes do what one does: the same groups, one run folder, one voice, and one failure stops all."
import json
import re
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.core.distributed import ProcessGroup
from audioclust.metrics import ari


def torchrun(*args, n=2):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n)]
    return subprocess.run([*launcher, *map(str, args)], capture_output=True, text=True, timeout=300)

def audioclust(*args): return torchrun("-m", "audioclust", *args)


TEAM = """
import numpy as np
from audioclust.core.distributed import ProcessGroup, process_group
def said(f):
    try: return repr(f())
    except Exception as e: return f"{type(e).__name__} {e} {e.everywhere}"
def fails_there():
    if team.rank == 2: raise MemoryError("full")
with process_group() as team:
    got = dict(
        ranks=team.gather(team.rank),
        first=team.gather(team.first(lambda: team.rank)),
        there=team.gather(said(lambda: team.run_everywhere(fails_there))),
        refused=team.gather(said(lambda: team.first(lambda: int("six")))),
        kind=team.gather(said(lambda: team.run_everywhere(lambda: {}["gone"]))),
        alone=ProcessGroup().gather(3))
    if team.rank == 0: print(got)
"""

def test_a_team(tmp_path):
    (tmp_path/"team.py").write_text(TEAM)
    run = torchrun(tmp_path/"team.py", n=3)
    assert run.returncode == 0, run.stderr
    got = eval(run.stdout)
    assert got["ranks"] == [0, 1, 2] and got["first"] == [0, 0, 0] and got["alone"] == [3]
    assert got["there"] == ["MemoryError process 2: full True"]*2 + ["MemoryError full True"]
    assert got["refused"][0].startswith("ValueError invalid literal")
    assert got["refused"][1].startswith("ValueError process 0: invalid literal")
    assert got["kind"] == ["KeyError 'gone' True"]*3


def test_alone():
    team = ProcessGroup()
    assert (team.rank, team.size, team.gather(4)) == (0, 1, [4])
    assert team.first(lambda: 5) == 5 and team.run_everywhere(lambda: 6) == 6
    with pytest.raises(ZeroDivisionError): team.run_everywhere(lambda: 1/0)
    with pytest.raises(ValueError, match="torchrun"): ProcessGroup(shared=True)


HDBSCAN = ["--method", "hdbscan", "--window", ".2", "--set", "min_cluster_size=8"]
WAYS = dict(kmeans=["--n-clusters", "6", "--labels", "parent"], auto=["--n-clusters", "auto"], hdbscan=HDBSCAN)

@pytest.fixture
def with_bad(words):
    "The words, and two files that are none."
    bad = [words[0]/f"zzz-bad{i}.wav" for i in range(2)]
    for file in bad: file.write_text("no sound")
    yield words[0]
    for file in bad: file.unlink()

@pytest.mark.parametrize("options", [WAYS["kmeans"], *(pytest.param(WAYS[name], marks=pytest.mark.slow)
                                                        for name in ("auto", "hdbscan"))], ids=WAYS)
def test_the_command_in_two_processes(tmp_path, with_bad, capsys, options):
    out_one, out_two, cache = tmp_path/"one", tmp_path/"two", ["--cache", tmp_path/"cache"]
    assert main(["cluster", str(with_bad), "--out", str(out_one), "--no-cache", *options]) == 0
    one = capsys.readouterr()
    two = audioclust("cluster", with_bad, "--out", out_two, *cache, *options)
    assert two.returncode == 0, two.stderr
    assert two.stdout == one.out.replace(str(out_one), str(out_two))
    warnings = [line for line in two.stderr.splitlines() if line.startswith("warning")]
    assert warnings == one.err.replace(str(out_one), str(out_two)).strip().splitlines()
    for name in "clusters.csv", "errors.csv": assert (out_two/name).read_text() == (out_one/name).read_text(), name
    first, second = (np.load(out/"embeddings.npy") for out in (out_one, out_two))
    assert np.allclose(first, second, atol=1e-5)
    first, second = (json.loads((out/"run.json").read_text()) for out in (out_one, out_two))
    assert first["request"] == second["request"]
    if "--labels" in options: return
    again = audioclust("cluster", with_bad, "--out", out_two, *cache, "--overwrite", *options)
    assert again.returncode == 0 and "192 of 192 clips came from the cache" in again.stdout


@pytest.mark.slow
def test_without_a_cache_nothing_is_left(tmp_path, few):
    run = audioclust("cluster", few, "--out", tmp_path/"run", "--n-clusters", "3", "--no-cache", "--no-page")
    assert run.returncode == 0 and "from the cache" not in run.stdout, run.stderr
    assert not list((tmp_path/"run").rglob("*.sqlite*")) and not (tmp_path/"run/shares").exists()


@pytest.mark.slow
def test_both_ways_in_two_processes(tmp_path, few):
    options = ["--by", "both", "--n-clusters", "3,2", "--no-page", "--stability", "0", "-q"]
    run = audioclust("cluster", few, "--out", tmp_path/"two", *options)
    assert run.returncode == 0, run.stderr
    assert main(["cluster", str(few), "--out", str(tmp_path/"one"), *options]) == 0
    assert (tmp_path/"two/both.csv").read_text() == (tmp_path/"one/both.csv").read_text()


@pytest.mark.parametrize("folder, options, said", [
    pytest.param("few", ["--set", "max_iter=0"], "max_iter must be", marks=pytest.mark.slow),
    pytest.param("gone", [], "there is no folder or file", marks=pytest.mark.slow),
    ("few", ["--seed", "one"], "invalid int value")])
def test_a_wrong_request_is_refused_by_one_voice_and_soon(tmp_path, few, folder, options, said):
    start, out = time.monotonic(), tmp_path/"x"
    refused = audioclust("cluster", few if folder == "few" else tmp_path/folder, "--out", out, *options)
    assert refused.returncode and not out.exists()
    assert len(re.findall(said, refused.stderr)) == 1
    assert time.monotonic() - start < 80 # processes that wait for each other would do so for much longer


HELPER_FAILS = """
import sys
from audioclust.cli import main, several_processes
from audioclust.cli.arguments import is_helper
def fails(*args): raise OSError("the disk of process 1 is gone")
if is_helper(): several_processes.embed_share = fails
sys.exit(main(sys.argv[1:]))
"""

@pytest.mark.slow
def test_a_helper_that_fails_says_so_in_one_line(tmp_path, few):
    (tmp_path/"fails.py").write_text(HELPER_FAILS)
    run = torchrun(tmp_path/"fails.py", "cluster", few, "--out", tmp_path/"run", "--n-clusters", "3")
    assert run.returncode and not (tmp_path/"run/run.json").exists()
    assert run.stderr.count("audioclust cluster: the disk of process 1 is gone") == 1


TRAINS = ["--method", "deepcluster", "--epochs", "1", "--set", "passes=1", "--set", "views=2"]

@pytest.mark.slow
@pytest.mark.parametrize("options", [["--encoder", "untrained"], TRAINS])
def test_a_network_is_trained_by_the_first_process(tmp_path, few, options):
    more = ["--n-clusters", "3", "--no-page", "-q", *options]
    run = audioclust("cluster", few, "--out", tmp_path/"two", *more)
    assert run.returncode == 0, run.stderr
    assert main(["cluster", str(few), "--out", str(tmp_path/"one"), *more]) == 0
    one, two = (pd.read_csv(tmp_path/name/"clusters.csv") for name in ("one", "two"))
    assert len(two) == 48 and (one.path == two.path).all() and two.cluster.nunique() == 3
    # a training with another number of threads rounds, and ends, elsewhere
    if "untrained" in options: assert ari(one.cluster, two.cluster) > .6


def test_other_commands_are_done_once(tmp_path, words):
    assert main(["cluster", str(words[0]), "--out", str(tmp_path/"run"), "--n-clusters", "6", "-q"]) == 0
    run = audioclust("compare", tmp_path/"run", "--labels", "parent")
    assert run.returncode == 0 and run.stdout.count("groups:") == 1


def test_fewer_clips_than_would_be_worth_it(tmp_path, tone):
    for i in range(3): tone(tmp_path/"sounds"/f"{i}.wav", hz=300*2**i)
    run = audioclust("cluster", tmp_path/"sounds", "--out", tmp_path/"run", "--n-clusters", "2", "--no-cache")
    assert run.returncode == 0 and "3 clips" in run.stdout, run.stderr
