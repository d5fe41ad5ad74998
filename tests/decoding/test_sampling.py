"""Sampling: the distribution that is drawn from, by temperature and top-k, and what is never drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.decoding.sampling import nucleus, sample

LOGITS = jnp.log(jnp.array([0.5, 0.2, 0.2, 0.1, 1e-9]))


def drawn(count, **options):
    """Shares of the five tokens among draws that do not depend on the past."""
    def step(carry, token):
        return jnp.broadcast_to(LOGITS, (7, 5)), carry

    tokens = sample((), step, jnp.zeros(7, jnp.int32), count, jax.random.key(0), **options)
    assert tokens.shape == (7, count) and tokens.dtype == jnp.int32
    return np.bincount(np.ravel(tokens), minlength=5) / tokens.size


@pytest.mark.parametrize("options, expected", [
    ({}, [0.5, 0.2, 0.2, 0.1, 0]),
    ({"temperature": 0.5}, np.array([0.25, 0.04, 0.04, 0.01, 0]) / 0.34),
    ({"temperature": 0.0}, [1, 0, 0, 0, 0]),
    ({"top_k": 1}, [1, 0, 0, 0, 0]),
    ({"top_k": 2}, np.array([5, 2, 2, 0, 0]) / 9),  # two are tied for the second place
    ({"top_p": 0.4}, [1, 0, 0, 0, 0]),
    ({"top_p": 0.6}, np.array([5, 2, 2, 0, 0]) / 9),  # one of two equals is needed
    ({"top_p": 0.95}, [0.5, 0.2, 0.2, 0.1, 0]),
    ({"top_p": 0.7, "temperature": 0.5}, [1, 0, 0, 0, 0]),  # a probability of 25 / 34
    ({"top_p": 0.52, "top_k": 2}, [1, 0, 0, 0, 0]),  # of 5 / 9
    ({"top_p": 0.1, "temperature": 0.0, "banned": (0,)}, [0, 1, 0, 0, 0]),
    ({"banned": (0,), "top_k": 2}, [0, 0.5, 0.5, 0, 0]),
    ({"banned": (0, 2), "temperature": 0.0}, [0, 1, 0, 0, 0])])
def test_tokens_are_drawn_by_their_probabilities(options, expected):
    assert drawn(2000, **options) == pytest.approx(np.array(expected, float), abs=0.02)


def test_each_token_is_drawn_after_the_one_before():
    """The likeliest token is the one after the last token read; the carry counts."""
    def step(carry, token):
        return 20.0 * jax.nn.one_hot((token + carry["by"]) % 11, 11), {"by": carry["by"] + 1}

    tokens = sample({"by": jnp.array([1, 2])}, step, jnp.array([3, 5]), 4, jax.random.key(1), 0.0)
    assert tokens.tolist() == [[4, 6, 9, 2], [7, 10, 3, 8]]


def test_seeds_differ_and_rows_too():
    def step(carry, token):
        return jnp.zeros((2, 13)), carry

    rows = [sample((), step, jnp.zeros(2, jnp.int32), 17, jax.random.key(seed)).tolist()
            for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2] and rows[0][0] != rows[0][1]


@pytest.mark.parametrize("count, top_k", [(0, 0), (3, -1)])
def test_what_cannot_be_drawn_is_refused(count, top_k):
    with pytest.raises(ValueError, match=f"^count={count}, top_k={top_k}: a count of at least 1"):
        sample((), lambda carry, token: (LOGITS[None], carry), jnp.zeros(1, jnp.int32), count,
               jax.random.key(0), top_k=top_k)


@pytest.mark.parametrize("p", [0.03, 0.5, 0.9, 1.0])
def test_a_nucleus_is_the_smallest_set_of_the_likeliest_that_has_the_share(p):
    rows = 2.0 * jax.random.normal(jax.random.key(3), (5, 17))
    cut = np.asarray(nucleus(rows, p))
    for logits, kept in zip(np.asarray(rows), cut > -np.inf):
        share = np.exp(logits) / np.exp(logits).sum()
        assert share[kept].sum() >= p - 1e-6 > share[kept].sum() - share[kept].min() - 2e-6
        assert kept.all() or share[kept].min() > share[~kept].max()
    np.testing.assert_array_equal(cut[cut > -np.inf], np.asarray(rows)[cut > -np.inf])
