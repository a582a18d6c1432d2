"Several processes: an error of one is raised by all, and only `embed` may be started several times."
import subprocess
import sys

import pytest

from audioclust.cli import main
from audioclust.core.distributed import ProcessGroup

TEAM = """
import torch.distributed as dist
from audioclust.core.distributed import ProcessGroup
def outcome(f):
    try: return repr(team.run_everywhere(f))
    except Exception as e: return f"{type(e).__name__} {e}"
def fails_there():
    if team.rank == 2: raise MemoryError("full")
dist.init_process_group("gloo")
team = ProcessGroup(shared=True)
results = dict(
    ranks=team.gather(team.rank),
    there=team.gather(outcome(fails_there)),
    kind=team.gather(outcome(lambda: {}["gone"])))
if team.rank == 0: print(results)
dist.destroy_process_group()
"""

def test_a_team(tmp_path):
    (tmp_path/"team.py").write_text(TEAM)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3"]
    run = subprocess.run([*launcher, tmp_path/"team.py"], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    results = eval(run.stdout)
    assert results["ranks"] == [0, 1, 2]
    assert results["there"] == ["MemoryError process 2: full"]*2 + ["MemoryError full"]
    assert results["kind"] == ["KeyError 'gone'"]*3


def test_alone():
    team = ProcessGroup()
    assert (team.rank, team.size, team.gather(4)) == (0, 1, [4])
    assert team.run_everywhere(lambda: 6) == 6
    with pytest.raises(ZeroDivisionError): team.run_everywhere(lambda: 1/0)
    with pytest.raises(ValueError, match="torchrun"): ProcessGroup(shared=True)


def test_one_of_several_processes_says_that_only_embed_is_shared(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("WORLD_SIZE", "2")
    messages = []
    for rank, status in ("0", 2), ("1", 0): # the launcher sees one failure
        monkeypatch.setenv("RANK", rank)
        assert main(["cluster", str(tmp_path), "--out", str(tmp_path/"run")]) == status
        messages.append(capsys.readouterr().err)
    assert messages[0].count("\n") == 1 and "then, once, audioclust cluster --embeddings" in messages[0]
    assert messages[1] == "" and not (tmp_path/"run").exists()
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("RANK", "0")
    assert main(["cluster", str(tmp_path/"gone"), "--out", str(tmp_path/"run")]) == 2
    assert "there is no folder or file" in capsys.readouterr().err
