"""An oracle for attention without masks: each row is given only the keys that it is allowed."""

import jax.numpy as jnp
import numpy as np
import pytest


def attend_by_rows(q, k, v, mask, scale, g_context, g_weights):
    """Context, weights and the gradients of q, k, v, scale, in float64, by numpy, row by row.

    What a row is not allowed is never read, so nothing can come from it. NaN and inf take their
    natural course, but that a logit which is not finite is NaN, and that a row without a
    cotangent passes none on.
    """
    q, k, v, g_context, g_weights = (
        np.asarray(x, np.float64) for x in (q, k, v, g_context, g_weights))
    context, weights = np.zeros(g_context.shape), np.zeros(g_weights.shape)
    dq, dk, dv, dscale = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape), 0.0
    with np.errstate(all="ignore"):
        for t in range(len(q)):
            s = np.flatnonzero(mask[t])
            if not len(s):
                continue
            logits = k[s] @ q[t]
            logits = np.where(np.isfinite(logits), logits, np.nan)
            raised = np.exp(scale * (logits - logits.max()))
            w = raised / raised.sum()
            context[t], weights[t, s] = w @ v[s], w
            if not (g_context[t].any() or g_weights[t, s].any()):
                continue
            g = v[s] @ g_context[t] + g_weights[t, s]
            g_logits = w * (g - w @ g)
            dscale += g_logits @ logits
            dq[t] = scale * g_logits @ k[s]
            dk[s] += scale * np.outer(g_logits, q[t])
            dv[s] += np.outer(w, g_context[t])
    return context, weights, dq, dk, dv, np.asarray(dscale)


def check(found, expected, tolerance):
    """Every array is bad (NaN or inf) just where the oracle's is, and close to it elsewhere."""
    names = ("context", "weights", "dq", "dk", "dv", "dscale")
    for name, a, b in zip(names, found, expected, strict=True):
        a = np.asarray(a, np.float64)
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=name)
        good = np.isfinite(b)
        # float32 weights have no rounding of inputs to answer for.
        rtol = 1e-4 if name == "weights" else tolerance
        size = max(1.0, np.abs(b[good]).max(initial=0.0))
        np.testing.assert_allclose(a[good], b[good], rtol=rtol, atol=rtol * size, err_msg=name)


def normal(seed, *shapes, dtype=jnp.float32):
    """Arrays of standard normal numbers of these shapes."""
    rng = np.random.default_rng(seed)
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


@pytest.fixture(scope="session")
def lab():
    """The tools above, for test modules that can't import a conftest."""
    class Lab:
        pass
    for tool in (attend_by_rows, check, normal):
        setattr(Lab, tool.__name__, staticmethod(tool))
    return Lab
