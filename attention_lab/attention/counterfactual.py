"""Counterfactual weights: what would attention return if its weights were others?

The weights of query and key are replaced by given ones (of another model, or an adversary's), by uniform
ones, by a permutation of themselves, or by themselves without the largest. A key that the mask forbids has
weight 0 in every counterfactual.
"""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.hashing import lowbias32


@functools.partial(jax.tree_util.register_dataclass, data_fields=["numbers", "rows"], meta_fields=["kind"])
@dataclasses.dataclass(frozen=True)
class Counterfactual:
    """Weights to use instead of the model's own; a pytree, made by one of the functions below.

    Fields:
      kind: "given", "uniform", "permuted" or "zero_max"; static.
      numbers: (..., T, S); the weights if given, noise if permuted, None otherwise.
      rows: bool, (..., T), True = replaced, other rows keep their own weights; None replaces all.
    """

    kind: str
    numbers: jax.Array | None = None
    rows: jax.Array | None = None


def given(weights: jax.Array, rows: jax.Array | None = None) -> Counterfactual:
    """These weights (..., T, S), as they are: not rescaled, and 0 where the mask forbids a key."""
    return Counterfactual("given", weights, rows)


def uniform(rows: jax.Array | None = None) -> Counterfactual:
    """The same weight for every key that the row may attend to."""
    return Counterfactual("uniform", None, rows)


def permuted(key: jax.Array, shape: tuple[int, ...], rows: jax.Array | None = None) -> Counterfactual:
    """A row's weights, dealt out anew among the keys that it may attend to.

    The n-th allowed key of a row gets the weight of the allowed key with the n-th smallest noise. `shape` is
    (..., T, S), of the noise; an axis of 1 gives all heads, say, the same. The noise at a place depends on
    the random key and the place alone, so that padding changes no permutation.
    """
    return Counterfactual("permuted", _noise(key, tuple(shape)), rows)


def zero_max(rows: jax.Array | None = None) -> Counterfactual:
    """A row's weights without the largest, the rest rescaled to sum to 1 (ZeroOutMax, Moradi et al. 2019).

    As in their code, the first of several largest weights is left out. A row that has nothing left, where it
    may attend to one key (NaN in theirs) or all others have weight 0 in float32, is all 0.
    """
    return Counterfactual("zero_max", None, rows)


@functools.partial(jax.jit, static_argnums=1)
def _noise(key, shape):
    """Numbers in [0, 1) by an integer hash of the key and the place, as masks of dropout are made."""
    bits = jax.random.bits(key)
    for size in shape:
        index = jnp.arange(size, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9)
        bits = lowbias32(jnp.expand_dims(bits, -1) ^ jnp.expand_dims(index, range(bits.ndim)))
    return (bits >> 8).astype(jnp.float32) * jnp.float32(2.0 ** -24)


def spread(counterfactual: Counterfactual, shape: tuple[int, ...]) -> Counterfactual:
    """`counterfactual` with its axes of size 1 repeated, for weights of this shape (..., T, S).

    Raises:
      ValueError: numbers that are not `shape`, rows that are not `shape` without S, but for axes of 1; noise
        of "permuted" whose axis S is 1.
    """
    kind, numbers, rows = counterfactual.kind, counterfactual.numbers, counterfactual.rows
    if kind == "permuted" and numbers is not None and jnp.shape(numbers)[-1:] == (1,) != tuple(shape[-1:]):
        raise ValueError(f"counterfactual.numbers has shape {jnp.shape(numbers)}: noise that is the same for "
                         f"all keys permutes nothing; its last axis must be {shape[-1]}")

    def fit(name, x, whole):
        if x is None:
            return None
        if jnp.ndim(x) != len(whole) or any(a not in (1, b) for a, b in zip(jnp.shape(x), whole)):
            raise ValueError(f"counterfactual.{name} has shape {jnp.shape(x)}; allowed is {whole}, or 1 "
                             "for any axis")
        return jnp.broadcast_to(x, whole)
    return Counterfactual(kind, fit("numbers", numbers, tuple(shape)), fit("rows", rows, tuple(shape[:-1])))


def replaced(weights: chex.Array, mask: chex.Array | None, counterfactual: Counterfactual) -> jax.Array:
    """Replaces weights (T, S) of `attend` by the counterfactual's; one head, one sentence.

    Args:
      mask: bool, shape (T, S), True = may attend; T or S may be 1. None allows everything.
    Returns:
      weights (T, S), float32; exactly 0 where the mask forbids a key, also in rows that are kept.
    Raises:
      ValueError: a kind that is unknown or lacks its numbers, rows that are not bool.

    >>> weights, mask = jnp.array([[0.5, 0.25, 0.25, 0.0]]), jnp.array([[True, True, True, False]])
    >>> replaced(weights, mask, zero_max()).tolist()
    [[0.0, 0.5, 0.5, 0.0]]
    """
    kind, numbers, rows = counterfactual.kind, counterfactual.numbers, counterfactual.rows
    if kind not in _KINDS:
        raise ValueError(f"counterfactual.kind is {kind!r}; allowed are {', '.join(_KINDS)}")
    if numbers is None and kind in ("given", "permuted"):
        raise ValueError(f"counterfactual.numbers is None: {kind!r} needs numbers of shape (T, S)")
    chex.assert_rank(weights, 2)
    mask = jnp.broadcast_to(True if mask is None else mask, weights.shape)
    before = jnp.where(mask, weights, 0).astype(jnp.float32)
    new = jnp.where(mask, _KINDS[kind](before, mask, numbers), 0)
    if rows is None:
        return new
    if rows.dtype != bool:
        raise ValueError(f"counterfactual.rows has dtype {rows.dtype}; allowed is bool, True = replaced")
    return jnp.where(rows[:, None], new, before)


def _given(weights, mask, numbers):
    return jnp.asarray(numbers, jnp.float32)


def _uniform(weights, mask, numbers):
    return mask / jnp.maximum(jnp.sum(mask, axis=-1, keepdims=True), 1).astype(jnp.float32)


def _permuted(weights, mask, numbers):
    # The forbidden keys come last in the order, and no allowed key has a number that reaches them.
    order = jnp.argsort(jnp.where(mask, numbers, jnp.inf), axis=-1)
    number = jnp.maximum(jnp.cumsum(mask, axis=-1) - 1, 0)
    return jnp.take_along_axis(weights, jnp.take_along_axis(order, number, axis=-1), axis=-1)


def _zero_max(weights, mask, numbers):
    largest = jnp.arange(weights.shape[-1])[None, :] == jnp.argmax(weights, axis=-1)[:, None]
    rest = jnp.where(largest, 0, weights)
    left, tiny = jnp.sum(rest, axis=-1, keepdims=True), jnp.finfo(jnp.float32).tiny
    # This way round a row of NaN stays NaN.
    return jnp.where(left < tiny, 0, rest / jnp.maximum(left, tiny))


_KINDS = {"given": _given, "uniform": _uniform, "permuted": _permuted, "zero_max": _zero_max}
