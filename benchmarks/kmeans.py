"""K-means beside its peers: the same rows, the same start, the same rounds, in turn.

    python benchmarks/kmeans.py [rounds processes file] [--repeats 7] [--folder FOLDER]

rounds     ten rounds of Lloyd's algorithm, at three shapes, on rows without structure and on rows with clusters
processes  ten rounds in 1, 2 and 4 processes under torchrun, the cores shared out among them
file       five rounds on a file of 10 GB in FOLDER; the resident memory (Linux, macOS)
Without names, all of them; those named replace their rows in benchmarks/results/kmeans.csv.

Rows are float32. A round assigns each row to its nearest centre and moves the centres; ten rounds end with one more
assignment, and all peers do the same work: scikit-learn (Lloyd and Elkan), Faiss if it is installed (pip install
faiss-cpu), and a loop in plain torch, as one would write it. All use all cores. Where there is a GPU, the
loop and audioclust run there too. Each repeat runs everybody in turn, so that a change in the machine's speed meets all
alike: compare within a repeat. One repeat beforehand is not counted.
"clusters s": k centres drawn from a normal distribution of standard deviation s in every dimension, rows around them with
standard deviation 1. Everybody starts at the same k rows, drawn by chance.
Goal: ratios. Not a goal: absolute numbers that hold on another machine.
"""
import argparse, csv, os, platform, subprocess, sys, tempfile, time, warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans as SklearnKMeans

from audioclust.kmeans import KMeans

try: import faiss
except ImportError: faiss = None

SHAPES = (100_000, 128, 256), (300_000, 32, 100), (20_000, 512, 1000)
DATA = "normal", "clusters 0.5", "clusters 1", "clusters 3"
OUT = Path(__file__).parent/"results"/"kmeans.csv"


def make(n, d, k, data, seed=0):
    "Rows, and where to start."
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d), dtype=np.float32)
    if data != "normal":
        centers = float(data.split()[1])*rng.standard_normal((k, d), dtype=np.float32)
        x += centers[rng.integers(k, size=n)]
    return x, x[rng.choice(n, k, replace=False)].copy()


def ours(x, start, rounds):
    m = KMeans(len(start), init=start, max_iter=rounds, tol=0, device=x.device if isinstance(x, torch.Tensor) else "cpu").fit(x)
    return m.inertia_, m.n_iter_

def sklearn(x, start, rounds, algorithm="lloyd"):
    m = SklearnKMeans(len(start), init=start, n_init=1, max_iter=rounds, tol=0, algorithm=algorithm).fit(x)
    return m.inertia_, m.n_iter_

def elkan(x, start, rounds): return sklearn(x, start, rounds, "elkan")

def in_faiss(x, start, rounds):
    m = faiss.Kmeans(x.shape[1], len(start), niter=rounds, min_points_per_centroid=1, max_points_per_centroid=len(x), seed=1)
    m.train(x, init_centroids=start)
    distance, _ = m.index.search(x, 1)
    return float(distance.sum(dtype=np.float64)), rounds

def torch_loop(x, start, rounds):
    x, centers = torch.as_tensor(x), torch.as_tensor(start, device=getattr(x, "device", None))
    length, labels = x.square().sum(1), None
    for r in range(rounds + 1):
        half, before = centers.square().sum(1)/2, labels
        found = [torch.addmm(half, some, centers.T, alpha=-1).min(1) for some in x.split(8192)]
        labels = torch.cat([f.indices for f in found])
        if r == rounds or before is not None and torch.equal(before, labels): break
        sums = torch.zeros_like(centers).index_add_(0, labels, x)
        count = labels.bincount(minlength=len(centers))[:, None]
        centers = torch.where(count > 0, sums/count, centers)
    return float((length + 2*torch.cat([f.values for f in found])).double().sum()), r

def peers():
    who = {"audioclust": ours, "scikit-learn Lloyd": sklearn, "scikit-learn Elkan": elkan, "torch loop": torch_loop}
    if faiss: who["Faiss"] = in_faiss
    return who

def on_gpu(f):
    def run(x, start, rounds):
        said = f(x, start, rounds)
        torch.cuda.synchronize()
        return said
    return run


def compare(part, shapes, data, rounds, repeats):
    for (n, d, k), kind in ((s, kind) for s in shapes for kind in data):
        x, start = make(n, d, k, kind)
        who = {name: (f, x) for name, f in peers().items()}
        if torch.cuda.is_available(): who |= {f"{name}, GPU": (on_gpu(f), torch.from_numpy(x).cuda()) for name, f in (("audioclust", ours), ("torch loop", torch_loop))}
        for repeat in range(-1, repeats):
            for name, (f, rows) in who.items():
                t = time.perf_counter(); said = f(rows, start, rounds); t = time.perf_counter() - t
                if said and repeat >= 0: yield dict(part=part, n=n, d=d, k=k, data=kind, who=name, repeat=repeat, seconds=t, loss=said[0], rounds=said[1])

