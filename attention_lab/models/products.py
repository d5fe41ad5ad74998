"""Products with weight matrices in a run's precision."""

from functools import partial

import jax
import jax.numpy as jnp

from attention_lab.config.choices import look_up


def product(x: jax.Array, w: jax.Array, precision: str) -> jax.Array:
    """x @ w, summed in float32, of numbers rounded to `precision`; so are its gradients.

    With "bfloat16" the factors of all three products (this one and the two of its gradient) are rounded
    and nothing else is: x, w, the result and what is added to it stay float32 (Micikevicius et al. 2018).

    Args:
      x: float32 (..., R, D), with at least one axis before D.
      w: float32 (D, N).
      precision: "float32" or "bfloat16".
    Returns:
      float32 (..., R, N).

    >>> product(jnp.array([[1.001]]), jnp.array([[2.0]]), "bfloat16").tolist()
    [[2.0]]
    """
    return look_up(PRECISIONS, "training.precision", precision)(x, w)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _rounded(x, w, precision):
    return _rounded_forward(x, w, precision)[0]


def _rounded_forward(x, w, precision):
    x, w = x.astype(precision), w.astype(precision)
    return jnp.einsum("...d,dn->...n", x, w, preferred_element_type=jnp.float32), (x, w)


def _rounded_backward(precision, saved, g):
    x, w = saved
    g = g.astype(precision)
    d_x = jnp.einsum("...n,dn->...d", g, w, preferred_element_type=jnp.float32)
    d_w = jnp.einsum("...d,...n->dn", x, g, preferred_element_type=jnp.float32)
    # A transpose of w's that XLA folds into its product makes one that its CPU backend does not have.
    return d_x, jax.lax.optimization_barrier(d_w)


_rounded.defvjp(_rounded_forward, _rounded_backward)

PRECISIONS = {"float32": jnp.matmul, "bfloat16": partial(_rounded, precision="bfloat16")}
