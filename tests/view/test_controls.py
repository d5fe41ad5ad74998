"""Pages in a real browser: clicks, keys, slider, permalinks, themes, the saved picture; nothing leaves."""

import json
import time
import xml.etree.ElementTree as ElementTree

import pytest

from tests.view import pages
from tests.view.shown import PAGE, check_table, expected, go


def test_the_slider_moves_with_the_arrows(opened):
    value = "document.querySelector('input').value"
    assert opened.js(value) == str(pages.SELECTED)
    opened.press("ArrowLeft")
    assert opened.js(value) == str(pages.SELECTED - 1) and "step 11" in opened.texts(".step-name")[0]
    for _ in range(9):
        opened.press("ArrowRight")
    assert opened.js(value) == str(pages.C - 1)
    opened.js("document.querySelector('input').value = 1; "
              "document.querySelector('input').dispatchEvent(new Event('input'))")
    assert "step 7" in opened.texts("#title")[0]


def test_play_goes_through_the_checkpoints(opened):
    opened.press("ArrowRight")
    opened.press("p")
    seen, until = set(), time.monotonic() + 30
    while len(seen) < pages.C and time.monotonic() < until:
        seen.add(opened.texts("#title")[0])
        time.sleep(0.05)
    assert len(seen) == pages.C


def test_play_ends_at_the_last_checkpoint(opened):
    assert opened.texts(".play") == ["▶"]
    opened.press("p")  # the selected checkpoint is the one before the last
    assert "step 17" in opened.texts("#title")[0] and opened.texts(".play") == ["▶"]
    opened.press("p")
    assert "step 0" in opened.texts("#title")[0] and opened.texts(".play") == ["❚❚"]


def test_play_goes_on_from_where_the_slider_is_put(opened):
    go(opened, checkpoint=0)
    opened.press("p")
    opened.js("document.querySelector('input').value = 3; "
              "document.querySelector('input').dispatchEvent(new Event('input'))")
    seen, until = [], time.monotonic() + 30
    while opened.texts(".play") == ["❚❚"] and time.monotonic() < until:
        seen += opened.texts("#title")
        time.sleep(0.05)
    assert "step 17" in opened.texts("#title")[0] and not [title for title in seen if "step 11" in title]


@pytest.mark.parametrize("selector", [
    "[data-field=kind][data-value=decoder]", "#scales [data-value=row]", "[data-sentence='1']",
    ".head[data-layer='0'][data-head='2']", "#truths [data-value=subject]", "#changes [data-value=zero_max]"])
