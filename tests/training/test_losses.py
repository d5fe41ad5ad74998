"""Cross-entropy in chunks equals the textbook formula, in value and gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.training import losses


def plainly(hidden, readout, target, real, smoothing):
    log_p = jax.nn.log_softmax(hidden @ readout.T)
    picked = jnp.take_along_axis(log_p, target[..., None], -1)[..., 0]
    return -(((1 - smoothing) * picked + smoothing * log_p.mean(-1)) * real).sum()


@pytest.mark.parametrize("chunk", [5, 10, 1000])
def test_value_and_gradient(monkeypatch, chunk):
    monkeypatch.setattr(losses, "CHUNK_TOKENS", chunk)
    B, T, D, N = 5, 6, 7, 11
    keys = jax.random.split(jax.random.key(0), 3)
    hidden, readout = jax.random.normal(keys[0], (B, T, D)), jax.random.normal(keys[1], (N, D))
    target = jax.random.randint(keys[2], (B, T), 1, N)
    real = jnp.arange(T)[None, :] < jnp.array([6, 3, 1, 5, 2])[:, None]

    def ours(hidden, readout):
        return 3.0 * losses.cross_entropy(hidden, readout, target, real, 0.2)[0].total

    def theirs(hidden, readout):
        return 3.0 * plainly(hidden, readout, target, real, 0.2)

    for a, b in zip(jax.tree.leaves(jax.value_and_grad(ours, (0, 1))(hidden, readout)),
                    jax.tree.leaves(jax.value_and_grad(theirs, (0, 1))(hidden, readout))):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    smoothed, plain = losses.cross_entropy(hidden, readout, target, real, 0.0)
    assert float(smoothed.count) == 17
    np.testing.assert_allclose(smoothed.total, plain.total, rtol=1e-6)
