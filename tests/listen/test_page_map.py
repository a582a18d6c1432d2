"The map of the listening page: drawn, moved, and used to choose clips."
import numpy as np
import pytest
from browser import browser, of_rows, Page, undrawn
from test_page_groups import LOOKS

from audioclust.listen import listen_page
from audioclust.runs import Run


@browser
def test_the_pointer_shows_a_clip_a_click_plays_it_and_pointing_only_where_that_is_asked_for(run):
    from selenium.webdriver import ActionChains
    with Page(run/"run/listen.html") as page:
        page.point_at(3)
        assert page.wait("return !$('tip').hidden && $('tip').textContent")
        assert page.js("return playing") == -1 and page.count("#tip .thumb") == 1
        page.find("#hear").click()
        assert page.find("#hear").get_attribute("aria-pressed") == "true"
        height = page.js("return map.clientHeight")
        page.point_at(3)
        page.wait("return playing >= 0 && player.currentTime > 0")
        assert page.js("return map.clientHeight") == height, "the points stay under the pointer"
        assert not page.js("return $('tip').hidden")
        page.find("#hear").click()
        page.js("document.activeElement.blur(); player.pause()")
        page.point_at(7, click=True)
        page.wait("return !player.paused && player.currentTime > 0")
        before = page.js("return playing")
        ActionChains(page.driver).send_keys(" ").perform()
        page.wait("return player.paused")
        ActionChains(page.driver).send_keys("\ue014").perform()  # the arrow to the right
        page.wait(f"return playing !== {before} && player.currentTime > 0")


@browser
@pytest.mark.parametrize("webgl", (True, False))
def test_points_have_their_colours_with_webgl_and_without(run, webgl):
    with Page(run/"run/listen.html", "1300,900", *(() if webgl else ("--disable-3d-apis",))) as page:
        assert page.js("return points.getContext('webgl') !== null") == webgl
        drawn = page.js("""
            const copy = element('canvas', {width: points.width, height: points.height});
            const context = copy.getContext('2d');
            paint.draw({...camera, scale: camera.scale*pixelSize()}, markerSize(), nClips);
            context.drawImage(points, 0, 0);
            const last = Array.from({length: nClips}, (_, row) => row)
              .filter(row => grouping().labels[row] < 6).slice(-5); // nothing lies over these
            return last.map(row => {
              const [left, top] = placeOf(row).map(at => Math.round(at*pixelSize()));
              return [[...context.getImageData(left, top, 1, 1).data], [...looks.slice(8*row, 8*row + 3)]];
            })""")
        assert sum(np.abs(np.array(pixel[:3]) - colour).max() < 12 and pixel[3] > 150 for pixel, colour in drawn) >= 4
        for theme in "light", "dark": # a name is dark on light, or light on dark
            ground, text = page.js("""
                drawOverlay();
                const [cluster] = mapTexts()[0], place = onMap(...grouping().clusters[cluster].at);
                const [left, top] = place.map(at => Math.round(at*pixelSize()));
                const box = [...overlay.getContext('2d').getImageData(left - 5, top - 9, 10, 18).data];
                const reds = box.filter((_, i) => i % 4 === 0);
                return [box.slice(0, 3), reds.reduce((a, b) => Math.abs(a - box[0]) > Math.abs(b - box[0]) ? a : b)]""")
            assert (min(ground) > 200) == (theme == "light") and abs(ground[0] - text) > 120, (theme, ground, text)
            page.find("#theme").click()


@browser
def test_the_map_zooms_pans_and_selects(run):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    with Page(run/"run/listen.html") as page:
        def drag(*way): # pixels from the corner of the map
            box = page.js("const box = points.getBoundingClientRect(); return [box.left, box.top]")
            chain = ActionChains(page.driver, duration=20)
            pointer = chain.w3c_actions.pointer_action
            pointer.move_to_location(int(box[0] + way[0][0]), int(box[1] + way[0][1])).pointer_down()
            for x, y in way[1:]: pointer.move_to_location(int(box[0] + x), int(box[1] + y))
            pointer.pointer_up()
            chain.perform()
        before, scale = page.js("return placeOf(7)"), page.js("return camera.scale")
        drag((20, 300), (60, 330))
        at = page.js("return placeOf(7)")
        assert np.allclose(np.subtract(at, before), [40, 30], atol=1) and page.js("return playing") == -1
        origin = ScrollOrigin.from_element(page.find("#points"))
        ActionChains(page.driver).scroll_from_origin(origin, 0, -300).perform()
        assert page.js("return camera.scale") > 1.5*scale
        page.find("#zoom-out").click(); page.find("#zoom-in").click(); page.find("#whole-map").click()
        assert page.js("return camera.scale") == pytest.approx(scale) and at != before
        page.js("play(0)") # the spectrogram takes room from the map, which is drawn smaller
        page.wait("""const all = Array.from({length: nClips}, (_, row) => placeOf(row));
            return all.every(([x, y]) => x > 0 && y > 0 && x < map.clientWidth && y < map.clientHeight)""")
        width, height = page.js("return [map.clientWidth, map.clientHeight]")
        page.find("[data-tool=box]").click()
        drag((1, 30), (width/2, height/2), (width/2, height - 2))
        left_half = page.js("""return shownRows.filter(row => {
            const [x, y] = placeOf(row);
            return x > 1 && x < innerWidth && x < map.clientWidth/2 && y > 30 && y < map.clientHeight - 2 })""")
        assert set(left_half) == set(page.js("return [...selected]")) and 0 < len(left_half) < page.js("return nClips")
        page.find("#select-none").click()
        page.find("[data-tool=lasso]").click()
        x, y = page.js("return placeOf(7)")
        drag((x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9))
        assert 7 in page.js("return [...selected]") and page.js("return selected.size") < len(left_half)
        page.find("[data-tool=pan]").click()
        assert page.find("[data-tool=pan]").get_attribute("aria-pressed") == "true"
        page.js("selected.clear()")


