"""Events in made tapes: how many are found, and how many false ones, beside two detectors that people use.

    pip install auditok==0.5.2
    python benchmarks/events.py            results/events.csv
    python benchmarks/events.py --ours     its rows of audioclust anew; the others stay
    AUDIOCLUST_DATA=… python benchmarks/events.py --real    results/events-real.csv: known calls of ESC-10 in its rain and sea waves
    python benchmarks/events.py --speed    prints how fast an hour is searched

A row is a detector, a kind of noise, a signal-to-noise ratio (empty: no events) and a seed; tapes of ten minutes, an hour without events.
A found event is right if the intersection over the union of its time and that of a true one is at least a half; each is matched once.
The settings of audioclust are its defaults, without margins; they were chosen on tapes of the seeds 77 and 78. Of librosa and auditok
the threshold is taken, of those below, that has the largest mean F1 over all rows with events: no rule that does not see the truth can
do better with one threshold. All other settings are those of audioclust where there is one for it (shortest event, pause).
Real tapes are of five minutes, with a call each two to eight seconds: the loudest stretch of a recording that stays within 25 dB of its peak, 10 dB above the background on average, whose level is steady or goes by chance from 0 to -20 dB and back, in 2 to 20 s. A call counts as found
if an event overlaps it, and an event is right if it overlaps a call, since barks in a row may be one event or several. `gust=0` is how it was before.
Goal: does a floor for each band pay? Not a goal: a ranking of detectors on real recordings.
"""
import argparse, csv, tempfile, time
from itertools import product
from pathlib import Path

import numpy as np
import soundfile as sf

from scipy.optimize import linear_sum_assignment

from appended import commit
from audioclust.audio.decoding import load_audio
from audioclust.audio.events import EventSettings, events_in
from audioclust.audio.synthetic import NOISES, synthetic_tape
from known_sets import load

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

def loudest_stretch(x, step=RATE//100):
    level = 10*np.log10((x[:len(x)//step*step].reshape(-1, step)**2).mean(1) + 1e-10)
    loud = np.flatnonzero(level > level.max() - 25)
    stretches = np.split(loud, np.flatnonzero(np.diff(loud) > 20) + 1)
    most = max(stretches, key=lambda frames: (10**(level[frames]/10)).sum())
    return x[most[0]*step:(most[-1] + 1)*step]

def real_tape(table, background, depth, seed, seconds=300, snr=10):
    "Known calls in a background whose level goes down by so many dB and up again: samples, and times [n, 2]."
    rng = np.random.default_rng([64, seed, depth])
    def sounds(*labels): return rng.permutation(table.path[table.label.isin(labels)])
    def loaded(path): return (x := np.asarray(load_audio(path, RATE)[0]))/np.sqrt((x**2).mean() + 1e-12)
    y, fade = loaded(sounds(background)[0]), np.sqrt(np.linspace(0, 1, RATE//2))
    for path in np.tile(sounds(background), 3):
        x = loaded(path)
        y = np.concatenate([y[:-len(fade)], y[-len(fade):]*fade[::-1] + x[:len(fade)]*fade, x[len(fade):]])
    knots = np.cumsum(np.exp(rng.uniform(np.log(1), np.log(10), 2*seconds)))
    y = y[:seconds*RATE]*10**(np.interp(np.arange(seconds*RATE)/RATE, knots, rng.uniform(-depth, 0, len(knots)))/20)
    y, events, at = y/np.sqrt((y**2).mean()), [], 3.
    for path in np.tile(sounds("Dog bark", "Rooster", "Person sneeze", "Baby cry"), 3):
        x = loudest_stretch(np.asarray(load_audio(path, RATE)[0]))
        if not .1 <= len(x)/RATE <= 5 or at + 6 > seconds: continue
        start = round(at*RATE)
        y[start:start + len(x)] += x/np.sqrt((x**2).mean() + 1e-12)*10**(snr/20)
        events.append((at, at + len(x)/RATE))
        at = events[-1][1] + rng.uniform(2, 8)
    return (y/np.abs(y).max()*.9).astype(np.float32), np.array(events)

def real(at):
    path, table = Path(tempfile.mkdtemp())/"tape.wav", load("esc10")
    for background,depth,seed in product(("Rain", "Sea waves"), (0, 20), SEEDS):
        x, true = real_tape(table, background, depth, seed)
        sf.write(path, x, RATE)
        for gust in 1., 0.:
            found = events_in(path, EventSettings(margin=0, gust=gust))[["start", "end"]].to_numpy()
            overlap = np.minimum(found[:, 1:], true[:, 1]) > np.maximum(found[:, :1], true[:, 0])
            yield dict(background=background, depth=depth, seed=seed, gust=gust, calls=len(true), found=len(found),
                       recall=round(float(overlap.any(0).mean()), 4), precision=round(float(overlap.any(1).mean()), 4) if len(found) else "", commit=at)

def write(name, columns, table):
    with open(Path(__file__).parent/"results"/name, "w", newline="") as f:
        (writer := csv.DictWriter(f, columns, lineterminator="\n")).writeheader()
        writer.writerows(table)

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
    for option in "--speed", "--ours", "--real": parser.add_argument(option, action="store_true")
    args, file = parser.parse_args(), Path(__file__).parent/"results/events.csv"
    columns = "detector setting noise snr seed f1 false_per_hour found true right commit".split()
    others = [row for row in csv.DictReader(open(file, newline="")) if row["detector"] != "audioclust"] if args.ours else []
    if args.ours: DETECTORS = dict(audioclust=DETECTORS["audioclust"])
    if args.speed: speed()
    elif args.real: write("events-real.csv", "background depth seed gust calls found recall precision commit".split(), real(commit()))
    else: write("events.csv", columns, [*best_settings(list(rows(commit()))), *others])
