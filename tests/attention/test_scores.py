"""Scores against their definitions, pair by pair."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention.scores import default_scale, lecun

T, S, K, A = 5, 7, 11, 3


def test_each_pair_has_the_score_of_its_definition(lab):
    q, k, w, w_query, w_key, u = lab.normal(0, (T, K), (S, K), (K, K), (K, A), (K, A), (A,))
    expected = {
        attention.dot: lambda a, b: a @ b,
        partial(attention.general, w=w): lambda a, b: a @ w @ b,
        partial(attention.additive, w_query=w_query, w_key=w_key, v=u):
            lambda a, b: u @ np.tanh(a @ w_query + b @ w_key),
        attention.cosine: lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
        attention.linear: lambda a, b: np.log(sum(
            np.where(x > 0, x + 1, np.exp(x)) * np.where(y > 0, y + 1, np.exp(y)) for x, y in zip(a, b))),
        partial(attention.cosine, gain=3.0): lambda a, b: 3 * a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    }
    for score, pair in expected.items():
        np.testing.assert_allclose(
            score(q, k), [[pair(a, b) for b in k] for a in q], rtol=1e-4, atol=1e-5)


def test_general_with_the_identity_is_dot(lab):
    q, k = lab.normal(1, (T, K), (S, K))
    np.testing.assert_allclose(attention.general(q, k, jnp.eye(K)), attention.dot(q, k), rtol=1e-6)


def test_cosine_does_not_feel_lengths_and_takes_zero_vectors(lab):
    q, k = lab.normal(2, (T, K), (S, K))
    np.testing.assert_allclose(attention.cosine(10 * q, 0.1 * k), attention.cosine(q, k), rtol=1e-5)
    value, gradient = jax.value_and_grad(lambda q: attention.cosine(q, k).sum())(q.at[0].set(0))
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_no_scale_means_that_of_the_score(lab):
    q, k, v, w, u = lab.normal(3, (T, 4), (S, 4), (S, 2), (4, 4), (4,))
    for score, scale in ((attention.dot, 0.5), (partial(attention.general, w=w), 0.5),
                         (partial(attention.additive, w_query=w, w_key=w, v=u), 1.0), (attention.cosine, 1.0),
                         (attention.linear, 1.0),
                         (lambda q, k: q @ k.T, 1.0)):
        assert default_scale(score, 4) == scale
        for a, b in zip(attention.attend(q, k, v, None, None, score),
                        attention.attend(q, k, v, None, scale, score), strict=True):
            np.testing.assert_array_equal(a, b)


SHAPES = {"general": {"w": (K, K)}, "cosine": {"gain": ()},
          "additive": {"w_query": (K, A), "w_key": (K, A), "v": (A,)}}
PLAIN = {
    "general": lambda q, k, w: q @ w @ k.T,
    "additive": lambda q, k, w_query, w_key, v: jnp.tanh((q @ w_query)[:, None] + (k @ w_key)[None]) @ v,
    "cosine": lambda q, k, gain: gain * (q / jnp.linalg.norm(q, axis=-1, keepdims=True)) @ (
        k / jnp.linalg.norm(k, axis=-1, keepdims=True)).T}


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_take_the_derivatives_of_the_definition(lab, name):
    q, k, v, *arrays = lab.normal(4, (T, K), (S, K), (S, 2), *SHAPES[name].values())
    parameters, entry = dict(zip(SHAPES[name], arrays)), attention.SCORES[name]

    def loss(context_of):
        return lambda q, k, p: (context_of(q, k, p) ** 2).sum()
    ours = loss(lambda q, k, p: attention.attend(q, k, v, None, 0.2, partial(entry.function, **p))[0])
    theirs = loss(lambda q, k, p: jax.nn.softmax(0.2 * PLAIN[name](q, k, **p)) @ v)

    @partial(jax.jit, static_argnums=0)
    def derivatives(f, *x):
        return jax.jvp(jax.grad(f, (0, 1, 2)), x, jax.tree.map(jnp.cos, x))  # also of second order
    a, b = (derivatives(f, q, k, parameters) for f in (ours, theirs))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), a, b)


@pytest.mark.parametrize("name", attention.SCORES)
def test_an_entry_says_what_its_function_takes(name):
    entry = attention.SCORES[name]
    sizes, key = {"K": K, "A": A}, jax.random.key(0)
    shapes = {argument: tuple(sizes[axis] for axis in one.axes) for argument, one in entry.parameters.items()}
    parameters = {argument: one.init(key, shapes[argument], K) for argument, one in entry.parameters.items()}
    assert {argument: x.shape for argument, x in parameters.items()} == shapes
    q, k = jnp.ones((T, K)), jnp.ones((S, K))
    whole = entry.function(q, k, **parameters)
    assert whole.shape == (T, S) and whole.dtype == jnp.float32
    if entry.key_map:
        projected = entry.function(q, k @ parameters[entry.key_map], **parameters | {entry.key_map: None})
        np.testing.assert_allclose(projected, whole, rtol=1e-5, atol=1e-6)
    heads = [one.init(key, (7, *shapes[name]), K) for name, one in entry.parameters.items() if one.axes]
    assert all(len(np.unique(x)) == x.size for x in heads)  # each head draws values of its own


def test_matrices_begin_with_the_variance_that_keeps_lengths():
    for shape in ((67, 71), (3, 67, 71)):
        values = lecun(jax.random.key(1), shape, 5)
        np.testing.assert_allclose(values.std(), 67 ** -0.5, rtol=0.05)


def test_narrow_inputs_give_float32_logits(lab):
    q, k, w, u = (x.astype(jnp.bfloat16) for x in lab.normal(5, (T, K), (S, K), (K, K), (K,)))
    for score in (attention.dot, attention.cosine, attention.linear, partial(attention.general, w=w),
                  partial(attention.additive, w_query=w, w_key=w, v=u)):
        assert score(q, k).dtype == jnp.float32


def test_additive_takes_queries_and_keys_that_are_projected_already():
    rng = np.random.default_rng(5)
    q, k, w_query, w_key = (jnp.asarray(rng.normal(size=shape), jnp.float32)
                            for shape in ((2, 3), (5, 4), (3, 7), (4, 7)))
    v = jnp.asarray(rng.normal(size=7), jnp.float32)
    wanted = attention.additive(q, k, w_query, w_key, v)
    np.testing.assert_allclose(attention.additive(q @ w_query, k, None, w_key, v), wanted, rtol=1e-5)
    np.testing.assert_allclose(attention.additive(q, k @ w_key, w_query, None, v), wanted, rtol=1e-5)
