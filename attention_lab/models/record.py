"""A Model is plain functions over a pytree of parameters; linen stays behind this seam."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Output(NamedTuple):
    """What a forward pass gives.

    Fields:
      hidden: last states, (B, T, D); `readout` turns them into logits, so that a loss can do it in chunks.
      weights: {"encoder": (L, B, H, S, S), "decoder": (L, B, H, T, T), "cross": (L, B, H, T, S)}, or {}
        unless asked for.
    """

    hidden: Any
    weights: dict


class Model(NamedTuple):
    """Pure functions; `batch` holds source (B, S) and target (B, T), int32, 0 where padded.

    Fields:
      init: key -> params.
      apply: (params, batch, hyper, key=None, intervention=None, with_weights=False) -> Output. hidden[:, t]
        predicts batch["target"][:, t]; key None means no dropout.
      readout: (params, hidden (..., D)) -> float32 logits (..., N).
      start: (params, source (B, S), hyper, max_length) -> carry, whose every leaf leads with B.
      step: (params, carry, token (B,), hyper) -> (logits (B, N) float32, carry). The first token is BOS.
    """

    init: Callable
    apply: Callable
    readout: Callable
    start: Callable
    step: Callable
