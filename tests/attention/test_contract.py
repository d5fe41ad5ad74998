"""The contract: masked positions have no effect on any value or derivative, and every derivative is right.

Masks are drawn by hypothesis, a hundred to an example, so that each program is compiled once.
"""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab import attention

N = 100  # masks in an example
T, S, K, V = 5, 7, 11, 13
BAD = np.array([np.nan, np.inf, -np.inf])
SCALE = 0.3
COUNT = N * T * S

masks = st.binary(min_size=-(-COUNT // 8), max_size=-(-COUNT // 8)).map(
    lambda data: np.unpackbits(np.frombuffer(data, np.uint8))[:COUNT].astype(bool).reshape(N, T, S))


def gradients(q, k, v, mask, scale, g_context, g_weights):
    """Context, weights and the gradients of q, k, v and scale."""
    values, pull = jax.vjp(lambda q, k, v, scale: attention.attend(q, k, v, mask, scale), q, k, v, scale)
    return *values, *pull((g_context, g_weights))


AXES = (0, 0, 0, 0, None, 0, 0)
LIFTS = {"vmap": lambda f: jax.vmap(f, in_axes=AXES),
         "jit of vmap": lambda f: jax.jit(jax.vmap(f, in_axes=AXES)),
         "vmap of jit": lambda f: jax.vmap(jax.jit(f), in_axes=AXES)}
lifted = functools.cache(lambda lift: LIFTS[lift](gradients))


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, 0, 0, 0, 0, 0, 0))
def forward_and_second(q, k, v, mask, g_context, g_weights, steps):
    """Directional derivatives of context, weights and of the gradients (Hessian-vector products)."""
    def both(q, k, v, scale):
        return gradients(q, k, v, mask, scale, g_context, g_weights)
    return jax.jvp(both, (q, k, v, jnp.float32(SCALE)), steps)[1]


def arrays(lab, dtype="float32"):
    *narrow, g_weights = lab.normal(0, (N, T, K), (N, S, K), (N, S, V), (N, T, V), (N, T, S))
    q, k, v, g_context = (x.astype(dtype) for x in narrow)
    return q, k, v, g_context, g_weights


def by_rows(lab, q, k, v, mask, scale, g_context, g_weights):
    """The oracle for each of the N masks; scale is a number or (N,)."""
    scale = np.broadcast_to(scale, N)
    each = [lab.attend_by_rows(q[n], k[n], v[n], mask[n], scale[n], g_context[n], g_weights[n])
            for n in range(N)]
    return [np.stack(xs) for xs in zip(*each)]


def as_doubles(*xs):
    return [np.asarray(x, np.float64) for x in xs]


@pytest.mark.parametrize("lift, dtype, tolerance", [
    ("vmap", "float32", 1e-4), ("vmap of jit", "float32", 1e-4), ("jit of vmap", "bfloat16", 2e-2)])
def test_values_and_gradients_are_the_closed_form_under_any_mask(lab, lift, dtype, tolerance):
    q, k, v, g_context, g_weights = arrays(lab, dtype)

    @settings(max_examples=5)
    @given(masks)
    def check(mask):
        ours = lifted(lift)(q, k, v, jnp.asarray(mask), jnp.float32(SCALE), g_context, g_weights)
        expected = by_rows(lab, *as_doubles(q, k, v), mask, SCALE, *as_doubles(g_context, g_weights))
        lab.check(ours, expected, tolerance)
        empty, unseen = ~mask.any(axis=-1), ~mask.any(axis=-2)
        for x, rows in zip(ours[:5], (empty, empty, empty, unseen, unseen)):  # exactly zero, not nearly
            assert not np.asarray(x, np.float32)[rows].any()
    check()


def test_forward_mode_and_second_derivatives_are_finite_differences_under_any_mask(lab):
    q, k, v, g_context, g_weights = arrays(lab)
    steps = (*lab.normal(1, q.shape, k.shape, v.shape), lab.normal(2, (N,))[0])

    @settings(max_examples=3)
    @given(masks)
    def check(mask):
        ours = forward_and_second(q, k, v, jnp.asarray(mask), g_context, g_weights, steps)

        def at(h):  # the closed form of values and gradients, h steps away, in float64
            moved = [x + h * step for x, step in zip(as_doubles(q, k, v), as_doubles(*steps))]
            return by_rows(lab, *moved, mask, SCALE + h * np.asarray(steps[3], np.float64),
                           *as_doubles(g_context, g_weights))
        expected = [(a - b) / 2e-5 for a, b in zip(at(1e-5), at(-1e-5))]
        lab.check(ours, expected, 1e-4)
        empty, unseen = ~mask.any(axis=-1), ~mask.any(axis=-2)
        for x, rows in zip(ours[:5], (empty, empty, empty, unseen, unseen)):
            assert not np.asarray(x)[rows].any()
    check()


