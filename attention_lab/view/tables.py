"""What a page shows, as tables of words and numbers; the room knows no model.

Letters: C checkpoints, L layers, H heads, T rows (queries), S columns (keys), N steps of output, G places
where weights are changed: all layers and heads, then each layer, then each head, layer by layer.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

CHANGES = ("uniform", "permuted", "zero_max")  # as in attention/counterfactual.py


class Said(NamedTuple):
    """What a model says at each step.

    Fields:
      words: the most probable answer of each step, (..., N) of str.
      best: its probability, (..., N). written: the probability of the answer that the page writes.
      moved: total variation between these probabilities and those under the model's own weights; None where
        they are the same.
    """

    words: np.ndarray
    best: np.ndarray
    written: np.ndarray
    moved: np.ndarray | None = None


class Elsewhere(NamedTuple):
    """Outputs under changed weights of one kind of attention.

    Fields:
      order: (T, S) int; "permuted" gives column s of row t the weight of column order[t, s].
      said: {change of CHANGES: Said of (G, N)}.
    """

    order: np.ndarray
    said: Mapping[str, Said]


class Map(NamedTuple):
    """One kind of attention on one sentence.

    Fields:
      rows, columns: the words that look, T, and those that are looked at, S.
      weights: of each checkpoint (L, H, T, S), 0 to 1.
      norms: of each checkpoint (L, H, S), what a column adds at a weight of 1, or None.
      allowed: bool (T, S), True = the row may look there.
      links: {name of a truth: pairs (row, column)}, counted in whole words if `row_words` is given.
      row_words, column_words: index of the whole word that each row or column is a part of, -1 for marks;
        None where rows and columns are whole words already.
      elsewhere: outputs under other weights, of the selected checkpoint.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    weights: Sequence[np.ndarray]
    norms: Sequence[np.ndarray] | None
    allowed: np.ndarray
    links: Mapping[str, Sequence[tuple[int, int]]] = {}
    row_words: Sequence[int] | None = None
    column_words: Sequence[int] | None = None
    elsewhere: Elsewhere | None = None


class Sentence(NamedTuple):
    """One sentence.

    Fields:
      text: what the model reads. answer: what it says of it, as a text. note: what the written words are.
      written: the answers that the page writes, N. said: of each checkpoint, Said of (N,).
      maps: {kind of attention: Map}.
    """

    text: str
    answer: str
    note: str
    written: Sequence[str]
    said: Sequence[Said]
    maps: Mapping[str, Map]


class Page(NamedTuple):
    """A whole page.

    Fields:
      title: one line. facts: (name, value) pairs. steps: training steps of the C checkpoints, rising.
      selected: index of the checkpoint selected on dev.
    """

    title: str
    steps: Sequence[int]
    selected: int
    sentences: Sequence[Sentence]
    facts: Sequence[tuple[str, str]] = ()
