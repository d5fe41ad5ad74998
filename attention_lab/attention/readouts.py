"""Read-outs: statistics of the weights that need a few rows of them at a time, with gradients.

Each is an entry of READOUTS. A read-out for each query is a function (Rows) -> (T,); a read-out for each key
is a function (Rows) -> (S,), of which implementations add up the blocks.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Rows:
    """A block of rows of weights.

    Fields:
      weights: (T, S), before dropout. logits: (T, S), -inf where the mask forbids a key, 0 in rows without
      keys. t: positions of the queries, (T,); s: of the keys, (S,). used: bool (T, 1) or (1, 1), which rows
      have keys; None is all. pairs: bool (T, S), those of `mass`.
    """

    weights: jax.Array
    logits: jax.Array
    t: jax.Array
    s: jax.Array
    used: jax.Array | None = None
    pairs: jax.Array | None = None


@dataclasses.dataclass(frozen=True)
class Readout:
    """A read-out.

    Fields:
      function: of Rows. of: whether it gives a number for each "query" or each "key".
      pairs: whether it is of the weights of given pairs, a literal.
    """

    function: Callable[[Rows], jax.Array]
    of: str = "query"
    pairs: bool = False


def entropy(rows: Rows) -> jax.Array:
    """Entropy of each row, -sum_s w_s log w_s, in nats; 0 for a row without keys."""
    w = rows.weights
    return -jnp.sum(w * jnp.log(jnp.where(w > 0, w, 1.0)), axis=-1)


def largest(rows: Rows) -> jax.Array:
    """The largest weight of each row; 0 where there are no keys."""
    w = rows.weights
    return jnp.max(w, axis=-1) if w.shape[-1] else jnp.sum(w, axis=-1)


def log_sum_exp(rows: Rows) -> jax.Array:
    """Logarithm of the sum of exp(logits) of each row, 0 for a row without keys."""
    total = jax.nn.logsumexp(rows.logits, axis=-1)
    return total if rows.used is None else jnp.where(rows.used[:, 0], total, 0)


def received(rows: Rows) -> jax.Array:
    """The sum of the weights that each key receives from all queries."""
    return jnp.sum(rows.weights, axis=0)


def distance(rows: Rows) -> jax.Array:
    """The mean distance |t - s| of a query from the keys, under its weights, in positions."""
    return jnp.sum(rows.weights * jnp.abs(rows.t[:, None] - rows.s[None, :]), axis=-1)


def mass(rows: Rows) -> jax.Array:
    """The sum of the weights that each query gives to its keys among `pairs`."""
    return jnp.sum(jnp.where(rows.pairs, rows.weights, 0), axis=-1)


READOUTS = {
    "entropy": Readout(entropy),
    "largest": Readout(largest),
    "log_sum_exp": Readout(log_sum_exp),
    "received": Readout(received, of="key"),
    "distance": Readout(distance),
    "mass": Readout(mass, pairs=True),
}
