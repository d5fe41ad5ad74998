"""Sampling: each token is drawn from the model's distribution, sharpened or cut off."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from attention_lab.decoding import candidates


def sample(carry: Any, step: Callable, first: Array, count: int, key: Array, temperature: Any = 1.0,
           top_k: int = 0, *, banned: tuple[int, ...] = ()) -> Array:
    """Draws `count` tokens after `first`, one after another: p(token) = softmax(logits / temperature).

    Args:
      carry: the model's, before it has read `first`. step: (carry, token (B,)) -> (logits (B, N), carry).
      first: (B,), the last token that is given.
      temperature: at least 0, may be traced; 0 takes the likeliest token, of equals the smaller id.
      top_k: only the k likeliest tokens are drawn (Fan et al. 2018), and those tied with the last; 0: all.
      banned: ids that are never drawn.
    Returns:
      int32 (B, count).
    Raises:
      ValueError: a count below 1, or a top_k below 0.
    """
    if count < 1 or top_k < 0:
        raise ValueError(f"count={count}, top_k={top_k}: a count of at least 1 and a top_k of at least 0 are "
                         "needed")

    def draw(state, key):
        carry, token = state
        logits, carry = step(carry, token)
        logits = candidates.allowed_logits(logits, banned)
        if top_k:
            least = jax.lax.top_k(logits, top_k)[0][:, -1:]
            logits = jnp.where(logits < least, -jnp.inf, logits)
        drawn = jax.random.categorical(key, logits / jnp.where(temperature > 0, temperature, 1.0))
        token = jnp.where(temperature > 0, drawn, jnp.argmax(logits, axis=-1)).astype(jnp.int32)
        return (carry, token), token

    _, tokens = jax.lax.scan(draw, (carry, first), jax.random.split(key, count))
    return tokens.T