OVERLAPS = """drawOverlay();
    return namesShown.flatMap((a, i) => namesShown.slice(i + 1).filter(b => overlap(a, b))).length"""


@browser
def test_clusters_look_different_names_do_not_overlap_and_the_map_fills_its_place(many):
    with Page(many.folder/"listen.html", "1366,768") as page:
        pairs = page.js("return Array.from({length: 88}, (_, c) => [colour(c), shape(c)[0], shape(c)[1]])")
        assert len({(c, s) for c,s,_ in pairs}) == len({(c, g) for c,_,g in pairs}) == 88
        assert all(len({s for _,s,_ in pairs[i:i+11]}) == 11 for i in range(78))  # without colours
        assert page.js(OVERLAPS) == 0 and page.js("return namesShown.length") > 5
        page.js("for (const about of Object.values(grouping().clusters)) about.at = [places[0], places[1]]")
        assert page.js(OVERLAPS) == 0 and page.js("return namesShown.length") == 3  # for others there is no room
        for width, height in (1366, 768), (1920, 1080):
            page.resize(width, height)
            page.wait(f"return innerWidth === {width} && points.width === map.clientWidth && points.height === map.clientHeight")
            x, y = np.transpose(page.js("return Array.from({length: nClips}, (_, row) => placeOf(row))"))
            share = np.ptp(x)/page.js("return map.clientWidth"), np.ptp(y)/page.js("return map.clientHeight")
            assert .85 < max(share) <= 1
            assert min(share) > .85 or page.js("return camera.stretch") in (1.6, pytest.approx(1/1.6))
            assert abs(page.js("return map.clientWidth/innerWidth") - .5) < .03


@browser
def test_lines_lead_to_the_nearest_clips_and_those_that_the_map_has_lost_are_marked(run):
    with Page(run/"run/listen.html") as page:
        X = np.reshape(page.js("pointOf(0); return [...grouping().points.values]"), (page.js("return nClips"), -1))
        far = np.square(X - X[7]).sum(1)
        page.js("play(7); drawOverlay()")
        near, lost = page.js("const {near, lost} = findNeighbours(playing); return [near, [...lost]]")
        assert 7 not in near and sorted(far[near]) == sorted(far[np.arange(len(X)) != 7])[:8]
        places = np.reshape(page.js("return [...places]"), (-1, 2))
        on_the_map = np.square(places - places[7]).sum(1)
        on_the_map[7] = np.inf
        assert set(lost) == {row for row in near if (on_the_map < on_the_map[row]).sum() >= 40}
        page.js("""const row = findNeighbours(playing).near[0], corner = [0, 1].map(i => 9 + Math.max(...places) * 2);
            places.set(corner, 2 * row); neighboursOf.row = -1; drawOverlay()""")  # as if the map had put it elsewhere
        assert near[0] in page.js("return [...findNeighbours(playing).lost]")
        assert "of them lie elsewhere on this map" in page.find("#neighbours-note").text


@browser
def test_twenty_thousand_clips_open(run, tmp_path, monkeypatch):
    # to divide so many takes seconds
    monkeypatch.setattr("audioclust.listen.page_data.naming_data", lambda run, rows: None)
    few, n, rng = Run.open(run/"run"), 20_000, np.random.default_rng(0)
    rows = rng.integers(len(few), size=n)
    noise = rng.normal(0, .05, (n, few.embeddings.X.shape[1])).astype(np.float32)
    labels = few.clustering.labels[rows]*40 + rng.integers(40, size=n)  # 200
    many = of_rows(few, rows, few.embeddings.X[rows] + noise, labels).save(tmp_path/"run")
    np.save(tmp_path/"run/map.npy", many.embeddings.X[:, :2])
    with Page(listen_page(many, pictures=undrawn(many))) as page:
        assert page.js("return places.length/2") == n
        page.find('[data-cluster="0"]').click()
        assert page.js("return shownRows.length") == (labels == 0).sum()
        page.find("#all").click()
        assert page.js("wantedGroups[0] = 20; const t = performance.now(); draw(); return performance.now() - t") < 5000
        assert page.count("li.group") == 20
        assert len(set(page.js(LOOKS))) == 20
