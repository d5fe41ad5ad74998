"""Masks say which keys a row (query) may attend to: intervals of keys, or bool arrays, True = may attend."""

import dataclasses
import functools
from typing import Self

import chex
import jax
import jax.numpy as jnp
import numpy as np

CAUSAL, CUT = "causal", "causal and padding"  # values of `Mask.form`


@functools.partial(jax.tree_util.register_dataclass, data_fields=["start", "stop", "dense"],
                   meta_fields=["band", "form"])
@dataclasses.dataclass(frozen=True, eq=False)
class Mask:
    """Row t may attend to the keys start[t] <= s < stop[t] where dense[t, s] is True; a pytree of size O(T).

    `a & b` allows what both allow; either may be a bool array of 2 to 4 axes.

    Fields:
      start: first key, integers of shape (T,), (B, T) or (B, H, T), any axis may be 1; None is 0.
      stop: one past the last key, shaped like start; None is S.
      dense: bool, shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1; None allows everything.
      band: (before, after), what is known of start and stop when a program is compiled: row t may attend to
        keys t - before <= s <= t + after alone. None is no bound. Blocks outside the band are never computed.
      form: what is known of stop then: CAUSAL, it is t + 1; CUT, it is min(t + 1, L) with one L for all rows;
        "", nothing.
    """

    start: jax.Array | None = None
    stop: jax.Array | None = None
    dense: jax.Array | None = None
    band: tuple[int | None, int | None] = (None, None)
    form: str = ""

    __array_ufunc__ = None  # numpy leaves `array & mask` to __rand__

    def __and__(self, other: Self | chex.Array) -> Self:
        other = as_mask(other)
        lead = max(_lead(self), _lead(other))
        a, b = with_axes(self, lead), with_axes(other, lead)
        return Mask(_both(jnp.maximum, a.start, b.start), _both(jnp.minimum, a.stop, b.stop),
                    _both(jnp.logical_and, a.dense, b.dense),
                    tuple(_both(min, one, other) for one, other in zip(a.band, b.band)), _form(a, b))

    __rand__ = __and__

    def as_array(self, T: int, S: int) -> jax.Array:
        """Bool, shape (T, S), (B, T, S) or (B, H, T, S), True = may attend.

        >>> causal(3).as_array(3, 3).astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
        """
        array = _compact(self, S)
        return jnp.broadcast_to(array, (*array.shape[:-2], T, S))


def causal(T: int) -> Mask:
    """Position t may attend to positions up to and including t."""
    return Mask(stop=jnp.arange(1, T + 1), band=(None, 0), form=CAUSAL)


def padding(lengths: chex.Array) -> Mask:
    """The first `lengths` source positions, shape (B,) or (), may be attended to, padding after them may not.

    >>> padding(jnp.array([1, 3])).as_array(1, 3).astype(int).tolist()
    [[[1, 0, 0]], [[1, 1, 1]]]
    """
    return Mask(stop=_integers("lengths", lengths)[..., None])


def window(T: int, w: chex.Numeric) -> Mask:
    """Position t may attend to source positions at most `w` away, |t - s| <= w.

    `w` is an integer of at least 0, which may be traced; a ValueError otherwise.

    >>> window(3, 1).as_array(3, 4).astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1]]
    """
    known = isinstance(w, (int, np.integer))
    if known and w < 0:
        raise ValueError(f"w is {w}; allowed are integers of at least 0")
    t, w = jnp.arange(T), int(w) if known else _integers("w", w)
    return Mask(t - w, t + w + 1, band=(w, w) if known else (None, None))


def documents(ids: chex.Array) -> Mask:
    """Position t may attend to its document, where several are packed into one sequence.

    ids (T,) or (B, T) are integers, the same for all positions of a document.

    >>> documents(jnp.array([7, 7, 2])).as_array(3, 3).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    """
    ids = jnp.asarray(ids)
    T, t = ids.shape[-1], jnp.broadcast_to(jnp.arange(ids.shape[-1]), ids.shape)
    edge, inside = jnp.ones((*ids.shape[:-1], 1), bool), ids[..., 1:] != ids[..., :-1]
    first, last = jnp.concatenate([edge, inside], -1), jnp.concatenate([inside, edge], -1)
    axis = ids.ndim - 1
    return Mask(jax.lax.cummax(jnp.where(first, t, 0), axis),
                jax.lax.cummin(jnp.where(last, t + 1, T), axis, reverse=True))


def _integers(name, x):
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        raise ValueError(f"{name} has dtype {x.dtype}; allowed are integers")
    return x


def as_mask(mask: Mask | chex.Array, name: str = "mask") -> Mask:
    """A bool array of 2 to 4 axes as a `Mask`, a `Mask` unchanged; ValueError, with a name, for all else."""
    if isinstance(mask, Mask):
        return mask
    mask = jnp.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(f"{name} has dtype {mask.dtype}; allowed is bool, True = may attend")
    if not 2 <= mask.ndim <= 4:
        raise ValueError(f"{name} has shape {mask.shape}; allowed are (T, S), (B, T, S), (B, H, T, S)")
    return Mask(dense=mask)


