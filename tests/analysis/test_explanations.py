"""Explainers against planted truth, against one sentence at a time, and against the formulas in numpy."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis.agreement import finding_auc
from attention_lab.analysis.explanations import METHODS, available, explain
from attention_lab.attention import counterfactual
from attention_lab.config import replace
from attention_lab.data import tokenizers
from attention_lab.data.labelled import Labelled
from attention_lab.evaluation.distributions import total_variation
from attention_lab.tasks.classification.classifier import Classifier
from tests.analysis.classifiers import built, planted, sentences


@functools.cache
def explained(kind):
    """All that there is of the sentences, by a model before training."""
    (classifier, params), (said, _) = built(kind), sentences()
    return explain(classifier, params, said, available(classifier))


@pytest.mark.parametrize("kind", ["pooled", "deep"])
def test_every_explainer_finds_a_planted_word_and_chance_does_not(kind):
    (classifier, params), (said, deciders) = planted(kind), sentences(29)
    assert classifier.predict(params, said).labels == said.label
    found = explain(classifier, params, said, available(classifier))
    assert list(found) == list(available(classifier))
    for method, importances in found.items():
        assert [len(one) for one in importances] == [len(text.split()) for text in said.text]
        auc = finding_auc(importances, deciders, said.position)
        if method == "random":
            assert 0.3 < np.nanmean(auc) < 0.7
        else:
            np.testing.assert_array_equal(auc[1:], 1.0, method)
            assert np.isnan(auc[0])  # two words: none but the decider is left


@pytest.mark.parametrize("kind", ["deep", "lstm", "last"])
def test_leaving_one_out_is_judging_each_shorter_sentence(kind):
    (classifier, params), (said, _) = built(kind), sentences()
    found = explained(kind)["leave_one_out"] if kind == "deep" else explain(
        classifier, params, said, ["leave_one_out"])["leave_one_out"]
    whole = classifier.predict(params, said).probabilities
    pairs = [(i, w) for i, text in enumerate(said.text) for w in range(len(text.split()))]
    text, place = [], []
    for i, w in pairs:
        kept = said.text[i].split()
        del kept[w]
        text.append(" ".join(kept))
        place.append(said.position[i] - (w < said.position[i]))
    count = len(pairs)
    predicted = classifier.predict(params, Labelled(text, place, ["bank"] * count, ["rive"] * count))
    for (i, w), p in zip(pairs, predicted.probabilities):
        wanted = 0 if w == said.position[i] else total_variation(whole[i], p)
        np.testing.assert_allclose(found[i][w], wanted, rtol=1e-3, atol=2e-7)
    assert max(one.max() for one in found) > 1e-4


def test_a_whole_sentence_has_no_word_that_is_asked_about():
    (classifier, params), (said, _) = built("lstm"), sentences(3)
    whole = dataclasses.replace(said, position=[-1] * 3)
    for row in explain(classifier, params, whole, ["leave_one_out"])["leave_one_out"]:
        assert (row > 0).all()


def test_weights_of_a_pooling_and_of_an_encoder_are_read_as_they_are():
    said, _ = sentences()
    for kind in ("lstm", "deep", "mean"):
        classifier, params = built(kind)
        seen = classifier.predict(params, said, with_weights=True).weights
        found = explain(classifier, params, said, ["attention", "attention_mean"])
        for i, (place, one) in enumerate(zip(said.position, seen)):
            if kind == "lstm":
                last = mean = one["pool"][0, 0, 0]
            else:
                rows = slice(0, -1) if kind == "mean" else slice(place, place + 1)
                last, mean = (part[rows].mean(axis=0)
                              for part in (one["encoder"][-1].mean(0), one["encoder"].mean((0, 1))))
            np.testing.assert_allclose(found["attention"][i], last[:-1], rtol=1e-5)
            np.testing.assert_allclose(found["attention_mean"][i], mean[:-1], rtol=1e-5)


def test_rollout_and_zeroed_values_of_two_layers():
    (classifier, params), (said, _) = built("deep"), sentences()
    found = explained("deep")
    seen = classifier.predict(params, said, with_weights=True).weights
    for batch in classifier.in_order(said.select([3])):
        S, place, own = int((batch["source"][0] > 0).sum()), said.position[3], seen[3]["encoder"]
        first, second = 0.5 * own.mean(axis=1) + 0.5 * np.eye(S)
        np.testing.assert_allclose(found["rollout"][3], (second @ first)[place, :-1], rtol=1e-5)
        whole = classifier.model.apply(params, batch, classifier.hyper, with_weights=True)
        norms = classifier.model.values(params, batch, classifier.hyper)[-1, 0]
        wanted = (own[-1][:, place] * norms[:, :S]).sum(axis=0)[:-1]
        np.testing.assert_allclose(found["value_norm"][3], wanted, rtol=1e-5)
        for w in (0, 2):
            without = {"encoder": counterfactual.given(whole.weights["encoder"].at[..., w].set(0.0))}
            one, two = (np.asarray(states[0, place], np.float64) for states in (
                whole.states,
                classifier.model.apply(params, batch, classifier.hyper, intervention=without).states))
            cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
            assert found["value_zeroing"][3][w] == pytest.approx(1 - cosine, rel=1e-3, abs=1e-7)


def test_the_gradient_is_that_of_the_output_and_detached_weights_are_constants():
    (classifier, params), (said, _) = built("pooled"), sentences()
    found = explained("pooled")
    ids, predicted = classifier.encode(said)[0], classifier.predict(params, said, with_weights=True)
    for i in (1, 4):
        x = classifier.model.embed(params, jnp.asarray(ids[i]))

        def output(x, weights):
            # A bag with additive pooling, by hand; no weights: its own.
            score = jnp.tanh(x @ params["pool_key"] + params["pool_query"][None]) @ params["pool_vector"]
            weights = jax.nn.softmax(score) if weights is None else weights
            logits = params["readout"][0] @ (weights @ x) + params["bias"][0]
            return jax.nn.softmax(logits)[predicted.probabilities[i].argmax()]

        p, slope = jax.value_and_grad(output)(x, None)
        assert p == pytest.approx(predicted.probabilities[i].max(), rel=1e-5)
        fixed = jax.grad(output)(x, jnp.asarray(predicted.weights[i]["pool"][0, 0, 0, :-1]))
        factor = 1 / (p * (1 - p))
        wanted = {"gradient": jnp.linalg.norm(slope, axis=-1), "input_gradient": jnp.abs((x * slope).sum(-1)),
                  "gradient_detached": jnp.abs((x * fixed).sum(-1))}
        for name, numbers in wanted.items():
            np.testing.assert_allclose(found[name][i], factor * numbers, rtol=2e-4, atol=1e-7)
        assert np.abs(found["input_gradient"][i] - found["gradient_detached"][i]).max() > 1e-3


def test_noise_goes_by_seed_and_sentence():
    (classifier, params), (said, _) = built("last"), sentences()
    one = explain(classifier, params, said, ["random"])["random"]
    again = explain(classifier, params, said.select([4, 1]), ["random"])["random"]
    seeded = Classifier(replace(classifier.config, {"seed": 1}), classifier.tokenizer, classifier.classes, {},
                        classifier.buckets)
    other = explain(seeded, params, said, ["random"])["random"]
    np.testing.assert_array_equal(again[0], one[4])
    assert (other[4] != one[4]).all() and all((0 <= row).all() and (row < 1).all() for row in one)


def test_what_is_refused():
    (classifier, params), (said, _) = built("last"), sentences()
    assert available(classifier) == ("gradient", "input_gradient", "gradient_detached", "leave_one_out",
                                     "random")
    assert available(built("deep")[0]) == METHODS and "rollout" not in available(built("lstm")[0])
    for method in ("attention", "divination"):
        message = f"{method}' is not available for this classifier: gradient, input"
        with pytest.raises(ValueError, match=message):
            explain(classifier, params, said, [method])
    classifier = type(classifier)(classifier.config, tokenizers.train("bpe", said.text, 60),
                                  classifier.classes, {}, (20,))
    with pytest.raises(ValueError, match="data.tokenizer=bpe cuts words into pieces"):
        explain(classifier, params, said, ["random"])
