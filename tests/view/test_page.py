"""Pages in a real browser: what is shown is what the tables hold; clicks, keys and the slider change it."""

import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from attention_lab import view
from attention_lab.evaluation import alignment
from tests.view import pages

PAGE = pages.page()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a page with a nasty sentence."""
    path = tmp_path_factory.mktemp("page") / "view.html"
    view.save(pages.page(pages.NASTY), path)
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """The page, newly opened."""
    browser.open(address)
    assert browser.errors == []
    return browser


def go(browser, **fields):
    """Shows what a permalink says."""
    browser.js(f"location.hash = {json.dumps('&'.join(f'{k}={v}' for k, v in fields.items()))}")
    time.sleep(0.05)  # hashchange comes after the script that sets it


def short(number):
    """A number as the page writes it."""
    if number == 0:
        return "0"
    return "<0.01" if number < 0.005 else f"{number:.2f}" if number < 10 else f"{number:.3g}"


def changed(table, weights, change):
    """Weights (T, S) of a head under a change, row by row."""
    rows = []
    for row, mask, order in zip(weights, np.asarray(table.allowed), table.elsewhere.order):
        if change == "uniform":
            row = mask / mask.sum()
        elif change == "permuted":
            row = np.where(mask, row[order], 0)
        elif change == "zero_max":
            rest = np.where(np.arange(len(row)) == row.argmax(), 0, row)
            row = rest / rest.sum() if rest.sum() > 0 else rest
        rows.append(row)
    return np.array(rows)


def expected(sentence, kind, layer, head, checkpoint=pages.SELECTED, by="weight", change="none"):
    """The table (T, S) that the page is to show."""
    table = PAGE.sentences[sentence].maps[kind]
    weights = table.weights[checkpoint]
    if change != "none":
        weights = np.array([[changed(table, one, change) for one in of_layer] for of_layer in weights])
    if by == "norm":
        weights = weights * table.norms[checkpoint][:, :, None]
    weights = weights if layer == "all" else weights[layer][None]
    weights = weights if head == "mean" else weights[:, head][:, None]
    return weights.mean(axis=(0, 1))


def shown_rows(browser):
    """What the line below the figure says of each row that is pointed at: {row: [(word, number)]}."""
    count = browser.js("document.querySelectorAll('#figure svg:first-child .word[data-r]').length")
    rows = {}
    for t in range(count):
        browser.js(f"document.querySelector('#figure .word[data-r=\"{t}\"]').dispatchEvent("
                   "new PointerEvent('pointerover', {bubbles: true}))")
        text = browser.texts("#readout")[0]
        rows[t] = re.findall(r"(\S+) (<?[\d.]+)(?:,|$)", text.partition(" looks at ")[2])
    return rows


def check_table(browser, table, columns):
    """The five largest weights of each row, and the colour of each cell by its weight."""
    for t, said in shown_rows(browser).items():
        best = [s for s in np.argsort(-table[t], kind="stable")[:5] if table[t, s] > 0]
        for (_, number), s in zip(said, best, strict=True):
            close = {short(table[t, s] + shift) for shift in (-1e-3, 0, 1e-3)}  # norms are rounded
            assert number in close, (t, said, table[t])
        if len(best) and not (len(best) > 1 and table[t, best[0]] - table[t, best[1]] < 2e-3):
            assert said[0][0] == columns[best[0]]


@pytest.mark.parametrize("kind", ["cross", "encoder", "decoder"])
def test_every_layer_and_head_and_their_means(opened, kind):
    for layer, head in [(0, 0), (0, 2), (1, 1), (0, "mean"), (1, "mean"), ("all", "mean")]:
        go(opened, kind=kind, layer=layer, head=head, sentence=1)
        check_table(opened, expected(1, kind, layer, head), PAGE.sentences[1].maps[kind].columns)


@pytest.mark.parametrize("by", ["weight", "norm"])
@pytest.mark.parametrize("change", view.CHANGES)
def test_weights_elsewhere_and_with_norms(opened, change, by):
    for kind, layer, head in (("cross", 1, 2), ("decoder", 0, "mean"), ("encoder", "all", "mean")):
        go(opened, kind=kind, layer=layer, head=head, change=change, by=by)
        check_table(opened, expected(0, kind, layer, head, by=by, change=change),
                    PAGE.sentences[0].maps[kind].columns)


def test_a_word_that_is_looked_at(opened):
    go(opened, layer=0, head=1)
    opened.point("#figure .word[data-c='2']")
    table = expected(0, "cross", 0, 1)
    said = re.findall(r"(\S+) (<?[\d.]+)(?:,|$)", opened.texts("#readout")[0].partition(" looked at by ")[2])
    assert [number for _, number in said] == [short(x) for x in sorted(table[:, 2], reverse=True)[:5]]


def test_colours_follow_the_weights(opened):
    for scale in ("fixed", "row"):
        go(opened, layer=0, head=0, scale=scale)
        table = expected(0, "cross", 0, 0)
        table = table / table.max(axis=1, keepdims=True) if scale == "row" else table
        fills = opened.each("#figure .cell", "node.getAttribute('fill')")
        # Red falls evenly from the paper's 244 to 11.
        red = np.array([int(re.match(r"rgb\((\d+)", fill)[1]) for fill in fills]).reshape(table.shape)
        order = np.argsort(table, axis=None)
        assert (np.diff(red.ravel()[order]) <= 0).all() and red.max() <= 244
        assert red.ravel()[order[-1]] < 60


@pytest.mark.parametrize("steps", range(pages.C))
def test_the_slider_shows_every_checkpoint(opened, steps):
    opened.js(f"(() => {{ const slider = document.querySelector('input'); slider.value = {steps}; "
              "slider.dispatchEvent(new Event('input')); })()")
    go(opened, layer=1, head=0, step=pages.STEPS[steps], checkpoint=pages.STEPS[steps])
    check_table(opened, expected(0, "cross", 1, 0, checkpoint=steps), PAGE.sentences[0].maps["cross"].columns)
    assert f"step {pages.STEPS[steps]}" in opened.texts("#title")[0]
    now = [step.word for step in _said(opened)]
    words = [word for word, written in zip(PAGE.sentences[0].said[steps].words, PAGE.sentences[0].written)
             if word != written]
    assert [word for word in now if word] == words


def _said(browser):
    class Step:
        def __init__(self, word):
            self.word = word
    return [Step(text) for text in browser.texts("#output .now")]


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


def test_what_it_then_says(opened):
    sentence = PAGE.sentences[0]
    places = {("all", "mean"): 0, (1, "mean"): 2, (1, 2): 3 + 3 + 2, (0, 0): 3}
    for (layer, head), place in places.items():
        for change in view.CHANGES:
            go(opened, layer=layer, head=head, change=change)
            said = sentence.maps["cross"].elsewhere.said[change]
            own = sentence.said[pages.SELECTED].words
            assert opened.texts("#output .was") == list(own)
            assert opened.texts("#output .now") == [
                word if word != before else "" for word, before in zip(said.words[place], own)]
            assert opened.texts("#output .number") == [short(x) for x in said.moved[place]]
            changes = sum(word != before for word, before in zip(said.words[place], own))
            option = f"#changes [data-value={change}]"
            assert f"{changes} of 7" in opened.texts(option)[0]
            assert short(said.moved[place].mean()) in opened.texts(option)[0]


def test_other_weights_belong_to_the_selected_checkpoint(opened):
    opened.press("ArrowLeft")
    opened.click("#changes [data-value=uniform]")
    assert opened.js("document.querySelector('input').value") == str(pages.SELECTED)
    opened.press("ArrowLeft")
    assert "uniformly" not in opened.texts("#title")[0]


def error_rate(name, sentences, kind="cross", layer=1, head="mean", **how):
    """The error rate by evaluation/alignment.py, or the share of rows that look most at another word."""
    links, sure = [], []
    for i in sentences:
        table = PAGE.sentences[i].maps[kind]
        words = alignment.merge_subwords(expected(i, kind, layer, head, **how), table.column_words,
                                         table.row_words)
        links.append({(row, column) for column, row in alignment.hard_links(words)})
        sure.append(set(table.links[name]))
    if name == "alignment":
        return alignment.alignment_error_rate(links, sure)
    rows = [(i, row) for i, gold in enumerate(sure) for row, _ in gold]
    return np.mean([not links[i] & {pair for pair in sure[i] if pair[0] == row} for i, row in rows])


@pytest.mark.parametrize("name", ["alignment", "subject"])
def test_the_error_rate_of_what_is_shown(opened, name):
    for how in ({"layer": 1, "head": "mean"}, {"layer": 0, "head": 2}, {"layer": "all", "head": "mean"},
                {"layer": 0, "head": 0, "by": "norm"}, {"layer": 1, "head": 1, "change": "permuted"},
                {"layer": 1, "head": 1, "checkpoint": 1}):
        link = {**how, "checkpoint": pages.STEPS[how.get("checkpoint", pages.SELECTED)]}
        go(opened, sentence=1, truth=name, **link)
        rates = opened.texts(f"#truths [data-value={name}] .number")[0].split(" · ")
        assert rates == [short(error_rate(name, [1], **how)), short(error_rate(name, [0, 1], **how))]


def test_the_truth_is_outlined(opened):
    cells = "#figure rect.truth", "[node.dataset.r, node.dataset.c].map(Number)"
    # The word 3 of the French side is in two parts, tokens 3 and 4.
    assert sorted(opened.each(*cells)) == [[0, 0], [1, 1], [2, 3], [3, 2], [4, 2]]
    opened.click("#truths [data-value=subject]")
    assert opened.each(*cells) == [[3, 1], [4, 1]]
    opened.click("#truths [data-value=none]")
    assert opened.each(*cells) == []


def test_lines_join_what_the_cells_show(opened):
    go(opened, layer=0, head=1, checkpoint=17)
    lines = opened.each("#figure .line", "[node.dataset.r, node.dataset.c, "
                        "node.getAttribute('stroke-width')].map(Number)")
    table = expected(0, "cross", 0, 1, checkpoint=4)
    assert {(t, s) for t, s, _ in lines} == {(t, s) for t, s in np.argwhere(table >= 0.02)}
    for t, s, width in lines:
        assert width == pytest.approx(0.6 + 3.4 * table[t, s], abs=1e-3)


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


def test_a_page_opens_quickly_and_is_small(browser, tmp_path):
    view.save(PAGE, tmp_path / "view.html")
    milliseconds = browser.open((tmp_path / "view.html").as_uri())
    print(f"\nopened in {milliseconds:.0f} ms, {os.path.getsize(tmp_path / 'view.html')} bytes")
    assert 0 < milliseconds
