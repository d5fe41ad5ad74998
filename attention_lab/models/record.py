"""A Model is plain functions over a pytree of parameters; linen stays behind this seam."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Output(NamedTuple):
    """What a forward pass gives; logits are `hidden @ readout.T`, so that a loss can form them in chunks.

    Fields:
      hidden: last states, (B, T, D).
      readout: matrix from states to logits, (N, D).
      weights: {"encoder": (L, B, H, S, S), "decoder": (L, B, H, T, T), "cross": (L, B, H, T, S)},
        float32, or {} unless asked for.
    """

    hidden: Any
    readout: Any
    weights: dict


class Model(NamedTuple):
    """Pure functions; `batch` holds source (B, S), target (B, T) and example (B,), int32, 0 where padded.

    Fields:
      init: key -> params.
      apply: (params, batch, hyper, key=None, with_weights=False) -> Output. hidden[:, t] predicts
        batch["target"][:, t] from the target before t; key None means no dropout.
      projections: (params, batch, hyper) -> {"encoder": [(q, k, v) of each layer], "decoder": ...,
        "cross": ...} as attention gets them, without dropout: (B, H, T, K), (B, H, S, K), (B, H, S, V).
        None for a recurrent model.
      values: (params, batch, hyper) -> the norm of what each source position adds where cross-attention
        gives it a weight of 1, (L, B, H, S) (Kobayashi et al. 2020); None if the model does not translate.
      start: (params, source (B, S), hyper, max_length) -> carry, whose every leaf leads with B; None, as
        step is, for a model that does not translate.
      step: (params, carry, token (B,), hyper) -> (logits (B, N) float32, carry). The first token is BOS.
    """

    init: Callable
    apply: Callable
    projections: Callable
    values: Callable
    start: Callable
    step: Callable
