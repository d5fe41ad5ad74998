"""Counterfactual weights by hand, under any mask, and the contract of attention under them."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab import attention
from attention_lab.attention import counterfactual as other
from attention_lab.attention.counterfactual import Counterfactual, replaced

N = 50  # masks in an example
B, H, T, S, K, V = 2, 3, 5, 7, 11, 13

OWN = np.array([[0.5, 0.2, 0.3, 0.0],
                [0.4, 0.4, 0.2, 0.0],
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, 0.0]], np.float32)
MASK = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool)


@pytest.mark.parametrize("changed, expected", [
    (other.uniform(), [[1 / 3, 1 / 3, 1 / 3, 0], [1 / 3, 1 / 3, 1 / 3, 0], [1, 0, 0, 0], [0, 0, 0, 0]]),
    # Of two largest the first goes; a row of one key has nothing left.
    (other.zero_max(), [[0, 0.4, 0.6, 0], [0, 2 / 3, 1 / 3, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
    # Neither rescaled nor clipped; a NaN where no one may look is nothing.
    (other.given(np.array([[0.1, 0.2, 3.0, np.nan]] * 4)),
     [[0.1, 0.2, 3, 0], [0.1, 0.2, 3, 0], [0.1, 0, 0, 0], [0, 0, 0, 0]]),
    # The least noise says whose weight the first key gets; the noise of a forbidden key is not looked at.
    (Counterfactual("permuted", np.array([[0.9, 0.5, 0.1, 0.0], [0.5, 0.9, 0.1, 0.0],
                                          [0.9, 0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4]])),
     [[0.3, 0.2, 0.5, 0], [0.2, 0.4, 0.4, 0], [1, 0, 0, 0], [0, 0, 0, 0]]),
    (other.uniform(rows=np.array([False, True, False, True])),
     [OWN[0], [1 / 3, 1 / 3, 1 / 3, 0], OWN[2], [0, 0, 0, 0]]),
])
def test_by_hand(changed, expected):
    found = replaced(jnp.asarray(OWN), jnp.asarray(MASK), changed)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-6)
    assert not np.asarray(found)[~MASK].any()


@jax.jit
def all_kinds(own, mask, numbers, noise):
    """The weights of each kind for N masks; `own` is not yet masked or normed."""
    def one(own, mask, numbers, noise):
        own = attention.weights(own, jnp.eye(S), mask, 1.0)
        kinds = {"given": other.given(numbers), "uniform": other.uniform(),
                 "permuted": Counterfactual("permuted", noise), "zero_max": other.zero_max()}
        return {"own": own} | {name: replaced(own, mask, changed) for name, changed in kinds.items()}
    return jax.vmap(one)(own, mask, numbers, noise)


def test_rows_sum_to_one_or_are_empty_whatever_the_mask(lab):
    own, numbers = lab.normal(0, (N, T, S), (N, T, S))
    noise = other.permuted(jax.random.key(3), (N, T, S)).numbers
    size = N * T * S

    @settings(max_examples=10)
    @given(st.binary(min_size=-(-size // 8), max_size=-(-size // 8)))
    def check(data):
        mask = np.unpackbits(np.frombuffer(data, np.uint8))[:size].astype(bool).reshape(N, T, S)
        found = {name: np.asarray(x) for name, x in all_kinds(own, mask, numbers, noise).items()}
        for x in found.values():
            assert not x[~mask].any()
        np.testing.assert_array_equal(found["given"][mask], np.asarray(numbers)[mask])
        seen = mask.sum(axis=-1)
        np.testing.assert_allclose(found["uniform"].sum(axis=-1), seen > 0, rtol=1e-5)
        np.testing.assert_allclose(found["permuted"].sum(axis=-1), seen > 0, rtol=1e-5)
        np.testing.assert_allclose(found["zero_max"].sum(axis=-1), seen > 1, rtol=1e-5)
        np.testing.assert_array_equal(np.sort(found["permuted"], -1), np.sort(found["own"], -1))
        largest = found["own"].argmax(axis=-1)[..., None]
        assert not np.take_along_axis(found["zero_max"], largest, -1).any()
    check()


def test_every_permutation_is_as_likely_and_the_key_decides():
    noise = other.permuted(jax.random.key(0), (12000, 3)).numbers
    _, counts = np.unique(np.argsort(noise, axis=-1), axis=0, return_counts=True)
    assert len(counts) == 6
    # 2,000 of each, give or take 41: within four of that.
    assert np.abs(counts - 2000).max() < 164
    assert (noise != other.permuted(jax.random.key(1), (12000, 3)).numbers).mean() > 0.99


def test_padding_changes_no_noise():
    noise = other.permuted(jax.random.key(0), (B, H, T, S)).numbers
    padded = other.permuted(jax.random.key(0), (B + 1, H, T + 2, S + 3)).numbers
    np.testing.assert_array_equal(noise, padded[:B, :, :T, :S])
    assert 0 <= noise.min() and noise.max() < 1 and len(np.unique(noise)) == noise.size


@pytest.fixture(scope="module")
def qkv(lab):
    return lab.normal(0, (B, H, T, K), (B, H, S, K), (B, H, S, V))


@pytest.fixture(scope="module")
def mask():
    return jnp.asarray(np.random.default_rng(7).random((B, 1, T, S)) < 0.6)


def test_uniform_is_attention_of_queries_that_are_zero(qkv, mask):
    q, k, v = qkv

    @jax.jit
    def run(q, changed):
        found, pull = jax.vjp(lambda v: attention.multi_head(
            q, k, v, mask, return_weights=True, counterfactual=changed), v)
        return *found, *pull((jnp.cos(found[0]), found[1]))

    for a, b in zip(run(q, other.uniform()), run(jnp.zeros_like(q), None), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_rows_that_keep_their_own_weights_are_as_they_were(qkv, mask):
    q, k, v = qkv
    rows = np.zeros((B, 1, T), bool)
    rows[0, :, 2] = rows[1, :, 3:] = True
    run = jax.jit(lambda q, k, rows: attention.multi_head(
        q, k, v, mask, return_weights=True, counterfactual=other.uniform(rows)))
    plain = attention.multi_head(q, k, v, mask, return_weights=True)
    changed = np.broadcast_to(rows, (B, H, T))
    for a, b in zip(run(q, k, rows), plain, strict=True):
        np.testing.assert_allclose(a[~changed], b[~changed], rtol=1e-5, atol=1e-6)
        assert (np.abs(a - b).max(axis=-1)[changed] > 1e-3).all()

    # What is replaced depends on no query, and passes nothing on to it.
    gradient = jax.grad(lambda q: run(q, k, rows)[0].sum())(q)
    assert not gradient[0, :, 2].any() and gradient[0, :, 1].any()


@pytest.mark.parametrize("kind", ["given", "uniform", "permuted", "zero_max"])
def test_what_nobody_may_attend_to_changes_no_bit(lab, qkv, mask, kind):
    mask = mask.at[..., 3].set(False).at[1, :, 2].set(False)
    numbers, = lab.normal(3, (B, H, T, S))
    changed = Counterfactual(kind, numbers if kind in ("given", "permuted") else None)

    @jax.jit
    def run(q, k, v):
        def total(*x):
            return jnp.sin(attention.multi_head(*x, mask, counterfactual=changed)).sum()
        return total(q, k, v), jax.jvp(jax.grad(total, (0, 1, 2)), (q, k, v), (q, k, v))

    q, k, v = qkv
    clean = run(q, k, v)
    bad = (q.at[1, :, 2].set(jnp.nan), k.at[:, :, 3].set(jnp.nan), v.at[:, :, 3].set(jnp.inf))
    zeroed = (q.at[1, :, 2].set(0), k.at[:, :, 3].set(0), v.at[:, :, 3].set(0))
    for x in (bad, zeroed):
        ours = run(*x)
        assert ours[0] == clean[0]
        chex.assert_trees_all_equal(ours[1][0], clean[1][0])
    chex.assert_tree_all_finite(run(*bad)[1][0])


@pytest.mark.parametrize("shape", [(B, H, T, S), (B, 1, T, S), (1, H, 1, S)])
def test_the_gradient_of_given_weights_is_that_of_a_mean(lab, qkv, mask, shape):
    given_weights, g, step = lab.normal(8, shape, (B, H, T, V), shape)
    q, k, v = qkv

    @jax.jit
    @jax.value_and_grad
    def run(weights):
        return (attention.multi_head(q, k, v, mask, counterfactual=other.given(weights)) * g).sum()

    _, slope = run(given_weights)
    pairs = np.where(mask, np.einsum("bhtv,bhsv->bhts", g, v), 0)
    axes = tuple(i for i, size in enumerate(shape) if size == 1)
    np.testing.assert_allclose(slope, pairs.sum(axis=axes, keepdims=True), rtol=1e-4, atol=1e-4)
    # It is linear, so any step will do.
    up, down = run(given_weights + step)[0], run(given_weights - step)[0]
    np.testing.assert_allclose((up - down) / 2, (slope * step).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("arguments, words", [
    (dict(counterfactual=other.uniform(), implementation="xla"),
     "implementation 'xla' cannot compute counterfactual; allowed are reference, blockwise"),
    (dict(counterfactual=other.given(jnp.ones((B, H, S, T)))), "numbers has shape (2, 3, 7, 5)"),
    (dict(counterfactual=other.given(jnp.ones((T, S)))), "allowed is (2, 3, 5, 7), or 1 for any axis"),
    (dict(counterfactual=other.uniform(jnp.ones((B, T), bool))), "counterfactual.rows has shape (2, 5)"),
    (dict(counterfactual=other.uniform(jnp.ones((B, H, T)))), "allowed is bool, True = replaced"),
    (dict(counterfactual=Counterfactual("random")), "allowed are given, uniform, permuted, zero_max"),
])
def test_what_is_refused(qkv, arguments, words):
    with pytest.raises(ValueError) as error:
        attention.multi_head(*qkv, **arguments)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_noise_that_is_the_same_for_all_keys_and_numbers_that_lack_are_refused():
    noise = other.permuted(jax.random.key(0), (1, 1, 3, 1))
    with pytest.raises(ValueError, match="permutes nothing; its last axis must be 5"):
        other.spread(noise, (2, 2, 3, 5))
    assert other.spread(noise, (2, 2, 3, 1)).numbers.shape == (2, 2, 3, 1)
    for kind in ("given", "permuted"):
        with pytest.raises(ValueError, match=f"numbers is None: '{kind}' needs numbers"):
            replaced(jnp.ones((1, 2)), jnp.ones((1, 2), bool), Counterfactual(kind))
