"""Programs that XLA is known to get wrong, or would hurt us most, against numpy in float64.

Run here as tests compile them and, by tests/training/test_bits.py, as training does. One that fails on a new
version of jaxlib asks for a flag in attention_lab/storage/xla.py.
"""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.storage import xla
from attention_lab.training import losses

ROWS = (1_000, 16_385, 32_769, 33_000, 40_961, 65_537)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


REDUCTIONS = {
    "sum": (lambda y: jnp.sum(y ** 2), lambda y: (y ** 2).sum(-1)),
    "max": (jnp.max, lambda y: y.max(-1)),
    "logsumexp": (jax.nn.logsumexp, lambda y: np.log(np.exp(y).sum(-1))),
}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("units", [(3, 3), (2, 5)])
def test_a_product_and_then_a_reduction(rows, name, units):
    rng = np.random.default_rng(rows)
    matrix, x = (rng.normal(size=size).astype(np.float32)
                 for size in ((units[1], units[0]), (rows, units[0])))
    ours, truth = REDUCTIONS[name]
    found = jax.jit(jax.vmap(lambda row: ours(matrix @ row)))(x)
    np.testing.assert_allclose(found, truth(x.astype(float) @ matrix.T.astype(float)), rtol=2e-5, atol=2e-5)


def attention_and_gradients(q, k, v):
    """softmax(q k' / sqrt(d)) v, and the gradients of its sum, in float64."""
    q, k, v = (x.astype(float) for x in (q, k, v))
    scale = q.shape[-1] ** -0.5
    weights = softmax(q @ k.swapaxes(-1, -2) * scale)
    of_weights = np.broadcast_to(v.sum(-1)[..., None, :], weights.shape)
    of_scores = weights * (of_weights - (weights * of_weights).sum(-1, keepdims=True)) * scale
    of_values = np.broadcast_to(weights.sum(-2)[..., None], v.shape)
    return weights @ v, (of_scores @ k, of_scores.swapaxes(-1, -2) @ q, of_values)


@pytest.mark.parametrize("sizes", [(1, 1, 64, 64, 16, 16), (2, 3, 37, 53, 11, 13), (8, 8, 128, 128, 32, 32),
                                   (64, 4, 16, 16, 8, 8), (1, 8, 512, 512, 64, 64), (1, 1, 32_769, 8, 3, 3),
                                   (1, 1, 33_000, 3, 3, 3), (3, 2, 1, 4_096, 4, 4)])
@pytest.mark.parametrize("lifted", [True, False])
def test_gradients_of_a_summed_attention(sizes, lifted):
    """The gradient that comes from above is one number everywhere: a product with a broadcast operand."""
    batch, heads, targets, sources, units, values = sizes
    rng = np.random.default_rng(sum(sizes))
    q, k, v = (rng.normal(size=size).astype(np.float32) for size in (
        (batch, heads, targets, units), (batch, heads, sources, units), (batch, heads, sources, values)))

    def plain(q, k, v):
        return jax.nn.softmax(q @ k.swapaxes(-1, -2) * units ** -0.5) @ v

    def ours(q, k, v):
        return attention.multi_head(q, k, v)

    function = ours if lifted else plain
    context, gradients = attention_and_gradients(q, k, v)
    np.testing.assert_allclose(jax.jit(function)(q, k, v), context, rtol=2e-5, atol=2e-5)
    found = jax.jit(jax.grad(lambda *arrays: function(*arrays).sum(), (0, 1, 2)))(q, k, v)
    for one, truth in zip(found, gradients):
        np.testing.assert_allclose(one, truth, atol=1e-4 * np.abs(truth).max(), rtol=0)


@pytest.mark.parametrize("sentences, tokens", [(10, 100), (3, 10_923), (33, 1_000)])
def test_cross_entropy_and_its_gradient(sentences, tokens):
    rng = np.random.default_rng(tokens)
    hidden, readout = (rng.normal(size=size).astype(np.float32) for size in ((sentences, tokens, 5), (7, 5)))
    target = rng.integers(0, 7, size=(sentences, tokens))
    real = np.ones((sentences, tokens), bool)

    def mean(hidden, readout):
        total, count = losses.cross_entropy(hidden, readout, target, real, 0.0)[0]
        return total / count

    value, found = jax.jit(jax.value_and_grad(mean, (0, 1)))(hidden, readout)
    share = softmax(hidden.astype(float) @ readout.T.astype(float))
    of_logits = (share - np.eye(7)[target]) / target.size
    nats = -np.log(np.take_along_axis(share, target[..., None], -1))
    np.testing.assert_allclose(value, nats.mean(), rtol=2e-5)
    truth = of_logits @ readout, of_logits.reshape(-1, 7).T @ hidden.reshape(-1, 5)
    for ours, right in zip(found, truth):
        np.testing.assert_allclose(ours, right, atol=1e-5 * np.abs(right).max(), rtol=0)


WRONG = """
import jax, jax.numpy as jnp, numpy as np
x = np.random.default_rng(0).normal(size=(33000, 3)).astype(np.float32)
found = jax.jit(jax.vmap(lambda row: jnp.max(np.eye(3, dtype=np.float32) @ row)))(x)
print(np.abs(found - x.max(1)).max())
"""


def test_the_flag_is_still_needed():
    """Where it is set it has to be: once this fails for each supported version, the flag can go."""
    if not xla.gets_sums_wrong():
        pytest.skip(f"jaxlib {xla.version()} needs no flag")
    done = subprocess.run([sys.executable, "-c", WRONG], env=os.environ | {"XLA_FLAGS": ""}, text=True,
                          capture_output=True, check=True)
    assert float(done.stdout) > 0.01
