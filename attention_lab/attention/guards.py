"""What keeps a NaN or inf from crossing a pair that the mask forbids.

In IEEE arithmetic 0 * NaN is NaN, so a weight of zero does not keep a bad value out of a matrix
product. Products over features, such as q_t . k_s, make one number for each pair, and a mask on
pairs is enough. Products over positions, such as sum_s w_ts v_s, mix pairs: where something bad is
about, they are taken over finite numbers, and the rows that it concerns are spoilt afterwards.

To look for something bad costs one cheap sum, so the ordinary case pays nothing else.
"""

import functools

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap


@custom_vmap
def _bad_sum(x):
    return ~jnp.isfinite(jnp.sum(x, dtype=jnp.float32))


@_bad_sum.def_vmap
def _bad_sum_of_batch(axis_size, in_batched, x):
    # One answer for the whole batch: a `cond` on it stays a branch where vmap would make a select.
    del axis_size, in_batched
    return _bad_sum(x), False


def somewhere_bad(*arrays: jax.Array) -> jax.Array:
    """False only if every number in the arrays, over all that vmap runs over, is finite; bool ().

    A sum that overflows says True as well; so what is done then must be right for finite numbers.
    """
    flags = [_bad_sum(jax.lax.stop_gradient(x)) for x in arrays]
    return functools.reduce(jnp.logical_or, flags)


@jax.custom_jvp
def finite(x: jax.Array) -> jax.Array:
    """`x` with 0 for every NaN and inf; cotangents pass as they are, so that bad ones show."""
    return jnp.where(jnp.isfinite(x), x, jnp.zeros_like(x))


@finite.defjvp
def _finite_jvp(primals, tangents):
    return finite(*primals), tangents[0]


def bad_rows(x: jax.Array) -> jax.Array:
    """True for each row of x (..., M, N) with a NaN or inf in it; bool (..., M), no gradient."""
    return jnp.any(~jnp.isfinite(jax.lax.stop_gradient(x)), axis=-1)


def guarded(score):
    """A score (T, K), (S, K) -> (T, S) where a bad query or key spoils its pairs and no others.

    `score` sees finite numbers alone, so its gradients are finite; the pairs of a bad query or key
    are made NaN afterwards.
    """
    @functools.wraps(score)
    def guarded_score(q, k):
        spoilt = bad_rows(q)[:, None] | bad_rows(k)[None, :]
        logits = score(finite(q), finite(k)).astype(jnp.float32)
        return logits + jnp.where(spoilt, jnp.float32(jnp.nan), jnp.float32(0))
    guarded_score.is_guarded = True
    return guarded_score


def _dot(equation, a, b):
    return jnp.einsum(equation, a, b, preferred_element_type=jnp.float32)


@jax.custom_vjp
def pair_product(q: jax.Array, k: jax.Array) -> jax.Array:
    """q_t . k_s for every pair, (T, K), (S, K) -> (T, S), float32; a bad key spoils its pairs only.

    Its gradient wants cotangents as `look_up` makes them: exactly 0 on forbidden pairs, and NaN on
    the allowed pairs of a row that sees something bad.
    """
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q and k have shapes {q.shape} and {k.shape}; allowed are (T, K), (S, K)")
    return _dot("tk,sk->ts", q, k)


def _pair_product_forward(q, k):
    product = pair_product(q, k)
    return product, (q, k, somewhere_bad(product))


def _pair_gradients(g, q, k):
    return (_dot("ts,sk->tk", g, k.astype(g.dtype)).astype(q.dtype),
            _dot("ts,tk->sk", g, q.astype(g.dtype)).astype(k.dtype))


def _careful_pair_gradients(g, q, k):
    return _pair_gradients(g, finite(q), finite(k))


def _pair_product_backward(saved, g):
    q, k, bad = saved
    # Named functions, not lambdas: jax knows them again and compiles them once outside jit too.
    return jax.lax.cond(bad, _careful_pair_gradients, _pair_gradients, g, q, k)


pair_product.defvjp(_pair_product_forward, _pair_product_backward)
