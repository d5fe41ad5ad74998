"""Dropout by an integer hash of (key, site, example, position, unit).

A mask depends on nothing but those five, so padding, buckets and the number of devices do not
change it, and it costs a fiftieth of a mask drawn with threefry.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.attention.hashing import lowbias32
from attention_lab.data.vocabulary import UNKNOWN

WORDS = 1000  # the site of `drop_words`


def uniform_bits(key: jax.Array, site: int, example: jax.Array, length: int, units: int) -> jax.Array:
    """Hashed bits, uint32 (B, T, D), for each unit at each position of each example; see `make_dropout`."""
    words = jax.random.key_data(key).astype(jnp.uint32).ravel()
    root = lowbias32(words[-1] ^ lowbias32(words[0] + jnp.uint32(site) * jnp.uint32(0x9E3779B9)))
    row = lowbias32(root ^ example.astype(jnp.uint32))  # (B,)
    position = jnp.arange(length, dtype=jnp.uint32) * jnp.uint32(0x85EBCA6B)
    unit = jnp.arange(units, dtype=jnp.uint32) * jnp.uint32(0xC2B2AE35)
    return lowbias32(lowbias32(row[:, None] ^ position[None, :])[:, :, None] ^ unit[None, None, :])


def make_dropout(key: jax.Array | None, rate: jax.Array, example: jax.Array) -> Callable:
    """A function (x (B, T, D), site) -> x with a share `rate` of its units zeroed, the rest scaled up.

    Args:
      key: typed key of this step; None gives the identity.
      rate: share dropped, in [0, 1), may be traced.
      example: identity of each row, int32 (B,). A site, a small integer, tells dropouts of a network apart.
    """
    if key is None:
        return lambda x, site: x
    threshold = (jnp.float32(rate) * 2.0**32).astype(jnp.uint32)

    def drop(x, site):
        keep = uniform_bits(key, site, example, *x.shape[1:]) >= threshold
        return jnp.where(keep, x / (1.0 - jnp.float32(rate)).astype(x.dtype), jnp.zeros((), x.dtype))

    return drop


def drop_words(key: jax.Array | None, rate: float, tokens: jax.Array, kept: jax.Array, example: jax.Array
               ) -> jax.Array:
    """Tokens, int32 (B, S), of which a share `rate` is the unknown word's; a key of None changes none.

    Args:
      kept: bool (B, S), True for tokens that stay. example: identity of each row, int32 (B,).
    """
    if key is None or not rate:
        return tokens
    bits = uniform_bits(key, WORDS, example, tokens.shape[1], 1)[:, :, 0]
    return jnp.where((bits < jnp.uint32(rate * 2.0**32)) & ~kept, UNKNOWN, tokens)


def dropout_of_weights(key: jax.Array | None, spec: Any, example: jax.Array) -> Callable:
    """A function site -> dropout of the weights of the heads there, None without a key or a rate.

    Args:
      key: typed key of this step. spec: ModelSpec. example: identity of each row, int32 (B,).
    """
    rate = spec.attention.dropout
    if key is None or not rate:
        return lambda site: None
    return lambda site: attention.dropout(jax.random.fold_in(key, site), rate, example, spec.model.num_heads)
