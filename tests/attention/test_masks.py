"""Masks: their entries, and how they combine."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention


def test_padding_lets_in_the_first_positions():
    mask = attention.padding(jnp.array([0, 2, 3]), 3)
    assert mask.shape == (3, 1, 3) and mask.dtype == bool
    np.testing.assert_array_equal(mask[:, 0], [[0, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(attention.padding(2, 3), [[1, 1, 0]])


def test_padding_window_and_combine_may_be_traced():
    def both(lengths, w):
        return attention.combine(attention.padding(lengths, 5), attention.window(3, 5, w))
    lengths = jnp.array([1, 4])
    np.testing.assert_array_equal(jax.jit(both)(lengths, 1), both(lengths, 1))


def test_a_window_is_as_wide_as_it_says():
    mask = attention.window(5, 7, 2)
    assert mask.shape == (5, 7)
    assert mask.sum(axis=1).tolist() == [3, 4, 5, 5, 5]
    np.testing.assert_array_equal(attention.window(4, 4, 0), np.eye(4))


def test_every_pair_of_ranks_combines_by_its_axes():
    B, H, T, S = 2, 3, 5, 7
    rng = np.random.default_rng(0)
    plain, batch, heads = (rng.random(shape) < 0.7 for shape in ((T, S), (B, T, S), (B, H, T, S)))
    full = plain[None, None] & batch[:, None] & heads
    np.testing.assert_array_equal(attention.combine(plain, batch, heads), full)
    np.testing.assert_array_equal(attention.combine(heads, None, batch, plain), full)
    np.testing.assert_array_equal(attention.combine(batch, plain), plain[None] & batch)
    assert attention.combine(None, plain).shape == (T, S)
    assert attention.combine(None, None) is None and attention.combine() is None


@pytest.mark.parametrize("mask", [np.ones((2, 2)), np.ones(2, bool), np.ones((1,) * 5, bool)])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ValueError, match="mask has .*; allowed"):
        attention.combine(attention.causal(2), mask)
