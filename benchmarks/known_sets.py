"""Sets of recordings that others have published and a reader can download, found by the layout of their folders. For the scripts beside it.

    python benchmarks/known_sets.py FOLDER        says which of them are there, and what each holds

A set is looked for in the folder itself and in the folders below it, three deep. Nothing is downloaded.
"""
import json, os, re, sys
from pathlib import Path

import numpy as np
import pandas as pd

from audioclust.audio import clips
from audioclust.audio.datasets import real_set, REAL_SETS


def esc50(meta): # meta/esc50.csv beside audio/
    t = pd.read_csv(meta, dtype=str)
    return pd.DataFrame(dict(path=[meta.parent.parent/"audio"/f for f in t.filename], label=t.category, source=t.src_file))

def urbansound8k(meta): # metadata/UrbanSound8K.csv beside audio/fold1 to fold10
    t = pd.read_csv(meta, dtype=str)
    return pd.DataFrame(dict(path=[meta.parent.parent/"audio"/f"fold{n}"/f for n,f in zip(t.fold, t.slice_file_name)], label=t["class"], source=t.fsID))

def _by_name(folder, pattern): # A pattern of the path below `folder`, with groups label and source
    found = [(p, re.fullmatch(pattern, p.relative_to(folder).as_posix())) for p in sorted(folder.glob("*/*.wav"))]
    return pd.DataFrame([dict(path=p, **m.groupdict()) for p,m in found if m], columns=["path", "label", "source"])

def audiomnist(first): # data/SPEAKER/DIGIT_SPEAKER_TAKE.wav
    return _by_name(first.parent.parent, r"\d\d/(?P<label>\d)_(?P<source>\d\d)_\d+\.wav")

def speech_commands(first): # WORD/SPEAKER_nohash_TAKE.wav; the noises beside the words are left out
    return _by_name(first.parent.parent, r"(?P<label>[a-z]+)/(?P<source>[0-9a-f]+)_nohash_\d+\.wav")

def mimii(first): # MACHINE/id_NUMBER/normal or abnormal/NUMBER.wav, of one signal-to-noise ratio
    folder = first.parents[3]
    found = [(p, p.relative_to(folder).parts) for p in sorted(folder.glob("*/id_[0-9][0-9]/*normal/*.wav"))]
    return pd.DataFrame([dict(path=p, label=condition, source=f"{machine} {number}") for p,(machine,number,condition,_) in found])

def nsynth(meta): # examples.json beside audio/
    notes = json.loads(meta.read_text())
    return pd.DataFrame([dict(path=meta.parent/"audio"/f"{name}.wav", label=n["instrument_family_str"], source=n["instrument_source_str"]) for name,n in sorted(notes.items())])

def tuxpaint(first): # stamps/THEME/KIND/NAME_desc_LANGUAGE.ogg: the name of a picture, spoken; 100 of each of the ten languages that have most
    found = [(p, re.fullmatch(r"(.+)_desc_([a-z]{2})", p.stem)) for p in sorted(first.parents[2].rglob("*_desc_??.ogg"))]
    t = pd.DataFrame([dict(path=p, label=m[1], source=m[2]) for p,m in found if m])
    most = t.source.value_counts().index[:10]
    return pd.concat([t[t.source == language].sample(100, random_state=0) for language in sorted(most)]).reset_index(drop=True)

def sonic_pi(first): # samples/KIND_NAME.flac; the samples of one contributor and the unsorted ones are of no kind
    found = [(p, p.stem.split("_")[0]) for p in sorted(first.parent.glob("*.flac"))]
    return pd.DataFrame([dict(path=p, label=kind, source="sonic-pi") for p,kind in found if kind not in ("mehackit", "misc")])

def klettres(root=None, errors=None): # Folder with a folder for each language; None is looked up
    "Letters and syllables in many languages, from Debian's package klettres-data: a table of clips with label and source (language)."
    places = [Path(root)] if root else [Path(os.environ.get("AUDIOCLUST_DATA") or ".")/"klettres", Path("/usr/share/klettres")]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None: raise FileNotFoundError(f"there is no folder {' or '.join(map(str, places))}: install the package klettres-data, or unpack it and give its folder")
    table = clips(sorted(folder.rglob("*.ogg")), errors=errors)
    return table.assign(label=[Path(p).stem for p in table.path], source=[Path(p).relative_to(folder).parts[0] for p in table.path])

LEAST_LETTERS = 20 # of the 26 that a language has

