"Naming by listening: what the page asks, what it makes of the answers, and that it agrees with Python."
import json
import shutil

import numpy as np
import pytest
from browser import browser, of_rows, Page, undrawn

from audioclust.cli import main
from audioclust.listen import listen_page
from audioclust.listen.page_naming import middles_of_parts, naming_data
from audioclust.pipeline import name_clips, naming_progress, next_to_hear, run_of_embeddings, spread_names
from audioclust.pipeline.naming.questions import division
from audioclust.runs import apply_edits, read_edits, Request, Run
from audioclust.runs.edits import NOT_OF_INTEREST, SEVERAL, UNSURE
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
        if len(self.answers) < 6: assert [row] == next_to_hear(name_clips(self.run, self.answers))
        assert self.page.js("return playing") == row and row not in self.answers
        self.press(*keys)
        self.answers[row] = said

    def name(self):
        "The true name: its digit if it was used, else its letters."
        name, used = self.truth[self.asked], self.page.js("return namesUsed()")
        self.answer(name, str(used.index(name) + 1) if name in used else name + ENTER)

    def heard(self):
        return self.page.js("return Object.entries(answersOf(grouping())).map(([id, said]) => [rowOf.get(id), said])")


@browser
def test_a_person_names_a_collection_with_the_keyboard_alone(run, tmp_path):
    folder = shutil.copytree(run/"run", run/"by-ear")
    one = Run.open(folder)
    truth = [path.split("/")[-2] for path in one.table.path]
    with Page(folder/"listen.html", "1366,768") as page:
        page.find("body").send_keys("n")
        assert page.js("return document.activeElement.id") == "answer"
        who = Listener(page, one, truth)
        for n in range(1, 13):
            who.name()
            assert who.progress.startswith(f"{n} of 50 clips heard")
            assert ("right" in who.progress) == page.js("return following(grouping()).isHonest")
            called = page.js("return following(grouping()).names")
            if n in (4, 12): assert (spread_names(name_clips(one, who.answers)).table.name == called).mean() > .97
        progress, shown = naming_progress(name_clips(one, who.answers)), page.js("return following(grouping())")
        assert abs(shown["nNamed"] - progress.named) <= .05*len(one) and abs(shown["right"] - progress.right) < .05
        assert f", {shown['nNamed']} of {len(one)} named, about {100*shown['right']:.0f} in 100 right" in who.progress
        assert page.js("drawNamedMap(); return sizeOf(clusterIds().filter(c => c >= NEW_GROUPS))") == shown["nNamed"], "the map shows the names"
        # answers that are no names, and the way back
        page.find("#hear-again").click()
        who.answers[who.asked] = SEVERAL
        page.find("#hear-again").send_keys("+")  # the box is empty: the sign answers there, too
        assert page.js("return [$('answer').value, document.activeElement.id]") == ["", "answer"]
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
        page.wait(f"return document.querySelector('#heard-list [data-row=\"{last}\"]') !== null")
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
    apply_edits(folder, file)
    ids = one.table.clip_id
    assert read_edits(folder).heard == {ids[row]: said for row,said in who.answers.items()}


NAME = """const truth = arguments[0], n = arguments[1];
startNaming();
for (let i = 0; i < n; i++) answer(truth[asked]);
stopNaming();"""


SAME_AGAIN = """const heard = answersOf(grouping()), id = Object.keys(heard).find(id => isSpreadMove(grouping().edits, id));
for (const said of [heard[id], undefined, heard[id], "another", heard[id]]) setAnswer(rowOf.get(id), said);
saveEdits();
return editsOf(grouping()).clips"""

RENAME = """forgetEdits();
setEdit("names", 0, "pond");
setAnswer(7, "pond");
setAnswer(8, "kept");
saveEdits();
setEdit("names", 0, "lake");
const said = answersOf(grouping())[data.ids[7]];
setEdit("names", 2, "sea");
setEdit("merged", 0, 2);
saveEdits();
const called = [7, 8].map(row => clusterName(grouping().labels[row]));
forgetEdits();
return [said, ...called]"""


