import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from audioclust.kmeans import KMeans
from audioclust.kmeans.nearest import total_scatter
from audioclust.kmeans.table import map_blocks, Table, weighted_rows


def gen(seed): return torch.Generator().manual_seed(seed)

@pytest.fixture
def table(tmp_path): # 6,000 rows around 12 places, in memory and in a file
    rng = np.random.default_rng(0)
    x = 2*rng.standard_normal((12, 8))[rng.integers(12, size=6000)] + rng.standard_normal((6000, 8))
    x = x.astype(np.float32)
    np.save(tmp_path/"x.npy", x)
    return x, tmp_path/"x.npy"


def test_blocks_that_are_left_early_leave_the_threads_as_they_were():
    before = torch.get_num_threads()
    parts = map_blocks(lambda i: i, range(1000), torch.device("cpu"))
    assert next(parts) == 0
    parts.close()
    assert torch.get_num_threads() == before

def test_many_threads_at_once_leave_the_setting_alone(): # two fits in threads of one process
    from concurrent.futures import ThreadPoolExecutor
    before, x = torch.get_num_threads(), torch.randn(60_000, 16, generator=gen(0)).numpy()
    def labels(seed): return KMeans(50, max_iter=3, random_state=seed).fit(x).labels_
    with ThreadPoolExecutor(2) as pool: a, b = pool.map(labels, (0, 0))
    assert (a == b).all() and torch.get_num_threads() == before


@pytest.mark.parametrize("kind", (np.float16, np.float32, np.float64, np.int16))
def test_a_file_gives_the_same_rows(tmp_path, kind):
    x = (100*np.random.default_rng(0).standard_normal((3000, 5))).astype(kind)
    np.save(tmp_path/"x.npy", x)
    rows = Table(np.load(tmp_path/"x.npy", mmap_mode="r"))
    assert rows.dtype == (torch.float32 if kind in (np.float16, np.float32) else torch.float64)
    some = torch.randperm(3000, generator=gen(1))[:700]
    assert (rows[slice(17, 900)].numpy() == x[17:900]).all() and (rows[some].numpy() == x[some.numpy()]).all()
    mean, total = total_scatter(rows)
    x = x.astype(np.float64)
    assert np.allclose(mean, x.mean(0)) and np.isclose(total, ((x - x.mean(0))**2).sum())

def test_rows_of_a_file_that_may_be_written_are_not_lost(tmp_path):
    np.save(tmp_path/"x.npy", np.zeros((1000, 4), np.float32))
    mine = np.load(tmp_path/"x.npy", mmap_mode="c") # changes stay in memory
    mine[:] = 7
    assert (Table(mine)[slice(0, 1000)] == 7).all() and (mine == 7).all()

def test_draw_follows_the_odds():
    x = Table(torch.zeros(2**20 + 5, 1)) # more than one part
    odds = torch.zeros(2**20 + 5)
    odds[[3, 2**20 - 1, 2**20 + 4]] = torch.tensor([1., 2., 5.])
    ids = weighted_rows(x, odds, torch.rand(8000, generator=gen(0), dtype=torch.float64))
    share = [(ids == i).float().mean().item() for i in (3, 2**20 - 1, 2**20 + 4)]
    assert np.allclose(share, [1/8, 2/8, 5/8], atol=.03)

@pytest.mark.parametrize("params", (dict(), dict(init="k-means++"), dict(init="random"), dict(metric="cosine"),
                                    dict(n_clusters=700, init="random", max_iter=2)))
def test_kmeans_of_a_file_is_that_of_the_memory(table, params):
    x, path = table
    params = dict(n_clusters=12, init="k-means||", random_state=3) | params
    a, b = KMeans(**params).fit(x), KMeans(**params).fit(np.load(path, mmap_mode="r"))
    assert (a.labels_ == b.labels_).all() and np.allclose(a.cluster_centers_, b.cluster_centers_, atol=1e-5)
    assert (b.predict(np.load(path, mmap_mode="r")) == b.predict(x)).all() and (b.predict(x) == b.labels_).all()

