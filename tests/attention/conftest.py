"""An oracle for attention without masks, in float64: each row is given only the keys that it is allowed."""

import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention.implementations import blockwise


def attend_by_rows(q, k, v, mask, scale, g_context, g_weights):
    """Context, weights and the gradients of q, k, v, scale, in closed form, by numpy, row by row."""
    q, k, v, g_context, g_weights = (
        np.asarray(x, np.float64) for x in (q, k, v, g_context, g_weights))
    context, weights = np.zeros(g_context.shape), np.zeros(g_weights.shape)
    dq, dk, dv, dscale = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape), 0.0
    for t in range(len(q)):
        s = np.flatnonzero(mask[t])
        if not len(s):
            continue
        logits = k[s] @ q[t]
        raised = np.exp(scale * (logits - logits.max()))
        w = raised / raised.sum()
        context[t], weights[t, s] = w @ v[s], w
        g = v[s] @ g_context[t] + g_weights[t, s]
        g_logits = w * (g - w @ g)
        dscale += g_logits @ logits
        dq[t] = scale * g_logits @ k[s]
        dk[s] += scale * np.outer(g_logits, q[t])
        dv[s] += np.outer(w, g_context[t])
    return context, weights, dq, dk, dv, np.asarray(dscale)


def check(ours, expected, tolerance):
    """Every array is close to the oracle's, for numbers of its size."""
    for i, (a, b) in enumerate(zip(ours, expected, strict=True)):
        a, size = np.asarray(a, np.float64), max(1.0, np.abs(b).max(initial=0.0))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * size, err_msg=f"array {i}")


def normal(seed, *shapes, dtype=jnp.float32):
    """Arrays of standard normal numbers of these shapes."""
    rng = np.random.default_rng(seed)
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


@pytest.fixture(scope="session")
def lab():
    """The tools above, for test modules that can't import a conftest."""
    class Lab:
        pass
    for tool in (attend_by_rows, check, masks_of, normal):
        setattr(Lab, tool.__name__, staticmethod(tool))
    return Lab


def masks_of(T, S):
    """A mask of (2, 3) heads of each kind that `kind` knows, and two others."""
    rng = np.random.default_rng(4)
    some = jnp.asarray(rng.random((2, 1, S)) < 0.6).at[0, 0, 0].set(False)
    return {"all": None, "causal": attention.causal(T), "padding": attention.padding(jnp.array([S - 2, 0])),
            "causal and padding": attention.causal(T) & attention.padding(jnp.array([3, S])), "keys": some,
            "causal and keys": attention.causal(T) & some, "window": attention.window(T, 2),
            "random": jnp.asarray(rng.random((2, 3, T, S)) < 0.3)}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks smaller than the arrays of the tests, so that there are several."""
    monkeypatch.setattr(blockwise, "BLOCK", 4)
    monkeypatch.setattr(blockwise, "AREA", 64)
    monkeypatch.setattr(blockwise, "STRETCHES", 3)
