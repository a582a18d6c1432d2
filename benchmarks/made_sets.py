"""Sets of sounds that are rendered here, unlike each other and unlike speech, each with two right answers. For the scripts beside it.

    python benchmarks/made_sets.py FOLDER        writes them all, to listen to
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from scipy import signal

from audioclust.audio import synthetic_sounds

DIFFICULTIES = {"sounds, easy": dict(pitch=1., snr=(20., 40.)), "sounds, middle": dict(pitch=2., snr=(5., 25.)), "sounds, hard": dict(pitch=3., snr=(-5., 10.))}


def _save(folder, clips): # (content, source, wave, rate)
    rows = []
    for i,(content,source,wave,rate) in enumerate(clips):
        path = Path(folder)/f"{i:04d}-{content}-{source}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, (wave/np.abs(wave).max()*.7).astype(np.float32), rate, subtype="PCM_16")
        rows.append((path, 0., len(wave)/rate, content, source))
    return pd.DataFrame(rows, columns=["path", "start", "end", "label", "source"]).sample(frac=1, random_state=0).reset_index(drop=True)


def _body(x, rate, peaks):
    "Through a body with resonances: (Hz, quality, dB)."
    for f,q,db in peaks:
        b, a = signal.iirpeak(f, q, fs=rate)
        x = x + (10**(db/20) - 1)*signal.lfilter(b, a, x)
    return x


def machines(folder, seed=0, rate=22050):
    "Five conditions of a motor on four machines, 1.5 to 3 s; unbalanced: 110 of 300 clips are normal, 30 leak."
    conditions, bodies = dict(normal=110, knock=70, squeal=50, rumble=40, leak=30), []
    for m in range(4):
        r = np.random.default_rng([seed, 7, m])
        bodies.append((r.uniform(38, 62), [(r.uniform(150, 2500), r.uniform(3, 8), r.uniform(8, 16)) for _ in range(3)], r.uniform(.4, 1.6)))
    for condition,n in conditions.items():
        for i in range(n):
            r = np.random.default_rng([seed, len(condition), ord(condition[0]), i])
            m = int(r.integers(4))
            turns, peaks, slope = bodies[m]
            t = np.arange(int(r.uniform(1.5, 3)*rate))/rate
            f = turns*r.normal(1, .02)
            phase = 2*np.pi*np.cumsum(f*(1 + .004*np.sin(2*np.pi*r.uniform(.2, .6)*t + r.uniform(0, 6))))/rate
            x = sum(k**-slope*np.sin(k*phase + r.uniform(0, 6)) for k in range(1, 25)) + .15*r.standard_normal(len(t))
            if condition == "knock":
                hits = (np.diff(np.floor(phase/(2*np.pi)*3.57 + r.uniform()), prepend=0) > 0)*r.uniform(6, 10)
                x = x + signal.lfilter(*signal.iirpeak(3100*r.normal(1, .03), 12, fs=rate), hits*r.uniform(.7, 1.3, len(t)))*4
            if condition == "squeal": x = x + r.uniform(.4, .8)*np.sin(67*phase + 3*np.sin(2*np.pi*5*t))*(np.sin(2*np.pi*r.uniform(.6, 1.4)*t + r.uniform(0, 6)) > -.4)
            if condition == "rumble": x = x*(1 + .8*np.sin(phase/2)) + 1.2*np.sin(phase/2)
            if condition == "leak": x = x + r.uniform(.8, 1.4)*signal.sosfilt(signal.butter(2, [4500, 9500], "band", fs=rate, output="sos"), r.standard_normal(len(t)))
            yield condition, f"machine{m}", _body(x, rate, peaks) + 10**(-r.uniform(15, 30)/20)*r.standard_normal(len(t)), rate


def birds(folder, seed=0, rate=32000):
    "Calls of eight species from five recorders, 0.4 to 1.6 s; unbalanced: from 70 calls of a species to 15."
    # syllables: (start Hz, end Hz, seconds, gap, times, how it bends, overtone, trill Hz)
    species = [(2500, 4200, .12, .06, 3, 1., .0, 0), (6000, 3500, .10, .05, 4, .5, .0, 0), (3800, 3800, .35, .1, 1, 1., .3, 28), (1800, 1500, .25, .12, 2, 1., .5, 0),
               (5200, 6800, .05, .04, 7, 1., .0, 0), (4500, 2200, .40, .1, 1, 2., .2, 0), (3000, 5200, .18, .08, 2, 2., .0, 45), (7000, 7000, .08, .03, 5, 1., .0, 90)]
    recorders = []
    for m in range(5):
        r = np.random.default_rng([seed, 3, m])
        recorders.append(([(r.uniform(400, 8000), r.uniform(1, 3), r.uniform(-6, 12)) for _ in range(3)], r.uniform(0, 2), r.uniform(4, 24), r.uniform(.02, .25)))
    for c,n in enumerate((70, 60, 50, 45, 35, 30, 20, 15)):
        f0, f1, long, gap, times, bend, overtone, trill = species[c]
        for i in range(n):
            r = np.random.default_rng([seed, c, i])
            m = int(r.integers(5))
            peaks, colour, snr, ring = recorders[m]
            shift, parts = r.normal(1, .06), []
            for _ in range(max(1, times + int(r.integers(-1, 2)))):
                t = np.arange(int(long*r.normal(1, .08)*rate))/rate
                u = t/t[-1]
                phase = 2*np.pi*np.cumsum(shift*(f0 + (f1 - f0)*u**bend)*r.normal(1, .01))/rate
                y = (np.sin(phase) + overtone*np.sin(2*phase))*np.sin(np.pi*u)**.5
                if trill: y = y*(1 + .9*np.sin(2*np.pi*trill*r.normal(1, .05)*t))
                parts += [y, np.zeros(int(gap*r.normal(1, .1)*rate))]
            x = np.concatenate([np.zeros(int(r.uniform(.02, .3)*rate)), *parts, np.zeros(int(r.uniform(.02, .3)*rate))])
            k = np.arange(int(ring*rate))/rate
            x = x + .5*signal.fftconvolve(x, r.standard_normal(len(k))*np.exp(-6.9*k/ring)/20)[:len(x)]
            noise = np.fft.rfft(r.standard_normal(len(x)))
            noise = np.fft.irfft(noise/np.maximum(np.fft.rfftfreq(len(x), 1/rate), 100)**(colour/2), len(x))
            yield f"species{c}", f"recorder{m}", _body(x, rate, peaks) + noise/noise.std()*x.std()*10**(-snr/20), rate


def make(name, folder, draw=0): # One of SETS, where to, and which draw
    "The clips of a set: a table with columns path, start, end, label, source."
    folder = Path(folder)/name.replace(", ", "-")
    if name in DIFFICULTIES:
        table = synthetic_sounds(10, 40, **DIFFICULTIES[name], random_state=draw).save(folder).rename(columns={"voice": "source"})
        return table.sample(frac=1, random_state=0).reset_index(drop=True)
    return _save(folder, dict(machines=machines, birds=birds)[name](folder, draw))

SETS = (*DIFFICULTIES, "machines", "birds")

if __name__ == "__main__":
    for name in SETS:
        table = make(name, sys.argv[1])
        print(f"{name}: {len(table)} clips, {table.end.min():.1f} to {table.end.max():.1f} s, {table.label.nunique()} by content, {table.source.nunique()} by source")
