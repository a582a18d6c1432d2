"Naming by listening: what the page asks, what it makes of the answers, and that it agrees with Python."
import json
import shutil

import numpy as np
import pytest
from browser import browser, Page

from audioclust.cli import main
from audioclust.listen import listen_page
from audioclust.listen.naming import middles_of_parts, naming_data
from audioclust.pipeline import name_clips, naming_progress, next_to_hear, run_of_embeddings
from audioclust.pipeline.naming.questions import division
from audioclust.runs import Request, Run
from audioclust.runs.naming.heard import NOT_OF_INTEREST, SEVERAL, UNSURE
from audioclust.runs.names import read_names
from audioclust.runs.request import Options

BACKSPACE, ENTER, ESCAPE, TAB, DOWN = "\ue003", "\ue007", "\ue00c", "\ue004", "\ue015"


class Listener:
    "Somebody who answers by keyboard, beside a run in Python that gets the same answers."
    def __init__(self, page, run, truth):
        self.page, self.run, self.truth, self.answers = page, run, truth, {}

    @property
    def asked(self): return self.page.js("return asked")

    @property
    def progress(self): return self.page.find("#naming-progress").text

    def press(self, *keys): self.page.find("#answer").send_keys(*keys)

    def answer(self, said, *keys):
        "Press keys, of which this answer should come. The page has asked for the clip for which Python asks, at first."
        row = self.asked
        if len(self.answers) < 10: assert [row] == next_to_hear(name_clips(self.run, self.answers))
        assert self.page.js("return playing") == row and row not in self.answers
        self.press(*keys)
        self.answers[row] = said

    def name(self):
        "The true name: its digit if it was used, else its letters."
        name, used = self.truth[self.asked], self.page.js("return namesUsed()")
        self.answer(name, str(used.index(name) + 1) if name in used else name + ENTER)

    def heard(self): return self.page.js("return Object.entries(answersOf(grouping())).map(([id, said]) => [rowOf.get(id), said])")


@browser
def test_a_person_names_a_collection_with_the_keyboard_alone(run, tmp_path):
    folder = shutil.copytree(run/"run", tmp_path/"run")
    one = Run.open(folder)
    truth = [path.split("/")[-2] for path in one.table.path]
    page = Page(listen_page(folder), "1366,768")
    try:
        page.find("body").send_keys("n")
        who = Listener(page, one, truth)
        for n in range(1, 13):
            who.name()
            progress, shown = naming_progress(name_clips(one, who.answers)), page.js("return following(grouping())")
            assert who.progress.startswith(f"{n} of 50 clips heard, {shown['nNamed']} of {len(one)} named")
            assert abs(shown["nNamed"] - progress.named) <= .05*len(one)
            if "right" in who.progress: assert abs(shown["right"] - progress.right) < .05
        assert "right" in who.progress
        assert page.js("return sizeOf(clusterIds().filter(c => c >= NEW_GROUPS))") == shown["nNamed"], "the map shows the names"
        # answers that are no names, and the way back
        who.answer(SEVERAL, "+")
        who.answer(None, ".")
        who.answer(UNSURE, "?")
        who.answer(NOT_OF_INTEREST, "-")
        before, last, pending = who.heard(), list(who.answers)[-1], who.asked
        assert before == [[row, said] for row,said in who.answers.items()]
        who.press(BACKSPACE*16)
        assert who.heard() == [] and who.asked == next(iter(who.answers)) and "named" not in who.progress
        page.js("for (let i = 0; i < 16; i++) stepBack(redo)")
        assert who.heard() == before and who.asked == pending
        # long and strange names, and completion
        page.js("$('answer').value = 'x'.repeat(2000)")
        who.press(ENTER)
        assert page.find("#answer-hint").text == "A name has at most 200 characters, and this one has 2,000."
        assert len(page.js("return $('answer').value")) == 2000 and len(who.heard()) == 16
        who.press(ESCAPE)
        strange = "鳥 <b>\u202eabc"
        page.js("$('answer').value = arguments[0]", strange)
        who.answer(strange, ENTER)
        assert page.count("#naming b") == 0 and "鳥 <b>\\u202eabc" in page.find("#offered").text
        first = page.js("return namesUsed()[0]")
        who.answer(first, first[:2], TAB)
        who.answer(first, DOWN, ENTER)
        # a wrong name is found in the list and changed
        page.find("#heard-list summary").click()
        page.find(f'#heard-list [data-row="{last}"]').click()
        assert who.asked == last and f"You said: {NOT_OF_INTEREST}." in page.find("#question-title").text
        who.press(first.upper(), ENTER)
        who.answers[last] = first
        assert {row: said for row,said in who.heard()} == who.answers
        # stop, and go on another day
        who.press(ESCAPE)
        named, pending = page.js("return [grouping().labels, asked]")
        assert first in page.find("#clusters").text and not page.find("#naming").is_displayed()
        page.reload()
        assert page.js("return grouping().labels") == named
        page.find("#start-naming").click()
        assert who.asked == pending
        file = tmp_path/"edits.json"
        file.write_text(page.js("return showEdits()"), encoding="utf-8")
        page.js("localStorage.clear()")
    finally: page.close()
    assert main(["listen", str(folder), "--edits", str(file)]) == 0
    ids = one.table.clip_id
    assert read_names(folder)["heard"] == {ids[row]: said for row,said in who.answers.items()}
