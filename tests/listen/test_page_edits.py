"What a person says of the groups: on the page, in its downloads, and after them."
import http.server
import json
import shlex
import shutil
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from browser import browser, Page
from sklearn.cluster import KMeans as SklearnKMeans

from audioclust.cli import main
from audioclust.listen import listen_page
from audioclust.pipeline import AudioClusterer
from audioclust.runs import Edits, read_edits, write_edits
from audioclust.runs.run_folder import read_table


@pytest.mark.draws
@browser
def test_names_merges_and_marks_go_the_whole_way(run, tmp_path, capsys):
    shutil.copytree(run/"run", run/"named")
    with Page(run/"named/listen.html") as page:
        page.find("#edits summary").click() # it lies below the groups: what opens comes into view
        seen = "return $('take-over').getBoundingClientRect().bottom <= innerHeight"
        page.wait(seen, 3)
        page.find("#edits summary").click()
        page.find('[data-cluster="1"]').click()
        page.find("#name").send_keys("wren & <b>co</b>\n")
        page.change("mark", "good")
        page.find('[data-cluster="3"]').click()
        page.change("merge", "1")
        assert page.js("return shownRows.length") == read_table(run/"named/clusters.csv").cluster.isin([1, 3]).sum()
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
        words = ["Flute", "Bell, <b>ding</b>"]
        page.js("Object.assign(grouping().found.clusters[0], {suggested: arguments[0], path_words: {}}); choose({cluster: 0})", words)
        buttons = "return [...document.querySelectorAll('button.suggested')].map(button => button.textContent)"
        assert page.js(buttons) == words and page.js("return clusterName(0)") == "cluster 0" # a suggestion is no name
        assert "Flute / Bell, <b>ding</b>?" in page.find("#clusters").text and page.count("#clusters b") == 0
        page.js("grouping().found.clusters[0].path_words = {kick: 'kick 50 %', constructor: '<b>it</b> 9 %'}; choose({cluster: 0})")
        assert page.js(buttons) == [*words, "kick 50 %", "<b>it</b> 9 %"] and page.count("#selection b") == 0
        assert "in names of files: kick 50 %, <b>it</b> 9 %" in page.find("#clusters").text
        assert page.count("#clusters b") == 0
        page.js("grouping().found.clusters[0].path_words = {}; choose({cluster: 0})")
        page.find("button.suggested").click()
        assert page.js("return [clusterName(0), showEdits()]")[0] == "Flute" and page.js(buttons) == []
        assert json.loads(page.js("return showEdits()"))["edits"]["content"]["names"]["0"] == "Flute"
        page.find("body").send_keys("\ue009z") # Ctrl-Z
        assert page.js("return clusterName(0)") == "cluster 0" and page.js(buttons) == words
        assert page.count("#clips .speech") == 0
        page.js("data.speech[shownRows[1]] = true; draw()")
        assert page.js("return [...document.querySelectorAll('#clips li')].map(li => li.querySelectorAll('.speech').length)")[:3] == [0, 1, 0]
        page.js("location.reload()"); page.wait("return typeof shownRows !== 'undefined'")
        assert "wren & <b>co</b>" in page.find("#clusters").text  # kept in the browser
        assert page.count("#clusters b") == 0
    assert main(["listen", str(run/"named"), "--edits", str(tmp_path/"edits.json")]) == 0
    t = read_table(run/"named/clusters.csv")
    assert set(t.name[t.cluster.isin([1, 3])]) == {"wren & <b>co</b>"} and set(t.name[t.cluster == 0]) == {"cluster 0"}
    assert set(t.mark[t.cluster == 3]) == {"good"}
    assert AudioClusterer.load(run/"named").labels_.tolist() == t.cluster.tolist()


