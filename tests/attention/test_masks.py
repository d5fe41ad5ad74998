"""Masks: their entries as arrays, how they combine, and that they are small pytrees."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab import attention
from attention_lab.attention import Mask, masks

B, H, T, S = 2, 3, 5, 7


def test_padding_lets_in_the_first_positions():
    mask = attention.padding(jnp.array([0, 2, 3])).as_array(1, 3)
    assert mask.shape == (3, 1, 3) and mask.dtype == bool
    np.testing.assert_array_equal(mask[:, 0], [[0, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(attention.padding(2).as_array(2, 3), [[1, 1, 0], [1, 1, 0]])


def test_a_window_is_as_wide_as_it_says():
    mask = attention.window(5, 2).as_array(5, 7)
    assert mask.sum(axis=1).tolist() == [3, 4, 5, 5, 5]
    np.testing.assert_array_equal(attention.window(4, 0).as_array(4, 4), np.eye(4))


def test_a_document_sees_itself_alone():
    ids = np.array([[3, 3, 1, 1, 1], [0, 4, 4, 0, 0]])  # a number may come back: it is another document
    expected = [[[1, 1, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 1]] * 3,
                [[1, 0, 0, 0, 0]] + [[0, 1, 1, 0, 0]] * 2 + [[0, 0, 0, 1, 1]] * 2]
    np.testing.assert_array_equal(attention.documents(ids).as_array(5, 5), expected)
    np.testing.assert_array_equal(attention.documents(ids[1]).as_array(5, 5), expected[1])


@given(st.data())
def test_and_is_the_and_of_the_arrays(data):
    def draw():
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        shape = ((T, S), (B, T, S), (B, H, T, S), (1, S), (B, 1, S), (1, H, T, 1))[rng.integers(6)]
        start, stop = rng.integers(0, S, (2, *shape[:-1]))
        kind = rng.integers(6)
        return (rng.random(shape) < 0.7, Mask(start, None), Mask(None, stop), Mask(start, stop),
                Mask(start, stop, rng.random(shape) < 0.7), attention.causal(T))[kind]

    def full(mask):
        array = mask.as_array(T, S) if isinstance(mask, Mask) else mask
        array = array[:, None] if array.ndim == 3 else array
        return np.broadcast_to(array, (B, H, T, S))
    a, b = draw(), draw()
    a = Mask(dense=jnp.asarray(a)) if not isinstance(a, Mask) else a
    np.testing.assert_array_equal(full(a & b), full(a) & full(b))
    np.testing.assert_array_equal(full(b & a), full(a) & full(b))


def test_what_is_known_of_a_mask_is_true_of_its_array():
    keys, lengths = np.array([[True, False, True, True]]), jnp.array([2, 0])
    kinds = {
        "all": [None, Mask(), Mask() & Mask()],
        "causal": [attention.causal(3), attention.causal(3) & Mask() & attention.causal(3)],
        "padding": [attention.padding(lengths), attention.padding(3) & attention.padding(lengths)],
        "causal and padding": [attention.causal(3) & attention.padding(2),
                               attention.padding(2) & (attention.causal(3) & attention.padding(3))],
        "keys": [keys, attention.padding(2) & keys], "causal and keys": [keys & attention.causal(3)],
        "other": [attention.window(3, 1), attention.causal(3) & attention.window(3, 1), np.eye(3, dtype=bool),
                  attention.causal(3) & np.eye(3, dtype=bool), Mask(stop=jnp.array([1, 2, 3])),
                  attention.causal(3) & Mask(stop=jnp.array([1, 2, 3])), attention.documents(jnp.arange(3))]}
    for expected, examples in kinds.items():
        assert [masks.kind(mask) for mask in examples] == [expected] * len(examples)
    for mask in kinds["causal and padding"]:
        np.testing.assert_array_equal(mask.as_array(3, 4), np.tri(3, 4, dtype=bool) & (np.arange(4) < 2))


@pytest.mark.parametrize("array", [np.eye(T, dtype=bool), jnp.eye(T, dtype=bool)], ids=["numpy", "jax"])
def test_an_array_may_stand_on_either_side(array):
    for both in (array & attention.causal(T), attention.causal(T) & array):
        assert isinstance(both, Mask)
        np.testing.assert_array_equal(both.as_array(T, T), np.eye(T))


def test_it_is_a_small_pytree_that_jit_and_vmap_take(lab):
    mask = attention.causal(4096) & attention.documents(jnp.arange(4096) // 100)
    assert sum(x.size for x in jax.tree.leaves(mask)) == 2 * 4096
    q, k, v = lab.normal(0, (B, T, 2), (B, S, 2), (B, S, 3))
    lengths = jnp.array([3, 6])

    @jax.jit
    @jax.vmap
    def run(q, k, v, mask):
        return attention.attend(q, k, v, mask & attention.window(T, 2))
    mask = attention.padding(lengths)
    array = mask.as_array(T, S) & attention.window(T, 2).as_array(T, S)[None]
    chex.assert_trees_all_close(run(q, k, v, mask), jax.vmap(attention.attend)(q, k, v, array), rtol=1e-6)


def test_bounds_may_be_traced():
    def both(lengths, w):
        return (attention.padding(lengths) & attention.window(3, w)).as_array(3, 5)
    lengths = jnp.array([1, 4])
    np.testing.assert_array_equal(jax.jit(both)(lengths, 1), both(lengths, 1))


@pytest.mark.parametrize("make, words", [
    (lambda: attention.padding(jnp.array([2.5])), "lengths has dtype float32; allowed are integers"),
    (lambda: attention.window(3, 2.5), "w has dtype float32; allowed are integers"),
    (lambda: attention.window(3, -1), "w is -1; allowed are integers of at least 0")])
def test_bounds_that_are_no_places_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_band_of_a_window_is_known_of_any_integer():
    assert attention.window(5, np.int64(2)).band == attention.window(5, 2).band == (2, 2)
    assert attention.window(5, jnp.int32(2)).band == (None, None)


@pytest.mark.parametrize("mask", [np.ones((2, 2)), np.ones(2, bool), np.ones((1,) * 5, bool)])
@pytest.mark.parametrize("use", [lambda mask: attention.causal(2) & mask,
                                 functools.partial(attention.attend, *[jnp.ones((2, 2))] * 3)])
def test_what_is_no_mask_is_refused(mask, use):
    with pytest.raises(ValueError, match="mask has .*; allowed"):
        use(mask)
