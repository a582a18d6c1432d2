"""How fast the front end is: seconds of audio per second per core, stage by stage, and which stage is busy.

    make bench        or        python benchmarks/frontend.py [--files 1000] [--repeats 7]

Files are made for the purpose (mono 16-bit wav, 0.4 to 3.1 s), read from a warm disk cache and brought to 16 kHz, 64 mel
bands: once all of them at 8 kHz, once half of them at 44.1 kHz. Each repeat runs all stages in turn, so that a change in
the machine's speed meets all alike, and the median of the repeats is reported with the spread. Stages run in one process
on one thread; the rows with more cores use worker processes, which decode a batch and compute its log-mels.
The floor is what cannot be avoided, each part measured alone: decoding (soundfile), resampling (soxr), one FFT a frame.
"own rate" is the whole job, from a folder to ten groups by K-means, without resampling; its peer computes log-mels alone.
Peers do the same work file by file: librosa (load, resample with soxr, melspectrogram) and torchaudio (its Resample and
MelSpectrogram on waves decoded with soundfile).
decode_busy and work_busy are the seconds that decoding (with resampling) and computing took in all processes together.
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
from audioclust.pipeline import Options, Request
from audioclust.pipeline.all_steps import make_run
from audioclust.audio.streaming import stream

SR = 16000


def make_files(folder, n, rates, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        sr = rates[i % len(rates)]
        sf.write(folder/f"{i:05d}.wav", .1*rng.standard_normal(int(sr*rng.uniform(.4, 3.14))), sr, subtype="PCM_16")


def stages(table):
    import librosa, soxr
    logmel, encoder = LogMel(SR), FixedEncoder("content", sample_rate=SR)
    waves, rates = [load_audio(p, SR)[0] for p in table.path], {p: sf.info(p).samplerate for p in table.path}
    own, order = [load_audio(p)[0].numpy() for p in table.path], np.argsort([len(w) for w in waves])
    resample = {sr: torchaudio.transforms.Resample(sr, SR) for sr in set(rates.values())}
    mel = torchaudio.transforms.MelSpectrogram(SR, logmel.n_fft, len(logmel.window), logmel.hop_length, 60, n_mels=64, norm="slaney", mel_scale="slaney")
    total = sum(logmel.frames(len(w)) for w in waves)
    frames = torch.randn(256, logmel.n_fft)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def floor_decode():
        for p in table.path: sf.read(p, dtype="float32")
    def floor_resample():
        for p, w in zip(table.path, own): soxr.resample(w, rates[p], SR)
    def resample_torchaudio():
        for p, w in zip(table.path, own): resample[rates[p]](torch.from_numpy(w))
    def floor_fft():
        for _ in range(total//256): torch.fft.rfft(frames)
    def decode_resample():
        for p in table.path: load_audio(p, SR)
    def logmels():
        for i in range(0, len(order), 32):
            rows = order[i:i+32]
            lengths = torch.tensor([len(waves[j]) for j in rows])
            batch = torch.zeros(len(rows), int(lengths.max()))
            for b, j in zip(batch, rows): b[:len(waves[j])] = waves[j]
            logmel(batch, lengths)
    def work(wave, lengths):
        with torch.inference_mode(): return logmel(wave, lengths)
    def end_to_end(workers=0):
        busy = np.zeros(2)
        for b in stream(table, SR, num_workers=workers, transform=work): busy += b.busy_seconds
        return busy
    def embed(workers=0): encoder.embed(table, device="cpu", num_workers=workers)
    def peer_librosa():
        for p in table.path:
            x, _ = librosa.load(p, sr=SR, res_type="soxr_hq")
            np.log(librosa.feature.melspectrogram(y=x, sr=SR, n_fft=logmel.n_fft, win_length=len(logmel.window), hop_length=logmel.hop_length, n_mels=64, fmin=60) + 1e-5)
    def peer_torchaudio():
        for p in table.path:
            x, sr = sf.read(p, dtype="float32")
            (mel(resample[sr](torch.from_numpy(x))) + 1e-5).log()

    return [("floor: decode", 1, floor_decode), ("floor: resample", 1, floor_resample), ("floor: FFT", 1, floor_fft), ("resample, torchaudio", 1, resample_torchaudio),
            ("decode and resample", 1, decode_resample), ("log-mels, batches of like length", 1, logmels),
            ("files to log-mels", 1, end_to_end), ("files to log-mels, workers", cores, lambda: end_to_end(cores)),
            ("files to log-mels, librosa file by file", 1, peer_librosa), ("files to log-mels, torchaudio file by file", 1, peer_torchaudio),
            ("files to embeddings", 1, embed), ("files to embeddings, workers", cores, lambda: embed(cores))]


def whole_job(folder):
    "From a folder to groups, at the rate of the recordings, and what a loop over the files needs for log-mels alone."
    import librosa
    table, cores = clips(folder), os.cpu_count()
    logmel = LogMel(8000)
    def job(workers):
        torch.set_num_threads(max(1, workers))
        options = Options(stability=0, num_workers=workers, sample_rate=8000)
        try: make_run(folder, Request("kmeans", 10, encoder="fixed", options=options))
        finally: torch.set_num_threads(1)
    def peer():
        for p in table.path:
            x, _ = librosa.load(p, sr=None)
            np.log(librosa.feature.melspectrogram(y=x, sr=8000, n_fft=logmel.n_fft, win_length=len(logmel.window), hop_length=logmel.hop_length, n_mels=64, fmin=60, fmax=4000) + 1e-5)
    return [("own rate: files to groups", 1, lambda: job(0)), ("own rate: files to groups, workers", cores, lambda: job(cores)), ("own rate: files to log-mels, librosa file by file", 1, peer)]


def measure(rates, args):
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), args.files, rates)
        table = clips(folder)
        seconds, todo = float((table.end - table.start).sum()), stages(table) + (whole_job(folder) if rates == (8000,) else [])
        times, busy = {name: [] for name, _, _ in todo}, {}
        for r in range(args.repeats + 1):  # the first round warms caches and is not counted
            for name, _, run in todo:
                start = time.perf_counter(); said = run()
                if r: times[name].append(time.perf_counter() - start)
                if r and said is not None: busy.setdefault(name, []).append(said)
    for name, cores, _ in todo:
        t = times[name]
        decode, work = np.median(busy[name], 0).round(4) if name in busy else (None, None)
        rate = sorted(seconds/x/cores for x in t)
        yield dict(rates=" and ".join(f"{r/1000:g}" for r in rates) + " kHz", stage=name, cores=cores, audio_seconds=round(seconds, 1), median_seconds=round(statistics.median(t), 4),
                   decode_busy=decode, work_busy=work, audio_per_second_per_core=round(statistics.median(rate)), slowest=round(rate[0]), fastest=round(rate[-1]), files=args.files, repeats=args.repeats)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--files", type=int, default=1000)
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"frontend.csv")
    args = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    where = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, Python {platform.python_version()}"
    rows = []
    for rates in (8000,), (8000, 44100):
        for row in measure(rates, args):
            rows.append({**row, "commit": commit, "machine": where})
            print(f"{row['rates']:18s}{row['stage']:45s} {row['cores']} core{'s' if row['cores'] > 1 else ' '} {row['median_seconds']:7.3f} s {row['audio_per_second_per_core']:>8,} × real time per core  ({row['slowest']:,} to {row['fastest']:,})", flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0]); w.writeheader(); w.writerows(rows)
    print(f"written: {args.out}")


if __name__ == "__main__": main()
