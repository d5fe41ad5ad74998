"""Entropy of attention weights by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import attention


def test_by_hand():
    rows = jnp.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75], [0.0, 0.0]])
    expected = [0.0, 1.0, -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75)), 0.0]
    np.testing.assert_allclose(attention.entropy(rows), expected, atol=1e-6)
    assert attention.entropy(jnp.ones((3, 1))).tolist() == [0.0, 0.0, 0.0]


def test_its_gradient_is_finite_on_one_hot_rows():
    gradient = jax.grad(lambda w: attention.entropy(w).sum())(jnp.array([[1.0, 0.0, 0.0]]))
    assert np.isfinite(gradient).all()
