"""attend: numbers by hand, the library as an oracle, causality, permutations, one executable."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention

T, S, K, V = 5, 7, 11, 13


def library(q, k, v, mask, scale):
    """jax.nn.dot_product_attention of one head and one sentence; its K and V must be equal."""
    return jax.nn.dot_product_attention(
        q[None, :, None], k[None, :, None], v[None, :, None], mask=mask[None, None],
        scale=scale)[0, :, 0]


def test_numbers_worked_out_by_hand():
    q = jnp.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    k = jnp.array([[2 * math.log(3), 5.0, 5.0, 5.0], [0.0, 1.0, 2.0, 3.0]])
    v = jnp.array([[4.0, 0.0, 8.0], [0.0, 4.0, -8.0]])
    # The scale is 1/sqrt(4), so the first row's logits are log 3 and 0: three parts to one.
    context, weights = attention.attend(q, k, v)
    np.testing.assert_allclose(weights, [[0.75, 0.25], [0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(context, [[3, 1, 4], [2, 2, 0]], rtol=1e-6)
    context, weights = attention.attend(q, k, v, scale=1.0)
    np.testing.assert_allclose(weights[0], [0.9, 0.1], rtol=1e-6)
    mask = jnp.array([[False, True], [False, False]])
    context, weights = attention.attend(q, k, v, mask)
    np.testing.assert_array_equal(weights, [[0, 1], [0, 0]])
    np.testing.assert_array_equal(context, [[0, 4, -8], [0, 0, 0]])


def test_gradient_worked_out_by_hand():
    # One query, weights 1/2 and 1/2: d context / d logit_1 = w_1 (v_1 - context) = 1/2 (6 - 4) = 1.
    k, v = jnp.array([[3.0], [3.0]]), jnp.array([[6.0], [2.0]])
    dq, dk, dv = jax.grad(lambda *x: attention.attend(*x, scale=5.0)[0][0, 0], (0, 1, 2))(
        jnp.array([[7.0]]), k, v)
    np.testing.assert_allclose(dq, [[0.0]], atol=1e-5)  # the keys are equal
    np.testing.assert_allclose(dk, [[35.0], [-35.0]], rtol=1e-6)  # scale times query
    np.testing.assert_allclose(dv, [[0.5], [0.5]], rtol=1e-6)


@pytest.mark.parametrize("scale", [None, 0.2])
def test_the_library_agrees_in_value_and_gradient(lab, scale):
    q, k, v, g = lab.normal(1, (T, K), (S, K), (S, K), (T, K))
    mask = jnp.asarray(np.random.default_rng(2).random((T, S)) < 0.6).at[:, 0].set(True)
    ours, pull = jax.vjp(lambda *x: attention.attend(*x, mask, scale)[0], q, k, v)
    theirs, their_pull = jax.vjp(lambda *x: library(*x, mask, scale), q, k, v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    for a, b in zip(pull(g), their_pull(g), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_of_finite_differences(lab):
    q, k, v = lab.normal(1, (2, 3), (3, 3), (3, 2))
    mask = jnp.array([[True, False, True], [True, True, True]])
    jax.test_util.check_grads(lambda *x: attention.attend(*x[:3], mask, x[3]),
                              (q, k, v, jnp.float32(0.7)), order=2, modes=["fwd", "rev"], rtol=2e-2)


def test_a_causal_row_depends_on_nothing_later(lab):
    q, k, v = lab.normal(3, (S, K), (S, K), (S, V))
    # The Jacobians (S, V, S, K), (S, V, S, K), (S, V, S, V): which position moves which row.
    jacobians = jax.jacrev(lambda *x: attention.attend(*x, attention.causal(S))[0], (0, 1, 2))(
        q, k, v)
    moved = [np.asarray(jnp.any(jacobian != 0, axis=(1, 3))) for jacobian in jacobians]
    np.testing.assert_array_equal(moved[2], np.tri(S, dtype=bool))
    # Row 0 has one weight, 1, which neither its query nor its key can move.
    np.testing.assert_array_equal(moved[1][1:], np.tri(S, dtype=bool)[1:])
    np.testing.assert_array_equal(moved[0][1:], np.eye(S, dtype=bool)[1:])


def test_the_order_of_keys_is_nothing_and_that_of_queries_everything(lab):
    q, k, v = lab.normal(4, (T, K), (S, K), (S, V))
    mask = jnp.asarray(np.random.default_rng(5).random((T, S)) < 0.5)
    context, weights = attention.attend(q, k, v, mask)
    s, t = np.random.default_rng(6).permutation(S), np.random.default_rng(7).permutation(T)
    moved, moved_weights = attention.attend(q, k[s], v[s], mask[:, s])
    np.testing.assert_allclose(moved, context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moved_weights, weights[:, s], rtol=1e-5, atol=1e-6)
    moved, _ = attention.attend(q[t], k, v, mask[t])
    np.testing.assert_allclose(moved, context[t], rtol=1e-5, atol=1e-6)


def test_with_a_key_of_one_number_scaled_is_unscaled(lab):
    q, k, v = lab.normal(8, (T, 1), (S, 1), (S, V))
    for a, b in zip(attention.attend(q, k, v), attention.attend(q, k, v, scale=1.0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_traced_scale_is_one_executable(lab):
    q, k, v = lab.normal(9, (T, K), (S, K), (S, V))
    chex.clear_trace_counter()

    @jax.jit
    @chex.assert_max_traces(n=1)
    def context(scale):
        return attention.attend(q, k, v, scale=scale)[0]
    values = [context(scale) for scale in (0.0, 0.5, K ** -0.5)]
    np.testing.assert_allclose(values[0], jnp.broadcast_to(v.mean(0), (T, V)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values[2], attention.attend(q, k, v)[0], rtol=1e-6, atol=1e-6)


def test_logits_and_softmax_are_float32_for_narrow_inputs(lab):
    q, k, v = (x.astype(jnp.bfloat16) for x in lab.normal(10, (T, K), (S, K), (S, V)))
    context, weights = attention.attend(q, k, v)
    assert (context.dtype, weights.dtype) == (jnp.bfloat16, jnp.float32)
    _, exact = attention.attend(q.astype(jnp.float32), k.astype(jnp.float32), v)
    # bfloat16 logits would be off by up to 2^-9.
    np.testing.assert_allclose(weights, exact, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)


def test_weights_alone_are_those_of_attend(lab):
    q, k, v = lab.normal(11, (T, K), (S, K), (S, V))
    mask = attention.window(T, 2)
    for score in (attention.dot, attention.cosine):
        alone = attention.weights(q, k, mask, 0.3, score)
        np.testing.assert_array_equal(alone, attention.attend(q, k, v, mask, 0.3, score)[1])


def test_integers_are_computed_in_float32():
    q, k, v = np.array([[1, 2]]), np.array([[3, 0], [0, 1]]), np.array([[1, 2], [2, 1]])
    floats = (x.astype(np.float32) for x in (q, k, v))
    context, weights = attention.attend(q, k, v)
    assert context.dtype == weights.dtype == jnp.float32
    np.testing.assert_array_equal(context, attention.attend(*floats)[0])
    # Logits 3 and 2 times 1/sqrt(2).
    first = 1 / (1 + math.exp(-1 / math.sqrt(2)))
    np.testing.assert_allclose(context, [[2 - first, 1 + first]], rtol=1e-6)


def test_without_a_mask_none_is_formed():
    """XLA took half a minute to fold what was computed from a constant mask of 4,096 x 4,096."""
    x = jnp.ones((4096, 2))
    text = jax.jit(jax.grad(lambda x: attention.attend(x, x, x)[0].sum())).lower(x).as_text()
    assert "4096x4096xf32" in text and "4096x4096xi1" not in text


@pytest.mark.parametrize("lift", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_arrays_of_numpy_are_taken_everywhere(lab, lift):
    q, k, v = (np.asarray(x) for x in lab.normal(12, (2, T, K), (2, S, K), (2, S, V)))
    mask = np.random.default_rng(13).random((2, T, S)) < 0.5

    def gradients(_):
        mapped = jax.vmap(lambda q, k, v, mask: attention.attend(q, k, v, mask)[0])
        value, pull = jax.vjp(lambda q, k, v: mapped(q, k, v, mask), q, k, v)
        return value, *pull(value)
    heads = attention.multi_head(q[:, None], k[:, None], v[:, None], mask)[:, 0]
    value, *rest = lift(gradients)(0)
    np.testing.assert_allclose(value, heads, rtol=1e-5, atol=1e-6)
    assert all(np.isfinite(x).all() for x in rest)


def test_huge_logits_do_not_overflow():
    context, weights = attention.attend(jnp.array([[1e4]]), jnp.array([[1e4], [-1e4]]),
                                        jnp.array([[1.0], [2.0]]), scale=1.0)
    assert context == 1 and weights.tolist() == [[1, 0]]


@pytest.mark.parametrize("shapes, mask, words", [
    (((2, 3), (4, 3), (5, 6)), None, "(S, K) and (S, V)"),
    (((2, 3), (4, 3), (4,)), None, "(S, K) and (S, V)"),
    (((2, 3), (4, 2), (4, 6)), None, "(T, K), (S, K)"),
    (((2, 3), (4, 3), (4, 6)), np.ones((4, 2), bool), "allowed is (T, S) = (2, 4)"),
    (((2, 3), (4, 3), (4, 6)), np.ones((2, 4), np.float32), "allowed is bool"),
    (((2, 3), (4, 3), (4, 6)), np.ones((1, 2, 4), bool), "allowed is (T, S)"),
    (((2, 3), (4, 3), (4, 6)), attention.causal(3), "mask has shape (3,); allowed is (T, S) = (2, 4), (T,)"),
])
def test_what_does_not_fit_is_refused(shapes, mask, words):
    with pytest.raises(ValueError) as error:
        attention.attend(*[jnp.ones(shape) for shape in shapes], mask)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("options, words", [
    (dict(bias=jnp.ones((4, 5))), "bias has shape (4, 5); allowed is (T, S) = (3, 5), or 1 for any"),
    (dict(bias=jnp.ones((2, 3, 5))), "bias has shape (2, 3, 5); allowed is (T, S)"),
    (dict(bias=jnp.ones(5)), "bias has shape (5,); allowed is (T, S)"),
    (dict(bias=1.0), "bias has shape (); allowed is (T, S)"),
    (dict(soft_cap=jnp.ones(3)), "soft_cap has shape (3,); allowed is ()"),
    (dict(scale=jnp.ones((3, 1))), "scale has shape (3, 1); allowed is ()"),
])
@pytest.mark.parametrize("mask", [None, attention.window(3, 1)], ids=["all", "window"])
def test_options_that_do_not_fit_are_refused(options, words, mask):
    with pytest.raises(ValueError) as error:
        attention.attend(jnp.ones((3, 2)), jnp.ones((5, 2)), jnp.ones((5, 7)), mask, **options)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(3, 5), (1, 5), (3, 1), (1, 1)])
def test_any_axis_of_a_bias_may_be_1(lab, shape):
    q, k, v, bias = lab.normal(14, (3, 2), (5, 2), (5, 7), shape)
    for mask in (None, attention.window(3, 1)):
        for a, b in zip(attention.attend(q, k, v, mask, bias=bias),
                        attention.attend(q, k, v, mask, bias=jnp.broadcast_to(bias, (3, 5))), strict=True):
            np.testing.assert_array_equal(a, b)


def test_complex_numbers_are_refused():
    x = jnp.ones((2, 3))
    for arrays in ((x * 1j, x, x), (x, x * 1j, x), (x, x, x * 1j)):
        with pytest.raises(ValueError, match="has dtype complex64; allowed are floating-point"):
            attention.attend(*arrays)


def test_lists_are_taken_and_complex_ones_refused():
    q, k, v = [[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [[1], [2]]
    for a, b in zip(attention.attend(q, k, v), attention.attend(*map(jnp.asarray, (q, k, v))), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="q has dtype complex64"):
        attention.attend([[1j, 2.0]], k, v)
