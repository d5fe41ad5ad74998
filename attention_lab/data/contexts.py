"""Contexts: a stream of tokens cut into rows of one length, each token predicted from those before it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Batches = Callable[[int, int], Iterator[dict[str, np.ndarray]]]  # (seed, first step) -> endless batches


class Contexts(NamedTuple):
    """N contexts of T tokens, with what their scores need.

    Fields:
      source: int32 (N, T), the token before each target; EOS before the first of a text.
      target: int32 (N, T), PAD where nothing is predicted.
      bytes: of the text behind the targets in UTF-8, or 0 where there is none.
      surprisal: float (N, T), -log of the true probability of each target, nats; None where it is unknown.
    """

    source: np.ndarray
    target: np.ndarray
    bytes: int = 0
    surprisal: Any = None