@browser
def test_answers_and_edits_by_hand_go_together_and_a_part_of_the_clips_is_asked_for(run, tmp_path):
    folder, one = shutil.copytree(run/"run", run/"by-hand"), Run.open(run/"run")
    truth, ids = [path.split("/")[-2] for path in one.table.path], one.table.clip_id.tolist()
    part = listen_page(one, tmp_path/"part.html", max_clips=20, embed=True)
    with Page(folder/"listen.html", "1366,768") as page:
        page.js(NAME, truth, 10)
        first, second = page.js("return [...new Set(grouping().labels)].filter(group => group >= NEW_GROUPS).slice(0, 2)")
        was, other = page.js("return arguments[0].map(clusterName)", [first, second])
        page.js("choose({cluster: arguments[0]})", first)
        page.js("$('name').value = 'bell'; $('name').dispatchEvent(new Event('change'))")
        heard = page.js("return answersOf(grouping())")
        assert "bell" in heard.values()
        assert was not in heard.values()
        assert page.js("return clusterName(arguments[0])", first) == "bell"
        page.change("mark", "good")  # now it is a group that a person made
        unheard = "return rowsOf([arguments[0]]).find(row => !(data.ids[row] in answersOf(grouping())))"
        away = page.js(unheard, second)
        page.js("moveClips([arguments[0]], arguments[1])", away, first)
        home = page.js(unheard, second)  # the name of the clip that was moved has spread
        page.js("moveClips([arguments[0]], grouping().found.labels[arguments[0]])", home)
        labels = page.js("return grouping().labels")
        assert labels[away] == first and labels[home] == one.clustering.labels[home]
        assert page.js("undo(); return grouping().labels[arguments[0]]", home) == second
        page.js("redo()")
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"), encoding="utf-8")
        # broken entries in the storage of the browser are left out, and nothing else is lost
        page.js("edits.content.heard.nothing = 7; localStorage.setItem(storageKey, JSON.stringify(edits))")
        page.reload()
        assert page.js("return answersOf(grouping())") == heard and page.js("return grouping().labels") == labels
        # taken over, the edits are those of the run, and one can go on
        assert main(["listen", str(folder), "--edits", str(tmp_path/"edits.json")]) == 0
        page.reload()
        assert page.find("#n-edits").text == "(none)" and page.js("return answersOf(grouping())") == heard
        assert page.js(SAME_AGAIN) == page.js("return grouping().edits.clips"), "it stays where its answer has put it"
        assert page.find("#n-edits").text == "(none)"
        assert page.js(RENAME) == ["lake", "lake", "kept"]
        page.js(NAME, truth, 2)
        assert len(page.js("return answersOf(grouping())")) == 12 and page.find("#n-edits").text == "(2)"
        # another page, of some clips with their sounds inside
        page.js("localStorage.clear()")
        page.driver.get(part.as_uri())
        page.wait("return places.length > 0")
        page.js("startNaming()")
        assert page.find("#naming-progress").text == "0 of 20 clips heard"
        page.js("for (let i = 0; i < 20; i++) answer(`kind ${i % 2}`)")
        assert page.find("#all-heard").is_displayed()
        assert "20 of 20 clips heard, 20 of 20 named" in page.find("#naming-progress").text
    names = read_edits(folder)
    assert names.heard == heard and names.marks == {first: "good"} and names.names[first] == "bell"
    assert names.clips[ids[away]] == first and names.clips[ids[home]] == one.clustering.labels[home]


@pytest.fixture
def clouds(rng):
    "A run of points in three clouds."
    X = rng.normal(0, 1, (90, 6)) + 6*np.eye(3, 6)[np.repeat(range(3), 30)]
    return run_of_embeddings(X, request=Request(n_clusters=3, options=Options(stability=0)))


def test_the_first_question_of_a_part_is_the_shown_clip_nearest_to_the_middle_of_all(clouds):
    rows, X = np.arange(0, 90, 7), clouds.embeddings.X
    middles = middles_of_parts(X, division(clouds.embeddings), rows)
    assert rows[middles[-1]] == rows[np.square(X[rows] - X.mean(0)).sum(1).argmin()]
    leaves = middles[:90]
    assert sorted(leaves[leaves >= 0]) == list(range(len(rows))) and (leaves < 0).sum() == 90 - len(rows)


def test_what_a_page_needs_to_ask_is_small_and_too_few_clips_are_not_asked_for(clouds):
    assert len(json.dumps(naming_data(clouds, np.arange(90)))) < 90*150
    assert naming_data(clouds, np.arange(2)) is None


@pytest.mark.slow
@browser
def test_the_next_question_comes_at_once_among_20_000_clips(run, tmp_path, monkeypatch):
    few, n, rng = Run.open(run/"run"), 20_000, np.random.default_rng(0)
    kinds, rows = rng.integers(40, size=n), rng.integers(len(few), size=n)
    X = (rng.normal(0, 1, (n, 60)) + rng.normal(0, 1, (40, 60))[kinds]).astype(np.float32)
    many = of_rows(few, rows, X, kinds//2)
    # a clip stands there many times
    monkeypatch.setattr(type(many.clips), "ids", lambda clips: [f"clip {i}" for i in range(n)])
    many = many.save(tmp_path/"run")
    with Page(listen_page(many, run/"many.html", pictures=undrawn(many))) as page:
        data = page.js("return JSON.stringify(data.views[0].naming).length + data.views[0].points.beyond.length")
        assert data < 500_000
        page.js("startNaming()")
        # whatever else the machine does
        page.driver.execute_cdp_cmd("Performance.enable", dict(timeDomain="threadTicks"))
        def spent():
            metrics = page.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        times = []
        for _ in range(50):
            name, before = f"kind {kinds[page.js('return asked')]}", spent()
            page.js("answer(arguments[0])", name)
            times.append(spent() - before)
        assert np.median(times) < .15, times
        heard = {row: f"kind {kinds[row]}" for row in page.js("return Object.keys(answersOf(grouping())).map(id => rowOf.get(id))")}
        progress, shown = naming_progress(name_clips(many, heard)), page.js("return following(grouping())")
        assert abs(shown["right"] - progress.right) < .05 and abs(shown["nNamed"] - progress.named) < .05*n
