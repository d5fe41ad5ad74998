"""The lift over heads and sentences, in one place: the formula under `vmap`, or a rival of it."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from attention_lab.attention.attend import attend
from attention_lab.attention.attend import weights as own_weights
from attention_lab.attention.compatibility import Compatibility, default_scale, dot
from attention_lab.attention.counterfactual import Counterfactual, mean, replaced, spread
from attention_lab.attention.implementations import IMPLEMENTATIONS
from attention_lab.attention.masks import with_axes


def multi_head(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None = None,
               scale: jax.Array | float | None = None, implementation: str = "reference",
               compatibility: Compatibility = dot, parameters: Mapping | None = None,
               return_weights: bool = False, counterfactual: Counterfactual | None = None
               ) -> jax.Array | tuple[jax.Array, jax.Array]:
    """`attend` for the H heads of B sentences at once (Vaswani et al. 2017, section 3.2.2).

    Args:
      q: queries, shape (B, H, T, K).
      k: keys, shape (B, H, S, K).
      v: values, shape (B, H, S, V).
      mask: bool, True = may attend; shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1.
      scale: as in `attend`, shape (), or (H,) for one of each head; may be traced.
      implementation: "reference" is the formula, lifted by vmap; "xla" is
        `jax.nn.dot_product_attention`: dot only, no weights, and a row that sees something bad is
        NaN but passes no gradient on.
      compatibility: as in `attend`; or, with `parameters`, what makes one, such as `additive`.
      parameters: arguments by name of what makes the compatibility, each with a leading axis H.
      return_weights: whether to return the weights too.
      counterfactual: weights to use in the place of the heads' own, numbers (B, H, T, S) and rows
        (B, H, T), any axis may be 1 but S of noise; None, as always, for their own. Reference only.
    Returns:
      context, shape (B, H, T, V) in v's dtype; with return_weights a pair of it and the weights
      that were used, shape (B, H, T, S), float32.
    Raises:
      ValueError: shapes that don't fit together, a mask that is not bool, an implementation that
        is unknown or can't do what is asked of it.

    >>> from attention_lab.attention import general
    >>> q = k = v = jnp.ones((2, 3, 5, 7))
    >>> w = jnp.broadcast_to(jnp.eye(7), (3, 7, 7))  # a matrix for each of 3 heads
    >>> multi_head(q, k, v, compatibility=general, parameters={"w": w}).shape
    (2, 3, 5, 7)
    """
    if not q.ndim == k.ndim == v.ndim == 4 or not (
            q.shape[:2] == k.shape[:2] == v.shape[:2] and k.shape[2] == v.shape[2]):
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; allowed are "
                         "(B, H, T, K), (B, H, S, K) and (B, H, S, V)")
    B, H, T, S = *q.shape[:3], k.shape[2]
    if scale is not None and jnp.shape(scale) not in ((), (H,)):
        raise ValueError(f"scale has shape {jnp.shape(scale)}; allowed are () and (H,) = {(H,)}")
    for name, x in (parameters or {}).items():
        if jnp.shape(x)[:1] != (H,):
            raise ValueError(f"parameters[{name!r}] has shape {jnp.shape(x)}; its first axis must "
                             f"be H = {H}")
    mask = jnp.ones((1, 1, T, S), bool) if mask is None else with_axes(mask, 4)
    if any(size not in (1, whole) for size, whole in zip(mask.shape, (B, H, T, S))):
        raise ValueError(f"mask has axes {mask.shape}; allowed is {(B, H, T, S)}, or 1 for any")
    if implementation != "reference":
        _check(implementation, compatibility, parameters, return_weights, counterfactual)
        scale = default_scale(dot, q.shape[-1]) if scale is None else scale
        return IMPLEMENTATIONS[implementation](q, k, v, mask, scale)

    if counterfactual is not None:
        counterfactual = spread(counterfactual, (B, H, T, S))

    def one_head(q, k, v, mask, scale, parameters, counterfactual):
        score = compatibility if parameters is None else compatibility(**parameters)
        if counterfactual is None:
            return attend(q, k, v, mask, scale, score)
        used = replaced(own_weights(q, k, mask, scale, score), mask, counterfactual)
        return mean(used, v, mask), used

    # An axis of size 1 of the mask is dropped rather than mapped: then the mask is stored once.
    over_b, over_h = (None if size == 1 else 0 for size in mask.shape[:2])
    mask = jnp.squeeze(mask, [i for i in (0, 1) if mask.shape[i] == 1])
    over_scale = 0 if scale is not None and jnp.ndim(scale) == 1 else None
    heads = jax.vmap(one_head, in_axes=(0, 0, 0, over_h, over_scale, 0, 0))
    sentences = jax.vmap(heads, in_axes=(0, 0, 0, over_b, None, None, 0))
    context, weights = sentences(q, k, v, mask, scale, parameters, counterfactual)
    return (context, weights) if return_weights else context


def _check(implementation, compatibility, parameters, return_weights, counterfactual):
    """Raises ValueError where an implementation other than the reference can't do what is asked."""
    if implementation not in IMPLEMENTATIONS:
        known = ", ".join(["reference", *IMPLEMENTATIONS])
        raise ValueError(f"implementation is {implementation!r}; allowed are {known}")
    if compatibility is not dot or parameters is not None:
        name = getattr(compatibility, "__name__", repr(compatibility))
        raise ValueError(f"compatibility is {name}; implementation {implementation!r} allows dot")
    if return_weights:
        raise ValueError(f"return_weights is True; implementation {implementation!r} forms no "
                         "weights, reference does")
    if counterfactual is not None:
        raise ValueError(f"counterfactual is {counterfactual.kind}; implementation {implementation!r} forms "
                         "no weights to replace, reference does")
