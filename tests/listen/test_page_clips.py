"The clips on the listening page: found, sorted, heard, seen."
import shutil
from dataclasses import replace

import numpy as np
from browser import browser, of_rows, Page

from audioclust.listen import listen_page
from audioclust.runs import Run
from audioclust.runs.run_folder import read_table


@browser
def test_a_search_finds_clips_that_are_not_on_the_page(run):
    table = read_table(run/"run/clusters.csv")
    with Page(listen_page(run/"run", run/"run/few.html", max_clips=12)) as page:
        page.find("#search").send_keys("ONERROR")
        n = table.path.str.contains("onerror").sum()
        shown = page.js("""return data.files.filter(f => f.includes('onerror')).length
            && data.file.filter(i => data.files[i].includes('onerror')).length""")
        page.wait("return document.querySelectorAll('#others li').length > 0")
        assert page.count("#others li") == n - shown > 3
        assert f"{n - shown} clips of the {len(table) - 12} that" in page.find("#others-title").text
        assert page.count("img") == 0
        page.js("document.querySelectorAll('#others button')[1].click()")
        page.wait("return player.currentTime > 0 && !player.error")
        assert page.js("return player.currentTime") >= float(page.js("return player.src.split('#t=')[1].split(',')[0]"))
        page.js("choose({cluster: 2})")
        n = (table.path.str.contains("onerror") & (table.cluster == 2)).sum()
        assert page.js("return document.querySelectorAll('#others li').length + shownRows.length") == n


@browser
def test_an_embedded_page_plays_where_nothing_else_is_and_names_the_clips_that_are_not_in_it(run, tmp_path):
    with Page(listen_page(run/"run", tmp_path/"sent.html", embed=True, max_clips=12)) as page:
        assert page.js("return nClips") == 12
        assert page.js("return data.audio.every(s => s.startsWith('data:audio/mpeg'))")
        page.find("#clips .clip").click()
        page.wait("return player.currentTime > 0")
        page.find("#search").send_keys("onerror")
        # their sounds are not in it
        page.wait("return document.querySelectorAll('#others button:disabled').length > 0")
        page.js("DecompressionStream = undefined; others = unpacking = null; draw()")  # as in browsers of 2022
        page.wait("return $('others-title').textContent.includes('This browser cannot search')")


@browser
def test_filter_search_sort_and_a_part_of_a_recording(run):
    with Page(run/"run/listen.html") as page:
        table = read_table(run/"run/clusters.csv")
        page.find('[data-cluster="2"]').click()
        assert page.js("return shownRows.length") == (table.cluster == 2).sum()
        assert page.js("return document.activeElement.dataset.cluster") == "2"  # the focus stays
        page.find("#all").click()
        page.find("#search").send_keys("onerror")
        n = table.path.str.contains("onerror").sum()
        page.wait(f"return shownRows.length === {n}")
        page.change("sort", "doubt")
        sure = page.js("return shownRows.map(i => data.views[0].confidence[i])")
        assert sure == sorted(sure) and n > 3
        i = page.js("return shownRows.find(i => data.start[i] > 0)")
        page.js(f"document.querySelector('#clips [data-row=\"{i}\"]').click()")
        page.wait(f"return player.currentTime > {table.start[i]}")
        page.wait("return player.paused", 10)
        assert table.start[i] <= page.js("return player.currentTime") <= table.end[i] + .3
        assert page.count("img") == 0  # a name is text


@browser
def test_a_search_stays_and_also_finds_among_what_is_most_like_a_clip(run):
    table = read_table(run/"run/clusters.csv")
    with Page(run/"run/listen.html") as page:
        page.js("play(0); showLike()")
        nearest = page.js("return mostLike(0)")
        assert page.js("return shownRows") == nearest[:61] and nearest[0] == 0
        page.find("#search").send_keys("onerror")
        expected = [row for row in nearest if "onerror" in table.path[row]][:61]
        page.wait(f"return shownRows.length === {len(expected)}")
        assert page.js("return shownRows") == expected and len(expected) > 3
        page.find("#all").click()
        assert page.js("return [$('search').value, likeRow]") == ["onerror", None]
        assert page.js("return shownRows.length") == table.path.str.contains("onerror").sum()
        page.js("choose({cluster: 0})")
        labels = page.js("""return [...document.querySelectorAll('.thumbs .clip')]
            .map(button => [button.lastChild.textContent.split(' at ')[0], button.title.split(' [')[0]])""")
        for end,file in labels: assert file.endswith(end.removeprefix("…")) and len(end) == min(24, len(file))


@browser
def test_what_turns_letters_round_is_written_out_wherever_it_comes_from(run, tmp_path):
    some, odd = Run.open(run/"run"), tmp_path/"in\u202e"/"x\u202egnp.wav"
    odd.parent.mkdir()
    shutil.copy(some.table.path[0], odd)
    few = of_rows(some, np.arange(6), some.embeddings.X[:6], some.clustering.labels[:6])
    paths = [str(odd), *few.clips.table.path[1:]]
    table, errors = few.clips.table.assign(path=paths), [(odd, "no sound")]
    clips = replace(few.clips, table=table, recordings=str(odd.parent), errors=errors)
    with Page(listen_page(replace(few, clips=clips), tmp_path/"page.html")) as page:
        page.js("""const cluster = grouping().labels[0];
            setEdit('names', cluster, 'a\u2067b'); choose({cluster}); saveEdits(); play(0)""")
        page.js("document.querySelectorAll('details').forEach(details => { details.open = true })")
        shown = page.js("""return document.title + document.body.innerText
            + [...document.querySelectorAll('*')].map(el => el.title + el.ariaLabel).join()""")
        assert not {"\u202e", "\u2067"} & set(shown)
        assert "x\\u202egnp.wav: no sound" in shown and "a\\u2067b" in page.find("#clusters").text
        assert "x\\u202egnp.wav" in page.find("#now").text and page.js("return document.title").startswith("in\\u202e")
        text = page.js("return JSON.parse(showEdits()).edits[grouping().by].names[grouping().labels[0]]")
        assert text == "a\u2067b", "what is downloaded says the same"


