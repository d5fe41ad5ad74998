"""Scores (compatibility functions): how well a query and a key match, one number for each pair, unscaled.

Each is a function (q (T, K), k (S, K), **parameters) -> logits (T, S), float32, and an entry of SCORES.
"""

import dataclasses
from collections.abc import Callable, Mapping

import chex
import jax
import jax.numpy as jnp

Score = Callable[[jax.Array, jax.Array], jax.Array]


def dot(q: chex.Array, k: chex.Array) -> jax.Array:
    """Dot product, q_t . k_s (Vaswani et al. 2017, section 3.2.1; "dot" in Luong et al. 2015).

    >>> dot(jnp.array([[1., 2.]]), jnp.array([[3., 4.], [0., 1.]])).tolist()
    [[11.0, 2.0]]
    """
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q and k have shapes {q.shape} and {k.shape}; allowed are (T, K), (S, K)")
    return jnp.einsum("tk,sk->ts", q, k, preferred_element_type=jnp.float32)


def general(q: chex.Array, k: chex.Array, w: chex.Array) -> jax.Array:
    """Bilinear form, q_t W k_s ("general" in Luong et al. 2015, section 3.1).

    w (K, J) is a matrix from queries to keys (S, J); the identity gives `dot`.

    >>> flip = jnp.array([[0., 1.], [1., 0.]])
    >>> general(jnp.array([[1., 2.]]), jnp.array([[3., 4.]]), flip).tolist()
    [[10.0]]
    """
    return dot(q @ w.astype(q.dtype), k)


def additive(q: chex.Array, k: chex.Array, w_query: chex.Array | None, w_key: chex.Array | None,
             v: chex.Array) -> jax.Array:
    """One hidden layer, v . tanh(q_t W_q + k_s W_k) (Bahdanau et al. 2015, appendix A.1.2).

    It forms T * S * A numbers at once.

    Args:
      w_query: matrix from queries to A hidden units, shape (K, A); None if queries are projected, (T, A).
      w_key: matrix from keys to the same units, shape (J, A); None if keys are projected, (S, A).
      v: weight of each unit, shape (A,).

    >>> q, k = jnp.array([[1.]]), jnp.array([[-1.], [9.]])
    >>> additive(q, k, jnp.eye(1), jnp.eye(1), jnp.array([2.])).round(3).tolist()
    [[0.0, 2.0]]
    """
    @jax.checkpoint  # tanh is computed again in the backward pass: to store T * S * A numbers takes longer
    def score(q, k, w_query, w_key, v):
        from_q = q if w_query is None else q @ w_query.astype(q.dtype)
        from_k = k if w_key is None else k @ w_key.astype(k.dtype)
        units = jnp.tanh(from_q[:, None, :] + from_k[None, :, :])
        return jnp.einsum("tsa,a->ts", units, v.astype(units.dtype), preferred_element_type=jnp.float32)

    return score(q, k, w_query, w_key, v)


def cosine(q: chex.Array, k: chex.Array, gain: chex.Numeric = 1.0) -> jax.Array:
    """Cosine of the angle between q_t and k_s, times a gain (QKNorm, Henry et al. 2020).

    A cosine lies between -1 and 1; the learned gain lets the softmax become sharp. A vector of zeros has
    cosine 0 with everything.

    >>> cosine(jnp.array([[3., 0.]]), jnp.array([[2., 0.], [0., 5.], [-1., 0.]])).tolist()
    [[1.0, 0.0, -1.0]]
    """
    return gain * dot(_unit(q), _unit(k))


def linear(q: chex.Array, k: chex.Array) -> jax.Array:
    """log(phi(q_t) . phi(k_s)) with phi = `feature`: its softmax is linear attention, at a scale of 1.

    The weights are phi(q_t) . phi(k_s), divided by their sum over s (Katharopoulos et al. 2020, equation 5).
    `linear_attention` computes the same without forming them.

    >>> weights = jax.nn.softmax(linear(jnp.array([[0., 1.]]), jnp.array([[2., 0.], [0., 0.]])))
    >>> bool(jnp.allclose(weights, jnp.array([[5 / 8, 3 / 8]])))
    True
    """
    products = dot(feature(q), feature(k))
    return jnp.log(jnp.maximum(products, jnp.finfo(jnp.float32).tiny))