def with_axes(mask: Mask, lead: int) -> Mask:
    """`mask` with axes of size 1 put in for missing B and H, so that `lead` axes (0 to 2) stand before T."""
    def widen(x, axes):
        x = x[None] if x.ndim - axes < 1 <= lead else x
        return x[:, None] if x.ndim - axes < 2 <= lead else x

    return Mask(*(None if x is None else widen(x, axes) for x, axes in _parts(mask)), mask.band, mask.form)


def kind(mask: Mask | chex.Array | None) -> str:
    """What is known of a mask when a program is compiled.

    "all", every key; "causal"; "padding", the keys before a number; "keys", some keys, the same for all rows;
    "causal and padding", "causal and keys"; "other".

    >>> kind(causal(3)), kind(causal(3) & padding(jnp.array([1, 3]))), kind(window(3, 1))
    ('causal', 'causal and padding', 'other')
    """
    if mask is None:
        return "all"
    mask = as_mask(mask)
    if mask.start is not None or not (mask.form or _same_stop(mask)) or (
            mask.dense is not None and mask.dense.shape[-2] != 1):
        return "other"
    of_stop = mask.form or ("all" if mask.stop is None else "padding")
    if mask.dense is None:
        return of_stop
    return "causal and keys" if mask.form else "keys"


def within(mask: Mask | chex.Array, T: int, S: int) -> jax.Array:
    """The mask of one head and one sentence as a bool array (T, S), T or S may be 1; or a ValueError."""
    mask = as_mask(mask)
    for x, axes in _parts(mask):
        if x is not None and (x.ndim != axes or any(a not in (1, b) for a, b in zip(x.shape, (T, S)))):
            raise ValueError(f"mask has shape {x.shape}; allowed is (T, S) = {(T, S)}"
                             + ("" if axes == 2 else ", (T,) for the ends of an interval"))
    return _compact(mask, S)


def rows_and_keys(mask: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Rows of a mask (T, S) that may attend to some key, bool (T, 1), and keys of some row, bool (S, 1)."""
    return jnp.any(mask, axis=1)[:, None], jnp.any(mask, axis=0)[:, None]


def used_rows(mask: Mask, T: int, S: int) -> jax.Array:
    """Rows that may attend to some key, bool (T, 1) or (1, 1); the mask is of one head and one sentence."""
    if mask.dense is not None:
        return rows_and_keys(within(mask, T, S))[0]
    start, stop = _ends(mask, S)
    return (start < stop)[:, None]


def used_keys(mask: Mask | chex.Array, T: int, S: int) -> jax.Array:
    """Keys that some row may attend to, bool (S, 1); the mask is of one head and one sentence."""
    mask = as_mask(mask)
    if mask.dense is not None:
        return rows_and_keys(within(mask, T, S))[1]
    start, stop = (jnp.broadcast_to(x, (T,)) for x in _ends(mask, S))
    # An interval adds 1 where it begins and takes it away where it ends; an empty one does neither.
    some = (start < stop).astype(jnp.int32)
    edges = jnp.zeros(S + 1, jnp.int32).at[start].add(some).at[stop].add(-some)
    return (jnp.cumsum(edges)[:S] > 0)[:, None]


def _ends(mask, S):
    """start and stop between 0 and S, each (T,) or (1,)."""
    return (jnp.clip(jnp.full(1, default) if x is None else x, 0, S)
            for x, default in ((mask.start, 0), (mask.stop, S)))


def _parts(mask):
    """start, stop and dense, each with the number of axes that it has for one head of one sentence."""
    return (mask.start, 1), (mask.stop, 1), (mask.dense, 2)


def _same_stop(mask):
    """Whether it is known that all rows have the same stop."""
    return mask.stop is None or mask.stop.shape[-1] == 1


def _form(a, b):
    """The form of `a & b`."""
    if a.start is not None or b.start is not None:
        return ""
    for one, other in ((a, b), (b, a)):
        if one.form and (other.form or _same_stop(other)):
            return CAUSAL if one.form == CAUSAL and (other.stop is None or other.form == CAUSAL) else CUT
    return ""


def _lead(mask):
    return max((x.ndim - axes for x, axes in _parts(mask) if x is not None), default=0)


def _both(join, a, b):
    return b if a is None else a if b is None else join(a, b)


def _compact(mask, S):
    """Bool (..., T, S), where axes that are all alike have size 1."""
    lead = _lead(mask)
    mask, s = with_axes(mask, lead), jnp.arange(S).reshape((1,) * (lead + 1) + (S,))
    after = None if mask.start is None else s >= mask.start[..., None]
    before = None if mask.stop is None else s < mask.stop[..., None]
    array = _both(jnp.logical_and, _both(jnp.logical_and, after, before), mask.dense)
    return jnp.ones((1, 1), bool) if array is None else array
