"""Implementations: ways to compute one head of one sentence, all equal to the formula.

Each has a file and an entry in IMPLEMENTATIONS, which says what it can do. It is a function

    (q (T, K), k (S, K), v (S, V), options, score, readouts, return_weights)
        -> context (T, V), weights (T, S) or None, and {name of a read-out: its values}

where options are `Options` and readouts names in READOUTS. heads.py lifts it over heads and sentences.
"""

import dataclasses
from collections.abc import Callable

from attention_lab.attention.implementations import blockwise, reference, xla


@dataclasses.dataclass(frozen=True)
class Implementation:
    """An implementation.

    Fields:
      scores: names in SCORES that it computes, a literal; None is any function.
      computes: what it computes besides scale and mask, of OPTIONS.
      loops: whether heads and sentences come one after another on a CPU, which has no use for all at once.
    """

    function: Callable
    scores: tuple[str, ...] | None
    computes: tuple[str, ...]
    loops: bool = False


OPTIONS = ("weights", "counterfactual", "bias", "soft_cap", "dropout", "readouts")

IMPLEMENTATIONS = {
    "reference": Implementation(reference.attention, scores=None, computes=OPTIONS),
    "blockwise": Implementation(blockwise.attention, scores=None, computes=OPTIONS, loops=True),
    "xla": Implementation(xla.attention, scores=("dot",), computes=()),
}
