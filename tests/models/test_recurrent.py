"""Recurrent translation: padding changes nothing, one sentence at a time is the same, and who sees what."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.data.vocabulary import BOS
from tests.models.sentences import (
    N,
    batch,
    built,
    check_padding,
    check_padding_and_gradient,
    logits,
    whole,
)

SMALL = {"model.width": 6, "model.hidden": 8, "model.num_layers": 1}
NONE = {"attention.compatibility": "none"}
KINDS = {
    "rnn": {"model.kind": "rnn", **NONE},
    "gru": {"model.kind": "gru", **NONE},
    "lstm": {"model.kind": "lstm", **NONE},
    "reversed": {"model.kind": "gru", "model.reverse_source": True, **NONE},
    "both ways": {"model.kind": "lstm", "model.bidirectional": True, **NONE},
    "bahdanau": {"model.kind": "gru", "model.bidirectional": True, "attention.compatibility": "additive"},
    "luong": {"model.kind": "lstm", "model.input_feeding": True, "attention.compatibility": "general"},
    "dot": {"model.kind": "gru", "model.input_feeding": True},
    "cosine": {"model.kind": "rnn", "attention.compatibility": "cosine", "model.reverse_source": True},
    "untied": {"model.kind": "gru", "model.tie_embeddings": False},
    "two layers": {"model.kind": "lstm", "model.num_layers": 2, "model.bidirectional": True},
}
ATTENDING = [kind for kind, changes in KINDS.items() if changes.get("attention.compatibility") != "none"]


def build(**changes):
    return built(SMALL | changes)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "cosine", "two layers"])
def test_more_padding_changes_no_output(kind):
    check_padding(SMALL | KINDS[kind])


@pytest.mark.parametrize("kind", ["both ways", "reversed", "bahdanau", "luong"])
def test_more_padding_changes_neither_output_nor_gradient(kind):
    check_padding_and_gradient(SMALL | KINDS[kind])


@pytest.mark.parametrize("kind", ["reversed", "both ways", "luong"])
def test_one_sentence_at_a_time_gives_the_same(kind):
    model, params, hyper = build(**KINDS[kind])
    together = whole(SMALL | KINDS[kind])
    for row, (S, T) in enumerate([(7, 5), (4, 5), (7, 3)]):
        alone = {name: value[row:row + 1] for name, value in batch().items()}
        alone = alone | {"source": alone["source"][:, :S], "target": alone["target"][:, :T]}
        found = logits(model, params, alone, hyper)[0]
        np.testing.assert_allclose(found, together[row, :T], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_equal_the_whole_sentence_and_no_future_token_leaks(kind):
    model, params, hyper = build(**KINDS[kind])
    given = batch()
    carry, token = model.start(params, given["source"], hyper, 6), jnp.full((3,), BOS)
    advance = jax.jit(lambda carry, token: model.step(params, carry, token, hyper))
    assert {leaf.shape[0] for leaf in jax.tree.leaves(carry)} == {3}
    for t in range(5):
        step, carry = advance(carry, token)
        np.testing.assert_allclose(step, whole(SMALL | KINDS[kind])[:, t], rtol=1e-4, atol=1e-5)
        token = given["target"][:, t]


@pytest.mark.parametrize("kind", ATTENDING)
def test_weights_sum_to_one_over_the_words_that_are_there(kind):
    model, params, hyper = build(**KINDS[kind])
    weights = model.apply(params, batch(), hyper, with_weights=True).weights
    assert {name: w.shape for name, w in weights.items()} == {"cross": (1, 3, 1, 5, 7)}
    np.testing.assert_allclose(weights["cross"].sum(-1), 1.0, rtol=1e-5)
    assert np.all(weights["cross"][:, 1, :, :, 4:] == 0)


def test_without_attention_there_are_no_weights_and_a_reversed_source_is_the_source_read_backwards():
    model, params, hyper = build(**KINDS["reversed"])
    assert model.apply(params, batch(), hyper, with_weights=True).weights == {}
    plain, _, _ = build(**KINDS["gru"])
    turned = batch()
    turned["source"] = np.stack([row[::-1] if row.all() else np.append(row[3::-1], [0, 0, 0])
                                 for row in turned["source"]])
    np.testing.assert_allclose(logits(plain, params, turned, hyper), logits(model, params, batch(), hyper),
                               rtol=1e-6, atol=1e-6)


def test_weights_over_a_source_read_backwards_are_in_the_order_of_the_sentence():
    """A state holds the token that was read last: the memory at a place is that of its own token."""
    model, params, hyper = build(**KINDS["cosine"])
    carry = model.start(params, batch()["source"], hyper, 6)
    changed = batch()
    changed["source"][:, 0] = 4 + (changed["source"][:, 0] + 1) % (N - 4)  # read last
    other = model.start(params, changed["source"], hyper, 6)
    different = np.abs(carry["memory"] - other["memory"]).max(axis=-1) > 0
    assert different[:, 0].all() and not (different & np.asarray(carry["mask"]))[:, 1:].any()


def test_the_scale_is_traced(counted):
    model, params, hyper = build(**KINDS["dot"])
    traced = counted(lambda hyper: logits(model, params, batch(), hyper))
    run = jax.jit(traced)
    found = [run(hyper), run(hyper._replace(attention_scale=np.float32(30.0)))]
    assert traced.count == 1 and np.abs(found[0] - found[1]).max() > 1e-4


def test_what_input_feeding_feeds_is_what_the_last_step_gave_out_and_it_counts():
    model, params, hyper = build(**KINDS["luong"])
    carry, token = model.start(params, batch()["source"], hyper, 6), jnp.full((3,), BOS)
    assert not carry["fed"].any()
    first, carry = model.step(params, carry, token, hyper)
    np.testing.assert_allclose(carry["fed"] @ params["embedding"].T, first, rtol=1e-5, atol=1e-6)
    fed, _ = model.step(params, carry, token, hyper)
    unfed, _ = model.step(params, carry | {"fed": jnp.zeros_like(carry["fed"])}, token, hyper)
    assert np.abs(fed - unfed).max() > 1e-4