@browser
def test_clips_are_moved_split_and_taken_back(words, tmp_path):
    "Everything by mouse and keyboard, and what Python makes of it."
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys
    sounds, run, name = words[0], tmp_path/"run", "edits.json"
    main(["cluster", str(sounds), "--out", str(run), "--n-clusters", "auto", "-q"])
    def act(do, held):
        chain = ActionChains(page.driver)
        for key in held: chain.key_down(key)
        do(chain)
        for key in held: chain.key_up(key)
        chain.perform()
    def click(selector, *held): act(lambda chain: chain.click(page.find(selector)), held)
    def press(key, *held): act(lambda chain: chain.send_keys(key), held)
    def labels(): return page.js("return grouping().labels")
    with Page(run/"listen.html") as page:
        found = labels()
        assert page.js("return $('move-bar').hidden")
        # two clips, into a new group
        rows = page.js("return shownRows.slice(0, 2)")
        for row in rows: click(f'#clips [data-row="{row}"]', Keys.CONTROL)
        assert page.find("#n-selected").text == "2 clips selected"
        page.change("move-to", "new")
        now = labels()
        assert [now[r] for r in rows] == [100000, 100000] and sum(a != b for a,b in zip(found, now)) == 2
        assert "new group 1" in page.find("#clusters").text and page.js("return $('move-bar').hidden")
        # a range, to a cluster that there is
        page.js("choose({cluster: 0})")
        first, third = page.js("return [shownRows[0], shownRows[2]]")
        click(f'#clips [data-row="{first}"]')
        click(f'#clips [data-row="{third}"]', Keys.SHIFT)
        assert page.find("#n-selected").text == "3 clips selected"
        page.change("move-to", "1")
        assert [labels()[r] for r in (first, third)] == [1, 1]
        # back and forth
        page.js("document.activeElement.blur()")
        press("z", Keys.CONTROL)
        assert labels() == now
        press("z", Keys.CONTROL)
        assert labels() == found and page.js("return $('undo').disabled")
        press("y", Keys.CONTROL); press("z", Keys.CONTROL, Keys.SHIFT)
        assert [labels()[r] for r in (first, third, *rows)] == [1, 1, 100000, 100000]
        # by the keyboard alone
        page.js(f"play({page.js('return shownRows[5]')})")
        press("x"); press("m")
        assert page.js("return document.activeElement.id") == "move-to"
        page.js("document.activeElement.blur()"); press(Keys.ESCAPE)
        assert page.js("return selected.size") == 0
        # what is most like a clip
        row = page.js("return shownRows[7]")
        page.js("play(arguments[0])", row); press("s")
        like = page.js("return shownRows")
        assert like[0] == row and len(like) == min(61, len(found)) and "Most like" in page.find("#clips-title").text
        X = np.load(run/"embeddings.npy")
        nearest = np.argsort(((X - X[row])**2).sum(1))[1:11]
        assert len(set(nearest) & set(like[1:16])) >= 8
        # a cluster into its parts, and another by two clips
        page.js("choose({})")
        opens = page.js("return clusterIds().find(c => c >= 0 && partsOf(-1, c).length > 1) ?? null")
        before = len(set(labels()))
        page.js("choose({cluster: arguments[0]})", opens); page.find("#split").click()
        assert len(set(labels())) > before
        page.js("choose({cluster: 1}); for (const row of [shownRows[0], shownRows.at(-1)]) selectClip(row, false)")
        before = labels(); page.find("#split-by-two").click()
        moved = [i for i,(a, b) in enumerate(zip(before, labels())) if a != b]
        assert 0 < len(moved) < before.count(1) and len({labels()[i] for i in moved}) == 1
        # a note, and all of it after the page was loaded again
        page.js("choose({cluster: 1})"); page.find("#note").send_keys("by the pond\n")
        kept = labels()
        page.reload()
        assert labels() == kept
        (tmp_path/name).write_text(page.js("return showEdits()"))
    assert main(["listen", str(run), "--edits", str(tmp_path/name), "-q"]) == 0
    table = read_table(run/"clusters.csv")
    expected = [f"new group {c - 99999}" if c >= 100000 else f"cluster {c}" for c in kept]
    assert table.name.tolist() == expected and table.cluster.tolist() == found
    assert set(table.note[[c == 1 for c in kept]]) == {"by the pond"}
    with Page(run/"listen.html") as page: # made anew, it begins where the first one ended
        assert page.js("return grouping().labels") == kept
    other = str(tmp_path/"other")
    main(["cluster", str(sounds), "--out", other, "--n-clusters", "3", "-q", "--no-page", "--seed", "4"])
    assert main(["listen", other, "--edits", str(tmp_path/name), "-q"]) == 0, "the same clips"


