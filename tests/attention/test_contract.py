"""The contract: what a row may not attend to changes nothing for it, forward or backward.

Masks, and where a NaN or inf stands, are drawn by hypothesis, a hundred masks to an example, so
that each shape and dtype is compiled once.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab import attention

N = 100  # masks in an example
EXAMPLES = 10
T, S, K, V = 5, 7, 11, 13
BAD = np.array([np.nan, np.inf, -np.inf])
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}


def bits(count):
    """A strategy for bool arrays of this many entries."""
    size = -(-count // 8)
    return st.binary(min_size=size, max_size=size).map(
        lambda data: np.unpackbits(np.frombuffer(data, np.uint8))[:count].astype(bool))


masks = bits(N * T * S).map(lambda b: b.reshape(N, T, S))
# One row in eight of k, v and the cotangent is bad.
places = st.tuples(*[bits(3 * N * size).map(
    lambda b, size=size: b.reshape(3, N, size).all(axis=0)) for size in (S, S, T)])


@functools.cache
def lifted(mode):
    """attend with its gradients over N masks: compiled, mapped by vmap, or both."""
    def both(q, k, v, mask, scale, g_context, g_weights):
        values, pull = jax.vjp(
            lambda q, k, v, scale: attention.attend(q, k, v, mask, scale), q, k, v, scale)
        return *values, *pull((g_context, g_weights))
    axes = (0, 0, 0, 0, None, 0, 0)
    if mode == "vmap":
        return jax.vmap(both, in_axes=axes)
    if mode == "jit of vmap":
        return jax.jit(jax.vmap(both, in_axes=axes))
    compiled = jax.jit(both)

    def one_by_one(q, k, v, mask, scale, *g):
        q, k, v, mask, *g = (np.asarray(x) for x in (q, k, v, mask, *g))
        results = [compiled(q[n], k[n], v[n], mask[n], scale, g[0][n], g[1][n]) for n in range(N)]
        return [np.stack([np.asarray(x, np.float64) for x in xs]) for xs in zip(*results)]
    return one_by_one


def arrays(lab, dtype):
    *narrow, g_weights = lab.normal(0, (N, T, K), (N, S, K), (N, S, V), (N, T, V), (N, T, S))
    q, k, v, g_context = (x.astype(dtype) for x in narrow)
    return q, k, v, g_context, g_weights


def by_rows(lab, q, k, v, mask, *cotangents):
    """The oracle for each of the N masks."""
    q, k, v, *g = (np.asarray(x, np.float64) for x in (q, k, v, *cotangents))
    each = [lab.attend_by_rows(q[n], k[n], v[n], mask[n], 0.3, g[0][n], g[1][n]) for n in range(N)]
    return [np.stack(xs) for xs in zip(*each)]


def spoil(x, rows, kind=BAD):
    """Puts NaN, inf or -inf into one column of the rows that are True."""
    x = np.array(x)
    for i, (n, row) in enumerate(np.argwhere(rows)):
        x[n, row, i % x.shape[-1]] = kind[i % len(kind)]
    return jnp.asarray(x)


@pytest.mark.parametrize("mode", ["jit", "vmap", "jit of vmap"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_thousand_masks_without_anything_bad(lab, dtype, mode):
    q, k, v, g_context, g_weights = arrays(lab, dtype)
    scale = jnp.float32(0.3)

    @settings(max_examples=EXAMPLES)
    @given(masks)
    def check(mask):
        found = lifted(mode)(q, k, v, jnp.asarray(mask), scale, g_context, g_weights)
        lab.check(found, by_rows(lab, q, k, v, mask, g_context, g_weights), TOLERANCE[dtype])
        empty = ~mask.any(axis=-1)
        for x in found[:3]:  # context, weights, dq: exactly zero, not nearly
            assert not np.asarray(x, np.float32)[empty].any()
        unseen = ~mask.any(axis=-2)
        for x in found[3:5]:  # dk, dv
            assert not np.asarray(x, np.float32)[unseen].any()
    check()


@pytest.mark.parametrize("mode", ["jit", "vmap", "jit of vmap"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_thousand_masks_with_bad_keys_values_and_cotangents(lab, dtype, mode):
    q, k, v, g_context, g_weights = arrays(lab, dtype)
    scale = jnp.float32(0.3)

    @settings(max_examples=EXAMPLES)
    @given(masks, places)
    def check(mask, where):
        bad_k, bad_v, bad_g = spoil(k, where[0]), spoil(v, where[1]), spoil(g_context, where[2])
        found = lifted(mode)(q, bad_k, bad_v, jnp.asarray(mask), scale, bad_g, g_weights)
        expected = by_rows(lab, q, bad_k, bad_v, mask, bad_g, g_weights)
        lab.check(found, expected, TOLERANCE[dtype])
    check()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("bad", BAD)
def test_what_nobody_may_attend_to_changes_no_bit(lab, dtype, bad):
    q, k, v, g_context, g_weights = arrays(lab, dtype)
    mask = np.random.default_rng(1).random((N, T, S)) < 0.5
    mask[:, :, [2, 5]] = False
    run = lifted("jit of vmap")
    clean = run(q, k, v, jnp.asarray(mask), jnp.float32(1), g_context, g_weights)
    k, v = k.at[:, [2, 5]].set(k.dtype.type(bad)), v.at[:, 2].set(v.dtype.type(bad))
    spoilt = run(q, k, v, jnp.asarray(mask), jnp.float32(1), g_context,
                 g_weights.at[:, :, 5].set(bad))
    for a, b in zip(clean, spoilt, strict=True):
        np.testing.assert_array_equal(np.asarray(a, np.float32), np.asarray(b, np.float32))


@pytest.mark.parametrize("what", ["key", "value", "both"])
@pytest.mark.parametrize("bad", BAD)
def test_of_two_rows_only_the_one_allowed_sees_it(lab, what, bad):
    q, k, v = lab.normal(0, (2, K), (3, K), (3, V))
    mask = jnp.array([[True, True, True], [True, True, False]])
    before, _ = attention.attend(q, k, v, mask)
    # With -inf the logit is -inf, which would give weight 0 and hide the key.
    k = k.at[2].set(bad * jnp.sign(q[0])) if what != "value" else k
    v = v.at[2].set(bad) if what != "key" else v

    def row(t):
        return jax.value_and_grad(lambda q, k, v: attention.attend(q, k, v, mask)[0][t].sum(),
                                  argnums=(0, 1, 2))(q, k, v)
    value, gradients = row(1)
    np.testing.assert_allclose(value, before[1].sum(), rtol=1e-5)
    assert all(np.isfinite(g).all() for g in gradients[:1] + (gradients[1][:2], gradients[2][:2]))
    assert not gradients[1][2].any() and not gradients[2][2].any()
    assert not np.isfinite(attention.attend(q, k, v, mask)[0][0]).any()
    assert not np.isfinite(row(0)[1][0][0]).any()


@pytest.mark.parametrize("name", ["general", "additive", "cosine", "a user's own"])
def test_every_compatibility_keeps_the_contract(lab, name):
    q, k, v, w, bilinear, u = lab.normal(0, (T, K), (S, K), (S, V), (K, 3), (K, K), (3,))
    mask = jnp.ones((T, S), bool).at[:, 4].set(False).at[1].set(False).at[0, 4].set(True)
    parameters = {"general": (bilinear,), "additive": (w, 2 * w, u)}.get(name, ())

    def total(k, v, rows, q, parameters):
        make = {"general": attention.general, "additive": attention.additive,
                "cosine": lambda: attention.cosine,
                "a user's own": lambda: lambda q, k: -jnp.abs(q[:, None] - k[None]).sum(-1)}[name]
        context, weights = attention.attend(q, k, v, mask, 0.5, make(*parameters))
        return context[rows].sum() + (weights[rows] ** 2).sum()

    run = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 3, 4)))
    clean_rows, seeing = jnp.array([1, 2, 3, 4]), jnp.array([0])
    clean = run(k, v, clean_rows, q, parameters)
    # Row 1 may attend to nothing: its query may be bad too. Row 0 may attend to key 4.
    spoilt = run(k.at[4].set(jnp.nan), v.at[4].set(jnp.inf), clean_rows,
                 q.at[1].set(jnp.nan), parameters)
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(spoilt), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for bad in BAD:
        assert np.isnan(run(k.at[4, 2].set(bad), v, seeing, q, parameters)[0])


def test_a_traced_scale_takes_no_gradient_from_forbidden_pairs(lab):
    q, k, v = lab.normal(0, (T, K), (S, K), (S, V))
    mask = jnp.ones((T, S), bool).at[:, 3].set(False)

    def gradient(k):
        return jax.grad(lambda s: (attention.attend(q, k, v, mask, s)[0] ** 2).sum())(0.7)
    assert gradient(k) != 0
    assert gradient(k) == gradient(k.at[3].set(jnp.inf))


def test_logits_that_overflow_spoil_their_own_row_alone():
    q = jnp.array([[1e30], [1.0]])
    k = jnp.array([[1e30], [1.0]])
    context, _ = attention.attend(q, k, jnp.ones((2, 1)), scale=1.0)
    assert np.isnan(context[0, 0]) and context[1, 0] == 1
    mask = jnp.array([[False, True], [True, True]])
    assert (attention.attend(q, k, jnp.ones((2, 1)), mask, 1.0)[0] == 1).all()


def test_a_bad_sentence_leaves_the_rest_of_the_batch_alone(lab):
    B, H = 3, 2
    q, k, v, g = lab.normal(0, (B, H, T, K), (B, H, S, K), (B, H, S, V), (B, H, T, V))

    def gradients(k):
        context, pull = jax.vjp(lambda *x: attention.multi_head(*x), q, k, v)
        return context, *pull(g)
    clean, spoilt = jax.jit(gradients)(k), jax.jit(gradients)(k.at[1, 0, 3, 2].set(jnp.nan))
    for a, b in zip(clean, spoilt, strict=True):
        np.testing.assert_allclose(a[jnp.array([0, 2])], b[jnp.array([0, 2])], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(a[1, 1], b[1, 1], rtol=1e-6, atol=1e-6)
        assert np.isnan(b[1, 0]).any()
