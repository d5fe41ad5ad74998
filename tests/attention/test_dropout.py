"""Dropout of weights: the right share, independent of blocks, padding and the rest of the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention.dropout import dropped
from attention_lab.attention.implementations import blockwise

B, H, T, S = 2, 3, 50, 70
KEY = jax.random.key(0)


def kept(dropout, b, h, t=None, s=None):
    one = attention.Dropout(dropout.bits[b, h], dropout.rate[0, 0])
    t, s = (jnp.arange(n) if x is None else x for x, n in ((t, T), (s, S)))
    return np.asarray(dropped(jnp.ones((len(t), len(s))), one, t, s))


def test_a_share_is_dropped_and_the_rest_scaled_up():
    dropout = attention.dropout(KEY, 0.25, jnp.arange(B), H)
    mask = np.stack([kept(dropout, b, h) for b in range(B) for h in range(H)])
    np.testing.assert_allclose(np.unique(mask), [0, 4 / 3], rtol=1e-6)
    n = mask.size
    assert abs((mask == 0).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / n)
    # No two of heads and sentences drop alike, and no two rows or columns do.
    correlations = np.corrcoef(mask.reshape(B * H, -1)) - np.eye(B * H)
    assert np.abs(correlations).max() < 4 / np.sqrt(T * S)
    for rows in (mask[0], mask[0].T):
        assert np.abs(np.corrcoef(rows) - np.eye(len(rows))).max() < 6 / np.sqrt(len(rows.T))


def test_what_is_dropped_depends_on_example_head_and_positions_alone():
    first = attention.dropout(KEY, 0.5, jnp.array([7, 9]), H)
    second = attention.dropout(KEY, 0.5, jnp.array([4, 9, 7]), H)
    np.testing.assert_array_equal(kept(first, 0, 1), kept(second, 2, 1))
    part = kept(first, 0, 1, jnp.arange(10, 20), jnp.arange(30, 70))
    np.testing.assert_array_equal(part, kept(first, 0, 1)[10:20, 30:70])
    other = attention.dropout(jax.random.key(1), 0.5, jnp.array([7]), H)
    assert (kept(other, 0, 1) != kept(first, 0, 1)).any()


@pytest.mark.parametrize("block", [3, 8, 50])
def test_neither_blocks_nor_padding_change_a_bit_of_what_is_dropped(lab, monkeypatch, block):
    q, k, v = lab.normal(0, (B, H, T, 5), (B, H, S, 5), (B, H, S, 7))
    dropout = attention.dropout(KEY, 0.5, jnp.arange(B), H)
    expected = attention.multi_head(q, k, v, dropout=dropout, implementation="reference")
    monkeypatch.setattr(blockwise, "BLOCK", block)
    more = [jnp.pad(x, ((0, 0), (0, 0), (0, 9), (0, 0)), constant_values=3.0) for x in (q, k, v)]
    ours = attention.multi_head(*more, attention.padding(jnp.array([S, S])), dropout=dropout,
                                implementation="blockwise")
    np.testing.assert_allclose(ours[:, :, :T], expected, rtol=1e-5, atol=1e-6)


def test_dropout_of_other_sentences_or_heads_is_refused(lab):
    q, k, v = lab.normal(0, (B, H, 4, 5), (B, H, 6, 5), (B, H, 6, 7))
    for sentences, heads in ((1, H), (B, H + 1)):
        with pytest.raises(ValueError, match="dropout.bits has shape"):
            attention.multi_head(q, k, v, dropout=attention.dropout(KEY, 0.5, jnp.arange(sentences), heads))


def test_a_rate_of_0_drops_nothing_and_may_be_traced(lab, counted):
    q, k, v = lab.normal(0, (1, H, 4, 5), (1, H, 6, 5), (1, H, 6, 7))

    @counted
    def dropped(rate):
        return attention.multi_head(q, k, v, dropout=attention.dropout(KEY, rate, jnp.arange(1), H))
    run = jax.jit(dropped)
    np.testing.assert_allclose(run(0.0), attention.multi_head(q, k, v), rtol=1e-5, atol=1e-6)
    assert (run(0.9) != run(0.0)).any() and dropped.count == 1


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match=f"rate is {rate}; allowed are numbers from 0 to below 1"):
        attention.dropout(KEY, rate, jnp.arange(1), H)
