"""The lift over heads and sentences, in one place: an implementation of one head under `jax.vmap`."""

import functools
from collections.abc import Mapping

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.counterfactual import Counterfactual, spread
from attention_lab.attention.formula import as_floats
from attention_lab.attention.implementations import IMPLEMENTATIONS
from attention_lab.attention.masks import Mask, as_mask, with_axes
from attention_lab.attention.scores import SCORES, Score, default_scale, dot


def multi_head(q: chex.Array, k: chex.Array, v: chex.Array, mask: Mask | chex.Array | None = None,
               scale: chex.Numeric | None = None, score: Score = dot, parameters: Mapping | None = None,
               implementation: str = "reference", return_weights: bool = False,
               counterfactual: Counterfactual | None = None) -> jax.Array | tuple[jax.Array, jax.Array]:
    """`attend` for the H heads of B sentences at once (Vaswani et al. 2017, section 3.2.2).

    Args:
      q, k, v: queries (B, H, T, K), keys (B, H, S, K), values (B, H, S, V).
      mask: `Mask`, or bool, True = may attend; shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1.
      scale: as in `attend`, shape (), or (H,) with a factor for each head; may be traced.
      score: as in `attend`; called with `parameters` too.
      parameters: further arguments of the score by name, with a leading axis H; numbers () and None are the
        same for all heads.
      implementation: a name in IMPLEMENTATIONS: "reference", the formula, or "xla", which is
        `jax.nn.dot_product_attention`, for dot and without weights.
      counterfactual: weights to use instead, numbers (B, H, T, S) and rows (B, H, T), any axis may be 1 but
        S of noise; None replaces nothing.
    Returns:
      context (B, H, T, V) in v's dtype; with return_weights also the weights used (B, H, T, S), float32.
    Raises:
      ValueError: shapes that do not fit together, an array as mask that is not bool, an implementation that
        is unknown or cannot compute this.

    >>> from attention_lab.attention import general
    >>> q = k = v = jnp.ones((2, 3, 5, 7))
    >>> w = jnp.broadcast_to(jnp.eye(7), (3, 7, 7))  # a matrix for each of 3 heads
    >>> multi_head(q, k, v, score=general, parameters={"w": w}).shape
    (2, 3, 5, 7)
    """
    q, k, v = as_floats(q=q, k=k, v=v)
    if not q.ndim == k.ndim == v.ndim == 4 or not (
            q.shape[:2] == k.shape[:2] == v.shape[:2] and k.shape[2] == v.shape[2]):
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; allowed are "
                         "(B, H, T, K), (B, H, S, K) and (B, H, S, V)")
    (B, H, T, K), S = q.shape, k.shape[2]
    scale, parameters = default_scale(score, K) if scale is None else scale, parameters or {}
    if jnp.shape(scale) not in ((), (H,)):
        raise ValueError(f"scale has shape {jnp.shape(scale)}; allowed are () and (H,) = {(H,)}")
    for name, x in parameters.items():
        if x is not None and jnp.shape(x)[:1] not in ((), (H,)):
            raise ValueError(f"parameters[{name!r}] has shape {jnp.shape(x)}; its first axis must be H = {H}")
    function = _function(implementation, score, return_weights, counterfactual)
    mask = None if mask is None else with_axes(as_mask(mask), 2)
    for x in jax.tree.leaves(mask):
        if x.ndim > 4 or any(a not in (1, b) for a, b in zip(x.shape, (B, H, T, S))):
            raise ValueError(f"mask has axes {x.shape}; allowed is {(B, H, T, S)[:x.ndim]}, or 1 for any")
    if counterfactual is not None:
        counterfactual = spread(counterfactual, (B, H, T, S))

    def one_head(q, k, v, mask, scale, parameters, counterfactual):
        return function(q, k, v, mask, scale, functools.partial(score, **parameters) if parameters else score,
                        counterfactual)

    # An axis of size 1 of the mask is dropped rather than mapped, so that the mask is stored once.
    over_b, over_h = (jax.tree.map(lambda x: None if x.shape[axis] == 1 else 0, mask) for axis in (0, 1))
    mask = jax.tree.map(lambda x: jnp.squeeze(x, [axis for axis in (0, 1) if x.shape[axis] == 1]), mask)
    of_each_head = jax.tree.map(lambda x: 0 if jnp.ndim(x) else None, (scale, parameters))
    heads = jax.vmap(one_head, in_axes=(0, 0, 0, over_h, *of_each_head, 0))
    sentences = jax.vmap(heads, in_axes=(0, 0, 0, over_b, None, None, 0))
    context, weights = sentences(q, k, v, mask, scale, parameters, counterfactual)
    chex.assert_shape(context, (B, H, T, v.shape[-1]))
    return (context, weights) if return_weights else context


def _function(name, score, return_weights, counterfactual):
    """The function of an implementation; a ValueError where it is unknown or cannot compute this."""
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"implementation is {name!r}; allowed are {', '.join(IMPLEMENTATIONS)}")
    chosen = IMPLEMENTATIONS[name]
    if chosen.scores is not None and score not in [SCORES[other].function for other in chosen.scores]:
        given = getattr(score, "__name__", repr(score))
        raise ValueError(f"score is {given}; implementation {name!r} allows {', '.join(chosen.scores)}")
    if not chosen.weights and (return_weights or counterfactual is not None):
        what = "return_weights is True" if return_weights else "a counterfactual is given"
        names = ", ".join(key for key, each in IMPLEMENTATIONS.items() if each.weights)
        raise ValueError(f"{what}; implementation {name!r} forms no weights, allowed are {names}")
    return chosen.function
