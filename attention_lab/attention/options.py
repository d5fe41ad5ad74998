"""Everything but queries, keys and values that decides the weights of a head, and blocks of it."""

import dataclasses
import functools
from typing import Self

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.counterfactual import Counterfactual
from attention_lab.attention.dropout import Dropout
from attention_lab.attention.masks import Mask


@functools.partial(jax.tree_util.register_dataclass, meta_fields=[], data_fields=[
    "scale", "mask", "bias", "soft_cap", "dropout", "counterfactual", "pairs"])
@dataclasses.dataclass(frozen=True)
class Options:
    """Options of one head and one sentence; a pytree.

    Fields:
      scale: factor on the scores. mask: rows and keys that it allows, None allows everything.
      bias: added to the logits, (T, S), any axis may be 1. soft_cap: bound of the logits before the bias.
      dropout, counterfactual: what happens to the weights.
      pairs: queries and keys whose weights the read-out "mass" adds up.
    """

    scale: chex.Numeric
    mask: Mask | None = None
    bias: jax.Array | None = None
    soft_cap: chex.Numeric | None = None
    dropout: Dropout | None = None
    counterfactual: Counterfactual | None = None
    pairs: Mask | None = None

    def masked(self, mask: Mask) -> Self:
        """With a mask that forbids more."""
        return dataclasses.replace(self, mask=mask if self.mask is None else self.mask & mask)

    def padded(self, more: int) -> Self:
        """With `more` rows of zeros behind the T, for queries whose results are thrown away."""
        def pad(x):
            return x if x.shape[0] == 1 else jnp.pad(x, [(0, more)] + [(0, 0)] * (x.ndim - 1))
        return self._each(pad, pad, pad)

    def block(self, t: jax.Array, rows: int, s: jax.Array, keys: int) -> Self:
        """Of queries t, t + 1, ..., `rows` of them, and keys s, s + 1, ..., `keys` of them."""
        def cut(x, axis, start, size):
            return x if x.shape[axis] in (1, size) else jax.lax.dynamic_slice_in_dim(x, start, size, axis)
        return self._each(lambda x: cut(cut(x, 0, t, rows), 1, s, keys), lambda x: cut(x, 0, t, rows),
                          lambda x: cut(x, 0, t, rows) - s)

    def _each(self, of_pairs, of_rows, of_ends):
        """With functions applied to arrays (T, S), to arrays (T,), and to ends of intervals (T,)."""
        def use(function, x):
            return None if x is None else function(x)
        mask, pairs = (use(lambda mask: Mask(use(of_ends, mask.start), use(of_ends, mask.stop),
                                             use(of_pairs, mask.dense), mask.band), mask)
                       for mask in (self.mask, self.pairs))
        other = use(lambda other: dataclasses.replace(other, numbers=use(of_pairs, other.numbers),
                                                      rows=use(of_rows, other.rows)), self.counterfactual)
        return dataclasses.replace(self, mask=mask, pairs=pairs, bias=use(of_pairs, self.bias),
                                   counterfactual=other)
