"""Sequences are changed as said; a model made by hand does what a look-up does, and another does not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis import lookup
from attention_lab.data.synthetic import recall
from attention_lab.models import Output
from tests.models.sentences import built

# Pairs 4:10, 5:11, 6:10; the key 6 is asked, then 4.
SOURCE = np.array([[4, 10, 5, 11, 6, 10, 6, 4], [7, 12, 4, 12, 5, 13, 4, 7]])


def test_the_asked_pair_and_the_next_with_another_value():
    found = lookup.first_query(SOURCE, 3)
    assert found.pair.tolist() == [2, 1] and found.other.tolist() == [1, 2]
    with pytest.raises(ValueError, match="one value alone"):
        lookup.first_query(np.array([[4, 9, 5, 9, 4, 5]]), 2)


def test_a_replaced_value_is_new_to_the_sequence():
    at = lookup.first_query(SOURCE, 3)
    changed = lookup.value_replaced(SOURCE, 3, at, range(10, 14))
    wanted = SOURCE.copy()
    wanted[0, 5], wanted[1, 3] = 12, 10
    np.testing.assert_array_equal(changed, wanted)
    with pytest.raises(ValueError, match="has every value"):
        lookup.value_replaced(SOURCE[:1], 3, lookup.Query(at.pair[:1], at.other[:1]), range(10, 12))


def test_swapped_keys_leave_values():
    changed = lookup.keys_swapped(SOURCE, lookup.first_query(SOURCE, 3))
    assert changed.tolist() == [[4, 10, 6, 11, 5, 10, 6, 4], [7, 12, 5, 12, 4, 13, 4, 7]]


def by_hand(width, matches):
    """A model whose layer looks up the token after a matching key, or with matches=False the first value."""
    def apply(params, batch, hyper, with_weights=False, intervention=None):
        source = batch["source"]
        T = source.shape[1]
        s = jnp.arange(T)
        hit = (source[:, :, None] == jnp.roll(source, 1, axis=1)[:, None, :]) & (s % 2 == 1) & (
            s[None, None, :] < s[None, :, None])
        w = (hit if matches else jnp.broadcast_to(s == 1, hit.shape)).astype(jnp.float32)
        if intervention:
            changed = intervention["encoder"]
            w = jnp.where(changed.rows[0, :, 0, :, None], changed.numbers[0, :, 0], w)
        return Output(w @ jax.nn.one_hot(source, 20), jnp.eye(20), {"encoder": w[None, :, None]})

    # Models of one specification are equal, so that each of these has a width of its own.
    model, _, hyper = built({"data.source": "recall", "model.kind": "encoder", "model.num_layers": 1,
                             "model.width": width, "model.num_heads": 1})
    return dataclasses.replace(model, apply=apply), hyper


@pytest.mark.parametrize("pairs, width", [(2, 10), (3, 12)])
def test_sequences_without_another_value_are_left_out(pairs, width):
    """Some have one value alone; of three pairs some have all three values."""
    model, hyper = by_hand(width, True)
    drawn = recall.sequences(16, pairs, 20, 0, "test", keys=pairs, values=3)
    different = {len(set(row)) for row in drawn.source[:, 1:2 * pairs:2].tolist()}
    assert different == {1, 2, 3} - ({3} if pairs == 2 else set())
    with jax.numpy_rank_promotion("allow"):
        found = lookup.interventions(model, {}, hyper, drawn, pairs, range(4 + pairs, 7 + pairs))
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize("matches", [True, False])
def test_a_model_that_looks_up_does_all_that_a_look_up_does_and_another_does_not(matches):
    sequences = recall.sequences(40, 5, 20, 0, "test")
    model, hyper = by_hand(6 if matches else 8, matches)
    with jax.numpy_rank_promotion("allow"):
        found = lookup.interventions(model, {}, hyper, sequences, 5, range(12, 20))
    if matches:
        assert set(found.values()) == {1.0}
    else:
        assert found["value_stayed"] == 1.0 and found["key_moved"] == 0.0
        assert all(found[name] < 0.6 for name in ("matched", "answered", "value_followed", "key_followed",
                                                  "vectors_followed"))


def test_weights_are_the_mean_over_heads_of_the_last_layer_and_are_replaced_there_alone():
    """Two layers of three heads, before training."""
    model, params, hyper = built({"data.source": "recall", "model.kind": "encoder", "model.num_layers": 2,
                                  "model.width": 6, "model.num_heads": 3})
    source, query = jnp.asarray(SOURCE), 6
    batch = {"source": source, "target": source, "example": jnp.arange(2)}
    output = model.apply(params, batch, hyper, with_weights=True)
    weights = output.weights["encoder"]  # (L, B, H, T, S)
    answers, found = lookup.answered(model, params, source, hyper, query)
    np.testing.assert_allclose(found, weights[1, :, :, query].mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(answers, (output.hidden[:, query] @ output.readout.T).argmax(axis=-1))
    given = jax.nn.one_hot(jnp.array([1, 4]), SOURCE.shape[1])
    _, replaced = lookup.answered(model, params, source, hyper, query, given)
    np.testing.assert_allclose(replaced, given, atol=1e-6)
