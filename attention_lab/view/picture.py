"""The static picture of a page, for readers without JavaScript: a heat map as inline SVG."""

from html import escape

import numpy as np

from attention_lab.view.tables import Map, Page

CELL, LETTER, PAD = 24, 7.2, 10  # pixels; a letter's mean width
DARK, ORANGE = (11, 79, 143), "#D55E00"


def svg(page: Page) -> str:
    """The first sentence's first kind of attention: last layer, mean over heads, truth as orange squares."""
    if not page.sentences:
        return ""
    sentence = page.sentences[0]
    kind, table = next(iter(sentence.maps.items()))
    weights = np.asarray(table.weights[page.selected])[-1].mean(axis=0)
    left = PAD + LETTER * max(map(len, table.rows))
    top = PAD + LETTER * max(map(len, table.columns))
    width, height = left + CELL * len(table.columns) + PAD, top + CELL * len(table.rows) + PAD
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
             f'width="{width:.0f}" height="{height:.0f}" role="img" font-family="sans-serif" font-size="13">',
             f"<title>{escape(kind)}, last layer, mean over heads: {escape(sentence.text)}</title>"]
    for t, row in enumerate(table.rows):
        parts.append(f'<text x="{left - 6:.0f}" y="{top + CELL * (t + 0.68):.0f}" text-anchor="end">'
                     f"{escape(row)}</text>")
        parts += [f'<rect x="{left + CELL * s:.0f}" y="{top + CELL * t:.0f}" width="{CELL}" height="{CELL}" '
                  f'fill="{_colour(weights[t, s])}" stroke="#e4e4e4"/>' for s in range(len(table.columns))]
    for s, column in enumerate(table.columns):
        x, y = left + CELL * (s + 0.66), top - 6
        parts.append(f'<text transform="translate({x:.0f} {y:.0f}) rotate(-90)">{escape(column)}</text>')
    for t, s in _squares(table):
        parts.append(f'<rect x="{left + CELL * s + 3:.0f}" y="{top + CELL * t + 3:.0f}" width="{CELL - 6}" '
                     f'height="{CELL - 6}" fill="none" stroke="{ORANGE}" stroke-width="2"/>')
    return "".join(parts) + "</svg>"


def has_truth(page: Page) -> bool:
    """Whether the picture has orange squares."""
    return any(_squares(next(iter(sentence.maps.values()))) for sentence in page.sentences[:1])


def _colour(weight: float) -> str:
    share = float(np.clip(weight, 0.0, 1.0))
    return "#" + "".join(f"{round(255 + (dark - 255) * share):02x}" for dark in DARK)


def _squares(table: Map) -> list[tuple[int, int]]:
    """Cells of the first truth, of parts of words where words are cut."""
    pairs = {tuple(pair) for pair in next(iter(table.links.values()), ())}
    rows = range(len(table.rows)) if table.row_words is None else table.row_words
    columns = range(len(table.columns)) if table.column_words is None else table.column_words
    return [(t, s) for t, row in enumerate(rows) for s, column in enumerate(columns)
            if (row, column) in pairs]
