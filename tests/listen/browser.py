"A listening page in a browser, and what is in it."
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audioclust.listen.pictures import HEIGHT, LARGE_HEIGHT, LARGE_WIDTH, Pictures, WIDTH
from audioclust.runs import Findings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")
ARGUMENTS = ("--headless --no-sandbox --disable-quic --no-first-run --disable-background-networking "
             "--disable-component-update --disable-sync --enable-unsafe-swiftshader "
             "--autoplay-policy=no-user-gesture-required").split()
CHANGE = """const box = document.getElementById(arguments[0]);
box.value = arguments[1]; box.dispatchEvent(new Event('change'))"""


class Page:
    "A page in headless Chromium."
    def __init__(self, file, size="1300,900", *arguments, downloads=None):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*ARGUMENTS, f"--window-size={size}", *arguments): options.add_argument(argument)
        where = {"download.default_directory": str(downloads), "download.prompt_for_download": False}
        if downloads: options.add_experimental_option("prefs", where)
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

    def count(self, css): return self.js("return document.querySelectorAll(arguments[0]).length", css)

    def change(self, box, value): self.js(CHANGE, box, value)

    def slide(self, n):
        "As many coarse groups."
        self.js("const s = $('groups'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", n)
        time.sleep(.3)

    def resize(self, width, height):
        "A screen of this size, which may be narrower than a window can be."
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def reload(self):
        self.js("window.isOld = true; location.reload()")
        self.wait("return !window.isOld && typeof shownRows !== 'undefined' && places.length > 0")

    def point(self, x, y, click=False):
        "Move the pointer to a place of the window."
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        move = ActionBuilder(self.driver)
        move.pointer_action.move_to_location(int(x), int(y)).pause(.25)
        if click: move.pointer_action.click()
        move.perform()

    def point_at(self, row, click=False):
        "Move the pointer to a clip on the map."
        self.point(*self.js("""const box = points.getBoundingClientRect(), [left, top] = placeOf(arguments[0]);
            return [box.left + left, box.top + top]""", row), click)

    def __enter__(self): return self

    def __exit__(self, error, *_):
        "Leave; nothing may have been fetched from outside, and nothing may have failed."
        asked = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
        said = [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]
        self.driver.quit()
        if error: return
        assert not said and all(u.startswith(("file:", "data:", "blob:")) for u in urls), (said, urls)


def page_data(page):
    "What a page holds as JSON."
    html = page.read_text(encoding="utf-8")
    return json.loads(html.split('<script id="data" type="application/json">')[1].split("</script>")[0])


def undrawn(run):
    "Black pictures of all clips: to decode 20,000 takes half a minute."
    black, large = np.zeros((len(run), HEIGHT, WIDTH), np.uint8), np.zeros((0, LARGE_HEIGHT, LARGE_WIDTH), np.uint8)
    return Pictures(run.table, 8000, black, .5, large, np.arange(0))


def of_rows(run, rows, X, labels):
    "A run in memory of some clips of another, with these embeddings and clusters."
    clips = replace(run.clips, table=run.clips.table.iloc[rows].reset_index(drop=True))
    clustering = replace(run.clustering, labels=labels, confidence=run.clustering.confidence[rows],
                         representative=np.zeros(len(rows), bool), ids=None, levels=(), number=None)
    embeddings = replace(run.embeddings, X=X)
    return replace(run, clips=clips, embeddings=embeddings, clustering=clustering, findings=Findings(), folder=None)
