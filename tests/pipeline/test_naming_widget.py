"Naming in a notebook, without a browser; and the run of the estimator."
import io
import sys
from pathlib import Path

import pytest
import soundfile as sf

from audioclust.pipeline import AudioClusterer, name_clips, NamingWidget, next_to_hear, Options, spread_names
from audioclust.pipeline.naming.answers import heard_answers
from audioclust.runs.naming.heard import NOT_OF_INTEREST, UNSURE


@pytest.fixture(scope="module")
def model(few): return AudioClusterer(n_clusters=2, options=Options(stability=0)).fit(few)

def word(run, row): return Path(run.table.path[row]).parent.name


def test_the_run_of_the_estimator_is_named_by_listening(model):
    run = model.run_
    rows = next_to_hear(run, 6)
    named = spread_names(name_clips(run, {row: word(run, row) for row in rows}))
    truth = [word(run, row) for row in range(len(run))]
    table = AudioClusterer.of(named).table()
    assert (table.name == truth).mean() > .9 and table.name_confidence.between(0, 1).all()

def test_a_widget_plays_and_asks(model):
    pytest.importorskip("ipywidgets")
    widget = NamingWidget(model.run_)
    first = widget.row
    assert first == next_to_hear(model.run_)[0]
    wave, rate = sf.read(io.BytesIO(widget.sound.value))
    clip = model.table().iloc[first]
    assert len(wave)/rate == pytest.approx(clip.end - clip.start, abs=.01) and abs(wave).max() > 0
    widget.name.value = " hello " # and Enter
    assert heard_answers(widget.run) == {first: "hello"} and widget.row != first and widget.name.value == ""
    assert [button.description for button in widget.before.children] == ["hello"]
    second = widget.row
    widget.before.children[0].click()
    others = {button.description: button for button in widget.box.children[3].children}
    for label in "skip", UNSURE, NOT_OF_INTEREST: others[label].click()
    assert list(heard_answers(widget.run).values()) == ["hello", "hello", None, UNSURE, NOT_OF_INTEREST]
    assert widget.line.value.startswith("5 clips heard, ")
    for _ in range(4): others["undo"].click()
    assert heard_answers(widget.run) == {first: "hello"} and widget.row == second
    for _ in range(3): others["undo"].click()
    assert widget.run is model.run_ and widget.row == first

def test_a_widget_ends_when_all_was_heard(model):
    pytest.importorskip("ipywidgets")
    run = name_clips(model.run_, dict.fromkeys(range(len(model.run_)), "hello"))
    widget = NamingWidget(run)
    assert widget.row is None and widget.line.value == "all clips were heard"
    widget.answer("more")
    assert widget.run is run

def test_without_ipywidgets_a_line_says_what_is_missing(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ValueError, match="needs ipywidgets: pip install ipywidgets"): NamingWidget(model.run_)
