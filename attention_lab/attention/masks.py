"""Masks: bool, True = may attend; shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1."""

import jax
import jax.numpy as jnp


def causal(T: int) -> jax.Array:
    """Position t may attend to positions up to and including t; shape (T, T).

    >>> causal(3).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    return jnp.tri(T, dtype=bool)


def padding(lengths: jax.Array, S: int) -> jax.Array:
    """The first `lengths` source positions may be attended to, the padding behind them may not.

    Args:
      lengths: how many positions are real; shape (B,), or () for one sentence.
      S: number of source positions.
    Returns:
      mask, shape (B, 1, S), or (1, S) for one sentence.

    >>> padding(jnp.array([1, 3]), 3).astype(int).tolist()
    [[[1, 0, 0]], [[1, 1, 1]]]
    """
    lengths = jnp.asarray(lengths)
    places = jnp.arange(S).reshape((1,) * (lengths.ndim + 1) + (S,))
    return places < lengths[..., None, None]


def window(T: int, S: int, w: int) -> jax.Array:
    """Position t may attend to source positions at most `w` away, |t - s| <= w; shape (T, S).

    Args:
      T: number of target positions.
      S: number of source positions.
      w: half-width in positions, 0 or more; may be traced.

    >>> window(3, 4, 1).astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1]]
    """
    return jnp.abs(jnp.arange(T)[:, None] - jnp.arange(S)[None, :]) <= w


def with_axes(mask: jax.Array, ndim: int) -> jax.Array:
    """`mask` with axes of size 1 put in for the missing B and H, up to `ndim` axes.

    Raises:
      ValueError: it is not bool, or does not have 2 to `ndim` axes.
    """
    mask = jnp.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(f"mask has dtype {mask.dtype}; allowed is bool, True = may attend")
    if not 2 <= mask.ndim <= ndim:
        raise ValueError(f"mask has shape {mask.shape}; allowed are "
                         + ", ".join(("(T, S)", "(B, T, S)", "(B, H, T, S)")[:ndim - 1]))
    if mask.ndim < 3 <= ndim:
        mask = mask[None]
    if mask.ndim < 4 <= ndim:
        mask = mask[:, None]
    return mask


def combine(*masks: jax.Array | None) -> jax.Array | None:
    """A pair may attend where every mask says so; None stands for no mask.

    Args:
      masks: shapes (T, S), (B, T, S) or (B, H, T, S), mixed as you like; axes of size 1 broadcast.
    Returns:
      mask with as many axes as the one that has most, or None if there is none.
    Raises:
      ValueError: a mask is not bool, or has fewer than 2 or more than 4 axes.

    >>> combine(causal(2), padding(jnp.array([1, 2]), 2)).astype(int).tolist()
    [[[1, 0], [1, 0]], [[1, 0], [1, 1]]]
    """
    masks = [with_axes(mask, 4) if jnp.ndim(mask) > 3 else jnp.asarray(mask)
             for mask in masks if mask is not None]
    if not masks:
        return None
    ndim = max(mask.ndim for mask in masks)
    result, *rest = [with_axes(mask, min(ndim, 4)) for mask in masks]
    for mask in rest:
        result = result & mask
    return result
