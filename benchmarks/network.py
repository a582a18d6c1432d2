"""What one training step of the small network costs, and what makes it cheaper: layout, numbers of 16 bits, compiling.

    AUDIOCLUST_DATA=/where/fsdd/lies python benchmarks/network.py

A step is views, forward pass, loss, backward pass and optimiser for 256 clips of FSDD. Variants take turns, one step
each, and the medians over the turns are compared, so that a noisy machine is unkind to all of them alike.
Goal: which of the three are worth having by default. Not a goal: the fastest possible network.
"""
import argparse, csv, platform, time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from appended import commit
from audioclust.encoders.augmentations import BatchRandom
from audioclust.audio import fsdd
from audioclust.encoders.logmel_store import LogMelBatch, LogMelStore
from audioclust.encoders.networks import network_for

VARIANTS = {"float32": {}, "float32, channels last": dict(last=True), "bfloat16": dict(half=True), "bfloat16, channels last": dict(last=True, half=True), "bfloat16, channels last, compiled": dict(last=True, half=True, compiled=True)}


def step_of(table, by, device, last=False, half=False, compiled=False):
    "A function that does one step and returns the seconds of making views and of the rest."
    encoder = network_for([37], by, sample_rate=8000).to(device).train()
    store, rng, dice = LogMelStore.from_clips(table, encoder.front), np.random.default_rng(0), BatchRandom(0, device)
    head, loss = nn.Linear(encoder.dim, 10).to(device), nn.CrossEntropyLoss()
    if not last: encoder.body.to(memory_format=torch.contiguous_format)
    layout = torch.channels_last if last else torch.contiguous_format
    network = lambda x: head(encoder.pool(encoder.body(x.contiguous(memory_format=layout)))).float()
    if compiled: network = torch.compile(network, dynamic=False)
    opt, y = torch.optim.AdamW([*encoder.parameters(), *head.parameters()]), torch.randint(0, 10, (256,), device=device)
    def now():
        if device.type == "cuda": torch.cuda.synchronize()
        return time.perf_counter()
    def step():
        batch = LogMelBatch(*(t.to(device) for t in store.batch(rng.permutation(len(store))[:256])))
        start = now()
        x = encoder.views(batch, dice)
        middle = now()
        with torch.autocast(device.type, torch.bfloat16, enabled=half): error = loss(network(x), y)
        error.backward(); opt.step(); opt.zero_grad()
        return middle - start, now() - middle
    return step


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--turns", type=int, default=15)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"network.csv")
    args = p.parse_args()
    table, device, rows = fsdd(download=False), torch.device(args.device), []
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{platform.machine()}, {torch.get_num_threads()} threads"
    for by in ("content", "source"):
        steps, first, spent = {}, {}, {name: [] for name in VARIANTS}
        for name,options in VARIANTS.items():
            steps[name], start = step_of(table, by, device, **options), time.perf_counter()
            steps[name]()
            first[name] = time.perf_counter() - start
        for _ in range(args.turns):
            for name in VARIANTS: spent[name].append(steps[name]())
        for name in VARIANTS:
            views, rest = np.median(spent[name], 0)
            rows.append(dict(by=by, variant=name, views_ms=round(float(views)*1e3, 1), network_ms=round(float(rest)*1e3, 1), share_of_views=round(float(views/(views + rest)), 3), first_s=round(first[name], 1),
                             commit=commit(), machine=f"{where}, torch {torch.__version__}"))
            print(rows[-1], flush=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)


if __name__ == "__main__": main()
