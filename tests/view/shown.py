"""What a page shows, as a test reads it, and what tests/view/pages.py says that it is to show."""

import json
import re
import time

import numpy as np

from tests.view import pages

PAGE = pages.page()


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
