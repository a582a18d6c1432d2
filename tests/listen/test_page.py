"The listening page: what is in it, what a person can do with it in a browser, and what becomes of names."
import http.server, json, shlex, shutil, threading, time, warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.cli import main
from audioclust.ensembles.hierarchy import coarse_groups, tree_data
from audioclust.audio import synthetic_sounds
from audioclust.kmeans import KMeans
from audioclust.listen.clip_audio import as_mp3
from audioclust.listen.pictures import clip_thumbnails
from audioclust.listen import listen_page
from audioclust.runs.names import read_names, write_names
from audioclust.pipeline import AudioClusterer, Options
from audioclust.pipeline.run_folder import load_run, save_run
from audioclust.runs.run_folder import read_table
from audioclust.ensembles.cluster_ids import align_cluster_ids
from audioclust.ensembles.resampling import Stability

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"), shutil.which("chromedriver")
browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    at = tmp_path_factory.mktemp("listen")
    synthetic_sounds(5, 12, sample_rate=8000).save(at/"sounds")
    x, rate = np.concatenate([sf.read(p)[0] for p in sorted((at/"sounds").rglob("*.wav"))[:8]]), 8000
    (at/"sounds/long").mkdir()
    sf.write(at/"sounds/long/<img src=x onerror=alert(1)>.wav", x, rate)
    sf.write(at/"sounds/long/apple.aiff", x[:rate], rate)
    model = AudioClusterer(n_clusters=5, window=1.).fit(at/"sounds")
    model.save(at/"run")
    listen_page(at/"run")
    return at


