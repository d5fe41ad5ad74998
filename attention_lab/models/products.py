"""Products with matrices of parameters in a run's precision."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab.config.choices import look_up
from attention_lab.models.spec import ModelSpec

GLOROT = nn.initializers.xavier_uniform()


def product(x: jax.Array, w: jax.Array, precision: str) -> jax.Array:
    """x @ w, summed in float32, of numbers rounded to `precision`; so are its gradients.

    With "bfloat16" the factors of all three products (this one and the two of its gradient) are rounded
    and nothing else is: x, w, the result and sums with it stay float32 (Micikevicius et al. 2018).

    x is float32 (..., R, D), w float32 (D, N), precision a key of PRECISIONS.

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
    # Without the barrier XLA folds a transpose of w's into the product, which its CPU backend does not have.
    return d_x, jax.lax.optimization_barrier(d_w)


_rounded.defvjp(_rounded_forward, _rounded_backward)

PRECISIONS = {"float32": jnp.matmul, "bfloat16": partial(_rounded, precision="bfloat16")}


class Dense(nn.Module):
    """A linear map with a bias, its product in the model's precision."""

    spec: ModelSpec
    units: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", GLOROT, (x.shape[-1], self.units))
        bias = self.param("bias", nn.initializers.zeros, (self.units,))
        return product(x, kernel, self.spec.precision) + jnp.expand_dims(bias, range(x.ndim - 1))