def test_a_bad_file_is_refused(tmp_path):
    def mapped(x):
        np.save(tmp_path/"x.npy", x)
        return np.load(tmp_path/"x.npy", mmap_mode="r")
    x = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32)
    x[300, 1] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"): KMeans(3).fit(mapped(x))
    x[300] = 0
    with pytest.raises(ValueError, match="1 rows of X are zero"): KMeans(3, metric="cosine").fit(mapped(x))
    with pytest.raises(ValueError, match="features"): KMeans(3).fit(x).predict(mapped(x[:, :2]))
    with pytest.raises(ValueError, match="shape"): KMeans(3).fit(mapped(x[0]))


MEMORY = """
import sys, numpy as np, torch
from numpy.lib.format import open_memmap
from audioclust.kmeans import KMeans
torch.set_num_threads(2)
def peak(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])/1024
x = open_memmap(sys.argv[1], "w+", np.float32, (1_500_000, 64))
rng = np.random.default_rng(0)
for i in range(0, len(x), 50_000): x[i:i+50_000] = rng.standard_normal((50_000, 64), dtype=np.float32)
x.flush(); del x
x = np.load(sys.argv[1], mmap_mode="r")
KMeans(8, max_iter=1, random_state=0).fit(x[:20_000]) # whatever is loaded at the first use
def more(f): # Megabytes that it takes
    open("/proc/self/clear_refs", "w").write("5") # forget the peak so far
    before = peak(); f()
    return peak() - before
print(more(lambda: KMeans(20, max_iter=2, random_state=0).fit(x)))
"""

@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_needs_room_for_blocks_only(tmp_path): # 366 MB on disk
    run = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path/"x.npy")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 90, run.stdout # MB, of which labels and the like are 36


SHARES = """
import sys, numpy as np, torch.distributed as dist
sys.path.insert(0, sys.argv[3])
from test_table import fits
from audioclust.kmeans import KMeans
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
x = np.load(sys.argv[1])
for name, kind, params in fits(x):
    share = np.array_split(x.astype(kind), [2500])[rank] # 2,500 and 3,500 rows
    m = KMeans(12, sharded=True, random_state=3, **params).fit(share)
    labels = [None]*world
    dist.all_gather_object(labels, m.labels_)
    found = dict(centers=m.cluster_centers_, labels=np.concatenate(labels), rest=[m.inertia_, m.n_iter_, m.n_reseeds_])
    if rank == 0: np.savez(f"{sys.argv[2]}/{name}.npz", **found)
try: KMeans(2, sharded=True).fit(x[:6000*rank]) # one has no rows: all must say so, and none may wait for ever
except ValueError as e: print("refused:", e)
dist.destroy_process_group()
"""

def fits(x):
    "Name, format and arguments of each K-means that two processes run together."
    far = np.full((9, 8), 99, np.float32)
    return (("plain", np.float32, {}), ("parallel", np.float32, dict(init="k-means||")),
            ("random", np.float32, dict(init="random")), ("angle", np.float32, dict(metric="cosine")),
            ("empty", np.float32, dict(init=np.concatenate([x[:3], far]))), ("double", np.float64, {}))

@pytest.mark.slow
def test_two_processes_are_one(table, tmp_path):
    x, path = table
    (tmp_path/"shares.py").write_text(SHARES)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    run = subprocess.run([*torchrun, str(tmp_path/"shares.py"), str(path), str(tmp_path), str(Path(__file__).parent)],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("refused") >= 1
    for name, kind, params in fits(x):
        two = np.load(tmp_path/f"{name}.npz")
        one = KMeans(12, random_state=3, **params).fit(x.astype(kind))
        assert (two["labels"] == one.labels_).all(), name
        assert np.allclose(two["centers"], one.cluster_centers_, atol=1e-6), name
        assert np.allclose(two["rest"], [one.inertia_, one.n_iter_, one.n_reseeds_]), name
