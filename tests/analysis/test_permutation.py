"""Weights dealt out anew: against judging with them, and where there is nothing to deal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis.permutation import shuffled
from attention_lab.analysis.pooling import decompose
from attention_lab.attention import counterfactual
from tests.analysis.classifiers import built, planted, sentences


def test_a_pooling_taken_apart_is_the_pooling():
    (classifier, params), (said, _) = built("lstm"), sentences()
    rng = np.random.default_rng(0)
    for batch in classifier.in_order(said, batch_tokens=1):
        pooled = decompose(classifier.model, params, batch, classifier.hyper)
        weights = rng.dirichlet(np.ones(batch["source"].shape[1]), len(batch["example"])).astype(np.float32)
        weights = np.where(pooled.words, weights, 0)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        given = {"pool": counterfactual.given(weights[None, :, None, None])}
        found = classifier.model.apply(params, batch, classifier.hyper, intervention=given)
        real = batch["example"] >= 0
        np.testing.assert_allclose(pooled.probabilities(jnp.asarray(weights))[real],
                                   jax.nn.softmax(found.logits)[real], rtol=1e-5)


def test_shuffles_of_three_words_and_of_equal_weights():
    (classifier, params), (said, _) = planted("pooled"), sentences()
    found = shuffled(classifier, params, said, jax.random.key(1), times=30)
    predicted = classifier.predict(params, said, with_weights=True)
    assert len(found.largest) == len(found.variation) == len(said)
    np.testing.assert_allclose(found.largest, [one["pool"].max() for one in predicted.weights], rtol=1e-6)
    # Without its weight the planted word no longer tells: of two words half the shuffles leave it there.
    assert (found.variation[1:] > 0.3).all() and found.largest.min() > 0.8
    even = params | {"pool_vector": 0 * params["pool_vector"]}
    found = shuffled(classifier, even, said, jax.random.key(1), times=30)
    assert found.variation.max() < 1e-6
    np.testing.assert_allclose(found.largest, [1 / len(text.split()) for text in said.text], rtol=1e-6)


def test_what_a_sentence_draws_is_its_own():
    (classifier, params), (said, _) = built("lstm"), sentences()
    key = jax.random.key(2)
    found = shuffled(classifier, params, said, key, times=5)
    again = shuffled(classifier, params, said.select([0, 1, 2]), key, times=5)
    np.testing.assert_allclose(again.variation, found.variation[:3], rtol=1e-4, atol=1e-7)
    other = shuffled(classifier, params, said, jax.random.key(3), times=5)
    assert (np.abs(other.variation - found.variation) > 1e-7).sum() > 3


def test_what_is_refused():
    (classifier, params), (said, _) = built("last"), sentences()
    with pytest.raises(ValueError, match="model.pooling=place has no weights to change; additive and dot"):
        shuffled(classifier, params, said, jax.random.key(0))
    with pytest.raises(ValueError, match="times=0: 1 or more shuffles are needed"):
        shuffled(*built("lstm"), said, jax.random.key(0), times=0)
