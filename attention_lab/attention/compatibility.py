"""Compatibility: how well a query and a key go together, one number for each pair, not yet scaled.

Every compatibility is a function (q (T, K), k (S, K)) -> logits (T, S), float32. Those that have
parameters are made by a function of them: `general(w)`, `additive(w_query, w_key, v)`. A function
of one's own serves as well.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from attention_lab.attention.guards import guarded, pair_product

Compatibility = Callable[[jax.Array, jax.Array], jax.Array]


def _inverse_sqrt(size: int) -> float:
    return size ** -0.5


def default_scale(compatibility: Compatibility, size: int) -> float:
    """The factor that `scale=None` stands for: 1/sqrt(K) for dot and general, 1 for all others."""
    return getattr(compatibility, "default_scale", lambda size: 1.0)(size)


def dot(q: jax.Array, k: jax.Array) -> jax.Array:
    """Dot product, q_t . k_s (Vaswani et al. 2017, section 3.2.1; "dot" in Luong et al. 2015).

    Args:
      q: queries, shape (T, K).
      k: keys, shape (S, K).
    Returns:
      logits, shape (T, S), float32.

    >>> dot(jnp.array([[1., 2.]]), jnp.array([[3., 4.], [0., 1.]])).tolist()
    [[11.0, 2.0]]
    """
    return pair_product(q, k)


dot.is_guarded = True
dot.default_scale = _inverse_sqrt


def general(w: jax.Array) -> Compatibility:
    """Bilinear form, q_t W k_s ("general" in Luong et al. 2015, section 3.1).

    Args:
      w: matrix from queries to keys, shape (K, K), or (K of q, K of k); the identity gives `dot`.
    Returns:
      a compatibility.

    >>> flip = jnp.array([[0., 1.], [1., 0.]])
    >>> general(flip)(jnp.array([[1., 2.]]), jnp.array([[3., 4.]])).tolist()
    [[10.0]]
    """
    @guarded
    def general_score(q, k):
        return pair_product(jnp.einsum("tk,kj->tj", q, w.astype(q.dtype)), k)
    general_score.default_scale = _inverse_sqrt
    return general_score


def additive(w_query: jax.Array | None, w_key: jax.Array | None, v: jax.Array) -> Compatibility:
    """One hidden layer, v . tanh(q_t W_q + k_s W_k) (Bahdanau et al. 2015, appendix A.1.2).

    Args:
      w_query: matrix from queries to A hidden units, shape (K, A); None for queries that are (T, A) already.
      w_key: matrix from keys to the same units, shape (K, A); keys may differ in size from queries. None
        for keys that are (S, A) already, as where many queries meet the same keys one after another.
      v: weight of each unit, shape (A,).
    Returns:
      a compatibility; it holds T * S * A numbers at once.

    >>> score = additive(jnp.eye(1), jnp.eye(1), jnp.array([2.]))
    >>> score(jnp.array([[1.]]), jnp.array([[-1.], [9.]])).round(3).tolist()
    [[0.0, 2.0]]
    """
    @guarded
    @jax.checkpoint  # tanh is made again in the backward pass: to keep T * S * A numbers takes longer
    def additive_score(q, k):
        from_q = q if w_query is None else jnp.einsum("tk,ka->ta", q, w_query.astype(q.dtype))
        from_k = k if w_key is None else jnp.einsum("sk,ka->sa", k, w_key.astype(k.dtype))
        units = jnp.tanh(from_q[:, None, :] + from_k[None, :, :])
        return jnp.einsum("tsa,a->ts", units, v.astype(units.dtype),
                          preferred_element_type=jnp.float32)
    return additive_score


def _unit(x):
    # rsqrt of the floored square: a vector of zeros stays zero, with a finite gradient.
    x = x.astype(jnp.float32)
    square = jnp.sum(x * x, axis=-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(square, 1e-12))


@guarded
def cosine(q: jax.Array, k: jax.Array) -> jax.Array:
    """Cosine of the angle between q_t and k_s (QKNorm, Henry et al. 2020).

    It lies between -1 and 1, so `scale` is the gain that lets the softmax become sharp: a learned
    number, which Henry et al. start at log2(L^2 - L) for sentences of length L. None is 1.

    Args:
      q: queries, shape (T, K).
      k: keys, shape (S, K). A vector of zeros has cosine 0 with everything.
    Returns:
      logits, shape (T, S), float32.

    >>> cosine(jnp.array([[3., 0.]]), jnp.array([[2., 0.], [0., 5.], [-1., 0.]])).tolist()
    [[1.0, 0.0, -1.0]]
    """
    return pair_product(_unit(q), _unit(k))
