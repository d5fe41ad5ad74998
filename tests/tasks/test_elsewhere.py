"""Weights that are changed, as attention/counterfactual.py changes them, and the batches that carry them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.attention import counterfactual
from attention_lab.tasks import elsewhere
from attention_lab.view import CHANGES

L, H, T, S = 2, 3, 5, 7


def tables(seed, allowed):
    """Weights (L, H, T, S) of rows that sum to 1."""
    logits = np.where(allowed, np.random.default_rng(seed).normal(size=(L, H, T, S)), -np.inf)
    return np.asarray(jax.nn.softmax(jnp.asarray(logits, jnp.float32), axis=-1))


@pytest.mark.parametrize("allowed", [np.ones((T, S), bool), np.tri(T, S, dtype=bool),
                                     np.tri(T, S, 2, dtype=bool)])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_those_of_counterfactual_weights(change, allowed):
    weights, order = tables(3, allowed), elsewhere.order_of(allowed, 11)
    # The n-th allowed key gets the weight of the one with the n-th smallest noise.
    noise = np.full((T, S), np.inf)
    for t in range(T):
        columns = np.flatnonzero(allowed[t])
        noise[t, order[t, columns]] = np.arange(len(columns))
    numbers = jnp.asarray(noise) if change == "permuted" else None
    other = counterfactual.Counterfactual(change, numbers)
    expected = jax.vmap(jax.vmap(lambda w: counterfactual.replaced(w, jnp.asarray(allowed), other)))(weights)
    np.testing.assert_allclose(elsewhere.changed(weights, allowed, change, order), expected, atol=1e-6)


def test_an_unknown_change_is_no_change():
    with pytest.raises(KeyError):
        elsewhere.changed(tables(0, np.ones((T, S), bool)), np.ones((T, S), bool), "largest", None)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
def test_an_order_permutes_what_may_be_looked_at(seed, rows, columns):
    allowed = np.random.default_rng(seed).uniform(size=(rows, columns)) < 0.5
    order = elsewhere.order_of(allowed, seed)
    for row, mask in zip(order, allowed):
        assert sorted(row[mask]) == list(np.flatnonzero(mask))
        assert (row[~mask] == np.flatnonzero(~mask)).all()


def test_places_are_all_each_layer_each_head():
    where = elsewhere.places(L, H)
    assert where.shape == (1 + L + L * H, L, H) and where[0].all()
    assert [(where[1 + layer].sum(), where[1 + layer, layer].all()) for layer in range(L)] == [(H, True)] * L
    assert [tuple(np.argwhere(where[1 + L + n])[0]) for n in range(L * H)] == [
        (layer, head) for layer in range(L) for head in range(H)]


def test_replacements_stand_in_the_rows_of_their_requests():
    numbers = np.random.default_rng(1).uniform(size=(L, H, 2, 3)).astype(np.float32)
    where = elsewhere.places(L, H)[2]
    requests = [elsewhere.Request(0), elsewhere.Request(1, {"cross": (numbers, where)}), None]
    given_weights = elsewhere.replacements(requests, {"cross": (L, H, T, S), "decoder": (L, H, T, T)})
    cross = given_weights["cross"]
    assert cross.kind == "given"
    assert cross.numbers.shape == (L, 3, H, T, S) and cross.rows.shape == (L, 3, H, T)
    assert not cross.rows[:, [0, 2]].any() and not given_weights["decoder"].rows.any()
    np.testing.assert_array_equal(cross.numbers[:, 1, :, :2, :3], numbers)
    assert cross.rows[1, 1, :, :2].all() and not cross.rows[0].any() and not cross.rows[:, :, :, 2:].any()


def test_what_is_said_and_how_far_it_moves():
    before = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    after = np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]])
    answer = elsewhere.said(after, [0, 2], lambda numbers: [f"w{n}" for n in numbers], before)
    assert list(answer.words) == ["w1", "w2"] and answer.best.tolist() == [0.5, 0.7]
    assert answer.written.tolist() == [0.25, 0.7] and answer.moved.tolist() == [0.25, 0.0]
    assert elsewhere.said(after, [0, 2], lambda numbers: ["a", "b"]).moved is None
    both = elsewhere.stacked([answer, answer])
    assert both.words.shape == (2, 2) and both.moved.tolist() == [[0.25, 0.0]] * 2