def test_the_focus_stays_on_what_was_chosen(opened, selector):
    opened.js(f"document.querySelector({json.dumps(selector)}).focus()")
    opened.js("document.activeElement.click()")
    assert opened.js(f"document.activeElement === document.querySelector({json.dumps(selector)})")
    assert opened.js("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_the_focus_stays_on_a_word_of_the_same_drawing(opened):
    words = "document.querySelectorAll('#figure .word[data-r=\"2\"]')"
    for drawing in (0, 1):
        opened.js(f"{words}[{drawing}].focus()")
        opened.press("c")
        assert opened.js(f"document.activeElement === {words}[{drawing}]")


def test_other_weights_belong_to_the_selected_checkpoint(opened):
    opened.press("ArrowLeft")
    opened.click("#changes [data-value=uniform]")
    assert opened.js("document.querySelector('input').value") == str(pages.SELECTED)
    opened.press("ArrowLeft")
    assert "uniformly" not in opened.texts("#title")[0]


def test_clicks_choose(opened):
    opened.click("[data-field=kind][data-value=decoder]")
    assert opened.texts("#title")[0].startswith("decoder, layer 2")
    opened.click(".head[data-layer='0'][data-head='2']")
    assert "layer 1, head 3" in opened.texts("#title")[0]
    opened.click("[data-field=by][data-value=norm]")
    opened.click("[data-sentence='1']")
    assert opened.js("location.hash") == "#sentence=1&kind=decoder&layer=0&head=2&by=norm&truth=none"
    check_table(opened, expected(1, "decoder", 0, 2, by="norm"), PAGE.sentences[1].maps["decoder"].columns)


def test_a_click_pins_a_word_until_escape(opened):
    opened.click("#figure .word[data-r='2']")
    opened.point("h1")
    assert opened.texts("#readout")[0].startswith("le looks at") and "pin=r2" in opened.js("location.hash")
    opened.press("Escape")
    assert opened.texts("#readout")[0].startswith("Point at") and "pin" not in opened.js("location.hash")


def test_pointing_fades_the_others(opened):
    opened.point("#figure .word[data-r='1']")
    faded = opened.each("#figure .cell", "[node.dataset.r === '1', Number(node.style.opacity)]")
    assert all((opacity == 1) == own for own, opacity in faded)


@pytest.mark.parametrize("key, field", [
    ("k", "kind=encoder"), ("l", "layer=all"), ("h", "head=0"), ("w", "by=norm"), ("c", "scale=row"),
    ("t", "truth=subject"), ("e", "change=uniform"), ("d", "theme=dark"), ("ArrowDown", "sentence=1")])
def test_keys(opened, key, field):
    opened.press(key)
    assert field in opened.js("location.hash")


def test_a_capital_turns_back(opened):
    opened.press("H")
    assert "head=2" in opened.js("location.hash")
    opened.press("?")
    assert opened.js("!document.getElementById('help').hidden") and "Keys" in opened.texts("#help h2")


def test_a_permalink_shows_the_same(browser, opened, address):
    go(opened, sentence=1, kind="encoder", layer=0, head=1, by="norm", scale="row", checkpoint=7, pin="c1")
    link, figure = opened.js("location.href"), opened.js("document.getElementById('figure').innerHTML")
    browser.open(link)
    assert browser.js("document.getElementById('figure').innerHTML") == figure
    assert browser.js("location.href") == link


def test_a_permalink_with_nonsense_shows_something(browser, address):
    browser.open(address + "#sentence=99&kind=<b>&layer=-1&head=7&checkpoint=5&change=all&by=&theme=green&"
                 "x=%E0%A4%A")
    assert browser.errors == [] and browser.js("location.hash") in ("", "#")
    assert browser.texts("#title")[0] == "cross-attention, layer 2, mean over heads, step 13"


def test_dark_and_light(browser, address):
    background = "getComputedStyle(document.body).backgroundColor"
    browser.open(address, dark=True)
    dark = browser.js(background)
    browser.press("d")
    light = browser.js(background)
    browser.open(address)
    assert dark != light and browser.js(background) == light
    browser.open(address + "#theme=dark")
    assert browser.js(background) == dark


def test_text_can_be_selected(opened):
    selected = opened.js("getSelection().selectAllChildren(document.querySelector('#figure .word')), "
                         "String(getSelection())")
    assert selected in PAGE.sentences[0].maps["cross"].columns


def test_the_saved_picture_is_what_is_shown(opened, browser, tmp_path):
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened.click("#save")
    saved, until = tmp_path / "attention.svg", time.monotonic() + 30
    while not saved.exists() and time.monotonic() < until:
        time.sleep(0.05)
    root = ElementTree.fromstring(saved.read_text(encoding="utf-8"))
    name = "{http://www.w3.org/2000/svg}"
    cells = [node for node in root.iter(f"{name}rect") if node.get("class") == "cell"]
    fills = opened.each("#figure .cell", "node.getAttribute('fill')")
    assert [node.get("fill") for node in cells] == fills
    texts = ["".join(node.itertext()) for node in root.iter(f"{name}text")]
    assert set(PAGE.sentences[0].maps["cross"].rows) <= set(texts)
    assert opened.texts("#title")[0] in texts


def test_a_sentence_with_markup_does_nothing(browser, address):
    browser.open(address + "#sentence=1")
    time.sleep(0.2)
    assert browser.js("document.title") != "broken" and browser.js("document.images.length") == 0
    assert browser.texts("[data-sentence='1'] .text") == [pages.NASTY]
    assert browser.errors == [] and browser.js("document.scripts.length") == 2


def test_no_request_leaves(browser, address):
    browser.open(address)
    for key in "klhwctedkk":
        browser.press(key)
    browser.click("#changes [data-value=uniform]")
    time.sleep(0.2)
    asked = {request for request in browser.requests if not request.startswith(("about:", "data:", "blob:"))}
    assert asked == {address} and browser.errors == []


def test_without_javascript_there_is_a_picture(browser, address):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.call("Page.navigate", url="about:blank")
        browser.call("Page.navigate", url=address)
        time.sleep(1.0)
        tree = json.dumps(browser.call("DOMSnapshot.captureSnapshot", computedStyles=[])["strings"])
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "With JavaScript" in tree and "banque" in tree
