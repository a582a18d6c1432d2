"Labels beside the groups on the listening page, and the clips whose label differs from its group."
import csv
from collections import Counter

import pytest
from browser import browser, Page, page_data
from test_page_access import CONTRAST, faults, NAMELESS

from audioclust.audio.labels import label_clips
from audioclust.cli import main
from audioclust.listen import listen_page
from audioclust.runs import Run


@pytest.fixture(scope="module")
def labelled(many, run, tmp_path_factory):
    "A page with labels: some clips have none, and every ninth a wrong one."
    table = many.table
    rows = [dict(path=row.path, start=row.start, end=row.end, label=f"kind {row.cluster % 3}") for row in table.itertuples()]
    for row in rows[::9]: row["label"] = "wrong <b>"
    for row in rows[4::11]: row["label"] = ""
    file = tmp_path_factory.mktemp("labels")/"it's labels.csv"
    with open(file, "w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    page = run/"many/labelled.html"
    assert main(["listen", str(many.folder), "--labels", str(file), "--page", str(page)]) == 0
    return file, page, label_clips(table, str(file)).label.fillna("").tolist()


def differing(labels, groups):
    "Rows whose label is less frequent in their group than another one."
    counts = Counter((group, label) for group,label in zip(groups, labels) if label)
    most = {group: max(n for (g, _),n in counts.items() if g == group) for group,_ in counts}
    return [row for row,(group,label) in enumerate(zip(groups, labels))
            if label and group >= 0 and counts[group, label] < most[group]]


@browser
def test_label_and_group_differ(labelled, many):
    _, file, labels = labelled
    with Page(file) as page:
        groups = many.clustering.labels.tolist()
        expected = differing(labels, groups)
        assert len(expected) > 3 and any(group < 0 and label for group,label in zip(groups, labels))
        assert page.find("#n-differ").text == f"({len(expected)})"
        page.find("#differ").send_keys(" ")
        assert sorted(page.js("return shownRows")) == expected
        assert page.js("return [...document.querySelectorAll('#clips .given')].every(el => el.textContent.startsWith('≠ '))")
        page.find("#search").send_keys("WRONG <")
        wrong = [row for row in expected if labels[row] == "wrong <b>"]
        page.wait(f"return shownRows.length === {len(wrong)}")
        assert "more clips of its group" in page.find("#clips .given").get_attribute("title")
        assert "≠ wrong <b> " in page.find("#clips .clip").get_attribute("aria-label")
        page.find("#differ").send_keys(" ")
        n = labels.count("wrong <b>")
        page.wait(f"return shownRows.length === {n}")
        # moves and merges count: alone in a new group, no label differs
        page.js("$('search').value = ''; moveClips(arguments[0], newGroup())", wrong)
        moved = [max(groups) + 1 if row in wrong else group for row,group in enumerate(groups)]
        assert page.js("return [...labelDiffers.keys()].filter(row => labelDiffers[row])") == differing(labels, moved)
        page.js("undo(); setEdit('merged', 0, 1); saveEdits()")
        merged = [1 if group == 0 else group for group in groups]
        assert page.js("return [...labelDiffers.keys()].filter(row => labelDiffers[row])") == differing(labels, merged)
        page.js("forgetEdits(); startNaming(); player.pause()")
        assert page.js("return $('now').textContent + $('question-neighbours').textContent").count("wrong <b>") == 0
        assert page.js("return $('question-neighbours').querySelectorAll('.given').length") == 0
        page.js("edits = {}; stopNaming()")
        for theme in "light", "dark":
            page.js(f"dark = {str(theme == 'dark').lower()}; $('welcome').hidden = true; choose({{cluster: 1}}); play(shownRows[0]); player.pause()")
            assert page.count("#clips .given") > 3
            assert page.js(CONTRAST)[1] == [] and page.js(NAMELESS) == [] and faults(page) == []
        page.resize(400, 800)
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
        assert page.find("#differ").is_displayed()


@browser
def test_clips_that_are_not_on_the_page_count_and_are_found_by_their_label(labelled, many, tmp_path):
    labels = labelled[2]
    listen_page(many, tmp_path/"few.html", max_clips=40, labels=str(labelled[0]))
    with Page(tmp_path/"few.html") as page:
        ids = page.js("return data.ids.filter((_, row) => labelDiffers[row])")
        expected = {many.table.clip_id[row] for row in differing(labels, many.clustering.labels.tolist())}
        assert set(ids) == expected & set(page.js("return data.ids")) and ids
        page.find("#search").send_keys("wrong <")
        page.wait("return document.querySelectorAll('#others li').length > 0")
        n = labels.count("wrong <b>") - page.js("return shownRows.length")
        assert page.count("#others li") == n > 0
        assert page.find("#others .cut").text.endswith("= wrong <b>")
        page.find("#differ").click()
        assert not page.find("#others").is_displayed()


def test_what_a_page_knows_of_labels(labelled, many, run, tmp_path, capsys):
    file, page, _ = labelled
    before = Run.open(many.folder)
    data = page_data(page)
    assert data["given"]["names"] == ["kind 0", "kind 1", "kind 2", "wrong <b>"]
    assert data["labels_option"] == f""" --labels '{str(file).replace("'", "'" + '"' + "'" + '"' + "'")}'"""
    listen_page(many, tmp_path/"sent.html", labels=str(file), embed=True, max_clips=6)
    assert page_data(tmp_path/"sent.html")["labels_option"] == "" # it names no folder of the computer
    assert "labels.csv" not in (tmp_path/"sent.html").read_text(encoding="utf-8")
    assert page_data(run/"many/listen.html")["given"] is None
    assert before.edits == many.edits and (before.groups == many.groups).all()
    assert main(["listen", str(many.folder), "--labels", "no such thing", "--page", str(tmp_path/"no.html")]) == 2
    assert "match none of the" in capsys.readouterr().err and not (tmp_path/"no.html").exists()