class Page:
    "A page in headless Chromium."
    def __init__(self, file, size="1300,900", *arguments, downloads=None):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for a in ("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                  "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required", f"--window-size={size}", *arguments): options.add_argument(a)
        if downloads: options.add_experimental_option("prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.driver.get(file if str(file).startswith("http:") else Path(file).resolve().as_uri())
        self.wait("return places.length > 0")
    def js(self, code, *args): return self.driver.execute_script(code, *args)
    def wait(self, code, seconds=20):
        end = time.time() + seconds
        while not (got := self.js(code)):
            assert time.time() < end, code
            time.sleep(.1)
        return got
    def find(self, css): return self.driver.find_element("css selector", css)
    def close(self):
        "Leave; nothing may have been fetched from outside, and nothing may have failed."
        asked = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
        said = [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]
        self.driver.quit()
        assert not said and all(u.startswith(("file:", "data:", "blob:")) for u in urls), (said, urls)


@browser
def test_the_map_is_drawn_and_a_click_plays(run):
    page = Page(run/"run/listen.html")
    try:
        assert page.js("return nClips") == len(read_table(run/"run/clusters.csv")) == page.js("return places.length/2")
        assert page.js("return document.querySelectorAll('#map canvas').length > 0")
        x, y = page.js("const box = points.getBoundingClientRect(), [left, top] = placeOf(3); return [box.left + left, box.top + top]")
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        move = ActionBuilder(page.driver)
        move.pointer_action.move_to_location(int(x), int(y)).pause(.3)
        move.perform()
        assert page.wait("return !document.getElementById('tip').hidden && document.getElementById('tip').textContent")
        move = ActionBuilder(page.driver)
        move.pointer_action.move_to_location(int(x), int(y)).click()
        move.perform()
        page.wait("return playing >= 0 && player.currentTime > 0")
        before = page.js("return playing")
        ActionChains(page.driver).send_keys(" ").perform()
        page.wait("return player.paused")
        ActionChains(page.driver).send_keys("\ue014").perform()  # the arrow to the right
        page.wait(f"return playing !== {before}")
        page.wait("return player.currentTime > 0")
    finally: page.close()


@browser
@pytest.mark.parametrize("webgl", (True, False))
def test_points_have_their_colours_with_webgl_and_without(run, webgl):
    page = Page(run/"run/listen.html", "1300,900", *(() if webgl else ("--disable-3d-apis",)))
    try:
        assert page.js("return points.getContext('webgl') !== null") == webgl
        drawn = page.js("""
            const copy = element('canvas', {width: points.width, height: points.height}), context = copy.getContext('2d');
            paint.draw({...camera, scale: camera.scale*pixelSize()}, markerSize(), nClips);
            context.drawImage(points, 0, 0);
            const last = Array.from({length: nClips}, (_, row) => row).filter(row => grouping().labels[row] < 6).slice(-5); // nothing lies over these
            return last.map(row => {
              const [left, top] = placeOf(row).map(at => Math.round(at*pixelSize()));
              return [[...context.getImageData(left, top, 1, 1).data], [...looks.slice(8*row, 8*row + 3)]];
            })""")
        assert sum(np.abs(np.array(pixel[:3]) - colour).max() < 12 and pixel[3] > 150 for pixel, colour in drawn) >= 4
        for theme in "light", "dark": # a name is dark on light, or light on dark
            ground, text = page.js("""
                drawOverlay();
                const [cluster] = mapTexts()[0], [left, top] = onMap(...grouping().clusters[cluster].at).map(at => Math.round(at*pixelSize()));
                const box = [...overlay.getContext('2d').getImageData(left - 5, top - 9, 10, 18).data];
                return [box.slice(0, 3), box.filter((_, i) => i % 4 === 0).reduce((a, b) => Math.abs(a - box[0]) > Math.abs(b - box[0]) ? a : b)]""")
            assert (min(ground) > 200) == (theme == "light") and abs(ground[0] - text) > 120, (theme, ground, text)
            page.find("#theme").click()
    finally: page.close()


@browser
def test_the_map_zooms_pans_and_selects(run):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    page = Page(run/"run/listen.html")
    try:
        def drag(*way): # pixels from the corner of the map
            box, chain = page.js("const box = points.getBoundingClientRect(); return [box.left, box.top]"), ActionChains(page.driver, duration=20)
            pointer = chain.w3c_actions.pointer_action
            pointer.move_to_location(int(box[0] + way[0][0]), int(box[1] + way[0][1])).pointer_down()
            for x, y in way[1:]: pointer.move_to_location(int(box[0] + x), int(box[1] + y))
            pointer.pointer_up()
            chain.perform()
        before, scale = page.js("return placeOf(7)"), page.js("return camera.scale")
        drag((20, 300), (60, 330))
        assert np.allclose(np.subtract(page.js("return placeOf(7)"), before), [40, 30], atol=1) and page.js("return playing") == -1
        at = page.js("return placeOf(7)")
        ActionChains(page.driver).scroll_from_origin(ScrollOrigin.from_element(page.find("#points")), 0, -300).perform()
        assert page.js("return camera.scale") > 1.5*scale
        page.find("#zoom-out").click(); page.find("#zoom-in").click(); page.find("#whole-map").click()
        assert page.js("return camera.scale") == pytest.approx(scale) and at != before
        page.js("play(0)") # the spectrogram takes room from the map, which is drawn smaller
        page.wait("const all = Array.from({length: nClips}, (_, row) => placeOf(row)); return all.every(([x, y]) => x > 0 && y > 0 && x < map.clientWidth && y < map.clientHeight)")
        width, height = page.js("return [map.clientWidth, map.clientHeight]")
        page.find("[data-tool=box]").click()
        drag((1, 30), (width/2, height/2), (width/2, height - 2))
        left_half = page.js("return shownRows.filter(row => { const [x, y] = placeOf(row); return x > 1 && x < innerWidth && x < map.clientWidth/2 && y > 30 && y < map.clientHeight - 2 })")
        assert set(left_half) == set(page.js("return [...selected]")) and 0 < len(left_half) < page.js("return nClips")
        page.find("#select-none").click()
        page.find("[data-tool=lasso]").click()
        x, y = page.js("return placeOf(7)")
        drag((x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9))
        assert 7 in page.js("return [...selected]") and page.js("return selected.size") < len(left_half)
        page.find("[data-tool=pan]").click()
        assert page.find("[data-tool=pan]").get_attribute("aria-pressed") == "true"
        page.js("selected.clear()")
    finally: page.close()


@browser
def test_a_search_finds_clips_that_are_not_on_the_page(run, tmp_path):
    listen_page(run/"run", run/"run/few.html", max_clips=12)
    table, page = read_table(run/"run/clusters.csv"), Page(run/"run/few.html")
    try:
        page.find("#search").send_keys("ONERROR")
        n, shown = table.path.str.contains("onerror").sum(), page.js("return data.files.filter(f => f.includes('onerror')).length && data.file.filter(i => data.files[i].includes('onerror')).length")
        page.wait("return document.querySelectorAll('#others li').length > 0")
        assert page.js("return document.querySelectorAll('#others li').length") == n - shown > 3
        assert f"{n - shown} clips of the {len(table) - 12} that" in page.find("#others-title").text and page.js("return document.querySelectorAll('img').length") == 0
        page.js("document.querySelectorAll('#others button')[1].click()")
        page.wait("return player.currentTime > 0 && !player.error")
        assert page.js("return player.currentTime") >= float(page.js("return player.src.split('#t=')[1].split(',')[0]"))
        page.js("choose({cluster: 2})")
        assert page.js("return document.querySelectorAll('#others li').length") == (table.path.str.contains("onerror") & (table.cluster == 2)).sum() - page.js("return shownRows.length")
    finally: page.close()
    listen_page(run/"run", tmp_path/"sent.html", max_clips=12, embed=True)
    page = Page(tmp_path/"sent.html")
    try:
        page.find("#search").send_keys("onerror")
        page.wait("return document.querySelectorAll('#others button:disabled').length > 0")  # their sounds are not in it
        page.js("DecompressionStream = undefined; others = unpacking = null; draw()")  # as in browsers of 2022
        page.wait("return $('others-title').textContent.includes('This browser cannot search')")
    finally: page.close()


@browser
def test_filter_search_sort_and_a_part_of_a_recording(run):
    page = Page(run/"run/listen.html")
    try:
        table = read_table(run/"run/clusters.csv")
        page.find('[data-cluster="2"]').click()
        assert page.js("return shownRows.length") == (table.cluster == 2).sum()
        assert page.js("return document.activeElement.dataset.cluster") == "2"  # the focus stays
        page.find("#all").click()
        page.find("#search").send_keys("onerror")
        n = table.path.str.contains("onerror").sum()
        page.wait(f"return shownRows.length === {n}")
        page.js("document.getElementById('sort').value = 'doubt'; document.getElementById('sort').dispatchEvent(new Event('change'))")
        sure = page.js("return shownRows.map(i => data.views[0].confidence[i])")
        assert sure == sorted(sure) and n > 3
        i = page.js("return shownRows.find(i => data.start[i] > 0)")
        page.js(f"document.querySelector('#clips [data-row=\"{i}\"]').click()")
        page.wait(f"return player.currentTime > {table.start[i]}")
        page.wait("return player.paused", 10)
        assert table.start[i] <= page.js("return player.currentTime") <= table.end[i] + .3
        assert page.js("return document.querySelectorAll('img').length") == 0  # a name is text
    finally: page.close()


@browser
def test_names_merges_and_marks_go_the_whole_way(run, tmp_path, capsys):
    shutil.copytree(run/"run", run/"named")
    page = Page(run/"named/listen.html")
    try:
        page.js("localStorage.clear()")
        page.find('[data-cluster="1"]').click()
        page.find("#name").send_keys("wren & <b>co</b>\n")
        page.js("document.getElementById('mark').value = 'good'; document.getElementById('mark').dispatchEvent(new Event('change'))")
        page.find('[data-cluster="3"]').click()
        page.js("document.getElementById('merge').value = '1'; document.getElementById('merge').dispatchEvent(new Event('change'))")
        assert page.js("return shownRows.length") == read_table(run/"named/clusters.csv").cluster.isin([1, 3]).sum()
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
        page.js("location.reload()"); page.wait("return typeof shownRows !== 'undefined'")
        assert "wren & <b>co</b>" in page.find("#clusters").text  # kept in the browser
        assert page.js("return document.querySelectorAll('#clusters b').length") == 0
        page.js("localStorage.clear()")
    finally: page.close()
    assert main(["listen", str(run/"named"), "--edits", str(tmp_path/"edits.json")]) == 0
    t = read_table(run/"named/clusters.csv")
    assert set(t.name[t.cluster.isin([1, 3])]) == {"wren & <b>co</b>"} and set(t.mark[t.cluster == 3]) == {"good"} and set(t.name[t.cluster == 0]) == {"cluster 0"}
    assert AudioClusterer.load(run/"named").labels_.tolist() == t.cluster.tolist()


@browser
def test_a_narrow_window_and_the_dark(run):
    page = Page(run/"run/listen.html", "500,900")
    try:
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
        assert all(page.js("return [...document.querySelectorAll('button, input, select')].filter(e => e.offsetParent).map(e => e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length || e.placeholder)"))
        was = page.js("return getComputedStyle(document.body).backgroundColor")
        page.find("#theme").click()
        assert page.js("return getComputedStyle(document.body).backgroundColor") != was
    finally: page.close()


@browser
def test_an_embedded_page_plays_where_nothing_else_is(run, tmp_path):
    listen_page(run/"run", tmp_path/"sent.html", embed=True, max_clips=20)
    page = Page(tmp_path/"sent.html")
    try:
        assert page.js("return nClips") == 20 and page.js("return data.audio.every(s => s.startsWith('data:audio/mpeg'))")
        page.find("#clips .clip").click()
        page.wait("return player.currentTime > 0")
    finally: page.close()


@pytest.fixture(scope="module")
def many(run):
    "A run of 18 clusters and some noise."
    grouping = load_run(run/"run")
    labels = KMeans(18, random_state=0).fit(grouping.embeddings).labels_
    labels[:3] = -1
    grouping = replace(grouping, labels=labels, stability=None)
    save_run(grouping, run/"many", figures=False)
    listen_page(run/"many")
    return run/"many", grouping


def parts(of): return {frozenset(c for c in of if of[c] == g) for g in of.values()}


LOOKS = "return Array.from({length: nClips}, (_, row) => [0, 1, 2, 4].map(i => looks[8*row + i]).join())"  # colour and shape of each point


def slide(page, n):
    page.js("const s = document.getElementById('groups'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", n)
    time.sleep(.3)


@browser
def test_the_page_cuts_the_tree_as_python_does(many):
    page = Page(many[0]/"listen.html")
    try:
        X = np.array([[0.], [0], [1], [1], [1], [5], [9], [9]])  # joins of equal height
        for tree, X, labels in ((None, many[1].embeddings, many[1].labels), (tree_data(X, np.arange(8)), X, np.arange(8))):
            for n in (1, 2, 3, 4, 5, 7, 12, 17, 18, 40):
                got = {int(c): g for c,g in page.js("return [...cutTree(arguments[0] || data.views[0].tree, arguments[1])]", tree, n)}
                assert got == coarse_groups(X, labels, n) and (tree or len(parts(got)) == min(n, 18))
    finally: page.close()


@browser
def test_coarse_groups_open_filter_and_colour(many):
    page, labels = Page(many[0]/"listen.html"), many[1].labels
    try:
        assert page.js("return document.querySelectorAll('tr.group').length") == 0 and page.find("#groups-bar").is_displayed()
        slider = page.find("#groups")
        assert slider.accessible_name == "Groups: all 18 clusters"
        slider.send_keys("\ue011"); slider.send_keys("\ue014\ue014\ue014")  # Home, then the arrow to the right: 5
        page.wait("return document.querySelectorAll('tr.group').length === 5")
        assert slider.accessible_name == "Groups: 5 of 18 clusters" and slider.get_attribute("aria-valuetext") == "5 of 18 clusters"
        of = coarse_groups(many[1].embeddings, labels, 5)
        rows = page.js("return [...document.querySelectorAll('#clusters tbody tr')].map(r => r.textContent)")
        for g in range(5): assert f"group {g}{sum(o == g for o in of.values())} cluster" in rows[g] and f", {sum(of.get(l) == g for l in labels)} clip" in rows[g]
        assert len(rows) == 6 and "noise" in rows[5]  # apart, in no group
        colours = page.js(LOOKS)
        assert {c: len({colours[i] for i in np.flatnonzero([of.get(l) == c for l in labels])}) for c in range(5)} == dict.fromkeys(range(5), 1) and len(set(colours)) == 6
        page.find("#by-group").click()
        assert len(set(page.js(LOOKS))) == 19
        page.find("#by-group").click()

        heads = page.js("return [...document.querySelectorAll('[data-group]')].map(b => Number(b.dataset.group))")
        for g, c in enumerate(heads):  # in the order of the tree; a click filters, the focus stays
            page.js(f"document.querySelector('[data-group=\"{c}\"]').scrollIntoView({{block: 'center'}})")
            page.find(f'[data-group="{c}"]').click()
            assert sorted(page.js("return shownRows")) == np.flatnonzero([of.get(l) == g for l in labels]).tolist()
            assert page.js("return document.activeElement.dataset.group") == str(c) and page.js("return document.activeElement.getAttribute('aria-pressed')") == "true"
            faint = page.js("return Array.from({length: nClips}, (_, row) => isFaint(row))")
            assert faint == [of.get(l) != g for l in labels]
            assert page.js("return document.querySelectorAll('#selection .clip').length") == sum(o == g for o in of.values())
        page.find("#all").click()
        assert page.js("return shownRows.length") == len(labels)

        fold = page.find(f'[data-fold="{heads[2]}"]')
        assert fold.accessible_name == "Clusters of group 2" and fold.get_attribute("aria-expanded") == "false"
        fold.send_keys(" ")
        assert page.js("return [...document.querySelectorAll('tr.inside [data-cluster]')].map(b => Number(b.dataset.cluster))") == sorted(c for c,g in of.items() if g == 2)
        assert page.js("return document.activeElement.getAttribute('aria-expanded')") == "true"
        inside = page.find("tr.inside [data-cluster]")
        c = int(inside.get_attribute("data-cluster"))
        inside.click()
        assert page.js("return shownRows.length") == (labels == c).sum()
        page.js("const s = document.getElementById('sort-clusters'); s.value = 'size'; s.dispatchEvent(new Event('change'))")
        sizes = [sum(of.get(l) == g for l in labels) for g in page.js("return [...document.querySelectorAll('[data-group]')].map(b => groups.get(Number(b.dataset.group)))")]
        assert sizes == sorted(sizes, reverse=True)
        page.find("tr.group .clip").click()
        page.wait("return player.currentTime > 0")
        assert "group" in page.find("#now").text
        page.js("document.getElementById('all').click()")
        page.find("[data-group]").click()
        g = page.js("return groupOf(chosenGroup)")
        page.find("#search").send_keys("voice1")  # a search within the group
        found = np.flatnonzero([of.get(l) == g and "voice1" in str(p) for l,p in zip(labels, many[1].clips.path)])
        page.wait(f"return shownRows.length === {len(found)}")
        assert sorted(page.js("return shownRows")) == found.tolist() and 0 < len(found) < sum(of.get(l) == g for l in labels)
        slide(page, 18)
        assert page.js("return document.querySelectorAll('tr.group').length") == 0 and page.js("return document.querySelectorAll('#clusters tbody tr').length") == 19
    finally: page.close()


@browser
def test_a_chosen_group_grows_and_names_and_merges_go_on(many):
    page, labels = Page(many[0]/"listen.html", "500,900"), many[1].labels
    try:
        page.js("localStorage.clear()")
        slide(page, 6)
        six = coarse_groups(many[1].embeddings, labels, 6)
        at = next(int(b) for b in page.js("return [...document.querySelectorAll('[data-group]')].map(b => b.dataset.group)"))
        page.js(f"document.querySelector('[data-group=\"{at}\"]').click()")
        for n in (3, 10, 2):  # what is chosen is the group around it
            slide(page, n)
            of = coarse_groups(many[1].embeddings, labels, n)
            assert sorted(page.js("return shownRows")) == np.flatnonzero([of.get(l) == of[at] for l in labels]).tolist()
        slide(page, 6)
        page.js("document.getElementById('all').click(); document.querySelectorAll('.fold').forEach(b => document.querySelector(`[data-fold=\"${b.dataset.fold}\"]`).click())")
        assert page.js("return document.querySelectorAll('tr.inside').length") == 18
        a = 0
        b = next(c for c in six if six[c] != six[a])
        page.js(f"document.querySelector('[data-cluster=\"{a}\"]').click()")
        page.js("const i = document.getElementById('name'); i.value = '<img src=x onerror=alert(1)>'; i.dispatchEvent(new Event('change'))")
        page.js("document.querySelector('#all').click()")
        assert "<img src=x onerror=alert(1)>" in page.js("return [...document.querySelectorAll('tr.group small')].map(s => s.textContent).join()") and page.js("return document.querySelectorAll('img').length") == 0
        page.js(f"document.querySelector('[data-cluster=\"{b}\"]').click(); const m = document.getElementById('merge'); m.value = '{a}'; m.dispatchEvent(new Event('change'))")
        assert page.js(f"return [groupOf({a}), groupOf({b})]") == [six[a], six[a]]  # a merge goes before the tree
        assert sorted(page.js("return shownRows")) == np.flatnonzero(np.isin(labels, [a, b])).tolist()
        page.js("localStorage.clear()")
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    finally: page.close()


@browser
def test_colours_and_markers_differ(many):
    page = Page(many[0]/"listen.html")
    try:
        pairs = page.js("return Array.from({length: 88}, (_, c) => [colour(c), shape(c)[0], shape(c)[1]])")
        assert len({(c, s) for c,s,_ in pairs}) == len({(c, g) for c,_,g in pairs}) == 88
        assert all(len({s for _,s,_ in pairs[i:i+11]}) == 11 for i in range(78))  # without colours
    finally: page.close()


def test_the_tree_is_that_of_all_clips_and_of_the_clusters_shown(many, tmp_path):
    def data(**kw): return json.loads(listen_page(many[0], tmp_path/"p.html", **kw).read_text(encoding="utf-8").split('<script id="data" type="application/json">')[1].split("</script>")[0])["views"][0]
    grouping = many[1]
    tree = tree_data(grouping.embeddings, grouping.labels)
    assert data()["tree"] == data(max_clips=40)["tree"] == tree and tree["leaves"] == list(range(18))
    few = data(max_clips=5)
    assert few["tree"]["leaves"] == sorted(int(c) for c in few["clusters"] if int(c) >= 0) and len(few["tree"]["leaves"]) < 18
    assert tree_data(grouping.embeddings, np.full(len(grouping.labels), -1)) is None


@browser
def test_twenty_thousand_clips_open(run, tmp_path, monkeypatch):
    from audioclust.listen import page as page_module
    def black(clips, num_workers): return np.zeros((len(clips), page_module.HEIGHT, page_module.WIDTH), np.uint8), .5
    monkeypatch.setattr(page_module, "clip_thumbnails", black)  # to decode so many takes half a minute
    few, n = load_run(run/"run"), 20_000
    rows = np.random.default_rng(0).integers(len(few.labels), size=n)
    grouping = replace(few, clips=few.clips.iloc[rows].reset_index(drop=True), confidence=few.confidence[rows], representative=np.zeros(n, bool), stability=None,
                       embeddings=few.embeddings[rows] + np.random.default_rng(1).normal(0, .05, (n, few.embeddings.shape[1])).astype(np.float32),
                       labels=few.labels[rows]*40 + np.random.default_rng(2).integers(40, size=n))  # 200
    save_run(grouping, tmp_path/"run", figures=False)
    np.save(tmp_path/"run/map.npy", grouping.embeddings[:, :2])
    page = Page(listen_page(tmp_path/"run"))
    try:
        assert page.js("return places.length/2") == n
        page.find('[data-cluster="0"]').click()
        assert page.js("return shownRows.length") == (grouping.labels == 0).sum()
        page.find("#all").click()
        assert page.js("wantedGroups[0] = 20; const t = performance.now(); draw(); return performance.now() - t") < 5000
        assert page.js("return document.querySelectorAll('tr.group').length") == 20
        assert len(set(page.js(LOOKS))) == 20
    finally: page.close()


def test_formats_that_browsers_do_not_play_get_a_copy(run):
    text = (run/"run/listen.html").read_text(encoding="utf-8")
    data = json.loads(text.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    i = next(i for i,f in enumerate(data["file"]) if data["files"][f].endswith("apple.aiff"))
    assert data["audio"][i].endswith(".mp3#copy") and (run/"run"/data["audio"][i].removesuffix("#copy")).is_file()
    assert "<img" not in text


def test_thumbnails_and_sounds(tmp_path):
    sf.write(tmp_path/"low.wav", .5*np.sin(2*np.pi*300*np.arange(8000)/8000), 8000)
    sf.write(tmp_path/"bat.wav", .5*np.sin(2*np.pi*300*np.arange(96000)/192000), 192000)
    (tmp_path/"bad.wav").write_bytes(b"x")
    table = pd.DataFrame(dict(path=[tmp_path/"low.wav", tmp_path/"bad.wav"], start=0., end=1.))
    thumbnails, seconds = clip_thumbnails(table, 8000)
    assert seconds == 1 and thumbnails[0].max() == 255 and thumbnails[0].mean(1).argmax() > 25 and not thumbnails[1].any()  # low is at the bottom
    for name in ("low", "bat"):
        (tmp_path/"x.mp3").write_bytes(as_mp3(tmp_path/f"{name}.wav", .1, .4))
        x, rate = sf.read(tmp_path/"x.mp3")
        assert abs(len(x)/rate - .3) < .1 and rate == dict(low=8000, bat=48000)[name]


def test_cluster_numbers_and_names_last(tmp_path, capsys):
    synthetic_sounds(5, 30, pitch=.3).save(tmp_path/"in")
    args = ["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "5", "-q", "--no-page"]
    assert main(args) == 0
    before = read_table(tmp_path/"run/clusters.csv")
    write_names(tmp_path/"run", {"names": {"3": "wren"}, "merged": {"4": 3}})
    assert main([*args, "--seed", "7", "--overwrite"]) == 0
    after = read_table(tmp_path/"run/clusters.csv")
    assert (before.cluster == after.cluster).mean() > .8 and set(after.name[after.cluster.isin([3, 4])]) == {"wren"}
    capsys.readouterr()
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"other"), "--n-clusters", "5", "-q", "--no-page", "--seed", "9", "--like", str(tmp_path/"run")]) == 0
    other = read_table(tmp_path/"other/clusters.csv")
    assert (other.cluster == after.cluster).mean() > .8 and "wren" in set(other.name)
    assert main(["assign", str(tmp_path/"other"), str(tmp_path/"in"), "--out", str(tmp_path/"new.csv"), "-q"]) == 0
    new = read_table(tmp_path/"new.csv")
    assert new.cluster.tolist() == other.cluster.tolist() and new.name.tolist() == other.name.tolist() and "wren" in capsys.readouterr().out
    assert main(["assign", str(tmp_path/"other"), str(tmp_path/"in"), "--out", str(tmp_path/"new.csv")]) == 2 and "already" in capsys.readouterr().err
    assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "1", "-q", "--no-page", "--overwrite"]) == 0
    assert "wren" in capsys.readouterr().err and "wren" in (tmp_path/"run/names.json").read_text()  # lost, and kept


