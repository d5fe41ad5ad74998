"""The lift over heads and sentences, in one place: `jax.vmap` of the formula for one head, one sentence."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from attention_lab.attention.attend import attend
from attention_lab.attention.compatibility import Compatibility, default_scale, dot
from attention_lab.attention.implementations import IMPLEMENTATIONS
from attention_lab.attention.masks import with_axes


def multi_head(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None = None,
               scale: jax.Array | float | None = None, implementation: str = "reference",
               compatibility: Compatibility = dot, parameters: Mapping | None = None,
               return_weights: bool = False) -> jax.Array | tuple[jax.Array, jax.Array]:
    """`attend` for H heads of B sentences at once.

    Args:
      q: queries, shape (B, H, T, K).
      k: keys, shape (B, H, S, K).
      v: values, shape (B, H, S, V).
      mask: bool, True = may attend; shape (T, S), (B, T, S) or (B, H, T, S), any of B, H, T of size 1.
      scale: as in `attend`, shape () or one for each head, (H,); may be traced.
      implementation: "reference" is the formula; "xla" is `jax.nn.dot_product_attention` (dot only, no
        weights, and a row that sees a NaN shows it in its value but passes no gradient on).
      compatibility: as in `attend`; with `parameters` the function that makes one, such as `additive`.
      parameters: its arguments by name, each with a leading axis H; None where it has none.
      return_weights: whether to return the weights too.
    Returns:
      context, shape (B, H, T, V) in v's dtype; with return_weights also weights (B, H, T, S), float32.
    Raises:
      ValueError: shapes that don't fit together, an unknown implementation, or one that can't do what
        is asked of it.

    >>> q = k = v = jnp.ones((2, 3, 5, 7))
    >>> multi_head(q, k, v).shape
    (2, 3, 5, 7)
    """
    if not q.ndim == k.ndim == v.ndim == 4:
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; allowed are "
                         "(B, H, T, K), (B, H, S, K) and (B, H, S, V)")
    full = (*q.shape[:3], k.shape[2])
    if mask is not None:
        mask = with_axes(mask, 4)
        if any(size not in (1, whole) for size, whole in zip(mask.shape, full)):
            raise ValueError(f"mask has axes {mask.shape}; allowed is (B, H, T, S) = {full}, or 1")
    if implementation != "reference":
        return _other(q, k, v, mask, scale, implementation, compatibility, parameters, return_weights)

    def one_head(q, k, v, mask, scale, parameters):
        score = compatibility if parameters is None else compatibility(**parameters)
        return attend(q, k, v, mask, scale, score)

    # An axis of size 1 of the mask is dropped rather than mapped, so that the mask is stored once.
    mask_axes = [None, None]
    if mask is not None:
        mask_axes = [0 if size > 1 else None for size in mask.shape[:2]]
        mask = jnp.squeeze(mask, [i for i, axis in enumerate(mask_axes) if axis is None])
    scale_axis = 0 if scale is not None and jnp.ndim(scale) == 1 else None
    heads = jax.vmap(one_head, in_axes=(0, 0, 0, mask_axes[1], scale_axis, 0))
    sentences = jax.vmap(heads, in_axes=(0, 0, 0, mask_axes[0], None, None))
    context, weights = sentences(q, k, v, mask, scale, parameters)
    return (context, weights) if return_weights else context


def _other(q, k, v, mask, scale, implementation, compatibility, parameters, return_weights):
    if implementation not in IMPLEMENTATIONS:
        known = ", ".join(["reference", *IMPLEMENTATIONS])
        raise ValueError(f"implementation is {implementation!r}; allowed are {known}")
    if compatibility is not dot or parameters is not None:
        name = getattr(compatibility, "__name__", compatibility)
        raise ValueError(f"compatibility is {name} with implementation {implementation!r}; allowed is dot")
    if return_weights:
        raise ValueError(f"return_weights is True with implementation {implementation!r}, which does not "
                         "form the weights; allowed is reference")
    if mask is None:
        mask = jnp.ones((1, 1, 1, 1), bool)
    if scale is None:
        scale = default_scale(dot, q.shape[-1])
    return IMPLEMENTATIONS[implementation](q, k, v, mask, scale)
