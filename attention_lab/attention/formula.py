"""The formula, written once: one head, one sentence, every derivative."""

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.masks import Mask, rows_and_keys, within
from attention_lab.attention.scores import Score, check_score, default_scale, dot


def weights(q: chex.Array, k: chex.Array, mask: Mask | chex.Array | None = None,
            scale: chex.Numeric | None = None, score: Score = dot, bias: chex.Array | None = None,
            soft_cap: chex.Numeric | None = None) -> jax.Array:
    """The weights of `attend` alone, shape (T, S), float32: how much query t attends to key s.

    >>> weights(jnp.zeros((1, 2)), jnp.ones((4, 2))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    q, k = as_floats(q=q, k=k)
    if not q.ndim == k.ndim == 2:
        raise ValueError(f"q and k have shapes {q.shape} and {k.shape}; allowed are (T, K) and (S, K)")
    shape = (q.shape[0], k.shape[0])
    if bias is not None and (
            jnp.ndim(bias) != 2 or any(a not in (1, b) for a, b in zip(jnp.shape(bias), shape))):
        raise ValueError(f"bias has shape {jnp.shape(bias)}; allowed is (T, S) = {shape}, or 1 for any")
    check_options(bias, scale=scale, soft_cap=soft_cap)
    for name, x in {"scale": scale, "soft_cap": soft_cap}.items():
        if x is not None and jnp.shape(x):
            raise ValueError(f"{name} has shape {jnp.shape(x)}; allowed is ()")
    check_score(score)
    scale = default_scale(score, q.shape[-1]) if scale is None else scale
    if mask is None:
        return softmax(logits(q, k, None, None, scale, score, bias, soft_cap), None)
    mask = within(mask, *shape)
    rows, keys = rows_and_keys(mask)
    return softmax(logits(q, jnp.where(keys, k, 0), mask, rows, scale, score, bias, soft_cap), rows)


def logits(q, k, mask, rows, scale, score, bias=None, soft_cap=None):
    """Logits (T, S), float32, -inf where a bool mask (T, S) forbids a key; 0 in a row without keys.

    rows (T, 1) is True for a row with keys. A key that no row may attend to has to be finite.
    """
    x = scale * score(q if mask is None else jnp.where(rows, q, 0), k)
    if soft_cap is not None:
        x = soft_cap * jnp.tanh(x / soft_cap)
    x = x.astype(jnp.float32)  # a factor may be float64, the score any function
    if bias is not None:
        x = x + (bias if mask is None else jnp.where(mask, bias, 0)).astype(jnp.float32)
    # What softmax(where=mask) gives, by a sum: XLA:CPU compiles it to the same bits inside a loop over runs
    # and outside, and with gradients it is a third faster.
    return x if mask is None else x + jnp.where(mask, 0, jnp.where(rows, -jnp.inf, 0))


def softmax(x, rows):
    """Weights of `logits`; rows without keys are 0."""
    w = jax.nn.softmax(x, axis=-1)
    return w if rows is None else jnp.where(rows, w, 0)


def mean(w: chex.Array, v: chex.Array, mask: Mask | chex.Array | None = None) -> jax.Array:
    """The mean of values v (S, V) under weights w (T, S): (T, V), in v's dtype."""
    if mask is not None:
        v = jnp.where(rows_and_keys(within(mask, *w.shape))[1], v, 0)
    return jnp.einsum("ts,sv->tv", w, v, preferred_element_type=jnp.float32).astype(v.dtype)


def attend(q: chex.Array, k: chex.Array, v: chex.Array, mask: Mask | chex.Array | None = None,
           scale: chex.Numeric | None = None, score: Score = dot, bias: chex.Array | None = None,
           soft_cap: chex.Numeric | None = None) -> tuple[jax.Array, jax.Array]:
    """The mean of the values, each weighted by how well its key matches the query.

    With c the score (compatibility) of a query and a key (Vaswani et al. 2017, equation 1, for `dot`),

        w_ts = exp(scale * c(q_t, k_s)) / sum_s' exp(scale * c(q_t, k_s'))
        context_t = sum_s w_ts v_s

    where s and s' run over the positions that t may attend to. Logits and softmax are float32 whatever the
    inputs are; integers are computed in float32. The context, weights and every derivative of a row that may
    attend to nothing are exactly 0. A key or value that no row may attend to has no effect on any value or
    derivative, even if it is NaN or inf; neither has the query of a row that may attend to nothing.

    Args:
      q, k, v: queries (T, K), keys (S, K), values (S, V).
      mask: `Mask`, or bool, shape (T, S), True = may attend; T or S may be 1. None allows everything.
      scale: factor on the logits, may be traced; None is 1/sqrt(K) for dot and general, 1 for all others.
      score: a function (q, k) -> logits (T, S): `dot`, `cosine`, or one of SCORES with its parameters, such
        as `functools.partial(general, w=w)`.
      bias: added to the logits, shape (T, S), T or S may be 1.
      soft_cap: a > 0, logits become a tanh(logits / a) before the bias is added; may be traced.
    Returns:
      context, shape (T, V) in v's dtype, and weights, shape (T, S), float32; each row of weights sums to 1,
      or is all 0 if it may attend to nothing.
    Raises:
      ValueError: shapes that do not fit together, complex numbers, or an array as mask that is not bool.

    The second key matches best, the third is forbidden:

    >>> k = jnp.array([[0., 0.], [0., 99.], [0., 99.]])
    >>> v = jnp.array([[1.], [2.], [jnp.nan]])
    >>> context, w = attend(jnp.array([[5., 6.]]), k, v, mask=jnp.array([[True, True, False]]))
    >>> context.tolist(), w.tolist()
    ([[2.0]], [[0.0, 1.0, 0.0]])
    """
    q, k, v = as_floats(q=q, k=k, v=v)
    if not q.ndim == k.ndim == v.ndim == 2 or k.shape[0] != v.shape[0]:
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; "
                         "allowed are (T, K), (S, K) and (S, V)")
    w = weights(q, k, mask, scale, score, bias, soft_cap)
    return mean(w, v, mask), w


def check_options(bias: chex.Array | None, **factors: chex.Numeric | None) -> None:
    """A ValueError for a bias that is bool, as masks are, or complex, and for a factor that is a name."""
    dtype = None if bias is None else jnp.asarray(bias).dtype
    if dtype is not None and (dtype == bool or jnp.issubdtype(dtype, jnp.complexfloating)):
        raise ValueError(f"bias has dtype {dtype}; allowed are floating-point numbers and integers; what a "
                         "row may attend to is said by mask")
    for name, x in factors.items():
        if isinstance(x, str):
            raise ValueError(f"{name} is {x!r}; allowed are numbers")


def as_floats(**arrays: chex.Array) -> list[jax.Array]:
    """The arrays, integers as float32; a ValueError that names the array for complex numbers."""
    arrays = {name: x if hasattr(x, "dtype") else jnp.asarray(x) for name, x in arrays.items()}
    for name, x in arrays.items():
        if jnp.iscomplexobj(x):
            raise ValueError(f"{name} has dtype {x.dtype}; allowed are floating-point numbers and integers")
    return [jnp.asarray(x, None if jnp.issubdtype(jnp.result_type(x), jnp.floating) else jnp.float32)
            for x in arrays.values()]
