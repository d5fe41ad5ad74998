"""Saturation by hand, against autodiff, and the variance law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.analysis import saturation

Q, K = jax.random.normal(jax.random.key(0), (5,)), jax.random.normal(jax.random.key(1), (7, 5))


def test_norm_by_hand():
    np.testing.assert_allclose(saturation.jacobian_norm(jnp.array([[1.0, 0.0], [0.5, 0.5]])), [0.0, 0.5],
                               atol=1e-6)


@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_jacobians_equal_autodiff(scale):
    row = saturation.of_row(Q, K, jnp.float32(scale))
    to_query = jax.jacrev(lambda q: attention.weights(q[None], K, scale=scale)[0])(Q)
    to_logits = jax.jacrev(jax.nn.softmax)(scale * K @ Q)
    np.testing.assert_allclose(row.to_query, jnp.linalg.norm(to_query), rtol=1e-4)
    np.testing.assert_allclose(row.to_logits, jnp.linalg.norm(to_logits), rtol=1e-4)
    np.testing.assert_allclose(row.variance, np.var(scale * np.asarray(K @ Q)), rtol=1e-5)


@pytest.mark.parametrize("key_size", [16, 128])
def test_variance_is_the_key_size_without_the_scale_and_one_with_it(key_size):
    rows = [saturation.summary(saturation.random_rows(
        jax.random.key(0), 400, 64, key_size, jnp.float32(scale))) for scale in (1.0, key_size ** -0.5)]
    assert rows[0]["variance"] == pytest.approx(key_size, rel=0.1)
    assert rows[1]["variance"] == pytest.approx(1.0, rel=0.1)
    assert rows[1]["entropy"] == pytest.approx(0.887, abs=0.01)
    assert rows[0]["entropy"] == pytest.approx({16: 0.337, 128: 0.098}[key_size], abs=0.03)
    predicted = saturation.predicted_entropy(np.array([key_size, 1.0]), 64)
    np.testing.assert_allclose(predicted, [row["entropy"] for row in rows], atol=0.04)


def test_causal_rows_are_those_of_the_model():
    q, k = (jax.random.normal(jax.random.key(i), (3, 7, 5)) for i in range(2))
    found = saturation.causal_rows(q, k, 4, jnp.float32(0.7))
    assert found.entropy.shape == (9,)
    weights = jax.vmap(lambda q, k: attention.weights(q, k, attention.causal(7), scale=0.7))(q, k)
    rows = [weights[b, t, :t + 1] for t in range(4, 7) for b in range(3)]
    np.testing.assert_allclose(found.entropy, [float(attention.entropy(row)) for row in rows], rtol=1e-5)
    np.testing.assert_allclose(found.largest, [float(row.max()) for row in rows], rtol=1e-5)
