"""How spread out attention is."""

import jax
import jax.numpy as jnp
import numpy as np


def entropy(weights: jax.Array) -> jax.Array:
    """Entropy of weights (..., S) in shares of log S: 1 for a uniform row, 0 for one that sees a single key.

        H(w) = -sum_s w_s log w_s / log S

    It is 0 for a row that is all 0, and where S = 1. The read-out "entropy" is H without log S, in nats.

    >>> float(entropy(jnp.full((4,), 0.25)))
    1.0
    """
    keys = weights.shape[-1]
    terms = jnp.where(weights > 0, weights * jnp.log(jnp.where(weights > 0, weights, 1.0)), 0.0)
    return -terms.sum(axis=-1) / max(np.log(keys), 1e-12)
