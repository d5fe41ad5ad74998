"""What keeps a NaN or inf from crossing a pair that the mask forbids.

In IEEE arithmetic 0 * NaN is NaN, so a weight of zero does not keep a bad value out of a matrix
product. Products over features, such as q_t . k_s, make one number for each pair, and a mask on pairs
is enough. Products over positions, such as sum_s w_ts v_s, mix pairs: they are taken over finite
numbers here, and a row that may attend to something bad is told so afterwards.
"""

import functools

import jax
import jax.numpy as jnp


@jax.custom_jvp
def finite(x: jax.Array) -> jax.Array:
    """`x` with 0 for every NaN and inf; its gradient is the identity, so that bad cotangents show."""
    return jnp.where(jnp.isfinite(x), x, jnp.zeros_like(x))


@finite.defjvp
def _finite_jvp(primals, tangents):
    return finite(*primals), tangents[0]


def poison(x: jax.Array) -> jax.Array:
    """For rows x (M, N): 0 (M,) where the row is finite, NaN where it is not; float32, no gradient."""
    bad = jnp.any(~jnp.isfinite(jax.lax.stop_gradient(x)), axis=-1)
    return jnp.where(bad, jnp.float32(jnp.nan), jnp.float32(0))


def guarded(score):
    """A score (T, K), (S, K) -> (T, S) under which a bad query or key spoils its own pairs and no others.

    `score` sees finite numbers alone, so its gradients are finite too; the pairs of a bad query or key
    are NaN afterwards.
    """
    @functools.wraps(score)
    def guarded_score(q, k):
        logits = score(finite(q), finite(k)).astype(jnp.float32)
        return logits + poison(q)[:, None] + poison(k)[None, :]
    guarded_score.is_guarded = True
    return guarded_score


@jax.custom_vjp
def pair_product(q: jax.Array, k: jax.Array) -> jax.Array:
    """q_t . k_s for every pair, (T, K), (S, K) -> (T, S), float32.

    Its gradient takes cotangents that are exactly 0 on forbidden pairs, and NaN on allowed pairs whose
    product is not finite (as `masked_softmax` gives them).
    """
    return jnp.einsum("tk,sk->ts", q, k, preferred_element_type=jnp.float32)


def _pair_product_forward(q, k):
    return pair_product(q, k), (q, k)


def _pair_product_backward(saved, g):
    q, k = saved
    dq = jnp.einsum("ts,sk->tk", g, finite(k).astype(jnp.float32))
    dk = jnp.einsum("ts,tk->sk", g, finite(q).astype(jnp.float32))
    return dq.astype(q.dtype), dk.astype(k.dtype)


pair_product.defvjp(_pair_product_forward, _pair_product_backward)


@jax.custom_vjp
def masked_softmax(logits: jax.Array, mask: jax.Array) -> jax.Array:
    """Softmax over the allowed entries of each row, (T, S) -> (T, S); an empty row is all 0.

    A row with an allowed logit that is not finite is NaN on its allowed entries and 0 on the others.
    """
    # A logit of -inf would hide the infinite key that made it.
    logits = jnp.where(jnp.isfinite(logits), logits, jnp.nan)
    logits = jnp.where(mask, logits, -jnp.inf)
    top = jnp.max(logits, axis=-1, keepdims=True, initial=jnp.finfo(logits.dtype).min)
    raised = jnp.exp(logits - top)
    total = jnp.sum(raised, axis=-1, keepdims=True)
    return jnp.where(mask, raised / jnp.where(total == 0, 1, total), 0)


def _masked_softmax_forward(logits, mask):
    weights = masked_softmax(logits, mask)
    return weights, (weights, mask)


def _masked_softmax_backward(saved, g):
    weights, mask = saved
    g = jnp.where(mask, g, 0)
    mean = jnp.sum(weights * g, axis=-1, keepdims=True)
    return jnp.where(mask, weights * (g - mean), 0), None


masked_softmax.defvjp(_masked_softmax_forward, _masked_softmax_backward)


def _sum_over_allowed(weights, x, mask):
    """sum_s w_ts x_s over the allowed s, (T, S), (S, V) -> (T, V); NaN where an allowed x_s is bad."""
    bad = jnp.any(~jnp.isfinite(x), axis=-1)
    hit = jnp.any(mask & bad[None, :], axis=-1, keepdims=True)
    total = jnp.einsum("ts,sv->tv", weights, finite(x).astype(jnp.float32))
    return jnp.where(hit, jnp.nan, total)


@jax.custom_vjp
def masked_mean(weights: jax.Array, v: jax.Array, mask: jax.Array) -> jax.Array:
    """The values weighted, sum_s w_ts v_s, (T, S), (S, V) -> (T, V) in v's dtype.

    The weights are exactly 0 where the mask is False; what stands there in `v` plays no part.
    """
    return _sum_over_allowed(weights, v, mask).astype(v.dtype)


def _masked_mean_forward(weights, v, mask):
    return masked_mean(weights, v, mask), (weights, v, mask)


def _masked_mean_backward(saved, g):
    weights, v, mask = saved
    pairs = jnp.einsum("tv,sv->ts", g, v, preferred_element_type=jnp.float32)
    dv = _sum_over_allowed(weights.T, g, mask.T)
    return jnp.where(mask, pairs, 0), dv.astype(v.dtype), None


masked_mean.defvjp(_masked_mean_forward, _masked_mean_backward)
