"""What a layer of a causal encoder keeps of the tokens that it has read, so that none is read twice.

The keys and values of all tokens; or, of linear attention, the sums over them that serve every query, whose
size does not grow with the text (Katharopoulos et al. 2020). B rows may be at different positions.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab.attention import linear_attention
from attention_lab.models.heads import Heads
from attention_lab.models.spec import ModelSpec, Pass


class Cache(NamedTuple):
    """A kind of cache.

    Fields:
      begin: (k (B, H, S, K), v (B, H, S, V), real (B, S), room) -> the kept of the real tokens, which come
        first in each row, with room for `room` more.
      step: (heads, kept, q, k, v, position (B,), run) -> output of the heads (B, 1, D), and the kept with k
        and v; q, k and v are those of one token, (B, H, 1, K) and (B, H, 1, V), and position its place.
    """

    begin: Callable
    step: Callable


def _keys_and_values(k, v, real, room):
    # What stands in the place of padding is overwritten before it is seen.
    return tuple(jnp.pad(x, ((0, 0), (0, 0), (0, room), (0, 0))) for x in (k, v))


def _attended(heads: Heads, kept: Any, q, k, v, position, run: Pass):
    kept = tuple(jax.vmap(_put)(cache, x, position) for cache, x in zip(kept, (k, v)))
    s, t, w = jnp.arange(kept[0].shape[2])[None, :], position[:, None], heads.spec.attention.window
    seen = s <= t if w is None else (s <= t) & (s >= t - w)
    # Not as a mask, in which a key may hold anything: that would copy all keys and values at each step.
    y, _ = heads.attend(q, *kept, None, run, 0, bias=jnp.where(seen, 0.0, -jnp.inf)[:, None, :])
    return y, kept


def _put(cache, x, position):
    return jax.lax.dynamic_update_slice_in_dim(cache, x.astype(cache.dtype), position, 1)


def _sums(k, v, real, room):
    def of_row(k, v, real):
        return jax.vmap(lambda k, v: linear_attention.after(k, v, real))(k, v)
    return jax.vmap(of_row)(k, v, real)


def _added(heads: Heads, kept: Any, q, k, v, position, run: Pass):
    kept, context = jax.vmap(jax.vmap(linear_attention.step))(kept, *(x[:, :, 0] for x in (q, k, v)))
    return heads.join(context[:, :, None]), kept


KEYS_AND_VALUES = Cache(_keys_and_values, _attended)
SUMS = Cache(_sums, _added)


def cache_of(spec: ModelSpec) -> Cache:
    """The cache of a model: sums where they are all that a query needs, else keys and values.

    No sums serve a window, for old keys would have to leave them, nor an encoder with linear scores, whose
    scale may differ from 1: then the weights are no products.
    """
    linear = spec.model.kind == "linear_attention" and spec.attention.window is None
    return SUMS if linear else KEYS_AND_VALUES