@pytest.mark.parametrize("edits,said", [("{", "not JSON"), ('{"a": 1}', "no edits"), ('{"schema": 1, "edits": {"source": {}}}', "by source"), ('{"schema": 1, "edits": {"content": {"names": {"77": "x"}}}}', "no cluster 77"),
    ('{"schema": 1, "edits": {"content": {"merged": {"1": 2, "2": 1}}}}', "circle"), ('{"schema": 1, "edits": {"content": {"marks": {"1": "odd"}}}}', "can be good"), ('{"schema": 1, "edits": {}}', "nothing was named")])
def test_wrong_edits_change_nothing(run, tmp_path, capsys, edits, said):
    (tmp_path/"edits.json").write_text(edits)
    before = (run/"run/clusters.csv").read_bytes()
    assert main(["listen", str(run/"run"), "--edits", str(tmp_path/"edits.json")]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert (run/"run/clusters.csv").read_bytes() == before and read_names(run/"run") == dict(names={}, merged={}, marks={}, notes={}, clips={})


def test_successors_are_one_to_one(rng):
    a = rng.integers(0, 6, 300)
    shuffled = rng.permutation(6)[a]
    pairs = align_cluster_ids(a, shuffled)
    assert [pairs[c] for c in shuffled] == a.tolist()
    b = rng.integers(0, 9, 300)
    pairs = align_cluster_ids(a, b, range(9))
    assert len(set(pairs.values())) == 9


@browser
def test_both_ways_on_one_page(words, tmp_path, capsys):
    folder, _ = words
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--by", "both", "--n-clusters", "6,4", "-q"]
    assert main(args) == 0
    assert "in common" in capsys.readouterr().out
    assert main(args) == 2 and "already" in capsys.readouterr().err
    assert main([*args, "--overwrite"]) == 0
    assert main(["assign", str(tmp_path/"run"), str(folder), "--out", str(tmp_path/"a.csv")]) == 2 and "say" in capsys.readouterr().err  # which of the two
    t = read_table(tmp_path/"run/both.csv")
    assert t.content.nunique() == 6 and t.source.nunique() == 4
    page = Page(tmp_path/"run/listen.html")
    try:
        assert page.js("return document.querySelectorAll('#clusters tbody tr').length") == 6
        page.js("document.getElementById('view').value = '1'; document.getElementById('view').dispatchEvent(new Event('change'))")
        assert page.js("return document.querySelectorAll('#clusters tbody tr').length") == 4
        assert page.js("return places[10]") == pytest.approx(page.js("return data.views[1].x[5]"), abs=.01)
        slide(page, 2)
        assert page.js("return document.querySelectorAll('tr.group').length") == 2 and page.find("#groups").get_attribute("max") == "4"
        page.js("document.getElementById('view').value = '0'; document.getElementById('view').dispatchEvent(new Event('change'))")
        assert page.js("return document.querySelectorAll('tr.group').length") == 0 and page.find("#groups").get_attribute("max") == "6"  # a tree each
        slide(page, 3)
        table = read_table(tmp_path/"run/content/clusters.csv")
        assert {int(c): g for c,g in page.js("return [...groups]")} == coarse_groups(np.load(tmp_path/"run/content/embeddings.npy"), table.cluster, 3)
        page.js("document.querySelector('[data-group]').click()")
        assert page.js("return shownRows.length < nClips")
        page.js("document.getElementById('view').value = '1'; document.getElementById('view').dispatchEvent(new Event('change'))")
        assert page.js("return document.querySelectorAll('tr.group').length") == 2 and page.js("return shownRows.length === nClips")  # what was chosen is of the other
        slide(page, 4)
        cells = page.js("return [...document.querySelectorAll('#cross tbody tr')].map(r => [...r.querySelectorAll('td')].map(c => Number(c.textContent) || 0))")
        assert (np.array(cells) == pd.crosstab(t.content, t.source).to_numpy()).all()
        page.find('[data-cluster="1"]').click()
        page.find("#name").send_keys("Ann\n")
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
        page.js("localStorage.clear()")
    finally: page.close()
    assert main(["listen", str(tmp_path/"run"), "--edits", str(tmp_path/"edits.json")]) == 0
    source = read_table(tmp_path/"run/source/clusters.csv")
    assert set(source.name[source.cluster == 1]) == {"Ann"} and "name" not in read_table(tmp_path/"run/content/clusters.csv")


@browser
def test_levels_open_clusters_into_their_parts(words, tmp_path):
    model = AudioClusterer(n_clusters="auto", encoder="fixed", options=Options(level="coarse")).fit(words[0])
    levels = {level.name: level for level in model.levels_}
    assert list(levels) == ["middle", "fine"]
    model.save(tmp_path/"run")
    page = Page(listen_page(tmp_path/"run"))
    try:
        table = read_table(tmp_path/"run/clusters.csv")
        texts = page.js("return [...document.querySelectorAll('#levels-bar button')].map(b => b.textContent)")
        n = {c: table[c].nunique() for c in ("cluster", "cluster_middle", "cluster_fine")}
        assert texts == [f"clusters: {n['cluster']}", f"middle: {n['cluster_middle']}, fine: {n['cluster_fine']}"]
        page.find("[data-parts='-1:0']").click()  # one cluster is opened
        parts = page.js("return [...document.querySelectorAll('[data-part]')].map(b => b.dataset.part)")
        assert {p for p in parts if p.startswith("0:")} in ({f"0:{part}" for part in table[table.cluster == 0].cluster_middle.unique()}, set())
        page.find("#levels-bar button:last-child").click()  # all are opened
        assert page.js("return document.querySelector('#levels-bar button:last-child').getAttribute('aria-pressed')") == "true"
        parts = page.js("return [...document.querySelectorAll('[data-part]')].map(b => b.dataset.part)")
        fine = next(p for p in parts if p.startswith("1:"))
        page.find(f"[data-part='{fine}']").click()
        rows = page.js("return shownRows")
        part = int(fine[2:])
        assert len(rows) == (table.cluster_fine == part).sum() and (table.cluster_fine[rows] == part).all()
        assert f"fine {part}, a part of cluster" in page.find("#selection").text
        assert page.js("return document.activeElement.dataset.part") == fine  # the focus stays
        page.find("#levels-bar button").click()
        assert page.js("return document.querySelectorAll('[data-part]').length") == 0 and page.js("return shownRows.length") == len(table)
    finally: page.close()
    page = Page(tmp_path/"run/listen.html", "420,800")
    try: assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    finally: page.close()


@browser
def test_a_coarser_level_is_a_cut_of_the_tree(words, tmp_path):
    grouping = AudioClusterer(n_clusters="auto", encoder="fixed", options=Options(level="fine")).fit(words[0]).grouping_
    renumbered = tuple(replace(level, labels=7 - level.labels) for level in grouping.levels)  # as an earlier run may have numbered them
    save_run(replace(grouping, levels=renumbered), tmp_path/"run")
    page = Page(listen_page(tmp_path/"run"))
    try:
        for number,name in enumerate(("coarse", "middle")):
            page.js(f"document.querySelectorAll('#levels-bar button')[{number}].click()")
            cut = page.js("return data.views[0].labels.map(c => groupOf(c))")
            assert cut == read_table(tmp_path/"run/clusters.csv")[f"cluster_{name}"].tolist()
    finally: page.close()


@browser
def test_a_cluster_shows_the_hours_of_its_clips(tmp_path, tone):
    for hour,hz in ((5, 300), (5, 310), (6, 305), (20, 2000), (21, 2100), (21, 1900)): tone(tmp_path/f"in/{hz}_20260512_{hour:02d}0000.wav", hz=hz)
    AudioClusterer(n_clusters=2, by="source", encoder="fixed", options=Options(stability=0)).fit(tmp_path/"in").save(tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    page = Page(listen_page(tmp_path/"run"))
    try:
        for c in (0, 1):
            page.js(f"choose({{cluster: {c}}})")
            expected = pd.to_datetime(table["time"][table.cluster == c]).dt.hour.value_counts().reindex(range(24), fill_value=0)
            shown = page.js("return [...document.querySelectorAll('.hours span')].map(bar => Number(bar.title.match(/: (\\d+) clip/)[1]))")
            assert shown == expected.tolist()
            assert f"most, {expected.max()}, from {expected.idxmax()}:00" in page.find(".hours").get_attribute("aria-label")
    finally: page.close()


@browser
def test_clips_are_moved_split_and_taken_back(words, tmp_path):
    "Everything by mouse and keyboard, and what Python makes of it."
    sounds, run, name = words[0], tmp_path/"run", "edits.json"
    main(["cluster", str(sounds), "--out", str(run), "--n-clusters", "auto", "-q"])
    page = Page(run/"listen.html")
    def click(selector, *keys):
        from selenium.webdriver import ActionChains
        chain = ActionChains(page.driver)
        for key in keys: chain.key_down(key)
        chain.click(page.find(selector))
        for key in keys: chain.key_up(key)
        chain.perform()
    def press(key, *held):
        from selenium.webdriver import ActionChains
        chain = ActionChains(page.driver)
        for k in held: chain.key_down(k)
        chain.send_keys(key)
        for k in held: chain.key_up(k)
        chain.perform()
    def labels(): return page.js("return grouping().labels")
    def choose(box, value): page.js("const box = $(arguments[0]); box.value = arguments[1]; box.dispatchEvent(new Event('change'))", box, value)
    from selenium.webdriver.common.keys import Keys
    try:
        page.js("localStorage.clear(); location.reload()"); page.wait("return typeof shownRows !== 'undefined' && places.length > 0")
        found = labels()
        assert page.js("return $('move-bar').hidden")
        # two clips, into a new group
        rows = page.js("return shownRows.slice(0, 2)")
        for row in rows: click(f'#clips [data-row="{row}"]', Keys.CONTROL)
        assert page.find("#n-selected").text == "2 clips selected"
        choose("move-to", "new")
        now = labels()
        assert [now[r] for r in rows] == [100000, 100000] and sum(a != b for a,b in zip(found, now)) == 2
        assert "new group 1" in page.find("#clusters").text and page.js("return $('move-bar').hidden")
        # a range, to a cluster that there is
        page.js("choose({cluster: 0})")
        first, third = page.js("return [shownRows[0], shownRows[2]]")
        click(f'#clips [data-row="{first}"]')
        click(f'#clips [data-row="{third}"]', Keys.SHIFT)
        assert page.find("#n-selected").text == "3 clips selected"
        choose("move-to", "1")
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
        page.js("location.reload()"); page.wait("return typeof shownRows !== 'undefined' && places.length > 0")
        assert labels() == kept
        (tmp_path/name).write_text(page.js("return showEdits()"))
        page.js("localStorage.clear()")
    finally: page.close()
    assert main(["listen", str(run), "--edits", str(tmp_path/name), "-q"]) == 0
    table = read_table(run/"clusters.csv")
    expected = [f"new group {c - 99999}" if c >= 100000 else f"cluster {c}" for c in kept]
    assert table.name.tolist() == expected and table.cluster.tolist() == found
    assert set(table.note[[c == 1 for c in kept]]) == {"by the pond"}
    page = Page(run/"listen.html") # made anew, it begins where the first one ended
    try: assert page.js("return grouping().labels") == kept
    finally: page.close()
    main(["cluster", str(sounds), "--out", str(tmp_path/"other"), "--n-clusters", "3", "-q", "--no-page", "--seed", "4"])
    assert main(["listen", str(tmp_path/"other"), "--edits", str(tmp_path/name), "-q"]) == 0, "the same clips"


@browser
def test_what_to_hear_next_and_how_many(run):
    "Typical clips of groups without a name first, then doubtful ones in turn; and a sample that is large enough."
    page = Page(run/"run/listen.html")
    try:
        page.js("localStorage.clear(); location.reload()"); page.wait("return typeof shownRows !== 'undefined' && places.length > 0")
        page.js("$('sort').value = 'next'; $('sort').dispatchEvent(new Event('change'))")
        rows, labels, typical = page.js("return [shownRows, grouping().labels, Object.fromEntries(Object.entries(grouping().clusters).map(([c, a]) => [c, a.typical[0]]))]")
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
            assert hypergeom.pmf(0, size, others, got) <= .05 < (hypergeom.pmf(0, size, others, got - 1) if got > 1 else 1), (size, got)
        page.js("choose({cluster: 1})")
        page.find("#sample").click()
        shown = page.js("return shownRows")
        assert len(shown) == page.js("return enoughToHear(rowsOf([1]).length)") and {labels[r] for r in shown} == {1}
        assert "drawn by chance" in page.find("#clips-title").text
        page.js("localStorage.clear()")
    finally: page.close()


@browser
def test_a_group_that_is_gone_takes_nothing_with_it(run, tmp_path):
    "Its name does not go to the next one, and the page goes on."
    page = Page(run/"run/listen.html")
    try:
        page.js("localStorage.clear(); location.reload()"); page.wait("return typeof shownRows !== 'undefined' && places.length > 0")
        page.js("moveClips([3], newGroup()); setEdit('names', 100000, 'frogs'); saveEdits(); choose({cluster: 100000})")
        assert "frogs" in page.find("#selection").text
        page.js("moveClips([3], grouping().found.labels[3])")
        assert page.js("return chosenCluster") is None and "frogs" not in page.find("#clusters").text
        page.js("moveClips([4], newGroup())")
        assert page.js("return clusterName(grouping().labels[4])") == "new group 1"
        page.js("choose({cluster: 100000}); remember(); edits = {}; saveEdits()") # Forget
        assert page.js("return shownRows.length") == page.js("return nClips") and page.find("#n-edits").text == "(none)"
        page.js("moveClips([5], newGroup()); setEdit('merged', 2, 100000); saveEdits(); moveClips([5], grouping().found.labels[5]); choose({cluster: 2})")
        assert "cluster 2" in page.find("#selection").text
        page.js("undo(); undo(); choose({cluster: 2}); redo(); redo()")
        page.js("localStorage.clear()")
    finally: page.close()
    few = tmp_path/"few.html"
    listen_page(run/"run", few, max_clips=20)
    page = Page(few)
    try:
        assert not page.js("return canSplit()"), "a page of a part of the clips splits nothing"
        page.js("choose({cluster: 1}); selectClip(shownRows[0], false); selectClip(shownRows[1], false)")
        assert page.js("return $('split-by-two').hidden")
        page.js("localStorage.clear()")
    finally: page.close()


@browser
def test_a_large_spectrogram_with_axes_and_a_cursor(run):
    page = Page(run/"run/listen.html", "1366,768")
    try:
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
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        left, top, width = page.js("const b = $('scope-picture').getBoundingClientRect(); return [b.left, b.top, b.width]")
        click = ActionBuilder(page.driver)
        click.pointer_action.move_to_location(int(left + .25*width), int(top + 20)).click()
        click.perform()
        page.wait(f"return player.currentTime >= {table.start[i] + .25*length - .05}")
        short = page.js("return [...Array(nClips).keys()].sort((a, b) => lengthOf(a) - lengthOf(b))[0]")
        page.js(f"play({short})")
        page.wait(f"return Math.abs(secondsShown({short}) - lengthOf({short})) < .01") # on its own axis
        page.js("data.large.rows.forEach(row => largeAt.delete(row)); showScope(0)") # as on a page of more clips than pictures
        assert "thumbnail" in page.js("return $('scope-note').textContent")
        at = page.js("return [$('left'), $('clusters-column'), $('clips-column')].map(e => e.getBoundingClientRect().left)")
        assert at == sorted(at) and len(set(at)) == 3 # side by side on a small laptop
    finally: page.close()


@browser
def test_a_script_that_is_not_the_pages_own_does_not_run(run, tmp_path):
    html = (run/"run/listen.html").read_text()
    foreign = '<script>document.title = "taken"</script><img src="x" onerror="document.title = 1"><img src="https://example.org/x.png">'
    (tmp_path/"listen.html").write_text(html.replace("</body>", foreign + "</body>"))
    page = Page(tmp_path/"listen.html")
    try:
        assert page.js("return document.title").endswith("audioclust")
        said = [e["message"] for e in page.driver.get_log("browser")]
        assert sum("Content Security Policy" in m for m in said) >= 3
    finally: page.driver.quit()


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
    for number,name in names.items(): page.js("setEdit('names', Number(arguments[0]), arguments[1]); saveEdits()", number[1:], name)


@browser
@pytest.mark.parametrize("at", [None, "a page.html", "pages/one.html"])
def test_the_command_on_the_page_takes_over_what_it_downloads(run, tmp_path, monkeypatch, at):
    "From the folder of the downloads, for a run with an odd name; and again after more edits."
    folder, downloads = tmp_path/"runs/it's  the #1 & \"best\" $(run) 50%", tmp_path/"downloads"
    shutil.copytree(run/"run", folder)
    downloads.mkdir(); (tmp_path/"pages").mkdir()
    page = Page(listen_page(folder, at and tmp_path/at), downloads=downloads)
    monkeypatch.chdir(downloads)
    try:
        page.js("localStorage.clear()")
        for names in dict(c0="wren"), dict(c0="owl", c1="rain"):
            name_clusters(page, **names)
            words = shlex.split(downloaded(page, downloads))
            assert words[0] == "audioclust" and Path(words[2]) == folder and not page.find("#run-unknown").is_displayed()
            assert main([*words[1:], "-q"]) == 0
            assert read_names(folder)["names"] == {name[1:]: text for name,text in names.items()}
        page.find("#download").click() # the same again, which the browser may call otherwise
        assert shlex.split(page.find("#take-over").text) == words
        page.js("localStorage.clear()")
    finally: page.close()


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
            page.js("localStorage.clear()")
            name_clusters(page, c0=f"wren {number}")
            command = downloaded(page, tmp_path/"downloads")
            assert command.startswith("audioclust listen RUN --edits edits-")
            assert "Replace RUN by the folder of the run, which was called “a run”" in page.find("#run-unknown").text
            page.js("localStorage.clear()")
        finally: page.driver.quit()
        words = [str(tmp_path/"a run") if word == "RUN" else word for word in shlex.split(command)]
        assert main([*words[1:], "-q"]) == 0 and read_names(tmp_path/"a run")["names"] == {"0": f"wren {number}"}
    server.shutdown()


@browser
def test_paths_are_quoted_for_the_shell_of_the_computer(run):
    page = Page(run/"run/listen.html")
    try:
        for address, expected in {"file:///home/ann/run-1.2_b/": "/home/ann/run-1.2_b", "file:///home/ann/two%20words/": "'/home/ann/two words'",
                "file:///it's/": """'/it'"'"'s'""", "file:///a%0Ab/": "'/a\nb'", "file:///": "/", "file:///caf%C3%A9/": "'/café'", "file:///caf%E9/": None,
                "file:///C:/Users/ann/my%20run/": '"C:/Users/ann/my run"', "file://server/share/run/": '"//server/share/run"',
                "http://example.org/run/": None}.items():
            assert page.js("return shellPath(arguments[0])", address) == expected, address
    finally: page.close()


@browser
@pytest.mark.parametrize("chance, weak", [(.8, {1}), (.3, set()), (.95, {0, 1})])
def test_a_group_that_is_not_stable_is_marked_by_what_chance_gives(run, tmp_path, chance, weak):
    "Chance is what the method reaches where there are no groups, and no fixed limit."
    stability = Stability(.8, {0: .9, 1: .7}, np.full(20, .8, np.float32), chance)
    few = load_run(run/"run")
    rows = np.flatnonzero(few.labels < 2)
    some = replace(few, clips=few.clips.iloc[rows].reset_index(drop=True), labels=few.labels[rows], confidence=few.confidence[rows], representative=few.representative[rows],
                   embeddings=few.embeddings[rows], stability=stability._replace(clips=np.full(len(rows), .8, np.float32)))
    save_run(some, tmp_path/"run", figures=False)
    page = Page(listen_page(tmp_path/"run"))
    try:
        assert page.js("return grouping().chance") == chance
        for theme in "light", "dark":
            colours = {}
            for c,value in {0: "0.90", 1: "0.70"}.items():
                text, classes, colours[c] = page.js("""const cell = document.querySelector(`[data-cluster="${arguments[0]}"]`).closest('tr').cells[3];
                    return [cell.textContent, [...cell.classList], getComputedStyle(cell).color]""", c)
                assert text == value + (" by chance" if c in weak else "") and classes == ["n"] + ["weak"]*(c in weak)
            plain = page.js("return getComputedStyle(document.querySelector('#clusters tbody tr').cells[1]).color")
            assert {c for c,colour in colours.items() if colour != plain} == weak
            page.find("#theme").click()
    finally: page.close()


def test_a_page_says_nothing_about_rates_that_groups_may_follow(tmp_path, tone):
    "The command that writes it has no option to change them."
    for i in range(8): tone(tmp_path/f"in/{i}.wav", hz=300 + 400*(i % 2), sr=8000 if i < 3 else 16000)
    AudioClusterer(n_clusters=2, encoder="fixed", options=Options(stability=0, sample_rate=8000)).fit(tmp_path/"in").save(tmp_path/"run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listen_page(tmp_path/"run")
