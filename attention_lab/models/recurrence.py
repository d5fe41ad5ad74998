"""A scan of steps that multiply by the same matrices, whose gradient is one product after the loop.

As constants of `jax.lax.scan` they would get it inside: at every position an outer product, and a sum as
large as the matrix. What entered each product, and the gradient of what left it, is kept instead.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab.products import product


def recurrence(one: Callable, weights: Mapping[str, jax.Array], carry: Any, xs: Any, precision: str,
               reverse: bool = False) -> tuple[Any, Any]:
    """`jax.lax.scan(partial(one, multiply), carry, xs, reverse=reverse)`; reverse mode only.

    Args:
      one: (multiply, carry, x) -> (carry, y), where multiply(name, h) is h @ weights[name], (B, M) to (B, N).
      weights: matrices (M, N) by name.
      carry, xs: as of `jax.lax.scan`, every leaf of the carry (B, ...); what `one` closes over gets its
        gradient as there.
      precision: as in `product`.
    Raises:
      ValueError: a step that does not multiply by each of the weights, once.
    """
    def step(carry, at):
        x, added = at
        entered = {}

        def multiply(name, h):
            if name in entered:
                raise ValueError(f"weights[{name!r}] is multiplied by twice in a step: once is allowed")
            entered[name] = h
            return product(h, jax.lax.stop_gradient(weights[name]), precision) + added[name]

        carry, y = one(multiply, carry, x)
        if unused := weights.keys() - entered:
            raise ValueError(f"no step multiplies by weights[{min(unused)!r}]")
        return carry, (y, entered)

    def whole(carry, xs, added):
        carry, (ys, entered) = jax.lax.scan(step, carry, (xs, added), reverse=reverse)
        return carry, ys, entered

    rows = jax.tree.leaves(carry)[0].shape[0]
    length = jax.tree.leaves(xs)[0].shape[0]
    added = {name: jnp.zeros((length, rows, w.shape[1])) for name, w in weights.items()}
    whole, closed = jax.closure_convert(whole, carry, xs, added)

    @jax.custom_vjp
    def run(weights, *given):
        return whole(*given)[:2]

    def forward(weights, *given):
        (carry, ys, entered), pull = jax.vjp(whole, *given)
        return (carry, ys), (pull, entered)

    def backward(saved, g):
        pull, entered = saved
        d_given = pull((*g, jax.tree.map(jnp.zeros_like, entered)))
        d_added = d_given[2]
        return ({name: _outer(h, d_added[name], precision) for name, h in entered.items()}, *d_given)

    run.defvjp(forward, backward)
    return run(dict(weights), carry, xs, added, *closed)


def _outer(h, g, precision):
    """Sum over positions and rows of h^T g, both (T, B, .), rounded as `product` rounds its gradients."""
    return jnp.einsum("tbm,tbn->mn", h.astype(precision), g.astype(precision),
                      preferred_element_type=jnp.float32)
