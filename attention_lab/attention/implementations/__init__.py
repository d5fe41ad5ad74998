"""Implementations: ways to compute one head of one sentence, all equal to the formula.

Each has a file and an entry in IMPLEMENTATIONS, which says what it can do. It is a function

    (q (T, K), k (S, K), v (S, V), mask, scale, score, counterfactual)
        -> context (T, V), and weights (T, S) or None

where mask is a `Mask` or None and scale may be traced. heads.py lifts it over heads and sentences.
"""

import dataclasses
from collections.abc import Callable

from attention_lab.attention.implementations import reference, xla


@dataclasses.dataclass(frozen=True)
class Implementation:
    """An implementation.

    Fields:
      scores: names in SCORES that it computes, a literal; None is any function.
      weights: whether it returns weights, and so can replace them by a counterfactual.
    """

    function: Callable
    scores: tuple[str, ...] | None
    weights: bool


IMPLEMENTATIONS = {
    "reference": Implementation(reference.attention, scores=None, weights=True),
    "xla": Implementation(xla.attention, scores=("dot",), weights=False),
}
