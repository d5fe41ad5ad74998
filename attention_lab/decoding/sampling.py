"""Sampling: each token is drawn from the model's distribution, sharpened or cut off."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from attention_lab.decoding import candidates


def sample(carry: Any, step: Callable, first: Array, count: int, key: Array, temperature: Any = 1.0,
           top_k: int = 0, top_p: Any = None, *, banned: tuple[int, ...] = ()) -> Array:
    """Draws `count` tokens after `first`, one after another: p(token) = softmax(logits / temperature).

    Args:
      carry: the model's, before it has read `first`. step: (carry, token (B,)) -> (logits (B, N), carry).
      first: (B,), the last token that is given.
      temperature: at least 0, may be traced; 0 takes the likeliest token, of equals the smaller id.
      top_k: only the k likeliest tokens are drawn (Fan et al. 2018), and those tied with the last; 0: all.
      top_p: above 0, may be traced; of what top_k leaves only the likeliest tokens are drawn that together
        have a probability of at least top_p at this temperature (Holtzman et al. 2020); None: all.
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
        logits = logits / jnp.where(temperature > 0, temperature, 1.0)
        drawn = jax.random.categorical(key, logits if top_p is None else nucleus(logits, top_p))
        token = jnp.where(temperature > 0, drawn, jnp.argmax(logits, axis=-1)).astype(jnp.int32)
        return (carry, token), token

    _, tokens = jax.lax.scan(draw, (carry, first), jax.random.split(key, count))
    return tokens.T


def nucleus(logits: Array, p: Any) -> Array:
    """Logits (B, N), -inf but for the likeliest tokens that together have a probability of at least p.

    Those tied with the last of them are kept too.

    >>> nucleus(jnp.array([[1.0, 2.0, 0.0, 0.0]]), 0.7).tolist()  # 0.22, 0.61, 0.08, 0.08
    [[1.0, 2.0, -inf, -inf]]
    """
    falling = -jnp.sort(-logits, axis=-1)
    share = jax.nn.softmax(falling, axis=-1)
    likelier = jnp.cumsum(share, axis=-1) - share  # the probability of those before each
    least = jnp.min(jnp.where(likelier < p, falling, jnp.inf), axis=-1, keepdims=True)
    return jnp.where(logits < least, -jnp.inf, logits)