def feature(x: chex.Array) -> jax.Array:
    """phi(x) = elu(x) + 1, that is x + 1 above 0 and exp(x) below: positive, float32.

    >>> feature(jnp.array([2., 0.])).tolist()
    [3.0, 1.0]
    """
    return jax.nn.elu(x.astype(jnp.float32)) + 1.0


def _unit(x):
    # rsqrt of the floored square: a vector of zeros stays zero, with a finite gradient.
    x = x.astype(jnp.float32)
    square = jnp.sum(x * x, axis=-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(square, 1e-12))


def lecun(key: jax.Array, shape: tuple[int, ...], K: int) -> jax.Array:
    """Truncated normal of variance 1 / rows for each matrix of shape (..., rows, columns)."""
    return jax.nn.initializers.lecun_normal(batch_axis=tuple(range(len(shape) - 2)))(key, shape)


def normal(key: jax.Array, shape: tuple[int, ...], K: int) -> jax.Array:
    """Normal of variance 1 / K."""
    return jax.nn.initializers.normal(K ** -0.5)(key, shape)


def henry_gain(key: jax.Array, shape: tuple[int, ...], K: int) -> jax.Array:
    """log2(S^2 - S) for a sentence of S = 16 (Henry et al. 2020, section 3.1)."""
    return jnp.full(shape, 7.9)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A learned array of a score.

    Fields:
      name: in the tree of parameters.
      axes: a letter for each axis: K, size of queries and keys; A, hidden units. "" is one number for all
        heads of a block; all others lead with H where there are several heads.
      init: (random key, shape, K) -> array.
    """

    name: str
    axes: str
    init: Callable[[jax.Array, tuple[int, ...], int], jax.Array]


@dataclasses.dataclass(frozen=True)
class Entry:
    """A score, its parameters and its default scale.

    Fields:
      scale: default of the factor on the logits: a number, or "inverse_sqrt" for 1/sqrt(K); a literal, which
        the configuration reads without importing jax.
      parameters: by the function's argument, in the order in which their initial values are drawn.
      key_map: argument that keys may be multiplied by beforehand; the function then takes None for it.
    """

    function: Callable
    scale: float | str
    parameters: Mapping[str, Parameter] = dataclasses.field(default_factory=dict)
    key_map: str | None = None


SCORES = {
    "dot": Entry(dot, scale="inverse_sqrt"),
    "additive": Entry(additive, scale=1.0, key_map="w_key", parameters={
        "w_query": Parameter("score_query", "KA", lecun),
        "w_key": Parameter("score_key", "KA", lecun),
        "v": Parameter("score_vector", "A", normal)}),
    "general": Entry(general, scale="inverse_sqrt", parameters={
        "w": Parameter("score_matrix", "KK", lecun)}),
    "cosine": Entry(cosine, scale=1.0, parameters={"gain": Parameter("gain", "", henry_gain)}),
    "linear": Entry(linear, scale=1.0),
}


def check_score(score: Score) -> None:
    """Raises a ValueError for what is no function, such as the name of a score."""
    if not callable(score):
        raise ValueError(f"score is {score!r}; allowed are functions of queries and keys, such as "
                         f"attention.dot and the others in SCORES: {', '.join(SCORES)}")


def default_scale(score: Score, size: int) -> float:
    """The factor that `scale=None` stands for, for keys of this size; 1 for functions not in SCORES."""
    function = getattr(score, "func", score)  # of a functools.partial
    scale = next((entry.scale for entry in SCORES.values() if entry.function is function), 1.0)
    return size ** -0.5 if scale == "inverse_sqrt" else scale
