"""A window over a text: what a model has read at each step, before and after the text outgrows it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.decoding import window


def start(tokens, room):
    """A model that keeps what it reads, in as many places as it was given."""
    count = (tokens != 0).sum(axis=1, dtype=jnp.int32)
    return {"places": jnp.pad(tokens, ((0, 0), (0, room))), "count": count}


def read(carry, token):
    """All that was read, as logits."""
    places = carry["places"].at[jnp.arange(len(token)), carry["count"]].set(token)
    return places, {"places": places, "count": carry["count"] + 1}


def seen(C, rows, later):
    """What the model has read after each token of `later` (B, T), behind rows (B, C) of an earlier text."""
    carry = window.begin(start, np.array(rows, np.int32), (np.array(rows) != 0).sum(axis=1, dtype=np.int32))
    assert {leaf.shape[0] for leaf in jax.tree.leaves(carry)} == {len(rows)}
    run, steps = jax.jit(lambda carry, token: window.step(start, read, carry, token)), []
    for token in np.array(later, np.int32).T:
        logits, carry = run(carry, token)
        assert carry["tokens"].tolist() == logits.tolist()
        steps.append([[i for i in row if i] for row in logits.tolist()])
    return steps


def test_half_of_a_full_window_is_read_anew():
    steps = seen(5, [[1, 2, 3, 0, 0]], [[4, 5, 6, 7, 8, 9]])
    assert [row for row, in steps] == [[1, 2, 3, 4], [1, 2, 3, 4, 5],
                                       [4, 5, 6], [4, 5, 6, 7], [4, 5, 6, 7, 8], [7, 8, 9]]


def test_rows_are_filled_each_by_itself():
    steps = seen(3, [[0, 0, 0], [1, 2, 3]], [[11, 12, 13, 14], [4, 5, 6, 7]])
    assert [first for first, _ in steps] == [[11], [11, 12], [11, 12, 13], [13, 14]]
    assert [second for _, second in steps] == [[3, 4], [3, 4, 5], [5, 6], [5, 6, 7]]


@pytest.mark.parametrize("C", [2, 7, 11])
def test_between_half_of_the_window_and_all_of_it_is_seen(C):
    text = list(range(1, 41))
    lengths = []
    for t, (row,) in enumerate(seen(C, [[0] * C], [text]), 1):
        assert row == text[t - len(row):t]
        assert len(row) == t if t <= C else C // 2 < len(row) <= C
        lengths.append(len(row))
    assert max(lengths) == C and min(lengths[C:]) == C // 2 + 1


def test_one_program_serves_all_steps(counted):
    step = counted(lambda carry, token: window.step(start, read, carry, token))
    run, carry = jax.jit(step), window.begin(start, jnp.zeros((1, 3), jnp.int32), jnp.zeros(1, jnp.int32))
    for token in range(1, 8):
        _, carry = run(carry, jnp.array([token], jnp.int32))
    assert step.count == 1 and carry["filled"].tolist() == [3] and carry["tokens"].tolist() == [[5, 6, 7]]