@browser
def test_a_narrow_screen_shows_what_plays_and_long_names_are_cut(run):
    with Page(run/"run/listen.html") as page:
        page.js("setEdit('names', 0, arguments[0]); saveEdits(); choose({cluster: 0}); play(0)", "W"*50)
        for width in 1280, 400:
            page.resize(width, 800)
            assert page.js("return document.documentElement.scrollWidth <= innerWidth")
            assert page.js("return $('right').scrollWidth <= $('right').clientWidth")
            now = page.js("return $('now').getBoundingClientRect().toJSON()")
            assert now["width"] > 250 and now["height"] > 15 and page.js("return clipName(0)") in page.find("#now").text
            line = page.find('[data-cluster="0"]')
            assert line.size["height"] < 70 and line.get_attribute("title") == "W"*50 + " (0)"


@browser
def test_what_to_hear_next_and_how_many(run):
    "Typical clips of groups without a name first, then doubtful ones in turn; and a sample that is large enough."
    with Page(run/"run/listen.html") as page:
        page.js("$('sort').value = 'next'; $('sort').dispatchEvent(new Event('change'))")
        rows, labels = page.js("return [shownRows, grouping().labels]")
        clusters = page.js("return grouping().clusters")
        typical = {c: about["typical"][0] for c,about in clusters.items()}
        assert sorted(rows) == list(range(len(labels)))
        assert rows[:5] == sorted(typical.values(), key=lambda r: -labels.count(labels[r]))
        assert {labels[r] for r in rows[5:10]} == set(labels), "one doubtful clip of each, then the next"
        page.js("setEdit('names', 2, 'wren'); saveEdits()")
        assert typical["2"] not in page.js("return shownRows.slice(0, 4)")
        for size in 10, 20, 100, 100_000:
            # the chance to miss one kind in ten, of which there are so few that they just count
            from scipy.stats import hypergeom
            others = size//10 + 1
            got = page.js("return enoughToHear(arguments[0])", size)
            with_one_less = hypergeom.pmf(0, size, others, got - 1) if got > 1 else 1
            assert hypergeom.pmf(0, size, others, got) <= .05 < with_one_less, (size, got)
        page.js("choose({cluster: 1})")
        page.find("#sample").click()
        shown = page.js("return shownRows")
        assert len(shown) == page.js("return enoughToHear(rowsOf([1]).length)") and {labels[r] for r in shown} == {1}
        assert "drawn by chance" in page.find("#clips-title").text


@browser
def test_a_large_spectrogram_with_axes_and_a_cursor(run):
    with Page(run/"run/listen.html", "1366,768") as page:
        table = read_table(run/"run/clusters.csv")
        i = int(np.flatnonzero(table.start > 0)[0])
        page.js(f"play({i})")
        page.wait("return !$('scope').hidden && $('scope').getBoundingClientRect().height > 80")
        ticks = page.js("return [...$('scope-seconds').children].map(e => Number(e.textContent))")
        assert ticks[0] == 0 and len(ticks) >= 4 and ticks[-1] <= table.end[i] - table.start[i] + .01
        assert page.js("return [...$('scope-hertz').children].map(e => e.textContent)") == ["0.1", "0.5", "1", "2"]
        page.wait("return player.paused", 10) # it ended
        length = float(table.end[i] - table.start[i])
        assert page.js("return $('time').textContent").endswith(f"{length:.2f} s")
        page.js("player.pause(); $('position').value = .5; $('position').dispatchEvent(new Event('input'))")
        page.wait(f"return Math.abs(player.currentTime - {table.start[i] + .5}) < .02")
        page.wait("return Math.abs(parseFloat($('scope-cursor').style.left) - 50) < 3")
        left, top, width = page.js("""const box = $('scope-picture').getBoundingClientRect();
            return [box.left, box.top, box.width]""")
        page.point(left + .25*width, top + 20, click=True)
        page.wait(f"return player.currentTime >= {table.start[i] + .25*length - .05}")
        short = page.js("return [...Array(nClips).keys()].sort((a, b) => lengthOf(a) - lengthOf(b))[0]")
        page.js(f"play({short})")
        page.wait(f"return Math.abs(secondsShown({short}) - lengthOf({short})) < .01") # on its own axis
        # as on a page of more clips than pictures
        page.js("data.large.rows.forEach(row => largeAt.delete(row)); showScope(0)")
        assert "thumbnail" in page.js("return $('scope-note').textContent")
        columns = "left", "clusters-column", "clips-column"
        at = [page.js("return $(arguments[0]).getBoundingClientRect().left", name) for name in columns]
        assert at == sorted(at) and len(set(at)) == 3 # side by side on a small laptop


@browser
def test_a_script_that_is_not_the_pages_own_does_not_run(run, tmp_path):
    html = (run/"run/listen.html").read_text()
    foreign = ('<script>document.title = "taken"</script><img src="x" onerror="document.title = 1">'
               '<img src="https://example.org/x.png">')
    (tmp_path/"listen.html").write_text(html.replace("</body>", foreign + "</body>"))
    page = Page(tmp_path/"listen.html")
    try:
        assert page.js("return document.title").endswith("audioclust")
        said = [e["message"] for e in page.driver.get_log("browser")]
        assert sum("Content Security Policy" in m for m in said) >= 3
    finally: page.driver.quit()
