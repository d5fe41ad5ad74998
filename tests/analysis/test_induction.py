"""Scores of weights given by hand, in any batches; the best head of an encoder is left out."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis import induction
from attention_lab.analysis.head_ablation import Head, without
from attention_lab.data.sequences import Sequences
from attention_lab.data.synthetic import repeated
from attention_lab.models import Output
from tests.models.sentences import built

ENCODER = {"data.source": "repeated", "model.kind": "encoder", "model.causal": True, "model.num_layers": 2,
           "model.num_heads": 3, "model.width": 12, "model.hidden": 5}
SOURCE = np.array([[5, 6, 7, 5, 6], [8, 9, 8, 8, 4]], np.int32)
TARGET = np.array([[0, 0, 0, 6, 7], [0, 0, 0, 9, 4]], np.int32)


def by_hand(width, weights):
    """A model whose attention weights are `weights` (L, H, T, T) in every sentence."""
    def apply(params, batch, hyper, with_weights=False):
        rows = len(batch["source"])
        return Output(None, None, {"encoder": jnp.repeat(jnp.asarray(weights)[:, None], rows, axis=1)})

    model, _, hyper = built(ENCODER | {"model.width": width})  # models of one specification are equal
    return dataclasses.replace(model, apply=apply), hyper


def test_the_scores_are_sums_over_the_places_by_hand():
    """Asked and seen before: 5 and 6 of the first sequence, the third 8 of the second, of two earlier 8."""
    weights = np.arange(2 * 1 * 5 * 5, dtype=np.float32).reshape(2, 1, 5, 5) / 50
    model, hyper = by_hand(15, weights)
    scores = induction.head_scores(model, {}, hyper, Sequences(SOURCE, TARGET))
    w = weights[:, 0]
    prefix = (w[:, 3, 1] + w[:, 4, 2] + w[:, 3, 1] + w[:, 3, 3]) / 3
    np.testing.assert_allclose(scores.prefix_matching[:, 0], prefix, rtol=1e-6)
    before = (w[:, 1, 0] + w[:, 2, 1] + w[:, 3, 2] + w[:, 4, 3]) / 4  # the same in every sequence
    np.testing.assert_allclose(scores.previous_token[:, 0], before, rtol=1e-6)


def test_scores_do_not_depend_on_how_sequences_are_batched(monkeypatch):
    model, params, hyper = built(ENCODER)
    drawn = repeated.sequences(7, 9, 23, 0, "test")
    whole = induction.head_scores(model, params, hyper, drawn)
    assert whole.prefix_matching.shape == whole.previous_token.shape == (2, 3)
    monkeypatch.setattr(induction, "ROWS", 3)
    for a, b in zip(whole, induction.head_scores(model, params, hyper, drawn)):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_sequences_without_a_prefix_are_refused():
    model, params, hyper = built(ENCODER)
    with pytest.raises(ValueError, match="no token with an answer came before"):
        induction.head_scores(model, params, hyper, Sequences(SOURCE, np.zeros_like(TARGET)))


def test_the_best_head_of_a_layer_can_be_left_out_of_an_encoder():
    """Its weights no longer matter, those of the other heads do."""
    scores = np.array([[0.9, 0.2, 0.1], [0.1, 0.2, 0.5]])
    assert [induction.best_head(scores, layer) for layer in (0, 1)] == [
        Head("encoder", 0, 0), Head("encoder", 1, 2)]
    model, params, hyper = built(ENCODER)
    left = without(params, induction.best_head(scores, 1), model.spec.model)
    drawn = repeated.sequences(5, 9, 23, 0, "test")
    batch = {"source": drawn.source, "example": np.arange(5)}

    def states(params, head):
        heads = params["encoder_1"]["heads"]
        changed = {**heads, "value_bias": heads["value_bias"].at[4 * head:4 * head + 4].add(1.0)}
        params = {**params, "encoder_1": {**params["encoder_1"], "heads": changed}}
        return model.apply(params, batch, hyper).hidden

    before = model.apply(left, batch, hyper).hidden
    np.testing.assert_array_equal(states(left, 2), before)
    assert np.abs(states(left, 1) - before).max() > 1e-3
    assert np.abs(states(params, 2) - model.apply(params, batch, hyper).hidden).max() > 1e-3
    assert jax.tree.structure(left) == jax.tree.structure(params)
