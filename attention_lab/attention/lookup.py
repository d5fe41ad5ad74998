"""From logits to weights and context: the softmax, the mean under it, and their gradient.

The arithmetic is in `_values` and `_gradients`. The `_careful` functions clean their arguments,
call the same arithmetic, and then spoil what ought to be spoilt; see `guards.py` for why.
"""

import jax
import jax.numpy as jnp

from attention_lab.attention.guards import bad_rows, finite, somewhere_bad


def _values(logits, v, mask, scale):
    """Context and weights; with finite arguments a forbidden weight is exactly 0."""
    # Sums and maxima alone, no select: the compiler fuses them into the products around them.
    scaled = logits * scale + jnp.where(mask, jnp.float32(0), -jnp.inf)
    top = jnp.max(scaled, axis=-1, keepdims=True, initial=jnp.finfo(jnp.float32).min)
    raised = jnp.exp(scaled - top)
    # The sum is at least 1, or 0 in a row that may attend to nothing.
    weights = raised / jnp.maximum(jnp.sum(raised, axis=-1, keepdims=True), 1e-30)
    return jnp.einsum("ts,sv->tv", weights, v.astype(jnp.float32)).astype(v.dtype), weights


def _gradients(weights, v, g_context, g_weights, mask):
    """Cotangents of the scaled logits and of v; where a weight is 0 so is the logit's."""
    del mask  # for what `_careful_gradients` needs to know
    g = g_weights + _pairs(g_context, v)
    g_scaled = weights * (g - jnp.sum(weights * g, axis=-1, keepdims=True))
    g_v = jnp.einsum("ts,tv->sv", weights, g_context.astype(jnp.float32))
    return g_scaled, g_v.astype(v.dtype)


def _pairs(g_context, v):
    return jnp.einsum("tv,sv->ts", g_context, v, preferred_element_type=jnp.float32)


def _reached(mask, bad):
    """True where a row of mask (T, S) lets in something of bad (S, V); bool (T, V)."""
    return jnp.einsum("ts,sv->tv", mask.astype(jnp.float32), bad.astype(jnp.float32)) > 0


def _careful_values(logits, v, mask, scale):
    good = mask & jnp.isfinite(logits) & jnp.isfinite(scale)
    spoilt = jnp.any(mask & ~good, axis=-1, keepdims=True)
    context, weights = _values(jnp.where(good, logits, 0), finite(v), mask, finite(scale))
    context = jnp.where(spoilt | _reached(mask, ~jnp.isfinite(v)), jnp.nan, context)
    return context, jnp.where(mask & spoilt, jnp.nan, weights)


def _careful_gradients(weights, v, g_context, g_weights, mask):
    g_weights = jnp.where(mask, g_weights, 0)
    g_scaled, g_v = _gradients(finite(weights), finite(v), finite(g_context), finite(g_weights),
                               mask)
    # What does not depend on a row gets nothing from it, not even 0 * NaN.
    wanted = jnp.any(g_context != 0, axis=-1) | jnp.any(g_weights != 0, axis=-1)
    spoilt = wanted & bad_rows(weights)
    rows = (spoilt | bad_rows(g_context) | bad_rows(g_weights)
            | wanted & jnp.any(mask & bad_rows(v)[None, :], axis=-1))
    reached = _reached(mask.T, spoilt[:, None] | ~jnp.isfinite(g_context))
    return jnp.where(mask & rows[:, None], jnp.nan, g_scaled), jnp.where(reached, jnp.nan, g_v)


@jax.custom_vjp
def look_up(logits: jax.Array, v: jax.Array, mask: jax.Array,
            scale: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Softmax over the allowed logits of each row, and the mean of the values under it.

    Args:
      logits: shape (T, S), float32, not scaled. One that is not finite spoils the rows allowed it.
      v: values, shape (S, V).
      mask: bool, shape (T, S), True = may attend.
      scale: factor on the logits, float32, shape ().
    Returns:
      context, shape (T, V) in v's dtype, and weights, shape (T, S), float32.
    """
    bad = somewhere_bad(logits, v, scale)
    return jax.lax.cond(bad, _careful_values, _values, logits, v, mask, scale)


def _look_up_forward(logits, v, mask, scale):
    context, weights = look_up(logits, v, mask, scale)
    return (context, weights), (logits, v, mask, scale, weights)


def _look_up_backward(saved, g):
    logits, v, mask, scale, weights = saved
    # A bad number in g or v is bad in its pairs, and weights are bad where logits are.
    bad = somewhere_bad(logits, scale, g[1] + _pairs(g[0], v))
    g_scaled, g_v = jax.lax.cond(bad, _careful_gradients, _gradients, weights, v, *g, mask)
    g_scale = jnp.sum(g_scaled * jnp.where(mask & (g_scaled != 0), logits, 0))
    return jnp.where(mask, g_scaled * scale, 0), g_v, None, g_scale


look_up.defvjp(_look_up_forward, _look_up_backward)
