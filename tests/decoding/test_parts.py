"""A search in parts is the search in one loop, also where rows are taken out in between."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.decoding import beam, greedy
from tests.decoding.toys import BOS, EOS, PAD, beam_search, greedy_search, history_model

B, N, LENGTH, BEAM = 13, 11, 9, 3
MARKS = dict(bos=BOS, eos=EOS, pad=PAD)
START, STEP = history_model(5, B, N, LENGTH, cached=True)


def step(carry, token):
    """Ends become likelier with time, so that sentences end at different positions."""
    logits, carry = STEP(carry, token)
    return logits.at[:, EOS].add(carry[1].astype(jnp.float32) - 2.0), carry


def parts(search):
    """Functions (stop, few) -> a jitted advance, the first state, and state -> (tokens, scores)."""
    if search == "greedy":
        return (lambda stop, few: jax.jit(functools.partial(
                    greedy.advance, step=step, stop=stop, few=few, **MARKS)),
                greedy.begin(START(), B, LENGTH, bos=BOS, pad=PAD), lambda state: greedy.best(state, PAD))
    return (lambda stop, few: jax.jit(functools.partial(
                beam.advance, step=step, length_penalty=0.7, stop=stop, few=few, **MARKS)),
            beam.begin(beam.repeated(START(), BEAM), B, BEAM, LENGTH, pad=PAD),
            lambda state: beam.best(state, 0.7, PAD))


@functools.cache
def whole(search):
    if search == "greedy":
        return jax.jit(lambda: greedy_search(START, step, B, LENGTH))()
    return jax.jit(lambda: beam_search(START, step, B, BEAM, LENGTH, 0.7))()


@pytest.mark.parametrize("search", ["greedy", "beam"])
def test_stops_in_between_change_nothing(search):
    advance, state, best = parts(search)
    for stop in (2, 5, LENGTH):
        state = advance(stop, 0)(state)
        assert state.position <= stop
    for found, expected in zip(best(state), whole(search), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("search", ["greedy", "beam"])
def test_rows_that_go_on_by_themselves_end_as_they_would_have(search):
    advance, state, best = parts(search)
    state = advance(LENGTH, 5)(state)
    left = np.flatnonzero(~state.done)
    assert 0 < len(left) <= 5 and 0 < state.position < LENGTH
    rows = {B: left, B * BEAM: (left[:, None] * BEAM + np.arange(BEAM)).ravel()}
    fewer = jax.tree.map(lambda leaf: leaf[rows[leaf.shape[0]]] if leaf.ndim else leaf, state)
    ended = advance(LENGTH, 0)(fewer)
    for first, last, expected in zip(best(state), best(ended), whole(search), strict=True):
        done = np.asarray(state.done)
        np.testing.assert_array_equal(np.asarray(first)[done], np.asarray(expected)[done])
        np.testing.assert_array_equal(last, np.asarray(expected)[left])
