"The runs to play with, which the first page of the site links to."
import sys
from pathlib import Path

import pytest
from browser import browser, Page

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@browser
def test_finished_runs_open_and_play(tmp_path, monkeypatch):
    pytest.importorskip("nbdev")
    monkeypatch.syspath_prepend(str(ROOT/".ci"))
    import play
    folder = play.tutorial("01_samples.ipynb", "listen runs/kit --edits")
    page = tmp_path/"samples.html"
    play.typed("listen", folder/"runs/kit", "--embed", "--page", page, "-q")
    assert page.stat().st_size < play.MOST
    shown = Page(page)
    try:
        assert "kick" in shown.find("#clusters").text
        shown.find("#clips li").click()
        shown.wait("return player.currentTime > 0")
    finally: shown.close()


def test_the_first_page_links_to_what_play_makes():
    made = (ROOT/".ci/play.py").read_text(encoding="utf-8")
    readme = (ROOT/"README.md").read_text(encoding="utf-8")
    for name in "digits", "samples", "field": assert f"/play/{name}.html" in readme and f'"{name}": ' in made