def parameters_of(lab, name, size=K):
    entry, letters = attention.SCORES[name], {"K": size, "A": 3}
    shapes = [tuple(letters[axis] for axis in one.axes) for one in entry.parameters.values()]
    return dict(zip(entry.parameters, lab.normal(6, *shapes)))


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", [*attention.SCORES, "distance"])
def test_what_nobody_may_attend_to_changes_no_bit_of_any_derivative(lab, name, bad):
    q, k, v, *steps = lab.normal(0, *[(T, K), (S, K), (S, V)] * 2)
    mask = jnp.asarray(np.random.default_rng(1).random((T, S)) < 0.6)
    mask = mask.at[:, [2, 5]].set(False).at[3].set(False)
    known = name in attention.SCORES
    parameters = parameters_of(lab, name) if known else {}
    score = attention.SCORES[name].function if known else lambda q, k: -jnp.abs(q[:, None] - k[None]).sum(-1)

    def total(q, k, v, parameters):
        context, weights = attention.attend(q, k, v, mask, 0.5, functools.partial(score, **parameters))
        return jnp.sin(context).sum() + (weights ** 2).sum()

    @jax.jit
    def derivatives(*x):
        gradient = jax.grad(total, (0, 1, 2, 3))
        forward = jax.jacfwd(total, 1)(*x)
        along = (*steps, jax.tree.map(jnp.ones_like, parameters))
        return total(*x), forward, jax.jvp(gradient, x, along)

    clean = derivatives(q, k, v, parameters)
    spoilt = derivatives(q.at[3].set(bad), k.at[2].set(bad), v.at[5].set(bad), parameters)
    chex.assert_tree_all_finite(clean)
    chex.assert_trees_all_equal(clean, spoilt)


@pytest.mark.parametrize("implementation", attention.IMPLEMENTATIONS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_every_implementation_leaves_out_what_nobody_may_attend_to(lab, on_its_device, implementation, bad):
    entry = on_its_device(implementation)
    dtype = (entry.dtypes or ["float32"])[0]
    q, k, v = lab.normal(0, (2, 3, T, K), (2, 3, S, K), (2, 3, S, V), dtype=dtype)
    mask = attention.padding(jnp.array([4, 0]))

    @jax.jit
    def derivatives(q, k, v):
        def total(q, k, v):
            return (attention.multi_head(q, k, v, mask, implementation=implementation) ** 2).sum()
        gradient = jax.grad(total, (0, 1, 2))
        if not entry.twice:
            return total(q, k, v), gradient(q, k, v)
        return total(q, k, v), jax.jvp(gradient, (q, k, v), (q + 1, k + 1, v + 1))

    clean = derivatives(q, k, v)
    assert all(not x[1].any() for x in jax.tree.leaves(clean[1]))  # the second sentence is all padding
    chex.assert_trees_all_equal(clean, derivatives(
        q.at[1].set(bad), k.at[0, :, 4:].set(bad).at[1].set(bad), v.at[0, :, 5].set(bad).at[1].set(bad)))


def test_all_ways_to_differentiate_agree(lab):
    q, k, v = lab.normal(3, (3, T, K), (3, S, K), (3, S, 2))
    mask = attention.window(T, 2)

    def total(q, k, v):
        return jnp.sin(attention.attend(q, k, v, mask)[0]).sum()

    ways = (jax.jacfwd(total), jax.jacrev(total), jax.jit(jax.grad(total)))
    each = [jax.vmap(way)(q, k, v) for way in ways]
    for other in each[1:]:
        chex.assert_trees_all_close(each[0], other, rtol=1e-4, atol=1e-5)
    twice = [(jax.jacfwd, jax.jacrev), (jax.jacrev, jax.jacrev), (jax.jacfwd, jax.jacfwd)]
    hessians = [jax.vmap(outer(inner(total)))(q, k, v) for outer, inner in twice]
    for other in hessians[1:]:
        chex.assert_trees_all_close(hessians[0], other, rtol=1e-3, atol=1e-5)
    flat = hessians[0].reshape(3, T * K, T * K)
    np.testing.assert_allclose(flat, flat.swapaxes(1, 2), rtol=1e-3, atol=1e-5)
    assert np.abs(flat).max() > 1e-2


def test_a_traced_scale_takes_no_gradient_from_keys_that_nobody_sees(lab):
    q, k, v = lab.normal(0, (T, K), (S, K), (S, V))
    mask = jnp.ones((T, S), bool).at[:, 3].set(False)

    def gradient(k):
        return jax.grad(lambda s: (attention.attend(q, k, v, mask, s)[0] ** 2).sum())(0.7)
    assert gradient(k) != 0
    assert gradient(k) == gradient(k.at[3].set(jnp.inf))
