"""Counterfactual weights: what would attention have answered, had it looked elsewhere?

The compatibility of query and key is left out or overruled: weights are given (frozen from another
model, or made by an adversary), spread evenly, dealt out anew, or robbed of their largest. A mask is
obeyed whatever happens, so a counterfactual is never an answer from where a row may not look.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from attention_lab.attention.guards import bad_rows, finite, somewhere_bad


@functools.partial(jax.tree_util.register_dataclass, data_fields=["numbers", "rows"], meta_fields=["kind"])
@dataclasses.dataclass(frozen=True)
class Counterfactual:
    """Weights to put in the place of one's own; a pytree, made by one of the functions below.

    Leading axes (heads, sentences, layers) are the business of who lifts it: see `multi_head`.

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
    """A row's own weights, dealt out anew among the keys that it may attend to.

    The n-th allowed key of a row gets the weight of the allowed key with the n-th smallest noise.

    Args:
      key: a random key; the noise at a place depends on it and on the place alone, not on the shape,
        so that padding changes no permutation.
      shape: (..., T, S), of the noise; an axis of 1 gives all heads, say, the same noise.
      rows: as in Counterfactual.
    """
    return Counterfactual("permuted", _noise(key, tuple(shape)), rows)


def zero_max(rows: jax.Array | None = None) -> Counterfactual:
    """A row's own weights without the largest, the rest rescaled to sum to 1.

    ZeroOutMax of Moradi et al. 2019. Their published code makes the first of the largest scores -inf
    before the softmax, which is the same: what is left sums to 1. A row that has nothing left, where it
    may attend to one key (NaN in theirs) or all others have weight 0 in float32, is all 0.
    """
    return Counterfactual("zero_max", None, rows)


@functools.partial(jax.jit, static_argnums=1)
def _noise(key, shape):
    """Numbers in [0, 1) by an integer hash of the key and the place, as masks of dropout are made."""
    bits = jax.random.bits(key)
    for size in shape:
        bits = jnp.expand_dims(bits, -1) ^ jnp.expand_dims(
            jnp.arange(size, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9), range(bits.ndim))
        # The finaliser "lowbias32" (Ettinger, Wellons 2018).
        bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
        bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
        bits = bits ^ (bits >> 16)
    return (bits >> 8).astype(jnp.float32) * jnp.float32(2.0 ** -24)


def spread(counterfactual: Counterfactual, shape: tuple[int, ...]) -> Counterfactual:
    """`counterfactual` with its axes of size 1 repeated, for weights of this shape (..., T, S).

    Raises:
      ValueError: numbers that are not `shape`, rows that are not `shape` without S, but for axes of 1; noise
        of "permuted" whose axis S is 1.
    """
    noise = counterfactual.numbers if counterfactual.kind == "permuted" else None
    if noise is not None and jnp.shape(noise)[-1:] == (1,) != tuple(shape[-1:]):
        raise ValueError(f"counterfactual.numbers has shape {jnp.shape(noise)}: noise that is the same for "
                         f"all keys deals nothing out; its last axis must be {shape[-1]}")

    def fit(name, x, whole):
        if x is None:
            return None
        if jnp.ndim(x) != len(whole) or any(a not in (1, b) for a, b in zip(jnp.shape(x), whole)):
            raise ValueError(f"counterfactual.{name} has shape {jnp.shape(x)}; allowed is {whole}, or 1 "
                             "for any axis")
        return jnp.broadcast_to(x, whole)
    return Counterfactual(counterfactual.kind, fit("numbers", counterfactual.numbers, tuple(shape)),
                          fit("rows", counterfactual.rows, tuple(shape[:-1])))


def replaced(weights: jax.Array, mask: jax.Array, counterfactual: Counterfactual) -> jax.Array:
    """The weights that the counterfactual has in the place of these; one head, one sentence.

    Args:
      weights: a row's own, shape (T, S), as `attend` gives them.
      mask: bool, shape (T, S), True = may attend; T or S may be 1.
      counterfactual: numbers (T, S) and rows (T,), as far as it has them.
    Returns:
      weights, shape (T, S), float32; exactly 0 where the mask forbids, also in rows that keep their own.
    Raises:
      ValueError: a kind that is unknown or lacks its numbers, rows that are not bool.

    >>> own = jnp.array([[0.5, 0.25, 0.25, 0.0]])
    >>> replaced(own, jnp.array([[True, True, True, False]]), zero_max()).tolist()
    [[0.0, 0.5, 0.5, 0.0]]
    """
    kind, numbers, rows = counterfactual.kind, counterfactual.numbers, counterfactual.rows
    if kind not in _KINDS:
        raise ValueError(f"counterfactual.kind is {kind!r}; allowed are {', '.join(_KINDS)}")
    if numbers is None and kind in ("given", "permuted"):
        raise ValueError(f"counterfactual.numbers is None: {kind!r} needs numbers of shape (T, S)")
    mask = jnp.broadcast_to(mask, weights.shape)
    own = jnp.where(mask, weights, 0).astype(jnp.float32)
    new = jnp.where(mask, _KINDS[kind](own, mask, numbers), 0)
    if rows is None:
        return new
    if rows.dtype != bool:
        raise ValueError(f"counterfactual.rows has dtype {rows.dtype}; allowed is bool, True = replaced")
    return jnp.where(rows[:, None], new, own)


