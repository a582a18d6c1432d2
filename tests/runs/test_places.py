"A run that takes over numbers takes over places on the map."
from shutil import copytree

import numpy as np

from audioclust.audio.clip_table import same_clips
from audioclust.cli import main
from audioclust.runs import Run

def moved(before, now):
    """How far clips moved, in parts of the distance from the place of any other clip.

    0.2 is usual. Once, within the whole suite, a group went across the map, and it was 0.4."""
    def mean(a, b): return np.linalg.norm(a - b, axis=1).mean()
    return mean(before, now)/mean(np.random.default_rng(0).permutation(before), now)


def test_like_keeps_the_places(words, tmp_path):
    folder, clips = words
    sounds = copytree(folder, tmp_path/"words")
    late = sorted(sounds.rglob("*.wav"))[::6]
    for path in late: path.rename(path.with_suffix(".later"))
    options = ["--n-clusters", "6", "--encoder", "fixed", "--quiet"]
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"first"), *options]) == 0
    for path in late: path.with_suffix(".later").rename(path)
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"second"), "--like", str(tmp_path/"first"), *options]) == 0
    first, second = Run.open(tmp_path/"first"), Run.open(tmp_path/"second")
    here, there = same_clips(second.table, first.table)
    assert len(here) == len(first) == len(second) - len(late)
    before, now = first.positions[there], second.positions[here]
    assert moved(before, now) < .6
    assert np.isfinite(second.positions).all()
    assert main(["cluster", str(sounds), "--out", str(tmp_path/"second"), "--overwrite", *options, "--seed", "1"]) == 0
    again = Run.open(tmp_path/"second")
    here, there = same_clips(again.table, second.table)
    assert moved(second.positions[there], again.positions[here]) < .6
