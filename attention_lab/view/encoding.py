"""Tables as JSON: numbers from 0 to 1 in 4,096 parts, two letters each, as page/decode.js reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attention_lab.view.tables import Elsewhere, Map, Page, Said, Sentence

LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
PARTS = len(LETTERS) ** 2 - 1


def letters(numbers: np.ndarray) -> str:
    """Whole numbers from 0 to PARTS, in the order of the array, as two letters each.

    >>> letters(np.array([0, 1, 64, 4095]))
    'AAABBA//'
    """
    numbers = np.asarray(numbers, np.int64).ravel()
    if numbers.size and not 0 <= numbers.min() <= numbers.max() <= PARTS:
        raise ValueError(f"numbers from {numbers.min()} to {numbers.max()}: from 0 to {PARTS} are allowed")
    return LETTERS[np.stack([numbers // 64, numbers % 64], axis=-1)].tobytes().decode("ascii")


def shares(values: np.ndarray) -> str:
    """Numbers from 0 to 1, rounded to 1/4095; what exceeds them by rounding is cut.

    >>> shares(np.array([0.0, 1.0]))
    'AA//'
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a weight or probability of the page is not finite")
    return letters(np.rint(np.clip(values, 0.0, 1.0) * PARTS))


def plain(page: Page) -> dict[str, Any]:
    """The page as JSON can hold it."""
    words = Words()
    sentences = [_sentence(sentence, words) for sentence in page.sentences]
    return {"title": page.title, "facts": [list(pair) for pair in page.facts], "steps": list(page.steps),
            "selected": page.selected, "sentences": sentences, "words": list(words.numbers)}


class Words:
    """The words of a page, numbered in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def letters(self, words: np.ndarray) -> str:
        """The numbers of an array of words; ValueError for more than PARTS different words on a page."""
        return letters(np.array([self.numbers.setdefault(str(word), len(self.numbers))
                                 for word in np.asarray(words, object).ravel()], np.int64))


def _sentence(sentence: Sentence, words: Words) -> dict[str, Any]:
    return {"text": sentence.text, "answer": sentence.answer, "note": sentence.note,
            "written": list(sentence.written), "said": [_said(said, words) for said in sentence.said],
            "maps": {kind: _map(table, words) for kind, table in sentence.maps.items()}}


def _said(said: Said, words: Words) -> dict[str, str]:
    numbers = {"best": said.best, "written": said.written, "moved": said.moved}
    return {"words": words.letters(said.words)} | {
        name: shares(values) for name, values in numbers.items() if values is not None}


def _map(table: Map, words: Words) -> dict[str, Any]:
    allowed = np.asarray(table.allowed, bool)
    layers, heads = np.shape(table.weights[0])[:2]
    encoded = {"rows": list(table.rows), "columns": list(table.columns), "layers": layers, "heads": heads,
               "first": [int(row.argmax()) for row in allowed],
               "stop": [int(len(row) - row[::-1].argmax()) for row in allowed],
               "weights": [shares(weights[:, :, allowed]) for weights in table.weights],
               "links": _links(table.links), "rowWords": _numbers(table.row_words, len(table.rows)),
               "columnWords": _numbers(table.column_words, len(table.columns))}
    if table.norms is not None:
        scales = [float(f"{np.max(norms):.4g}") or 1.0 for norms in table.norms]
        encoded |= {"norms": [shares(norms / scale) for norms, scale in zip(table.norms, scales)],
                    "scales": scales}
    if table.elsewhere is not None:
        encoded["elsewhere"] = _elsewhere(table.elsewhere, allowed, words)
    return encoded


def _elsewhere(other: Elsewhere, allowed: np.ndarray, words: Words) -> dict[str, Any]:
    return {"order": letters(np.asarray(other.order)[allowed]),
            "said": {change: _said(said, words) for change, said in other.said.items()}}


def _links(links: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, list[list[int]]]:
    return {name: [[int(row), int(column)] for row, column in sorted(set(pairs))]
            for name, pairs in links.items()}


def _numbers(words: Sequence[int] | None, count: int) -> list[int]:
    """The word of each row or column, each its own word where `words` is None."""
    return list(range(count)) if words is None else [int(n) for n in words]
