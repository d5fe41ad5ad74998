"""Compatibilities against their definitions, pair by pair."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention.compatibility import default_scale

T, S, K, A = 5, 7, 11, 3


def test_each_pair_has_the_score_of_its_definition(lab):
    q, k, w, w_query, w_key, u = lab.normal(0, (T, K), (S, K), (K, K), (K, A), (K, A), (A,))
    expected = {
        attention.dot: lambda a, b: a @ b,
        attention.general(w): lambda a, b: a @ w @ b,
        attention.additive(w_query, w_key, u): lambda a, b: u @ np.tanh(a @ w_query + b @ w_key),
        attention.cosine: lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    }
    for compatibility, pair in expected.items():
        np.testing.assert_allclose(
            compatibility(q, k), [[pair(a, b) for b in k] for a in q], rtol=1e-4, atol=1e-5)


def test_general_with_the_identity_is_dot(lab):
    q, k = lab.normal(1, (T, K), (S, K))
    np.testing.assert_allclose(attention.general(jnp.eye(K))(q, k), attention.dot(q, k), rtol=1e-6)


def test_cosine_does_not_feel_lengths_and_takes_zero_vectors(lab):
    q, k = lab.normal(2, (T, K), (S, K))
    np.testing.assert_allclose(attention.cosine(10 * q, 0.1 * k), attention.cosine(q, k), rtol=1e-5)
    value, gradient = jax.value_and_grad(lambda q: attention.cosine(q, k).sum())(q.at[0].set(0))
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_no_scale_means_the_compatibility_s_own(lab):
    q, k, v, w, u = lab.normal(3, (T, 4), (S, 4), (S, 2), (4, 4), (4,))
    for compatibility, scale in ((attention.dot, 0.5), (attention.general(w), 0.5),
                                 (attention.additive(w, w, u), 1.0), (attention.cosine, 1.0),
                                 (lambda q, k: q @ k.T, 1.0)):
        assert default_scale(compatibility, 4) == scale
        for a, b in zip(attention.attend(q, k, v, None, None, compatibility),
                        attention.attend(q, k, v, None, scale, compatibility), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name, shapes", [("general", [(K, K)]),
                                          ("additive", [(K, A), (K, A), (A,)])])
def test_parameters_take_the_gradient_of_the_definition(lab, name, shapes):
    q, k, v, *parameters = lab.normal(4, (T, K), (S, K), (S, 2), *shapes)
    plain = {"general": lambda w: q @ w @ k.T,
             "additive": lambda a, b, u: jnp.tanh((q @ a)[:, None] + (k @ b)[None]) @ u}[name]

    def loss(logits_of):
        return lambda *p: (logits_of(*p) ** 2).sum()
    ours = jax.grad(loss(lambda *p: attention.attend(
        q, k, v, None, 0.2, getattr(attention, name)(*p))[0]), tuple(range(len(shapes))))
    theirs = jax.grad(loss(lambda *p: jax.nn.softmax(0.2 * plain(*p)) @ v),
                      tuple(range(len(shapes))))
    for a, b in zip(ours(*parameters), theirs(*parameters), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_narrow_inputs_give_float32_logits(lab):
    q, k, w, u = (x.astype(jnp.bfloat16) for x in lab.normal(5, (T, K), (S, K), (K, K), (K,)))
    for compatibility in (attention.dot, attention.cosine, attention.general(w),
                          attention.additive(w, w, u)):
        assert compatibility(q, k).dtype == jnp.float32


def test_additive_takes_queries_and_keys_that_are_projected_already():
    rng = np.random.default_rng(5)
    q, k, w_query, w_key = (jnp.asarray(rng.normal(size=shape), jnp.float32)
                            for shape in ((2, 3), (5, 4), (3, 7), (4, 7)))
    v = jnp.asarray(rng.normal(size=7), jnp.float32)
    wanted = attention.additive(w_query, w_key, v)(q, k)
    np.testing.assert_allclose(attention.additive(None, w_key, v)(q @ w_query, k), wanted, rtol=1e-5)
    np.testing.assert_allclose(attention.additive(w_query, None, v)(q, k @ w_key), wanted, rtol=1e-5)
