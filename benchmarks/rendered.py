"""Two sets of short sounds as people own them: notes of instruments and drum hits, played from a soundfont. For the scripts beside it.

    apt-get download timgm6mb-soundfont && dpkg -x timgm6mb-soundfont_*.deb SOMEWHERE && pip install tinysoundfont
    python benchmarks/rendered.py FOLDER --soundfont SOMEWHERE/usr/share/sounds/sf2/TimGM6mb.sf2

writes FOLDER/notes/INSTRUMENT/….wav and FOLDER/drums/KIND/….wav, mono at 44.1 kHz, the same bytes every time; both sets have one right answer,
the name of the folder. The soundfont is TimGM6mb.sf2 by Tim Brechbill and David Bolton, GPL 2, of Debian's package timgm6mb-soundfont
(https://packages.debian.org/timgm6mb-soundfont). Neither it nor what is played from it is part of audioclust.
`notes`: 480 notes, 40 of each of 12 instruments of as many families of General MIDI; pitch within the range of the instrument, how
hard it is played, length (1 to 2 s) and how long the key is held are drawn. `drums`: 500 hits, 50 of each of 10 kinds; kit, key and how hard
it is hit are drawn, and since a kind has only a few recordings in the file (`DRUMS`), it is retuned by up to three semitones.
A hit ends where it has decayed by 60 dB, after 4 s at the latest. All are at levels of up to 12 dB below the loudest. No two are the same.
Goal: choices for short sounds that are not made on the collections of results/unopened.csv. Not a goal: the variety of real libraries: few recordings stand behind each kind.
"""
import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf

RATE = 44_100
NOTES, HITS = 40, 50 # of each instrument, of each kind
LONGEST_HIT, DECAY, RETUNED = 4., 60, 3. # seconds; dB; semitones
# program, from 0, and the lowest and highest note
INSTRUMENTS = dict(piano=(0, 36, 84), vibraphone=(11, 53, 89), organ=(19, 36, 84), guitar=(24, 40, 76), bass=(33, 28, 55), violin=(40, 55, 91),
                   choir=(52, 48, 79), trumpet=(56, 54, 82), clarinet=(71, 50, 86), flute=(73, 60, 91), sitar=(104, 48, 77), steel_drum=(114, 52, 84))
ALL, EARLY = (0, 8, 16, 24, 25, 32, 40), (0, 8, 16, 24, 25, 32) # kits: standard, room, power, electronic, TR 808, jazz, brush
# kits and keys; several of them can be the same recording, as kits share some
DRUMS = dict(kick=((*ALL, 48), (35, 36)), snare=((*EARLY, 48), (38, 40)), tom=(ALL, (41, 43, 45, 47, 48, 50)), closed_hat=((0, 25), (42, 44)), open_hat=((0, 25), (46,)),
             crash=((0, 48), (49, 52, 55, 57)), ride=((0, 25), (51, 53, 59)), clap=((0, 25), (39,)), cowbell=((0, 25), (56,)), conga=((0, 25), (62, 63, 64)))
SETS = "notes", "drums"


class Player:
    "Plays one sound at a time from a soundfont."
    def __init__(self, soundfont):
        import tinysoundfont # here, since only those who render need it
        self.synth = tinysoundfont.Synth(samplerate=RATE)
        self.font = self.synth.sfload(str(soundfont))

    def play(self, bank, program, key, velocity, held, seconds, tuning=0.): # Held and seconds in s, tuning in semitones -> [samples]
        "A sound, mono."
        is_drum = bank == 128
        self.synth.sounds_off(0)
        self.synth.generate(RATE//4) # what was sounding is cut off within this time
        self.synth.program_select(0, self.font, bank, program, is_drum)
        self.synth.set_tuning(0, tuning)
        self.synth.noteon(0, key, velocity)
        first = self._samples(held)
        self.synth.noteoff(0, key)
        return np.concatenate([first, self._samples(seconds - held)])

    def _samples(self, seconds): return np.frombuffer(self.synth.generate(round(seconds*RATE)), dtype=np.float32).reshape(-1, 2).mean(1)


def notes(player, seed=0):
    "Name of the instrument, and a note of it."
    for i,(name,(program,low,high)) in enumerate(INSTRUMENTS.items()):
        rng, drawn = np.random.default_rng([seed, 1, i]), set()
        while len(drawn) < NOTES:
            key, velocity = int(rng.integers(low, high + 1)), int(rng.integers(40, 128))
            if (key, velocity) in drawn: continue
            drawn.add((key, velocity))
            seconds = rng.uniform(1, 2)
            yield name, player.play(0, program, key, velocity, seconds*rng.uniform(.5, .9), seconds), rng.uniform(0, 12)

def drums(player, seed=0):
    "Kind of drum, and a hit."
    for i,(kind,(kits,keys)) in enumerate(DRUMS.items()):
        rng = np.random.default_rng([seed, 2, i])
        for _ in range(HITS):
            x = player.play(128, int(rng.choice(kits)), int(rng.choice(keys)), int(rng.integers(50, 128)), LONGEST_HIT, LONGEST_HIT, rng.uniform(-RETUNED, RETUNED))
            audible = np.flatnonzero(np.abs(x) > np.abs(x).max()*10**(-DECAY/20))
            yield kind, x[:audible[-1] + 1], rng.uniform(0, 12)

def render(folder, soundfont):
    "Write both sets."
    player, seen = Player(soundfont), set()
    for name,sounds in dict(notes=notes(player), drums=drums(player)).items():
        for i,(kind,x,db) in enumerate(sounds):
            path = Path(folder)/name/kind/f"{i:04d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, x/np.abs(x).max()*.9*10**(-db/20), RATE, subtype="PCM_16")
            if (data := path.read_bytes()) in seen: raise RuntimeError(f"{path} is another sound once more")
            seen.add(data)

def rendered(name, folder): # One of SETS, where `render` has written them
    "The clips of a set: a table with columns path, start, end, label, source; one source."
    paths = sorted((Path(folder)/name).glob("*/*.wav"))
    if not paths: raise SystemExit(f"there are no {name} in {folder}: run benchmarks/rendered.py")
    table = pd.DataFrame([(p, 0., sf.info(p).duration, p.parent.name, name) for p in paths], columns=["path", "start", "end", "label", "source"])
    return table.sample(frac=1, random_state=0).reset_index(drop=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--soundfont", type=Path, default="/usr/share/sounds/sf2/TimGM6mb.sf2")
    args = p.parse_args()
    render(args.folder, args.soundfont)
    for name in SETS:
        table = rendered(name, args.folder)
        seconds = table.end.describe()
        print(f"{name}: {len(table)} clips, {seconds['min']:.2f} to {seconds['max']:.2f} s, mean {seconds['mean']:.2f} s, {table.label.nunique()} by content")