def _given(own, mask, numbers):
    return jnp.asarray(numbers, jnp.float32)


def _uniform(own, mask, numbers):
    return mask / jnp.maximum(jnp.sum(mask, axis=-1, keepdims=True), 1).astype(jnp.float32)


def _permuted(own, mask, numbers):
    # The forbidden keys come last in the order, and no allowed key has a number that reaches them.
    order = jnp.argsort(jnp.where(mask, numbers, jnp.inf), axis=-1)
    number = jnp.maximum(jnp.cumsum(mask, axis=-1) - 1, 0)
    return jnp.take_along_axis(own, jnp.take_along_axis(order, number, axis=-1), axis=-1)


def _zero_max(own, mask, numbers):
    largest = jnp.arange(own.shape[-1])[None, :] == jnp.argmax(own, axis=-1)[:, None]
    rest = jnp.where(largest, 0, own)
    left, tiny = jnp.sum(rest, axis=-1, keepdims=True), jnp.finfo(jnp.float32).tiny
    # This way round a row of NaN stays NaN.
    return jnp.where(left < tiny, 0, rest / jnp.maximum(left, tiny))


_KINDS = {"given": _given, "uniform": _uniform, "permuted": _permuted, "zero_max": _zero_max}


def mean(weights: jax.Array, v: jax.Array, mask: jax.Array) -> jax.Array:
    """The mean of the values under given weights; one head, one sentence.

    It keeps the contract of `attend`: a NaN or inf in a value or weight changes nothing for a row that
    may not attend to it, forward or backward. Gradients flow to the weights and to v.

    Args:
      weights: shape (T, S); what the mask forbids counts as 0.
      v: values, shape (S, V).
      mask: bool, shape (T, S), True = may attend; T or S may be 1.
    Returns:
      context, shape (T, V) in v's dtype.

    >>> v = jnp.array([[1.], [3.], [jnp.nan]])
    >>> mean(jnp.array([[0.5, 0.5, 9.]]), v, jnp.array([[True, True, False]])).tolist()
    [[2.0]]
    """
    # Copies, as in `attend`: what comes to the `cond` must be an array of jax.
    mask = jnp.broadcast_to(mask, weights.shape)
    return _mean(*(jnp.copy(x) for x in (jnp.asarray(weights, jnp.float32), v, mask)))


def _values(weights, v, mask):
    return jnp.einsum("ts,sv->tv", jnp.where(mask, weights, 0), v.astype(jnp.float32)).astype(v.dtype)


def _careful_values(weights, v, mask):
    spoilt = jnp.any(mask & ~jnp.isfinite(weights), axis=-1, keepdims=True)
    context = _values(finite(weights), finite(v), mask)
    return jnp.where(spoilt | _reached(mask, ~jnp.isfinite(v)), jnp.nan, context)


def _gradients(weights, v, g, mask):
    g_v = jnp.einsum("ts,tv->sv", jnp.where(mask, weights, 0), g.astype(jnp.float32))
    return jnp.where(mask, _pairs(g, v), 0), g_v.astype(v.dtype)


def _careful_gradients(weights, v, g, mask):
    g_weights, g_v = _gradients(finite(weights), finite(v), finite(g), mask)
    # What does not depend on a row gets nothing from it, not even 0 * NaN.
    wanted = jnp.any(g != 0, axis=-1)[:, None]
    spoilt = mask & wanted & (bad_rows(g)[:, None] | bad_rows(v)[None, :])
    reached = _reached(mask.T, ~jnp.isfinite(g)) | _reached((mask & ~jnp.isfinite(weights)).T, wanted)
    return jnp.where(spoilt, jnp.nan, g_weights), jnp.where(reached, jnp.nan, g_v)


def _pairs(g, v):
    return jnp.einsum("tv,sv->ts", g, v, preferred_element_type=jnp.float32)


def _reached(mask, bad):
    """True where a row of mask (T, S) lets in something of bad (S, V); bool (T, V)."""
    return jnp.einsum("ts,sv->tv", mask.astype(jnp.float32), bad.astype(jnp.float32)) > 0


@jax.custom_vjp
def _mean(weights, v, mask):
    return jax.lax.cond(somewhere_bad(weights, v), _careful_values, _values, weights, v, mask)


def _mean_forward(weights, v, mask):
    return _mean(weights, v, mask), (weights, v, mask)


def _mean_backward(saved, g):
    weights, v, mask = saved
    # A bad number in g or v is bad in its pairs.
    bad = somewhere_bad(weights, _pairs(g, v))
    return *jax.lax.cond(bad, _careful_gradients, _gradients, weights, v, g, mask), None


_mean.defvjp(_mean_forward, _mean_backward)
