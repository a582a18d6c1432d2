"""The same sounds, request and seed on another kind of processor: how many clips change groups?

    python benchmarks/devices.py [--seeds 5] [--methods "NAME;…"] [--kinds "NAME;…"]

`audioclust cluster` runs on 240 sounds of eight families (synthetic, of middle difficulty, rendered for it) as a process of its own, and
is told what it may use: one thread of the processor with all it has (the reference), two threads, one thread with instructions up
to AVX2, one up to SSE4, and a GPU where there is one (CUDA). Kinds of processors differ in the order in which they add numbers up, so
in the last digits of sums; what this does to the groups is the question. Trainings compute with numbers of 16 bits (bfloat16)
where the processor can; older ones cannot, so AVX2 and SSE4 train in float32, and `float32` is the reference but for that.
Each row of benchmarks/results/devices.csv is one run beside its reference: `moved`, the share of clips that another group
holds when groups are matched (assignment problem), `ari` of the two groupings, `apart`, the largest difference of an embedding
in units of the embeddings' standard deviation, NMI to the families for both; and `another seed`, the reference beside the
next seed's, as a measure for it. Labels take no part in anything but these last columns. devices-xeon.csv has the rows of an
Intel Xeon, made before AVX2 and SSE4 were kept from 16 bits; on fixed points, which know none, both can be compared.
Goal: agreement across devices. Not a goal: speed. Rows are appended; a run that is there already is not made again.
"""
import argparse, os, platform, re, subprocess, sys, tempfile
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import pandas as pd
import torch

from appended import append
from audioclust.audio import synthetic_sounds
from audioclust.metrics import accuracy, ari, nmi
from audioclust.encoders.networks import has_bf16

ONE = dict(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
KINDS = {"two threads": dict(OMP_NUM_THREADS="2", MKL_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2"),  # what differs from the reference
         "AVX2": dict(ATEN_CPU_CAPABILITY="avx2", DNNL_MAX_CPU_ISA="AVX2", MKL_ENABLE_INSTRUCTIONS="AVX2", OPENBLAS_CORETYPE="Haswell"),
         "SSE4": dict(ATEN_CPU_CAPABILITY="default", DNNL_MAX_CPU_ISA="SSE41", MKL_ENABLE_INSTRUCTIONS="SSE4_2", OPENBLAS_CORETYPE="Nehalem"),
         "float32": {}, **({"CUDA": {}} if torch.cuda.is_available() else {}), "another seed": {}}
SINGLE, HALF = ("AVX2", "SSE4", "float32"), ("untrained, consensus", "deepcluster", "nf-spice") # kinds without numbers of 16 bits, and methods with a network
OLD = "import sys, audioclust.encoders.networks as n, audioclust.training.encoder_learner as t; n.has_bf16 = t.has_bf16 = lambda device: False; from audioclust.cli import main; sys.exit(main(sys.argv[1:]))" # the command, on a processor that has none
METHODS = {"kmeans": [], "consensus": [], "spectral": [], "agglomerative": [], "hdbscan": [], "dbscan": [], "meanshift": [], "untrained, consensus": ["--encoder", "untrained"],
           "deepcluster": ["--epochs", "4", "--set", "passes=1"], "nf-spice": ["--epochs", "3", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=2", "--set", "nonredundant=False"]}


def cluster(sounds, out, method, seed, environment, device, old=False):
    "Labels and embeddings of one run, clips in the order of their names."
    subprocess.run([sys.executable, *(["-c", OLD] if old else ["-m", "audioclust"]), "cluster", sounds, "--out", out, "--method", method.split(", ")[-1], "--n-clusters", "8", "--seed", str(seed), "--device", device,
                    "--no-cache", "--no-page", "--stability", "0", "--workers", "0", "-q", *METHODS[method]], env={**os.environ, **ONE, **environment}, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    table = pd.read_csv(out/"clusters.csv")
    order = table.path.argsort().to_numpy()
    return table.cluster.to_numpy()[order], np.load(out/"embeddings.npy", allow_pickle=False)[order].astype(np.float64)


def processor():
    "The name of the processor, where Linux says it, and the widest instructions that torch takes."
    info = Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    return f"{re.search('model name.*: (.*)', info)[1] if 'model name' in info else platform.processor()}, {torch.backends.cpu.get_cpu_capability()}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--methods", help="separated by semicolons")
    p.add_argument("--kinds", help="separated by semicolons")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"devices.csv")
    args = p.parse_args()
    methods, kinds = args.methods.split(";") if args.methods else METHODS, args.kinds.split(";") if args.kinds else KINDS
    with tempfile.TemporaryDirectory() as tmp:
        tmp, known = Path(tmp), {}
        synthetic_sounds(8, 30, pitch=2., snr=(5., 25.), sample_rate=8000).save(tmp/"sounds")
        truth = np.array([Path(f).parent.name for f in sorted(map(str, (tmp/"sounds").rglob("*.wav")))])
        def run(method, seed, kind=None):
            if (method, seed, kind) not in known: known[method, seed, kind] = cluster(tmp/"sounds", tmp/f"run {len(known)}", method, seed, KINDS.get(kind, {}), "cuda" if kind == "CUDA" else "cpu", kind in SINGLE)
            return known[method, seed, kind]
        def one(variant, seed):
            method, kind = variant.split(" / ")
            (a, x), (b, y) = run(method, seed), run(method, seed + 1) if kind == "another seed" else run(method, seed, kind)
            apart = np.abs(x - y).max()/x.std() if x.shape == y.shape else np.nan
            device = torch.cuda.get_device_name() if kind == "CUDA" else processor()
            return dict(method=method, kind=kind, seed=seed, clips=len(a), same=int((a == b).all()), moved=round(1 - accuracy(a, b, noise="cluster"), 4), ari=round(ari(a, b), 4), apart=f"{apart:.1e}", nmi=round(nmi(truth, b), 4), nmi_reference=round(nmi(truth, a), 4), device=device)
        append(args.out, [(f"{m} / {k}", s) for s in range(args.seeds) for m in methods for k in kinds if k != "float32" or m in HALF and has_bf16(torch.device("cpu"))], one)


if __name__ == "__main__": main()
