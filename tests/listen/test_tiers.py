"Praat and ELAN: what is written is read by others, and what others write is read."
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

praatio, pympi = pytest.importorskip("praatio"), pytest.importorskip("pympi")
from praatio import textgrid

from audioclust.audio.annotation_tables import clips_of_tables
from audioclust.cli import main
from audioclust.pipeline import Options, Request, make_run
from audioclust.runs import Edits, write_edits

@pytest.fixture(scope="module")
def at(tmp_path_factory):
    import soundfile as sf
    folder = tmp_path_factory.mktemp("tiers")
    rng = np.random.default_rng(0)
    (folder/"in").mkdir()
    for name,seconds in ("night", 9), ("dawn", 6):
        tones = [np.sin(2*np.pi*hz*np.arange(8000)/8000) for hz in rng.choice([300, 2500], seconds)]
        sf.write(folder/"in"/f"{name}.wav", .3*np.concatenate(tones), 8000)
    options = Options(stability=0)
    make_run(folder/"in", Request(n_clusters=2, window=1., encoder="fixed", options=options)).save(folder/"run")
    make_run(folder/"in", Request(n_clusters=2, window=1., encoder="fixed", options=replace(options, hop=.5))).save(folder/"overlapping")
    write_edits(folder/"run", Edits(names={0: 'wren "small" <brown>'}))
    return folder

@pytest.mark.parametrize("to", ["textgrid", "elan"])
def test_round_trip(at, tmp_path, to):
    assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/"out")]) == 0
    clips = clips_of_tables(tmp_path/"out", at/"in")
    table = pd.read_csv(at/"run"/"clusters.csv").sort_values(["path", "start"])
    assert len(clips) == len(table) == 15
    np.testing.assert_allclose(clips[["start", "end"]], table[["start", "end"]], atol=1e-3)
    assert set(clips.label) == {'wren "small" <brown>', "cluster 1"}

def test_overlapping_clips_go_to_tiers_of_their_own(at, tmp_path):
    assert main(["export", str(at/"overlapping"), "--to", "textgrid", "--out", str(tmp_path/"out")]) == 0
    grid = textgrid.openTextgrid(str(tmp_path/"out"/"night.wav.TextGrid"), includeEmptyIntervals=False)
    assert grid.tierNames == ("clusters", "clusters 2")
    assert sum(len(tier.entries) for tier in grid.tiers) == 17

def test_further_tiers_are_told(at, tmp_path):
    grid = textgrid.Textgrid(0, 9)
    for name,entries in ("words", [(1, 2, "owl")]), ("sounds", [(1, 1.5, "ou"), (1.5, 2, "l")]):
        grid.addTier(textgrid.IntervalTier(name, entries, 0, 9))
    grid.addTier(textgrid.PointTier("clicks", [(3., "x")], 0, 9))
    grid.save(str(tmp_path/"night.TextGrid"), "short_textgrid", includeBlankSpaces=True)
    errors = []
    clips = clips_of_tables(tmp_path/"night.TextGrid", at/"in", errors)
    assert clips.label.tolist() == ["owl"]
    assert "only the tier words is read; others are left out: sounds" in errors[0][1]

@pytest.mark.parametrize("ending", [".TextGrid", ".eaf"])
def test_what_is_no_such_file_is_one_line(at, tmp_path, ending, capsys):
    (tmp_path/f"night{ending}").write_text("Dear diary")
    status = main(["cluster", str(at/"in"), "--clips", str(tmp_path/f"night{ending}"), "--out", str(tmp_path/"run")])
    assert status == 2 and "is damaged, or no" in capsys.readouterr().err

def test_names_of_any_bytes(tmp_path):
    import os
    from audioclust.listen.formats.annotations import _eaf
    path = os.fsdecode(os.fsencode(tmp_path) + b"/Gr\xf6\xdfe.wav")
    text = _eaf(path, pd.DataFrame(dict(path=[path], start=0., end=1., name="a", cluster=0)))
    assert "Gr%F6%DFe.wav" in text and "Gr??e.wav" in text

@pytest.mark.parametrize("write", ["_text_grid", "_eaf"])
def test_clips_of_no_length_and_odd_characters_end_nothing(write):
    from xml.etree import ElementTree
    from audioclust.listen.formats import annotations
    clips = pd.DataFrame(dict(start=[0., 1., 1.5, 2.], end=[.5, 1., 1.5003, 2.5],
                               name=["a\ufffe", "b", "c", "d\uffff\ud800\1"]))
    with pytest.warns(UserWarning, match="shorter than half a millisecond, which are left out: 2"):
        text = getattr(annotations, write)("/gone/\ufffe\1\udcff.wav", clips)
    if write == "_eaf":
        said = [value.text for value in ElementTree.fromstring(text.encode()).iter("ANNOTATION_VALUE")]
        assert said == ["a", "d"]
    else: assert text.count("text =") == 3 and "\ufffe" not in text # two, and what lies between
    with pytest.warns(UserWarning): getattr(annotations, write)("/gone/a.wav", clips[1:3])
