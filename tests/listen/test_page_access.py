"What a first visit shows, keys, and what the page is to those who see little or use no mouse."
import functools
import os
from pathlib import Path

from browser import browser, Page

FAULTS = """const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
  .then(found => done(found.violations.map(fault => fault.id + ": " + fault.nodes.map(node => node.html.slice(0, 120)).join(" | "))))"""
CONTRAST = """
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
function ground(el) {
  for (; el; el = el.parentElement) {
    const colour = rgb(getComputedStyle(el).backgroundColor);
    if (colour[3] === undefined || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}
const texts = [...document.querySelectorAll("body *")].filter(el => el.checkVisibility() && !el.disabled && !el.matches(".mark, option")
  && [...el.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
return [texts.length, texts.map(el => {
  const [a, b] = [light(rgb(getComputedStyle(el).color)), light(ground(el))];
  return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), el.outerHTML.slice(0, 100)];
}).filter(([ratio]) => ratio < 4.5)]"""


@functools.cache
def axe():
    "The script of axe-core, where it is to be had: AXE names the file; it is not shipped."
    file = os.environ.get("AXE")
    return Path(file).read_text(encoding="utf-8") if file else None


def faults(page):
    "What axe-core finds; nothing where it is not to be had."
    if not axe(): return []
    page.js(axe())
    return page.driver.execute_async_script(FAULTS)


def show(page, theme):
    page.js(f"dark = {str(theme == 'dark').lower()}; choose({{cluster: 1}}); play(shownRows[0]); player.pause()")
    page.js("selectClip(shownRows[1], false); document.querySelectorAll('details').forEach(one => { one.open = true })")


NAMELESS = """return [...document.querySelectorAll("button, input, select, summary")].filter(el => el.checkVisibility()
    && !(el.getAttribute("aria-label") || el.labels?.length || el.textContent.trim())).map(el => el.outerHTML)"""


@browser
def test_all_text_has_contrast_every_control_a_name_and_the_focus_is_seen(run):
    with Page(run/"run/listen.html", "1366,768") as page:
        assert faults(page) == []
        for theme in "light", "dark":
            show(page, theme)
            n, faint = page.js(CONTRAST)
            assert n > 100 and not faint
            page.js("showKeys()")
            assert page.js(CONTRAST)[1] == []
            page.js("$('keys').close(); startNaming(); answer('wren'); $('heard-list').open = true; $('answer').value = 'w'; drawOffered()")
            page.js("setAnswer(asked, null); drawQuestion(); player.pause()")
            assert page.js(CONTRAST)[1] == [] and faults(page) == [] and page.js(NAMELESS) == []
            page.js("edits = {}; stopNaming(); $('search').focus({focusVisible: true})")
            assert page.js("return getComputedStyle($('search')).outlineWidth") == "2px"
            assert faults(page) == []
        assert page.js(NAMELESS) == []


@browser
def test_a_first_visit_shows_what_to_do_and_a_question_mark_lists_every_key(run):
    with Page(run/"run/listen.html") as page:
        text = page.find("#welcome p").text
        assert text.count(". ") == 2 and text.endswith(".")
        page.resize(400, 800)
        assert page.find("#welcome-done").is_displayed()
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
        page.find("#welcome-done").click()
        page.reload()
        assert not page.find("#welcome").is_displayed()
        page.find("body").send_keys("?")
        assert page.find("#keys").is_displayed()
        listed = page.js("return [...document.querySelectorAll('#keys kbd')].map(key => key.textContent)")
        known = page.js("return Object.keys(KEYS)")
        assert {"Esc" if key == "Escape" else key for key in known} <= set(listed)
        page.find("#close-keys").send_keys("h")
        assert not page.js("return hearsUnderPointer"), "keys are for the list while it is open"
        page.find("#close-keys").click()
        page.js("document.activeElement.blur()")
        page.find("body").send_keys("h/")
        assert page.js("return [hearsUnderPointer, document.activeElement.id]") == [True, "search"]
