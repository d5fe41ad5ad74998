"""Dropout on the weights by an integer hash: no block, padding or device changes what is dropped."""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from attention_lab.attention.hashing import lowbias32


@functools.partial(jax.tree_util.register_dataclass, data_fields=["bits", "rate"], meta_fields=[])
@dataclasses.dataclass(frozen=True)
class Dropout:
    """Drops a share of the weights and scales the others up; made by `dropout`.

    Fields:
      bits: uint32, (B, H). rate: share dropped, (1, 1). Both are () for one head of one sentence.
    """

    bits: jax.Array
    rate: jax.Array


def dropout(key: jax.Array, rate: jax.Array, example: jax.Array, heads: int) -> Dropout:
    """Dropout of the weights of H heads.

    Args:
      key: typed key of this step and layer. rate: share dropped, in [0, 1), may be traced.
      example: identity of each row of the batch, integers (B,). heads: H.
    Raises:
      ValueError: a rate outside [0, 1), where it is not traced.
    """
    if isinstance(rate, (int, float)) and not 0 <= rate < 1:
        raise ValueError(f"rate is {rate}; allowed are numbers from 0 to below 1")
    words = jax.random.key_data(key).astype(jnp.uint32).ravel()
    row = lowbias32(lowbias32(words[-1] ^ lowbias32(words[0])) ^ example.astype(jnp.uint32))
    head = jnp.arange(heads, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9)
    return Dropout(lowbias32(row[:, None] ^ head[None, :]), jnp.full((1, 1), rate, jnp.float32))


def dropped(weights: jax.Array, dropout: Dropout, t: jax.Array, s: jax.Array) -> jax.Array:
    """Weights of one head and one sentence after dropout; queries are at positions t (T,), keys at s (S,).

    Each row keeps its sum in expectation.
    """
    row = lowbias32(dropout.bits ^ t.astype(jnp.uint32) * jnp.uint32(0x85EBCA6B))
    bits = lowbias32(row[:, None] ^ (s.astype(jnp.uint32) * jnp.uint32(0xC2B2AE35))[None, :])
    threshold = (dropout.rate * 2.0 ** 32).astype(jnp.uint32)
    return jnp.where(bits >= threshold, weights / (1.0 - dropout.rate), 0)
