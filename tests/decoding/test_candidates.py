"""The best of many candidates, by blocks of columns, are what `lax.top_k` gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from attention_lab.decoding import candidates
from attention_lab.decoding.candidates import BLOCK

top = jax.jit(candidates.top, static_argnums=1)
VALUES = st.sampled_from([-np.inf, -2.5, 0.0, 1.0, 1.0, 3.0, np.inf, np.nan])


def check(x, k):
    x = jnp.asarray(x, jnp.float32)
    for found, expected in zip(top(x, k), lax.top_k(x, k), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("columns", [7, BLOCK, 3 * BLOCK, 3 * BLOCK + 1, 5 * BLOCK - 1])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_it_is_top_k_with_many_ties(columns, k):
    rng = np.random.default_rng(columns + k)
    check(rng.integers(0, 4, (11, columns)), k)
    check(rng.standard_normal((11, columns)), k)
    check(np.zeros((2, columns)), k)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=4 * BLOCK + 5, max_size=4 * BLOCK + 5), st.sampled_from([1, 3]))
def test_it_is_top_k_of_numbers_and_no_numbers(row, k):
    check([row], k)


def test_the_end_of_a_row_is_seen_and_loses_a_tie():
    x = np.zeros((3, 2 * BLOCK + 3))
    x[0, -1], x[1, 0], x[1, -1] = 1.0, 1.0, 1.0
    assert np.asarray(top(jnp.asarray(x), 1)[1]).tolist() == [[2 * BLOCK + 2], [0], [0]]


def test_a_tie_goes_to_the_earlier_block_even_if_a_later_one_has_the_best():
    x = np.zeros((1, 3 * BLOCK))
    x[0, [7, BLOCK + 1, BLOCK + 2]] = 4.0, 5.0, 4.0
    assert np.asarray(top(jnp.asarray(x), 2)[1]).tolist() == [[BLOCK + 1, 7]]
    check(x, 2)


def test_banned_tokens_and_no_numbers_are_never_allowed():
    logits = jnp.array([[5.0, 1.0, jnp.nan, 2.0]])
    assert candidates.allowed_logits(logits, (0,)).tolist() == [[-jnp.inf, 1.0, -jnp.inf, 2.0]]


def test_log_probability_counts_all_tokens_and_is_none_beside_no_number():
    logits = jnp.log(jnp.array([[1.0, 3.0, 4.0], [1.0, 1.0, 2.0]]))
    found = candidates.log_probability(logits[:, :2], logits)
    np.testing.assert_allclose(found, np.log([[1 / 8, 3 / 8], [1 / 4, 1 / 4]]), rtol=1e-6)
    assert candidates.log_probability(jnp.ones(1), jnp.array([[1.0, jnp.nan]])).tolist() == [-np.inf]