@browser
def test_edits_that_were_taken_over_are_the_runs(run, tmp_path, capsys):
    "In the same browser: what is left to take over is what differs from the run."
    named = tmp_path/"named"
    shutil.copytree(run/"run", named)
    clip, other = read_table(named/"clusters.csv").clip_id[:2]
    def take_over():
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
        assert main(["listen", str(named), "--edits", str(tmp_path/"edits.json"), "-q"]) == 0
    with Page(named/"listen.html") as page:
        page.js("""setEdit('names', 0, 'owl'); setEdit('notes', 0, 'at dusk'); setEdit('merged', 3, 1);
            setEdit('marks', 2, 'good'); moveClips([3, 4], newGroup())""")
        assert page.find("#n-edits").text == "(6)"
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
        assert main(["listen", str(named), "--edits", str(tmp_path/"edits.json")]) == 0
        assert "(6 edits taken over)" in capsys.readouterr().out
        page.reload()
        assert page.find("#n-edits").text == "(none)" and page.js("return JSON.parse(showEdits()).edits") == {}
        assert page.js("return [clusterName(0), target(3), grouping().labels[3]]") == ["owl", 1, 100000]
        page.js("setEdit('names', 0, ''); setEdit('names', 1, 'wren'); saveEdits()")
        assert page.find("#n-edits").text == "(2)", "a name that is taken away counts, too"
        page.js("undo(); undo()")
        assert page.find("#n-edits").text == "(none)"
        write_edits(named, Edits(names={0: "eagle owl"})) # by somebody else
        listen_page(named)
        page.reload()
        assert page.js("return clusterName(0)") == "eagle owl"
        # a copy that is older than the page says only what this person changed, whatever else the run has got
        page.js("setEdit('names', 1, 'wren'); saveEdits()")
        theirs = replace(read_edits(named), marks={4: "junk"}, heard={clip: "rain"}, contradictions=[["clip x", "a", "b"]])
        write_edits(named, theirs)
        listen_page(named)
        page.reload()
        assert page.find("#n-edits").text == "(1)"
        assert page.js("return undo(), forgetEdits(), grouping().edits.marks") == {"4": "junk"}
        assert page.find("#n-edits").text == "(none)"
        page.js("undo()")
        assert page.find("#n-edits").text == "(1)"
        take_over()
        kept = read_edits(named)
        assert [kept.names[c] for c in (0, 1)] == ["eagle owl", "wren"] and kept.contradictions == theirs.contradictions
        assert kept.marks == theirs.marks and kept.heard == theirs.heard
        page.reload()
        assert page.find("#n-edits").text == "(none)" and page.js("return edits") == {}
        page.js("setEdit('names', 1, 'crow'); saveEdits()")
        # corrections after a download, whether or not that was taken over; the same again is the same file
        answer = "setAnswer(rowOf.get(arguments[0]), arguments[1]); saveEdits(); keepDownload(); return showEdits()"
        first = page.js(answer, other, "kick")
        assert first == page.js("keepDownload(); return showEdits()")
        take_over()
        assert read_edits(named).heard[other] == "kick" and read_edits(named).names[1] == "crow"
        assert "spread" in json.loads(page.js("return showEdits()"))["base"]["content"]
        page.js("setAnswer(rowOf.get(arguments[0]), UNSURE); saveEdits()", other)
        take_over()
        assert read_edits(named).heard[other] == "unsure" and read_edits(named).contradictions
        assert page.js("keepDownload(); undo(); undo(); return answersOf(grouping())") == {clip: "rain"}
        take_over()
        assert read_edits(named).heard == {clip: "rain"}
        page.js("setEdit('notes', 2, 'far'); saveEdits(); keepDownload(); setEdit('notes', 3, 'near'); saveEdits()")
        take_over()  # the last file alone
        assert read_edits(named).notes | {2: "far", 3: "near"} == read_edits(named).notes
        assert read_edits(named).contradictions == theirs.contradictions


