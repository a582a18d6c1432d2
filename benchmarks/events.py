"""Events in made tapes: how many are found, and how many false ones, beside two detectors that people use.

    pip install auditok==0.5.2
    python benchmarks/events.py            results/events.csv
    python benchmarks/events.py --speed    prints how fast an hour is searched

A row is a detector, a kind of noise, a signal-to-noise ratio (empty: no events) and a seed; tapes of ten minutes, an hour without events.
A found event is right if the intersection over the union of its time and that of a true one is at least a half; each is matched once.
The settings of audioclust are its defaults, without margins; they were chosen on tapes of the seeds 77 and 78. Of librosa and auditok
the threshold is taken, of those below, that has the largest mean F1 over all rows with events: no rule that does not see the truth can
do better with one threshold. All other settings are those of audioclust where there is one for it (shortest event, pause).
Goal: does a floor for each band pay? Not a goal: a ranking of detectors on real recordings.
"""
import argparse, csv, tempfile, time
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.optimize import linear_sum_assignment

from appended import commit
from audioclust.audio.events import EventSettings, events_in
from audioclust.audio.synthetic import NOISES, synthetic_tape

RATE, SEEDS, SNRS = 16000, range(5), (20, 10, 3, 0, -5)
TOP_DB, ENERGIES = (3, 6, 8, 10, 12, 15, 20, 25, 30, 40), (30, 35, 40, 45, 50, 55, 60, 65, 70)


def ours(path, x): return events_in(path, EventSettings(margin=0))[["start", "end"]].to_numpy()

def by_librosa(path, x, top_db):
    "Stretches that are less than `top_db` below the loudest frame."
    import librosa
    found = librosa.effects.split(x, top_db=top_db, frame_length=512, hop_length=128)/RATE
    return joined(found)

def joined(found, gap=.2, shortest=.05):
    "What audioclust does as well: pauses below 0.2 s are bridged, and what is shorter than 0.05 s is left out."
    out = []
    for start,end in found:
        if out and start - out[-1][1] < gap: out[-1][1] = end
        else: out.append([start, end])
    return np.array([e for e in out if e[1] - e[0] >= shortest]).reshape(-1, 2)

def by_auditok(path, x, energy):
    import auditok
    regions = auditok.split(str(path), min_dur=.05, max_dur=10, max_silence=.2, drop_trailing_silence=True, energy_threshold=energy, analysis_window=.01)
    return np.array([[r.start, r.end] for r in regions]).reshape(-1, 2)

DETECTORS = dict(audioclust=[("default", ours)],
                 **{"librosa.effects.split": [(t, lambda path, x, t=t: by_librosa(path, x, t)) for t in TOP_DB]},
                 auditok=[(e, lambda path, x, e=e: by_auditok(path, x, e)) for e in ENERGIES])


def n_right(found, true):
    "Pairs of a found and a true event with an intersection over union of at least a half."
    if not len(found) or not len(true): return 0
    shared = np.minimum(found[:, 1:], true[:, 1]) - np.maximum(found[:, :1], true[:, 0])
    right = (shared/(np.diff(found) + np.diff(true).T - shared) >= .5).astype(int)
    return int(right[linear_sum_assignment(-right)].sum())

def tapes():
    for noise in NOISES:
        for seed in SEEDS:
            for snr in SNRS: yield noise, snr, seed, *synthetic_tape(600, noise, snr, random_state=seed)
        yield noise, None, 0, *synthetic_tape(3600, noise, None, random_state=0)

def rows(at):
    path = Path(tempfile.mkdtemp())/"tape.wav"
    for noise,snr,seed,x,events in tapes():
        sf.write(path, x, RATE)
        true = events[["start", "end"]].to_numpy(float)
        for detector,settings in DETECTORS.items():
            for setting,find in settings:
                found = find(path, x)
                right = n_right(found, true)
                scores = dict(found=len(found), true=len(true), right=right)
                if snr is None: scores["false_per_hour"] = len(found)
                else: scores["f1"] = round(2*right/max(1, len(found) + len(true)), 4)
                yield dict(detector=detector, setting=setting, noise=noise, snr=snr, seed=seed, **scores, commit=at)
        print(noise, snr, seed, flush=True)

def best_settings(table):
    "The rows of each detector at its setting with the largest mean F1."
    for detector in DETECTORS:
        mine = [r for r in table if r["detector"] == detector]
        def mean(setting): return np.mean([r["f1"] for r in mine if r["setting"] == setting and "f1" in r])
        best = max(dict.fromkeys(r["setting"] for r in mine), key=mean)
        yield from (r for r in mine if r["setting"] == best)

def speed():
    "An hour of 16 kHz: reading it, reading it with a spectrum, finding its events."
    path = Path(tempfile.mkdtemp())/"tape.wav"
    x,_ = synthetic_tape(3600, "wind", 3)
    sf.write(path, x, RATE)
    import scipy.fft
    def read(): return sf.read(path, dtype="float32")[0]
    def spectrum():
        frames = np.lib.stride_tricks.sliding_window_view(read(), 512)[::128]
        for i in range(0, len(frames), 1024): abs(scipy.fft.rfft(frames[i:i + 1024]*np.float32(1), axis=1))
    for name,f in dict(read=read, spectrum=spectrum, events=lambda: events_in(path)).items():
        times = []
        for _ in range(5):
            start = time.perf_counter(); f(); times.append(time.perf_counter() - start)
        print(f"{name}: median {np.median(times):.2f} s, from {min(times):.2f} to {max(times):.2f} s")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    if parser.parse_args().speed: speed()
    else:
        table = list(best_settings(list(rows(commit()))))
        columns = "detector setting noise snr seed f1 false_per_hour found true right commit".split()
        with open(Path(__file__).parent/"results/events.csv", "w", newline="") as f:
            writer = csv.DictWriter(f, columns, lineterminator="\n")
            writer.writeheader(); writer.writerows(table)
