"""Saturation of a softmax: its entropy, its largest weight, the norm of its Jacobian."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from attention_lab import attention

SATURATED = 0.99  # a row whose largest weight is above this
ROWS_AT_ONCE = 50


class Rows(NamedTuple):
    """Statistics of rows of attention.

    Fields:
      entropy: of the weights over log S; 1 for uniform, 0 for one-hot.
      largest: weight.
      to_logits, to_query: Frobenius norm of the Jacobian of the weights in the logits, and in the query.
      variance: of the logits over the keys.
    """

    entropy: jax.Array
    largest: jax.Array
    to_logits: jax.Array
    to_query: jax.Array
    variance: jax.Array


def jacobian_norm(weights: jax.Array) -> jax.Array:
    """Frobenius norm of diag(p) - p p^T, the Jacobian of softmax in its logits, for p (..., S).

    >>> round(float(jacobian_norm(jnp.full((64,), 1 / 64))), 3)
    0.124
    """
    square, cube = (weights ** 2).sum(-1), (weights ** 3).sum(-1)
    return jnp.sqrt(jnp.maximum(square - 2.0 * cube + square ** 2, 0.0))


def of_row(q: jax.Array, k: jax.Array, scale: jax.Array) -> Rows:
    """The statistics of one query q (K,) over keys k (S, K)."""
    p = attention.weights(q[None], k, scale=scale)[0]
    # (diag(p) - p p^T) k, without forming the (S, S) matrix.
    to_query = scale * jnp.linalg.norm(p[:, None] * (k - (p @ k)[None, :]))
    return Rows(attention.entropy(p), p.max(), jacobian_norm(p), to_query, jnp.var(scale * (k @ q)))


@partial(jax.jit, static_argnums=(1, 2, 3))
def random_rows(key: jax.Array, count: int, keys: int, key_size: int, scale: jax.Array) -> Rows:
    """`count` rows whose query (K,) and keys (S, K) are standard normal; `scale` may be traced."""
    def row(key):
        q, k = jax.random.split(key)
        return of_row(jax.random.normal(q, (key_size,)), jax.random.normal(k, (keys, key_size)), scale)

    return jax.lax.map(row, jax.random.split(key, count), batch_size=ROWS_AT_ONCE)


def causal_rows(q: jax.Array, k: jax.Array, first: int, scale: jax.Array) -> Rows:
    """The B * (T - first) rows of causal self-attention from position `first` on; q, k: (B, T, K)."""
    rows = [_each_row(q[:, t], k[:, :t + 1], scale) for t in range(first, q.shape[1])]
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *rows)


_each_row = jax.jit(jax.vmap(of_row, (0, 0, None)))


def summary(rows: Rows) -> dict[str, float]:
    """Columns of a table from many rows; the gradient in the query by median, tail and mean."""
    to_query = np.asarray(rows.to_query, np.float64)
    return {
        "variance": float(np.mean(rows.variance)),
        "entropy": float(np.mean(rows.entropy)),
        "largest": float(np.mean(rows.largest)),
        "saturated": float(np.mean(np.asarray(rows.largest) > SATURATED)),
        "jacobian_median": float(np.median(rows.to_logits)),
        "gradient_median": float(np.median(to_query)),
        "gradient_q95": float(np.quantile(to_query, 0.95)),
        "gradient_mean": float(np.mean(to_query)),
    }


def predicted_entropy(variance: np.ndarray, keys: int) -> np.ndarray:
    """Mean entropy over log S of softmax of S independent normal logits of each variance, by simulation."""
    logits = np.random.default_rng(0).normal(size=(400, keys))
    weights = special.softmax(logits * np.sqrt(np.atleast_1d(variance))[:, None, None], axis=-1)
    return special.entr(weights).sum(axis=-1).mean(axis=-1) / np.log(keys)