def rounds(args): return compare("rounds", SHAPES, DATA, 10, args.repeats)

PROCESS = """
import sys, time, numpy as np, torch, torch.distributed as dist
sys.path.insert(0, sys.argv[1])
from kmeans import KMeans, make
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
x, start = make(100_000, 128, 256, sys.argv[2])
share = np.array_split(x, world)[rank].copy()
for repeat in range(-1, int(sys.argv[3])):
    dist.barrier(); t = time.perf_counter()
    m = KMeans(256, init=start, max_iter=10, tol=0, sharded=True, device="cpu").fit(share)
    dist.barrier(); t = time.perf_counter() - t
    if rank == 0 and repeat >= 0: print("said", repeat, t, m.inertia_, m.n_iter_)
dist.destroy_process_group()
"""

def processes(args):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder)/"process.py").write_text(PROCESS)
        for kind in "normal", "clusters 1":
            for p in 1, 2, 4:
                env = {**os.environ, "OMP_NUM_THREADS": str(max(1, os.cpu_count()//p))}
                said = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(p), f"{folder}/process.py", str(Path(__file__).parent.resolve()), kind, str(args.repeats)],
                                      capture_output=True, text=True, check=True, env=env).stdout
                for _, repeat, t, loss, r in (line.split() for line in said.splitlines() if line.startswith("said")):
                    yield dict(part="processes", n=100_000, d=128, k=256, data=kind, who=f"{p} process{'es'*(p > 1)}", repeat=int(repeat), seconds=float(t), loss=float(loss), rounds=int(r))

FILE = """
import resource, sys, time, numpy as np
sys.path.insert(0, sys.argv[1])
from kmeans import KMeans
def peak(): # Megabytes; on Linux not by getrusage, which counts what the process that started this one held
    if sys.platform != "linux": return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1e6
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))*1024/1e6
x = np.load(sys.argv[2], mmap_mode="r")
t = time.perf_counter()
m = KMeans(100, max_iter=5, tol=0, random_state=0, device="cpu").fit(x)
t = time.perf_counter() - t
print(t, peak(), -m.score(x), m.n_iter_)
"""

def file(args):
    n, d, k, step = args.gigabytes*10**9//512, 128, 100, 100_000
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path, rng = f"{folder}/x.npy", np.random.default_rng(0)
        x = np.lib.format.open_memmap(path, "w+", np.float32, (n, d))
        centers = rng.standard_normal((k, d), dtype=np.float32)
        for i in range(0, n, step): x[i:i+step] = rng.standard_normal((min(step, n - i), d), dtype=np.float32) + centers[rng.integers(k, size=min(step, n - i))]
        x.flush(); del x
        said = subprocess.run([sys.executable, "-c", FILE, str(Path(__file__).parent.resolve()), path], capture_output=True, text=True, check=True).stdout
        t, peak, loss, r = map(float, said.split())
        yield dict(part="file", n=n, d=d, k=k, data="clusters 1", who="five rounds", repeat=0, seconds=t, loss=loss, rounds=int(r), megabytes=round(peak))


PARTS = dict(rounds=rounds, processes=processes, file=file)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--gigabytes", type=int, default=10, help="size of the file")
    p.add_argument("--folder", help="where the file is made (default: the system's folder for temporary files)")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    versions = []
    for name in "torch", "scikit-learn", "faiss-cpu", "numpy":
        try: versions.append(f"{name} {version(name)}")
        except PackageNotFoundError: pass
    about = dict(threads=torch.get_num_threads(), kernel=f"{'MKL' if torch.backends.mkl.is_available() else 'no MKL'}, {torch.backends.cpu.get_cpu_capability()}", versions=", ".join(versions),
                 commit=subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip(),
                 machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}" + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""))
    fields = "part n d k data who repeat seconds loss rounds megabytes".split() + list(about)
    for part in args.parts or PARTS:
        new = []
        for row in PARTS[part](args):
            new.append({**row, **about, "seconds": round(row["seconds"], 4), "loss": f"{row['loss']:.6e}"})
            print(f"{part:10s} ({row['n']:,}, {row['d']}, {row['k']}) {row['data']:13s} {row['who']:38s} {row['seconds']:8.3f} s  loss {row['loss']:.5e}  {row['rounds']} rounds" + (f"  {row['megabytes']:,} MB" if "megabytes" in row else ""), flush=True)
        old = [r for r in csv.DictReader(open(OUT, newline="")) if r["part"] != part] if OUT.exists() else []
        OUT.parent.mkdir(parents=True, exist_ok=True)
        with open(OUT, "w", newline="") as f:
            w = csv.DictWriter(f, fields); w.writeheader(); w.writerows(sorted(old + new, key=lambda r: list(PARTS).index(r["part"])))
    print(f"written: {OUT}")


if __name__ == "__main__": main()