def letters(first): # klettres/LANGUAGE/alpha/LETTER.ogg: the names of the letters a to z, in the languages that have most of them
    t = klettres(first.parents[2], [])
    t = t[[Path(p).parent.name == "alpha" and re.fullmatch("[a-z]", label) is not None for p,label in zip(t.path, t.label)]]
    return t[t.source.map(t.source.value_counts()) >= LEAST_LETTERS].reset_index(drop=True)

# what to look for, how to read it, and which ways there are two right answers: where every source has one class only, there is no second
KNOWN = {"ESC-50": ("meta/esc50.csv", esc50, ("content",)), "UrbanSound8K": ("metadata/UrbanSound8K.csv", urbansound8k, ("content",)), "AudioMNIST": ("[0-9][0-9]/[0-9]_[0-9][0-9]_*.wav", audiomnist, ("content", "source")),
         "Speech Commands": ("[a-z]*/*_nohash_*.wav", speech_commands, ("content",)), "NSynth": ("examples.json", nsynth, ("content", "source")),
         "MIMII": ("id_[0-9][0-9]/*normal/*.wav", mimii, ("content", "source")),
         "Tux Paint": ("stamps/*/*/*_desc_fr.ogg", tuxpaint, ("source",)), "Sonic Pi": ("samples/bd_*.flac", sonic_pi, ("content",)), # Debian's packages tuxpaint-stamps-default and sonic-pi-samples
         "letters": ("klettres/es/alpha/a.ogg", letters, ("content", "source"))} # Debian's package klettres-data

# real recordings, laid out by `real_sets.py`: a name of a set, or of a set and one of its further groupings in place of the content
def real(name, content="label"):
    def table(first): # SET/CONTENT/SOURCE__NAME.wav
        clips_of_set = real_set(name, first.parents[1])
        return clips_of_set.assign(label=clips_of_set[content])
    has_source = content == "label" and "source" in REAL_SETS[name].groupings # the source is a task of the set once
    return f"{name}/*/*__*.*", table, ("content", "source") if has_source else ("content",)
FURTHER = {"ravdess_sentence": ("ravdess", "sentence"), "emodb_emotion": ("emodb", "emotion")}
KNOWN |= {name: real(name) for name in REAL_SETS if name != "esc50"} | {name: real(*whole) for name,whole in FURTHER.items()}
SET_OF = {name: name for name in REAL_SETS if name != "esc50"} | {name: whole for name,(whole,_) in FURTHER.items()}
CHOOSING = [name for name,whole in SET_OF.items() if REAL_SETS[whole].chosen_on]
REPORTING = [name for name in SET_OF if name not in CHOOSING]
LEAST = 5 # clips of a source that is scored

def is_scored(table, by): # Which clips, bool
    "A source counts where it has enough clips, if any has."
    is_large = (table.groupby("source").source.transform("size") >= LEAST).to_numpy()
    return is_large if by == "source" and is_large.any() else np.ones(len(table), bool)

def find(name, root=None): # A key of KNOWN, and a folder above it; None is AUDIOCLUST_DATA
    "The file that shows that the set is there, or None."
    root, look = Path(root or os.environ.get("AUDIOCLUST_DATA") or "."), KNOWN[name][0]
    for up in ("", "*/", "*/*/", "*/*/*/"):
        if hit := next(iter(root.glob(up + look)), None): return hit

def load(name, root=None, limit=None, draw=0): # At most so many clips, drawn by chance: a draw is always the same
    "The clips of a set that is there: a table with columns path, start, end, label, source."
    if name not in KNOWN: raise ValueError(f"there is no set {name!r}; choose from {', '.join(KNOWN)}")
    if not (hit := find(name, root)): raise FileNotFoundError(f"{name} is not there: nothing like {KNOWN[name][0]} in or below {root or os.environ.get('AUDIOCLUST_DATA') or '.'}")
    table = KNOWN[name][1](hit)
    if limit and len(table) > limit: table = table.sample(limit, random_state=draw).sort_index()
    if not len(table := clips(table.reset_index(drop=True), errors=[])): raise FileNotFoundError(f"{hit} lists {name}, and none of its recordings can be read")
    return table


if __name__ == "__main__":
    for name in KNOWN:
        if find(name, sys.argv[1]):
            t = load(name, sys.argv[1])
            print(f"{name}: {len(t)} clips, {t.end.min():.1f} to {t.end.max():.1f} s, {t.label.nunique()} labels, {t.source.nunique()} sources")
        else: print(f"{name}: not found")
