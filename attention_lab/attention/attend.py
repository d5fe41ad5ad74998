"""The formula, written once: one head, one sentence."""

import jax
import jax.numpy as jnp

from attention_lab.attention.compatibility import Compatibility, default_scale, dot
from attention_lab.attention.guards import guarded
from attention_lab.attention.lookup import look_up
from attention_lab.attention.masks import with_axes


def attend(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None = None,
           scale: jax.Array | float | None = None,
           compatibility: Compatibility = dot) -> tuple[jax.Array, jax.Array]:
    """Looks every query up among the keys and returns the mean of the values it finds.

    With c the compatibility of a query and a key (Vaswani et al. 2017, equation 1, for `dot`),

        w_ts = exp(scale * c(q_t, k_s)) / sum_s' exp(scale * c(q_t, k_s'))
        context_t = sum_s w_ts v_s

    where s and s' run over the positions that t may attend to. Logits and softmax are float32
    whatever the inputs are. A row that may attend to nothing gives zeros, and so do its gradients.
    A NaN or inf in a key or value changes nothing for a row that may not attend to it, forward or
    backward; for one that may attend to it a bad key makes NaN of the row's context and weights, a
    bad value of that column of its context, and its gradients are NaN where anything depends on it.
    Reverse mode only: `jax.grad`, `vjp`, `jacrev`.

    Args:
      q: queries, shape (T, K).
      k: keys, shape (S, K).
      v: values, shape (S, V).
      mask: bool, shape (T, S), True = may attend; T or S may be 1. None allows everything.
      scale: factor on the logits, a number that may be traced; None is 1/sqrt(K) for dot and
        general, 1 for additive, and 1 for cosine, where the scale is the (learned) gain.
      compatibility: `dot`, `cosine`, `general(w)`, `additive(w_query, w_key, v)`, or any function
        (T, K), (S, K) -> (T, S).
    Returns:
      context, shape (T, V) in v's dtype, and weights, shape (T, S), float32; each row of weights
      sums to 1, or is all 0 if it may attend to nothing.
    Raises:
      ValueError: shapes that don't fit together, or a mask that is not bool.

    The second key matches best, the third is forbidden:

    >>> k = jnp.array([[0., 0.], [0., 99.], [0., 99.]])
    >>> v = jnp.array([[1.], [2.], [jnp.nan]])
    >>> context, w = attend(jnp.array([[5., 6.]]), k, v, mask=jnp.array([[True, True, False]]))
    >>> context.tolist(), w.tolist()
    ([[2.0]], [[0.0, 1.0, 0.0]])
    """
    if not q.ndim == k.ndim == v.ndim == 2 or k.shape[0] != v.shape[0]:
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; "
                         "allowed are (T, K), (S, K) and (S, V)")
    if scale is None:
        scale = default_scale(compatibility, q.shape[-1])
    if not hasattr(compatibility, "is_guarded"):
        compatibility = guarded(compatibility)
    # jax refuses arrays of numpy that come to a `cond` by way of vmap; a copy is an array of jax.
    q, k, v, mask = (jnp.copy(x) for x in (q, k, v, _full(mask, q.shape[0], k.shape[0])))
    return look_up(compatibility(q, k), v, mask, jnp.asarray(scale, jnp.float32))


def weights(q: jax.Array, k: jax.Array, mask: jax.Array | None = None,
            scale: jax.Array | float | None = None,
            compatibility: Compatibility = dot) -> jax.Array:
    """The weights of `attend` alone, shape (T, S), float32: how much t attends to s.

    >>> weights(jnp.zeros((1, 2)), jnp.ones((4, 2))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return attend(q, k, jnp.zeros((k.shape[0], 0)), mask, scale, compatibility)[1]


def _full(mask, T, S):
    if mask is None:
        return jnp.ones((T, S), bool)
    mask = with_axes(mask, 2)
    if mask.shape[0] not in (1, T) or mask.shape[1] not in (1, S):
        raise ValueError(f"mask has shape {mask.shape}; allowed is (T, S) = {(T, S)}")
    return jnp.broadcast_to(mask, (T, S))
