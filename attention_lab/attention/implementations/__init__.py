"""Implementations: ways to compute one head of one sentence, all equal to the formula.

Each has a file and an entry in IMPLEMENTATIONS, which says what it can do. It is a function

    (q (T, K), k (S, K), v (S, V), options, score, readouts, return_weights)
        -> context (T, V), weights (T, S) or None, and {name of a read-out: its values}

where options are `Options` and readouts names in READOUTS. heads.py lifts it over heads and sentences.
"""

import dataclasses
from collections.abc import Callable

from attention_lab.attention.implementations import blockwise, cudnn, reference, splash, tokamax, xla


@dataclasses.dataclass(frozen=True)
class Implementation:
    """An implementation.

    Fields:
      scores: names in SCORES that it computes, a literal; None is any function.
      computes: what it computes besides scale and mask, of OPTIONS.
      loops: whether heads and sentences come one after another on a CPU, which has no use for all at once.
      runs_on: "cuda" or "tpu"; "" is any device.
      dtypes: of the query, a literal; None is any.
      masks: kinds of masks, as of `masks.kind`, a literal; None is any.
      largest: () -> the largest K and V that it computes on this device; None is any.
      library: an optional package that has to be installed; "" is none.
      twice: whether it has forward and second derivatives, not only gradients.
    """

    function: Callable
    scores: tuple[str, ...] | None
    computes: tuple[str, ...]
    loops: bool = False
    runs_on: str = ""
    dtypes: tuple[str, ...] | None = None
    masks: tuple[str, ...] | None = None
    largest: Callable[[], int] | None = None
    library: str = ""
    twice: bool = True


OPTIONS = ("weights", "counterfactual", "bias", "soft_cap", "dropout", "readouts")

IMPLEMENTATIONS = {
    "reference": Implementation(reference.attention, scores=None, computes=OPTIONS),
    "blockwise": Implementation(blockwise.attention, scores=None, computes=OPTIONS, loops=True),
    "xla": Implementation(xla.attention, scores=("dot",), computes=()),
    "cudnn": Implementation(cudnn.attention, scores=("dot",), computes=(), runs_on="cuda", twice=False,
                            dtypes=("bfloat16", "float16"), largest=cudnn.largest,
                            masks=("all", "causal", "padding", "causal and padding", "keys")),
    "splash": Implementation(splash.attention, scores=("dot",), computes=(), runs_on="tpu", twice=False,
                             dtypes=("bfloat16", "float32"),
                             masks=("all", "causal", "padding", "causal and padding", "keys",
                                    "causal and keys")),
    "tokamax": Implementation(tokamax.attention, scores=("dot",), computes=(), runs_on="cuda", twice=False,
                              library="tokamax", dtypes=("bfloat16", "float16", "float32"),
                              masks=("all", "causal", "padding", "causal and padding", "keys",
                                     "causal and keys")),
}
