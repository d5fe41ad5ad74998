"""Blockwise attention is the formula for every option, mask and derivative."""

import jax
import jax.extend.core as jex
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from attention_lab import attention
from attention_lab.attention import counterfactual as other
from attention_lab.attention.implementations import blockwise

B, H, K, V = 2, 3, 5, 7


def arrays(lab, T, S, groups=H, dtype="float32"):
    return [x.astype(dtype) for x in lab.normal(0, (B, H, T, K), (B, groups, S, K), (B, groups, S, V))]


def dense(T, S):
    return jnp.asarray(np.random.default_rng(T).random((B, H, T, S)) < 0.4).at[:, :, T // 2].set(False)


MASKS = {
    "none": lambda T, S: None,
    "causal": lambda T, S: attention.causal(T),
    "window": lambda T, S: attention.window(T, 2),
    "narrow window": lambda T, S: attention.window(T, 0),
    "wide window": lambda T, S: attention.window(T, T // 2),
    "traced window": lambda T, S: attention.window(T, jnp.int32(2)),
    "padding": lambda T, S: attention.padding(jnp.array([S // 2, 0])),
    "causal window and padding":
        lambda T, S: attention.causal(T) & attention.window(T, 3) & attention.padding(jnp.array([S, S // 2])),
    "causal and dense": lambda T, S: attention.causal(T) & dense(T, S),
    "dense": dense,
}
OPTIONS = {
    "plain": lambda lab, T, S: {},
    "bias": lambda lab, T, S: {"bias": lab.normal(1, (H, T, S))[0][None]},
    "row of bias, soft cap": lambda lab, T, S: {"bias": lab.normal(1, (1, S))[0], "soft_cap": 1.5},
    "dropout": lambda lab, T, S: {
        "dropout": attention.dropout(jax.random.key(1), 0.4, jnp.array([8, 3]), H)},
    "permuted": lambda lab, T, S: {"counterfactual": other.permuted(jax.random.key(2), (B, H, T, S))},
    "some rows uniform": lambda lab, T, S: {
        "counterfactual": other.uniform(jnp.asarray(np.arange(T) % 3 == np.arange(H)[:, None])[None])},
    "read-outs": lambda lab, T, S: {"readouts": tuple(attention.READOUTS), "pairs": attention.window(T, 1)},
    "read-outs without pairs": lambda lab, T, S: {"readouts": ("entropy", "received", "distance")},
    "weights": lambda lab, T, S: {"return_weights": True, "soft_cap": jnp.float32(2.0)},
}


def derivatives(implementation, q, k, v, mask, options):
    """Every output, the gradients of their sum of sines, and a derivative of the gradients."""
    def total(q, k, v):
        outputs = attention.multi_head(q, k, v, mask, implementation=implementation, **options)
        return sum(jnp.sin(x).sum() for x in jax.tree.leaves(outputs)), outputs

    def gradient(q, k, v):
        return jax.grad(total, (0, 1, 2), has_aux=True)(q, k, v)
    return jax.jit(lambda *x: (gradient(*x), jax.jvp(gradient, x, tuple(y[::-1] for y in x))[1]))(q, k, v)


@pytest.mark.parametrize("options", ["plain", "bias", "read-outs", "weights", "dropout"])
def test_a_wide_window_is_the_reference(lab, monkeypatch, options):
    """Where its keys are not copied, stretches of them are seen."""
    monkeypatch.setattr(blockwise, "NEAR", 0)
    q, k, v = arrays(lab, 23, 19)
    given = attention.window(23, 5), OPTIONS[options](lab, 23, 19)
    ours, expected = (derivatives(name, q, k, v, *given) for name in ("blockwise", "reference"))
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1, np.abs(b).max()))


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))  # shrinking takes minutes
@given(T=st.integers(1, 23), S=st.integers(1, 29), mask=st.sampled_from(sorted(MASKS)),
       options=st.sampled_from(sorted(OPTIONS)), groups=st.sampled_from([1, 3]))
def test_it_is_the_reference(lab, T, S, mask, options, groups):
    q, k, v = arrays(lab, T, S, groups)
    given = MASKS[mask](T, S), OPTIONS[options](lab, T, S)
    ours, expected = (derivatives(name, q, k, v, *given) for name in ("blockwise", "reference"))
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1, np.abs(b).max()))


@pytest.mark.parametrize("T, S", [(0, 7), (5, 0), (0, 0)])
@pytest.mark.parametrize("mask", ["none", "causal", "window", "padding", "dense"])
def test_without_queries_or_keys_it_is_the_reference(lab, T, S, mask):
    mask = jnp.ones((B, H, T, S), bool) if mask == "dense" else MASKS[mask](T, S)
    ours, expected = (attention.multi_head(
        *arrays(lab, T, S), mask, implementation=name, return_weights=True, readouts=("entropy", "distance"))
        for name in ("blockwise", "reference"))
    assert ours[0].shape == (B, H, T, V) and ours[1].shape == (B, H, T, S) and not ours[0].any()
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_block_is_larger_and_hidden_blocks_cost_nothing(lab):
    """Read from the jaxpr of a program: its largest array, and the multiplications of all products."""
    T = 96
    q, k, v = arrays(lab, T, T)

    def cost(mask, implementation="blockwise"):
        function = jax.grad(lambda *x: attention.multi_head(*x, mask, implementation=implementation).sum(),
                            (0, 1, 2))
        return measured(jax.make_jaxpr(function)(q, k, v).jaxpr)
    assert cost(None, "reference")[0] >= B * H * T * T
    largest, work = cost(None)
    assert largest < B * H * T * (T // 4)
    # Three stretches: with a causal mask (1 + 2 + 3) / 9 of the work; a window of 3 blocks of 24.
    np.testing.assert_allclose(cost(attention.causal(T))[1] / work, 6 / 9, rtol=0.01)
    np.testing.assert_allclose(cost(attention.window(T, 4))[1] / work, 3 / 24, rtol=0.01)
    np.testing.assert_allclose(cost(attention.window(T, jnp.int32(4)))[1] / work, 1, rtol=0.01)
    # A window too wide for copies: the stretches see 52, 72 and 52 of the 96 keys.
    largest, of_window = cost(attention.window(T, 20))
    assert largest < B * H * T * (T // 4)
    np.testing.assert_allclose(of_window / work, (52 + 72 + 52) / (3 * 96), rtol=0.01)


def measured(jaxpr):
    """Size of the largest array, and multiplications of all products, loops counted by their lengths."""
    largest, work = 0, 0
    for equation in jaxpr.eqns:
        sizes = [np.prod(x.aval.shape, dtype=int) for x in equation.outvars]
        largest = max(largest, *sizes, 0)
        if equation.primitive.name == "dot_general":
            contracted = equation.params["dimension_numbers"][0][0]
            work += sizes[0] * np.prod([equation.invars[0].aval.shape[axis] for axis in contracted])
        for inner in jex.jaxprs_in_params(equation.params):
            size, products = measured(inner)
            largest, work = max(largest, size), work + products * equation.params.get("length", 1)
    return largest, work


@pytest.mark.parametrize("implementation", ["reference", "blockwise"])
def test_each_group_of_heads_has_its_keys(lab, implementation):
    q, k, v = lab.normal(0, (B, 6, 9, K), (B, 2, 11, K), (B, 2, 11, V))
    scale = jnp.arange(1.0, 7.0)
    mask = jnp.asarray(np.random.default_rng(0).random((B, 6, 9, 11)) < 0.5)
    run = lambda k, v: attention.multi_head(q, k, v, mask, scale, implementation=implementation)  # noqa: E731
    np.testing.assert_allclose(run(k, v), run(jnp.repeat(k, 3, 1), jnp.repeat(v, 3, 1)), rtol=1e-5, atol=1e-6)


def test_bfloat16_is_as_close_to_float64_as_the_library(lab):
    q, k, v = lab.normal(0, (1, 2, 37, 8), (1, 2, 41, 8), (1, 2, 41, 8))
    q = 4 * q  # peaky
    exact = attention.multi_head(*(x.astype(jnp.bfloat16).astype(jnp.float32) for x in (q, k, v)))
    halves = [x.astype(jnp.bfloat16) for x in (q, k, v)]
    library = jax.nn.dot_product_attention(*(x.swapaxes(1, 2) for x in halves)).swapaxes(1, 2)
    ours = attention.multi_head(*halves, implementation="blockwise")
    assert ours.dtype == jnp.bfloat16
    error = [np.abs(x.astype(jnp.float32) - exact).max() for x in (ours, library)]
    assert 0 < error[0] <= error[1]


def test_auto_is_blockwise_for_many_queries_and_keys_but_where_weights_are_returned(lab):
    def program(n, implementation, **options):
        x = jnp.ones((1, 1, n, 2))
        return str(jax.make_jaxpr(lambda x: attention.multi_head(
            x, x, x, implementation=implementation, **options))(x))
    for n, options, expected in ((256, {}, "reference"), (257, {}, "blockwise"),
                                 (257, {"return_weights": True}, "reference")):
        other = {"reference": "blockwise", "blockwise": "reference"}[expected]
        assert program(n, "auto", **options) == program(n, expected, **options)
        assert program(n, "auto", **options) != program(n, other, **options)