@browser
def test_a_group_can_be_split_until_its_clips_are_alike(run):
    "Into the parts of a finer level; then, and where there are none, in two."
    with Page(run/"run/listen.html") as page:
        labels = np.array(page.js("""const {labels} = grouping(), parts = labels.map((c, row) => c ? 2 + c : row % 2);
            const parentOf = part => Math.max(0, part - 2), group = part => [part, {parent: parentOf(part)}];
            const groups = Object.fromEntries([...new Set(parts)].map(group));
            grouping().finer = [{name: "fine", labels: parts, groups}];
            choose({cluster: 0});
            return labels"""))
        assert page.find("#split").text == "Split into its 2 parts"
        page.find("#split").click()
        moved = np.array(page.js("return grouping().labels")) == 100000
        rows = np.flatnonzero(labels == 0)
        assert set(rows[moved[rows]] % 2) in ({0}, {1}) and 2*moved.sum() in range(len(rows) - 1, len(rows) + 1)
        assert page.find("#split").text == "Split in two" # what is left has no parts
        n_left = page.js("return rowsOf([0]).length")
        page.find("#split").click()
        assert 0 < page.js("return rowsOf([100001]).length") <= n_left/2
        # as K-means with many starts would do it
        X = np.reshape(page.js("return [...grouping().points.values]"), (len(labels), -1))
        for c in range(1, 5):
            rows = np.flatnonzero(labels == c)
            parts = page.js("return halves(arguments[0])", rows.tolist())
            assert sorted(sum(parts, [])) == rows.tolist()
            inertia = sum(((X[part] - X[part].mean(0))**2).sum() for part in parts)
            assert inertia < 1.25*SklearnKMeans(2, n_init=10, random_state=0).fit(X[rows]).inertia_
        page.js("grouping().points.values.fill(7); choose({cluster: 1})")
        assert page.count("#split") == 0, "all its clips are alike"
        # a group made by hand has no number to show
        page.js("""setEdit('merged', 100001, 100000); setEdit('names', 100000, 'crow'); saveEdits();
            choose({cluster: 100000})""")
        shown = page.find("#clusters").text + page.find("#selection").text
        assert "crow (was new group 2)" in shown and "Take new group 2 out again" in shown and "10000" not in shown
        page.js("setEdit('names', 1, 'Cluster 02'); setEdit('names', 2, ''); saveEdits()")
        assert page.js("return [1, 2].map(clusterName)") == ["Cluster 02", "unnamed cluster 2"]


@browser
def test_a_group_that_is_gone_takes_nothing_with_it(run, tmp_path):
    "Its name does not go to the next one, and the page goes on."
    with Page(run/"run/listen.html") as page:
        page.js("moveClips([3], newGroup()); setEdit('names', 100000, 'frogs'); saveEdits(); choose({cluster: 100000})")
        assert "frogs" in page.find("#selection").text
        page.js("moveClips([3], grouping().found.labels[3])")
        assert page.js("return chosenCluster") is None and "frogs" not in page.find("#clusters").text
        page.js("moveClips([4], newGroup())")
        assert page.js("return clusterName(grouping().labels[4])") == "new group 1"
        page.js("choose({cluster: 100000}); forgetEdits()") # Forget
        assert page.js("return shownRows.length") == page.js("return nClips") and page.find("#n-edits").text == "(none)"
        page.js("""moveClips([5], newGroup()); setEdit('merged', 2, 100000); saveEdits();
            moveClips([5], grouping().found.labels[5]); choose({cluster: 2})""")
        assert "cluster 2" in page.find("#selection").text
        page.js("undo(); undo(); choose({cluster: 2}); redo(); redo()")
    with Page(listen_page(run/"run", tmp_path/"few.html", max_clips=20)) as page:
        assert not page.js("return canSplit()"), "a page of a part of the clips splits nothing"
        page.js("choose({cluster: 1})")
        assert "A page of all clips can split it." in page.find("#selection").text and page.count("#split") == 0
        page.js("choose({cluster: 1}); selectClip(shownRows[0], false); selectClip(shownRows[1], false)")
        assert page.js("return $('split-by-two').hidden")


def downloaded(page, downloads):
    "The command that the page shows, once the file in it has been saved as the browser saves it."
    page.js("$('edits').open = true")
    page.find("#download").click()
    command = page.find("#take-over").text
    file, end = downloads/shlex.split(command)[-1], time.time() + 20
    while not file.is_file():
        assert time.time() < end, (command, list(downloads.iterdir()))
        time.sleep(.1)
    return command


def name_clusters(page, **names):
    for number,name in names.items():
        page.js("setEdit('names', Number(arguments[0]), arguments[1]); saveEdits()", number[1:], name)


