"""What an embedding costs beside the network in it: every encoder that is installed, on the same clips.

    AUDIOCLUST_DATA=/folder/above/fsdd PYTHONPATH=/where/the/weights/are python benchmarks/embedding.py [--clips 200] [--repeats 3]

Each encoder embeds the first of the spoken digits in the order of names, in one process, without the cache. The seconds inside
its network (NETWORKS) are added up; what is left is decoding, resampling, the encoder's own log-mels, and handing on. `share` is
network over all: at 1 the embedding costs what its network costs. The median of the repeats, after one that is not counted.
Results go to benchmarks/results/embedding.csv. Goal: what a faster front end could still gain. Not a goal: which encoder is good.
"""
import argparse, csv, os, platform, statistics, time, warnings
from pathlib import Path

import torch

from appended import commit
from audioclust.audio import fsdd
from audioclust.encoders.choice import available_encoders
from audioclust.encoders.pretrained import named_encoder
from audioclust.encoders import FixedEncoder, NetworkEncoder


NETWORKS = dict(untrained="network", aisfx="_embed_blocks", speech_embedding="_embed_windows", resemblyzer="lstm", musicnn="embed_patches", yamnet="embed_patches")  # the part of each that is the network

def timed(f, spent):
    def run(*args, **kwargs):
        since = time.perf_counter()
        try: return f(*args, **kwargs)
        finally: spent[0] += time.perf_counter() - since
    return run


def measure(name, table, repeats):
    encoder = {"fixed": FixedEncoder, "untrained": NetworkEncoder}[name](sample_rate=8000) if name in ("fixed", "untrained") else named_encoder(name)
    part, spent = NETWORKS.get(name), [0.]
    if part:
        found = getattr(encoder, part)
        if isinstance(found, torch.nn.Module): found.forward = timed(found.forward, spent)
        else: setattr(encoder, part, timed(found, spent))
    rows = []
    for repeat in range(-1, repeats):
        spent[0], t = 0., time.perf_counter()
        encoder.embed(table, device="cpu", num_workers=0)
        if repeat >= 0: rows.append((time.perf_counter() - t, spent[0]))
    seconds, network = (statistics.median(column) for column in zip(*rows))
    return dict(encoder=name, part=part or "", clips=len(table), ms_per_clip=round(1000*seconds/len(table), 2), network_ms_per_clip=round(1000*network/len(table), 2), share=round(network/seconds, 2) if part else "")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--clips", type=int, default=200)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"embedding.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    table = fsdd(download=False).sort_values("path").iloc[:args.clips].reset_index(drop=True)
    rows = []
    for name in available_encoders():
        rows.append({**measure(name, table, args.repeats), "threads": torch.get_num_threads(), "commit": commit(), "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, Python {platform.python_version()}"})
        print({k: v for k,v in rows[-1].items() if k not in ("commit", "machine")}, flush=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)


if __name__ == "__main__": main()
