"""Linear attention of one head and one sentence, without weights (Katharopoulos et al. 2020).

With phi = `feature` the weights phi(q_t) . phi(k_s) factor, so that sums over keys serve every query:

    context_t = phi(q_t) M / phi(q_t) . z      M = sum_s phi(k_s) v_s^T, (K, V)      z = sum_s phi(k_s), (K,)

where s runs over all keys, or over s <= t if causal: then M and z are the state of a recurrent network.
`attend` with the score `linear` computes the same from weights (T, S). Here z is one more column of M, whose
value is 1 at every key.
"""

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.formula import as_floats
from attention_lab.attention.scores import feature

BLOCK = 64  # positions whose products phi(q_t) . phi(k_s) are formed at once, where it is causal


def parallel(q: chex.Array, k: chex.Array, v: chex.Array, allowed: chex.Array | None = None,
             causal: bool = False) -> jax.Array:
    """Context (T, V) in v's dtype, by products of matrices; causal, by sums over blocks of positions.

    Args:
      q, k, v: queries (T, K), keys (S, K), values (S, V); causal, T is S.
      allowed: bool (S,), True = may be attended to; None allows every key. A row without keys gives zeros.
    Raises:
      ValueError: shapes that do not fit together.

    >>> parallel(jnp.zeros((2, 1)), jnp.zeros((2, 1)), jnp.array([[1.], [3.]]), causal=True).tolist()
    [[1.0], [2.0]]
    """
    q, k, v, dtype = _prepared(q, k, v, allowed, causal)
    if not causal:
        return _mean(q @ (k.T @ v), dtype)
    T, count = len(q), -(-len(q) // BLOCK)
    q, k, v = (jnp.pad(x, ((0, count * BLOCK - T), (0, 0))).reshape(count, BLOCK, -1) for x in (q, k, v))
    sums = jnp.einsum("bsk,bsv->bkv", k, v)
    before = jnp.cumsum(sums, axis=0) - sums
    here = jnp.tril(jnp.einsum("btk,bsk->bts", q, k))
    context = jnp.einsum("btk,bkv->btv", q, before) + jnp.einsum("bts,bsv->btv", here, v)
    return _mean(context.reshape(count * BLOCK, -1)[:T], dtype)


def recurrent(q: chex.Array, k: chex.Array, v: chex.Array, allowed: chex.Array | None = None,
              causal: bool = True) -> jax.Array:
    """What `parallel` gives, one position after another; not causal, all keys are read before any query."""
    q, k, v, dtype = _prepared(q, k, v, allowed, causal)
    empty = start(k.shape[1], v.shape[1] - 1)
    if causal:
        _, context = jax.lax.scan(lambda state, x: _step(state, *x), empty, (q, k, v))
        return _mean(context, dtype)
    state, _ = jax.lax.scan(lambda state, x: (state + jnp.outer(*x), None), empty, (k, v))
    return _mean(jax.lax.map(lambda query: query @ state, q), dtype)


def start(K: int, V: int) -> jax.Array:
    """The state before the first position, (K, V + 1)."""
    return jnp.zeros((K, V + 1))


def after(k: chex.Array, v: chex.Array, allowed: chex.Array | None = None) -> jax.Array:
    """The state after the positions of k (S, K) and v (S, V), those of `allowed` (S,) alone: (K, V + 1).

    >>> after(jnp.zeros((2, 1)), jnp.array([[1.], [3.]])).tolist()  # phi(0) = 1
    [[4.0, 2.0]]
    """
    _, k, v, _ = _prepared(k, k, v, allowed, False)
    return k.T @ v


def step(state: jax.Array, q: chex.Array, k: chex.Array, v: chex.Array) -> tuple[jax.Array, jax.Array]:
    """One position of causal attention: the new state and the context (V,).

    state is that of `start`, of `after` or of the step before; q and k are (K,), v is (V,).
    """
    q, k, v, dtype = _prepared(q[None], k[None], v[None], None, True)
    state, context = _step(state, q[0], k[0], v[0])
    return state, _mean(context, dtype)


def _step(state, q, k, v):
    state = state + jnp.outer(k, v)
    return state, q @ state


def _prepared(q, k, v, allowed, causal):
    """phi(q), phi(k) with zeros for keys that are not allowed, values with a column of 1, v's dtype."""
    q, k, v = as_floats(q=q, k=k, v=v)
    if not q.ndim == k.ndim == v.ndim == 2 or k.shape[0] != v.shape[0] or q.shape[1] != k.shape[1] or (
            causal and q.shape[0] != k.shape[0]):
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; allowed are (T, K), "
                         "(S, K) and (S, V), where T is S if causal")
    if allowed is not None and (jnp.shape(allowed) != k.shape[:1] or jnp.asarray(allowed).dtype != bool):
        raise ValueError(f"allowed has shape {jnp.shape(allowed)} and dtype {jnp.asarray(allowed).dtype}; "
                         f"allowed is bool, (S,) = {k.shape[:1]}")
    values = jnp.pad(v.astype(jnp.float32), ((0, 0), (0, 1)), constant_values=1.0)
    if allowed is None:
        return feature(q), feature(k), values, v.dtype
    some = jnp.cumsum(allowed) > 0 if causal else jnp.any(allowed)[None]  # rows with a key
    keys = jnp.where(allowed[:, None], feature(jnp.where(allowed[:, None], k, 0)), 0)
    return feature(jnp.where(some[:, None], q, 0)), keys, jnp.where(allowed[:, None], values, 0), v.dtype


def _mean(sums, dtype):
    """Sums of values over sums of weights, the last column; 0 where there is no key."""
    total = sums[..., -1:]
    return (sums[..., :-1] / jnp.where(total > 0, total, 1)).astype(dtype)
