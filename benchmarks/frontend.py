"""How fast the front end is: seconds of audio per second per core, stage by stage.

    make bench        or        python benchmarks/frontend.py [--files 400] [--repeats 5]

Files are made for the purpose (mono 16-bit wav, 8 and 44.1 kHz, 0.4 to 4 s), read from a warm disk cache and brought to 16 kHz, 64 mel bands.
Stages are timed in one process on one thread; each repeat runs all of them in turn, so that a change in the
machine's speed meets all alike, and the median of the repeats is reported with the spread. Two peers do the same
work file by file: librosa (load, resample with soxr, melspectrogram) and torchaudio (its Resample and MelSpectrogram
on waves decoded with soundfile). The last rows use every core through worker processes.
Goal: to see which stage costs what. Not a goal: absolute numbers that hold on another machine.
Results go to benchmarks/results/frontend.csv.
"""
import argparse, csv, os, platform, statistics, subprocess, tempfile, time, warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import soundfile as sf
import torch
import torchaudio

from audioclust.audio import LogMel, clips, load_audio
from audioclust.encoders import FixedEncoder
from audioclust.stream import stream

SR = 16000


def make_files(folder, n, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        sr = 8000 if i % 2 else 44100
        sf.write(folder/f"{i:05d}.wav", .1*rng.standard_normal(int(sr*rng.uniform(.4, 4))), sr, subtype="PCM_16")


def stages(table):
    import librosa
    waves = [load_audio(p, SR)[0] for p in table.path]
    logmel, encoder = LogMel(SR), FixedEncoder("content", sample_rate=SR)
    resample = {sr: torchaudio.transforms.Resample(sr, SR) for sr in (8000, 44100)}
    mel = torchaudio.transforms.MelSpectrogram(SR, 1024, 400, 160, 60, n_mels=64, norm="slaney", mel_scale="slaney")

    def decode():
        for p in table.path: load_audio(p)
    def decode_resample():
        for p in table.path: load_audio(p, SR)
    def resample_soxr():
        import soxr
        for p, w in zip(table.path, own): soxr.resample(w, rates[p], SR)
    def resample_torchaudio():
        for p, w in zip(table.path, own): resample[rates[p]](torch.from_numpy(w))
    def logmels():
        for i in range(0, len(order), 32):
            rows = order[i:i+32]
            lengths = torch.tensor([len(waves[j]) for j in rows])
            batch = torch.zeros(len(rows), int(lengths.max()))
            for b, j in zip(batch, rows): b[:len(waves[j])] = waves[j]
            logmel(batch, lengths)
    def end_to_end(workers=0):
        with torch.inference_mode():
            for b in stream(table, SR, num_workers=workers): logmel(b.wave, b.lengths)
    def embed(workers=0): encoder.embed(table, device="cpu", num_workers=workers)
    def peer_librosa():
        for p in table.path:
            x, _ = librosa.load(p, sr=SR, res_type="soxr_hq")
            np.log(librosa.feature.melspectrogram(y=x, sr=SR, n_fft=1024, win_length=400, hop_length=160, n_mels=64, fmin=60) + 1e-5)
    def peer_torchaudio():
        for p in table.path:
            x, sr = sf.read(p, dtype="float32")
            (mel(resample[sr](torch.from_numpy(x))) + 1e-5).log()

    own = [load_audio(p)[0].numpy() for p in table.path]
    rates = {p: sf.info(p).samplerate for p in table.path}
    order = np.argsort([len(w) for w in waves])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [("decode", 1, decode), ("resample, soxr", 1, resample_soxr), ("resample, torchaudio", 1, resample_torchaudio),
            ("decode and resample", 1, decode_resample), ("log-mel, batches of like length", 1, logmels), ("files to log-mels", 1, end_to_end),
            ("files to log-mels, librosa file by file", 1, peer_librosa), ("files to log-mels, torchaudio file by file", 1, peer_torchaudio),
            ("files to embeddings", 1, embed), ("files to log-mels, workers", cores, lambda: end_to_end(cores)), ("files to embeddings, workers", cores, lambda: embed(cores))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--files", type=int, default=400)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"frontend.csv")
    args = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), args.files)
        table = clips(folder)
        seconds = float((table.end - table.start).sum())
        todo = stages(table)
        times = {name: [] for name, _, _ in todo}
        for r in range(args.repeats + 1):  # the first round warms caches and is not counted
            for name, _, run in todo:
                start = time.perf_counter(); run()
                if r: times[name].append(time.perf_counter() - start)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    where = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, Python {platform.python_version()}"
    rows = []
    for name, cores, _ in todo:
        t = times[name]
        rate = [seconds/x/cores for x in t]
        rows.append(dict(stage=name, cores=cores, audio_seconds=round(seconds, 1), median_seconds=round(statistics.median(t), 4),
                         audio_per_second_per_core=round(statistics.median(rate)), slowest=round(min(rate)), fastest=round(max(rate)), files=args.files, repeats=args.repeats, commit=commit, machine=where))
        print(f"{name:45s} {cores} core{'s' if cores > 1 else ' '}  {rows[-1]['audio_per_second_per_core']:>8,} × real time per core  ({rows[-1]['slowest']:,} to {rows[-1]['fastest']:,})")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)
    print(f"written: {args.out}")


if __name__ == "__main__": main()