@browser
@pytest.mark.parametrize("at", [None, "pages/one.html"])
def test_the_command_on_the_page_takes_over_what_it_downloads(run, tmp_path, monkeypatch, at):
    "From the folder of the downloads, for a run with an odd name; and again after more edits."
    folder, downloads = tmp_path/"runs/it's  the #1 & \"best\" $(run) 50%", tmp_path/"downloads"
    shutil.copytree(run/"run", folder)
    downloads.mkdir(); (tmp_path/"pages").mkdir()
    monkeypatch.chdir(downloads)
    with Page(listen_page(folder, at and tmp_path/at), downloads=downloads) as page:
        for names in dict(c0="wren"), dict(c0="owl", c1="rain"):
            name_clusters(page, **names)
            words = shlex.split(downloaded(page, downloads))
            assert words[0] == "audioclust" and Path(words[2]) == folder
            assert not page.find("#run-unknown").is_displayed()
            assert main([*words[1:], "-q"]) == 0
            assert read_edits(folder).names == {int(name[1:]): text for name,text in names.items()}
        page.find("#download").click() # the same again, which the browser may call otherwise
        assert shlex.split(page.find("#take-over").text) == words


@browser
def test_a_page_that_does_not_know_its_run_leaves_it_to_the_user(run, tmp_path, monkeypatch):
    "Where the sounds are inside, the page may lie anywhere, and so may a page that a server sends."
    shutil.copytree(run/"run", tmp_path/"a run"); (tmp_path/"downloads").mkdir()
    monkeypatch.chdir(tmp_path/"downloads")
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sent = listen_page(tmp_path/"a run", tmp_path/"sent.html", embed=True, max_clips=20)
    linked = listen_page(tmp_path/"a run", tmp_path/"linked.html", max_clips=20)
    assert str(tmp_path) not in sent.read_text() + linked.read_text()
    for number,address in enumerate((sent, f"http://127.0.0.1:{server.server_port}/linked.html")):
        page = Page(address, downloads=tmp_path/"downloads")
        try:
            name_clusters(page, c0=f"wren {number}")
            command = downloaded(page, tmp_path/"downloads")
            assert command.startswith("audioclust listen RUN --edits edits-")
            advice = "Replace RUN by the folder of the run, which was called “a run”"
            assert advice in page.find("#run-unknown").text
        finally: page.driver.quit()
        words = [str(tmp_path/"a run") if word == "RUN" else word for word in shlex.split(command)]
        assert main([*words[1:], "-q"]) == 0 and read_edits(tmp_path/"a run").names == {0: f"wren {number}"}
    server.shutdown()


@browser
def test_paths_are_quoted_for_the_shell_of_the_computer(run):
    with Page(run/"run/listen.html") as page:
        for address, expected in [
            ("file:///home/ann/run-1.2_b/", "/home/ann/run-1.2_b"),
            ("file:///home/ann/two%20words/", "'/home/ann/two words'"),
            ("file:///it's/", """'/it'"'"'s'"""),
            ("file:///a%0Ab/", "'/a\nb'"),
            ("file:///", "/"),
            ("file:///caf%C3%A9/", "'/café'"),
            ("file:///caf%E9/", None),
            ("file:///C:/Users/ann/my%20run/", '"C:/Users/ann/my run"'),
            ("file://server/share/run/", '"//server/share/run"'),
            ("http://example.org/run/", None)]:
            assert page.js("return shellPath(arguments[0])", address) == expected, address


def edits(**kinds): return json.dumps({"schema": 1, "edits": {"content": kinds}})


@pytest.mark.parametrize("text, said", [
    ("{", "not JSON"),
    ('{"a": 1}', "no edits"),
    ('{"schema": 1, "edits": {"source": {}}}', "by source"),
    ('{"schema": 1, "edits": {}}', "nothing was named"),
    (edits(names={"77": "x"}), "no cluster 77"),
    (edits(merged={"1": 2, "2": 1}), "circle"),
    (edits(marks={"1": "odd"}), "can be good")])
def test_wrong_edits_change_nothing(run, tmp_path, capsys, text, said):
    (tmp_path/"edits.json").write_text(text)
    before = (run/"run/clusters.csv").read_bytes()
    assert main(["listen", str(run/"run"), "--edits", str(tmp_path/"edits.json")]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert (run/"run/clusters.csv").read_bytes() == before
    assert read_edits(run/"run") == Edits()
