"""The formula, written once: one head, one sentence."""

import jax
import jax.numpy as jnp

from attention_lab.attention.compatibility import Compatibility, default_scale, dot
from attention_lab.attention.guards import guarded, masked_mean, masked_softmax
from attention_lab.attention.masks import with_axes


def _full_mask(mask, T, S):
    if mask is None:
        return jnp.ones((T, S), bool)
    mask = with_axes(mask, 2)
    if mask.shape[0] not in (1, T) or mask.shape[1] not in (1, S):
        raise ValueError(f"mask has shape {mask.shape}; allowed is (T, S) = {(T, S)}")
    return jnp.broadcast_to(mask, (T, S))


def weights(q: jax.Array, k: jax.Array, mask: jax.Array | None = None,
            scale: jax.Array | float | None = None,
            compatibility: Compatibility = dot) -> jax.Array:
    """How much each target position attends to each source position: softmax_s(scale * c(q_t, k_s)).

    Args and contract as in `attend`.

    Returns:
      weights, shape (T, S), float32; each row sums to 1, or is all 0 if it may attend to nothing.

    >>> weights(jnp.zeros((1, 2)), jnp.ones((4, 2))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    if q.ndim != 2 or k.ndim != 2:
        raise ValueError(f"q has shape {q.shape} and k {k.shape}; allowed are (T, K) and (S, K)")
    mask = _full_mask(mask, q.shape[0], k.shape[0])
    if scale is None:
        scale = default_scale(compatibility, q.shape[-1])
    if not hasattr(compatibility, "is_guarded"):
        compatibility = guarded(compatibility)
    # Masked before it is scaled: else 0 * NaN would reach the gradient of the scale.
    logits = jnp.where(mask, compatibility(q, k), 0) * jnp.asarray(scale, jnp.float32)
    return masked_softmax(logits, mask)


def attend(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None = None,
           scale: jax.Array | float | None = None,
           compatibility: Compatibility = dot) -> tuple[jax.Array, jax.Array]:
    """Looks every query up among the keys and returns the mean of the values it finds.

    With c the compatibility of a query and a key (Vaswani et al. 2017, equation 1, for `dot`),

        w_ts = exp(scale * c(q_t, k_s)) / sum_s' exp(scale * c(q_t, k_s')),   context_t = sum_s w_ts v_s

    where s and s' run over the positions that t may attend to. Logits and softmax are float32 whatever
    the inputs are. A row that may attend to nothing gives zeros, and so do its gradients. A NaN or inf in
    a key or value changes nothing for a row that may not attend to it, forward or backward; every row
    that may attend to it becomes NaN.

    Args:
      q: queries, shape (T, K).
      k: keys, shape (S, K).
      v: values, shape (S, V).
      mask: bool, shape (T, S), True = may attend; None lets every row attend to everything.
      scale: factor on the logits, a number that may be traced; None is 1/sqrt(K) for dot and general, 1
        for additive, and for cosine, where it is the gain, 1.
      compatibility: `dot`, `cosine`, `general(w)`, `additive(w_query, w_key, v)`, or any function
        (T, K), (S, K) -> (T, S).
    Returns:
      context, shape (T, V) in v's dtype, and weights, shape (T, S), float32.
    Raises:
      ValueError: shapes that don't fit together, or a mask that is not bool.

    >>> k = jnp.array([[10., 0.], [0., 10.], [0., 0.]])
    >>> v = jnp.array([[1.], [2.], [jnp.nan]])
    >>> context, w = attend(k[:1], k, v, mask=jnp.array([[True, True, False]]), scale=1.0)
    >>> context.round(3).tolist(), w.round(3).tolist()
    ([[1.0]], [[1.0, 0.0, 0.0]])
    """
    if v.ndim != 2 or k.ndim != 2 or k.shape[0] != v.shape[0]:
        raise ValueError(f"k has shape {k.shape} and v {v.shape}; allowed are (S, K) and (S, V)")
    mask = _full_mask(mask, q.shape[0], k.shape[0])
    w = weights(q, k, mask, scale, compatibility)
    return masked_mean(w, v, mask), w
