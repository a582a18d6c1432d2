"""Two machines, made of one: do they find the groups of one machine, to the byte, and what is said when one of them dies?

    sudo python benchmarks/nodes.py        # Linux with `ip` and `unshare`

Each "machine" is a network namespace with an address of its own, joined to the other by a pair of virtual devices, and a mount
namespace in which the same path holds its own copy of the recordings. On each, `torchrun --nnodes 2` starts the command. The run
folder is written on the machine of rank 0. A row for each method goes to benchmarks/results/nodes.csv: whether clusters.csv and embeddings.npy are
those of one process. In the last row the process of the second machine is killed while it embeds: how long the first one takes to end, and what it says.
Goal: what is found, and what is said. Not a goal: time; both machines share the cores of one.
"""
import csv, os, platform, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

from appended import commit
from audioclust.audio import synthetic_words

HERE = Path(__file__).parent
NAMES, ADDRESSES, DEVICES = ("audioclust-a", "audioclust-b"), ("10.83.0.1", "10.83.0.2"), ("ac-a", "ac-b")
METHODS = {"kmeans": [], "spectral": ["--method", "spectral"], "by source, untrained": ["--by", "source", "--encoder", "untrained"], "deepcluster": ["--method", "deepcluster", "--epochs", "2", "--set", "passes=1", "--set", "views=2"]}

def ip(*words): subprocess.run(["ip", *words], check=True)

def network():
    "Two namespaces, joined."
    for name in NAMES: ip("netns", "add", name)
    ip("link", "add", DEVICES[0], "type", "veth", "peer", "name", DEVICES[1])
    for name,device,address in zip(NAMES, DEVICES, ADDRESSES):
        ip("link", "set", device, "netns", name)
        for words in ("addr", "add", f"{address}/24", "dev", device), ("link", "set", device, "up"), ("link", "set", "lo", "up"): ip("-n", name, *words)

def start(rank, top, options, sounds):
    "The command on one of the machines."
    inside = f"mount --bind {top/NAMES[rank]} {top/'seen'} && exec {sys.executable} -m torch.distributed.run --nnodes 2 --node-rank {rank} --nproc-per-node 1 --master-addr {ADDRESSES[0]} --master-port 29541 " \
        f"-m audioclust cluster {top/'seen'/sounds} --out {top/'seen'/'run'} --n-clusters 5 --stability 3 --no-cache -q " + " ".join(options)
    env = {**os.environ, "GLOO_SOCKET_IFNAME": DEVICES[rank], "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(["ip", "netns", "exec", NAMES[rank], "unshare", "-m", "bash", "-c", inside], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

def one(top, options):
    "The same on one machine."
    inside = f"mount --bind {top/'single'} {top/'seen'} && exec {sys.executable} -m audioclust cluster {top/'seen'/'sounds'} --out {top/'seen'/'run'} --n-clusters 5 --stability 3 --no-cache -q " + " ".join(options)
    subprocess.run(["unshare", "-m", "bash", "-c", inside], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)

def ours(text): return [line for line in text.splitlines() if line.startswith("audioclust cluster: ")]

def workers(name):
    "Processes of the command in a namespace."
    pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
    return [int(p) for p in pids if b"audioclust\0cluster" in Path(f"/proc/{p}/cmdline").read_bytes() and b"torch.distributed.run" not in Path(f"/proc/{p}/cmdline").read_bytes()]

def main():
    if os.geteuid(): sys.exit("needs root, to make network namespaces")
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        top = Path(tmp)
        for name in ("single", *NAMES, "seen"): (top/name).mkdir()
        synthetic_words(5, 4, 8).save(top/"single"/"sounds")
        for name in NAMES: shutil.copytree(top/"single"/"sounds", top/name/"sounds")
        synthetic_words(5, 4, 400).save(top/NAMES[0]/"many")
        shutil.copytree(top/NAMES[0]/"many", top/NAMES[1]/"many")
        try:
            network()
            for method,options in METHODS.items():
                one(top, options)
                both = [start(rank, top, options, "sounds") for rank in (0, 1)]
                said = [p.communicate()[0] for p in both]
                same = [(top/"single/run"/f).read_bytes() == (top/NAMES[0]/"run"/f).read_bytes() for f in ("clusters.csv", "embeddings.npy")] if not both[0].returncode else [False]*2
                rows.append(dict(case=method, clusters_same=int(same[0]), embeddings_same=int(same[1]), written_by_the_second=int((top/NAMES[1]/"run").exists()), seconds="", said=" | ".join(ours(said[0])) if both[0].returncode else ""))
                print(rows[-1], flush=True)
                for name in ("single", NAMES[0]): shutil.rmtree(top/name/"run")
            both = [start(rank, top, METHODS["kmeans"], "many") for rank in (0, 1)]
            while not workers(NAMES[1]): time.sleep(.2)
            time.sleep(8)  # it embeds
            since = time.monotonic()
            for pid in workers(NAMES[1]): os.kill(pid, signal.SIGKILL)
            said = both[0].communicate()[0]
            rows.append(dict(case="the second is killed", clusters_same="", embeddings_same="", written_by_the_second="", seconds=round(time.monotonic() - since, 1), said=" | ".join(ours(said))))
            print(rows[-1])
            both[1].kill()
        finally:
            for name in NAMES: subprocess.run(["ip", "netns", "del", name], capture_output=True)
    with open(HERE/"results"/"nodes.csv", "w", newline="") as f:
        w = csv.DictWriter(f, [*rows[0], "commit", "machine"])
        w.writeheader()
        for row in rows: w.writerow({**row, "commit": commit(), "machine": f"{platform.machine()}, 2 namespaces on {os.cpu_count()} cores, Python {platform.python_version()}"})


if __name__ == "__main__": main()
