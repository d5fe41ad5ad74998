"""Products in the run's precision: rounded factors, whole sums, for the value and both gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.models.products import product

X, W, G = (jax.random.normal(jax.random.key(i), shape)
           for i, shape in enumerate([(3, 5, 7), (7, 11), (3, 5, 11)]))


def rounded(x):
    return np.asarray(jnp.asarray(x).astype(jnp.bfloat16).astype(jnp.float32), np.float64)


@pytest.mark.parametrize("jit", [False, True])
def test_bfloat16_rounds_factors_and_nothing_else(jit):
    def both(x, w):
        y, back = jax.vjp(lambda x, w: product(x, w, "bfloat16"), x, w)
        return y, *back(G)

    y, d_x, d_w = (jax.jit(both) if jit else both)(X, W)
    assert {a.dtype for a in (y, d_x, d_w)} == {jnp.dtype("float32")}
    np.testing.assert_allclose(y, rounded(X) @ rounded(W), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(d_x, rounded(G) @ rounded(W).T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(d_w, np.einsum("btd,btn->dn", rounded(X), rounded(G)), rtol=1e-5, atol=1e-6)
    assert np.abs(y - X @ W).max() > 1e-3


def test_float32_is_the_plain_product():
    np.testing.assert_array_equal(product(X, W, "float32"), X @ W)


def test_the_gradient_of_a_transposed_matrix_compiles():
    def total(x, embedding):
        return (product(x, embedding.T, "bfloat16") ** 2).sum()

    d_w = jax.jit(jax.grad(total, 1))(X, W.T)
    assert d_w.shape == (11, 7) and np.isfinite(d_w).all()
