"""Adversarial weights: far where words say the same, nowhere where one word decides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis.adversaries import TOLERANCE, attack, frozen, jensen_shannon
from attention_lab.analysis.batches import ROOM, rows
from attention_lab.evaluation import distributions
from tests.analysis.classifiers import built, planted, sentences

KEY = jax.random.key(4)
HOW = {"steps": 60, "starts": 3, "learning_rate": 0.1}


def test_weights_sum_to_one_and_are_as_far_as_they_say():
    (classifier, params), (said, _) = built("lstm"), sentences()
    predicted = classifier.predict(params, said, with_weights=True)
    ends = rows(lambda batch: attack(classifier.model, params, batch, classifier.hyper, KEY, 0.1, 60, 3),
                len(said), classifier.in_order(said, batch_tokens=ROOM))
    for i, one in enumerate(ends):
        own = predicted.weights[i]["pool"][0, 0, 0, :-1]
        weights = one.weights[:, :len(own)]
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(one.divergence, distributions.jensen_shannon(weights, own),
                                   rtol=1e-3, atol=1e-6)
    found = frozen(classifier, params, said, KEY, **HOW)
    # Before training all words say much the same, so that little holds the weights of more than two words.
    assert (found.variation <= TOLERANCE).all() and (found.divergence[1:] > 0.3).all()
    assert (found.divergence <= np.log(2) + 1e-6).all()
    np.testing.assert_allclose(found.divergence, [one.divergence[one.variation <= TOLERANCE].max()
                                                  for one in ends], rtol=1e-4)


def test_where_one_word_decides_no_other_weights_will_do():
    (classifier, params), (said, _) = planted("pooled"), sentences()
    # Its weight w is at least 0.8 and p = sigmoid(2 w): 0.05 less is 0.25 less of w.
    params = params | {"readout": 0.2 * params["readout"]}
    found = frozen(classifier, params, said, KEY, steps=200, starts=3, learning_rate=0.1)
    assert (found.divergence < 0.25).all()
    start = frozen(classifier, params, said, KEY, steps=1, starts=1, learning_rate=1e-9)
    assert (start.divergence == 0).any()  # none passes
    assert (start.variation[start.divergence == 0] > TOLERANCE).all()


def test_divergence_and_its_gradient_where_weights_are_nothing():
    p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.0, 0.75, 0.25])
    assert jensen_shannon(p, q) == pytest.approx(float(distributions.jensen_shannon(p, q)), rel=1e-6)
    assert jensen_shannon(p, p) == 0 and np.isfinite(jax.grad(jensen_shannon)(p, q)).all()


def test_what_is_refused():
    (classifier, params), (said, _) = built("last"), sentences()
    with pytest.raises(ValueError, match="model.pooling=place has no weights to change"):
        frozen(classifier, params, said, KEY)
    with pytest.raises(ValueError, match="steps=0 and starts=5: 1 or more of each are needed"):
        frozen(*built("lstm"), said, KEY, steps=0)
