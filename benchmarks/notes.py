"""The notes of clips against those that their file names tell.

    AUDIOCLUST_DATA=… python benchmarks/notes.py [SET …]        results/notes.csv

A row is one instrument, or pack, of a set whose file names have notes such as "A4" or "C#3": its clips, the share that is given a note, and of these the
share within half a tone (1 semitone) of the one in the name, and the share that is an octave (or several) off. Dirt was looked at while the limits were chosen, and philharmonia is to report on.
"""
import re, sys
from pathlib import Path

import numpy as np

from appended import append
from audioclust.pipeline.explanations import clip_attributes
from known_sets import load

NOTE = re.compile(r"(?<![A-Za-z0-9])([A-G])(#|s|b)?([0-8])(?![A-Za-z0-9])")

def named_note(path): # MIDI; NaN where the name has none
    found = NOTE.search(Path(path).stem)
    return 12*int(found[3]) + 12 + "C D EF G A B".index(found[1]) + {"b": -1, None: 0}.get(found[2], 1) if found else np.nan

if __name__ == "__main__":
    tables = {name: load(name) for name in sys.argv[1:] or ("dirt", "philharmonia")}
    tables = {name: table.assign(note=table.path.map(named_note)).dropna(subset="note").reset_index(drop=True) for name,table in tables.items()}
    def run(variant, seed):
        table = tables[variant.partition(" / ")[0]]
        table = table[table.label == variant.partition(" / ")[2]].reset_index(drop=True)
        measured = clip_attributes(table, np.arange(len(table)))
        error = (measured.midi_note.to_numpy() - table.note.to_numpy()[measured.row.astype(int)])[measured.midi_note.notna()]
        is_octave = (np.abs(error) > 6) & (np.abs((error + 6) % 12 - 6) <= .5)
        return dict(seed=seed, clips=len(table), given=round(len(error)/len(table), 3), within=round(float(np.mean(np.abs(error) <= 1)), 3), octave=round(float(is_octave.mean()), 3))
    append(Path(__file__).parent/"results"/"notes.csv", [(f"{name} / {label}", 0) for name,table in tables.items() for label in sorted(set(table.label))], run)
