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


class Decision(NamedTuple):
    """What the forward pass of a classifier gives.

    Fields:
      logits: (B, C) of the classes of each row's word. allowed: bool (B, C), False beyond their number.
      states: (B, S, D), what is pooled.
      weights: {"encoder": (L, B, H, S, S), "pool": (1, B, 1, 1, S)}, float32, as far as the model has
        them, or {} unless asked for.
    """

    logits: Any
    allowed: Any
    states: Any
    weights: dict


class Model(NamedTuple):
    """Pure functions; `batch` holds source (B, S), target (B, T) and example (B,), int32, 0 where padded.

    A classifier's batch holds source, example, word (B,) and place (B,), int32; where its pooling has frozen
    weights, guide (B, S). Its `apply` gives a Decision, its kinds of attention are "encoder" and "pool", and
    it takes `embedded` (B, S, D) in the place of what `embed` makes of the source.

    Fields:
      init: key -> params.
      apply: (params, batch, hyper, key=None, with_weights=False, intervention=None) -> Output.
        hidden[:, t] predicts batch["target"][:, t] from the target before t; key None means no dropout.
        intervention: {"encoder" | "decoder" | "cross": Counterfactual} whose arrays lead with the layers,
        numbers (L, B, H, T, S) and rows (L, B, H, T), any axis may be 1; a kind that is missing keeps its own
        weights, all do with None. `Output.weights` are those that were used. A ValueError for a kind that the
        model lacks. The other functions take none.
      projections: (params, batch, hyper) -> {"encoder": [(q, k, v) of each layer], "decoder": ...,
        "cross": ...} as attention gets them, without dropout: (B, H, T, K), (B, H, S, K), (B, H, S, V).
        None for a recurrent model.
      values: (params, batch, hyper) -> the norm of what each source position adds where cross-attention, or
        the self-attention of a classifier, gives it a weight of 1, (L, B, H, S) (Kobayashi et al. 2020); None
        where there is no such attention.
      start: (params, source (B, S), hyper, max_length) -> carry, whose every leaf leads with B; None, as
        step is, for a model that does not translate.
      step: (params, carry, token (B,), hyper) -> (logits (B, N) float32, carry). The first token is BOS.
      embed: (params, source (B, S)) -> vectors of the tokens alone (B, S, D); None but for classifiers.
    """

    init: Callable
    apply: Callable
    projections: Callable
    values: Callable
    start: Callable
    step: Callable
    embed: Callable | None = None
