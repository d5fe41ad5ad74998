"""Heads that are left out: against weights of 0, and against a model that never had them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import models
from attention_lab.analysis import head_ablation
from attention_lab.analysis.head_ablation import Head, heads, losses, without
from attention_lab.attention import counterfactual
from attention_lab.config import Config, replace, split
from attention_lab.data import tokenizers
from attention_lab.evaluation.bleu import corpus_bleu
from attention_lab.tasks.translation.translator import Translator

SOURCES = ["the dog sees the old bank .", "a big river .", "the bank sees a dog ."]
CONFIG = replace(Config(), {"model.width": 12, "model.hidden": 14, "model.num_heads": 3,
                            "model.num_layers": 2, "model.value_size": 5, "decoding.max_length": 7})


@functools.cache
def built():
    """(translator, params) that say different words without being trained."""
    translator = Translator(CONFIG, tokenizers.train("word", SOURCES, 100), (9,))
    return translator, jax.tree.map(lambda leaf: 2.5 * leaf, translator.model.init(jax.random.key(1)))


@functools.cache
def applied():
    """The compiled forward pass: params, rows of heads whose weights become 0 by kind -> hidden."""
    translator, _ = built()
    rng = np.random.default_rng(0)
    batch = {"source": jnp.asarray(rng.integers(4, 12, (2, 5))),
             "target": jnp.asarray(rng.integers(4, 12, (2, 7))), "example": jnp.arange(2)}

    def hidden(params, rows):
        zeros = {kind: counterfactual.given(jnp.zeros((1,) * 5), one) for kind, one in rows.items()}
        return translator.model.apply(params, batch, translator.hyper, intervention=zeros).hidden

    return jax.jit(hidden)


def rows_of(left_out):
    """bool (L, 1, H, 1) by kind, True at the head."""
    return {kind: jnp.zeros((2, 1, 3, 1), bool).at[left_out.layer, 0, left_out.number, 0].set(
        kind == left_out.kind) for kind in head_ablation.KINDS}


def test_all_heads_are_there_once():
    assert len(set(heads(CONFIG.model))) == 3 * 2 * 3
    assert heads(CONFIG.model)[0] == Head("encoder", 0, 0) and heads(CONFIG.model)[-1] == Head("cross", 1, 2)


@pytest.mark.parametrize("head", heads(CONFIG.model), ids=str)
def test_without_a_head_is_weights_of_zero(head):
    _, params = built()
    none = jax.tree.map(jnp.zeros_like, rows_of(head))
    ours, theirs = applied()(without(params, head, CONFIG.model), none), applied()(params, rows_of(head))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert np.abs(ours - applied()(params, none)).max() > 1e-3


def test_weights_of_others_are_the_same_objects():
    _, params = built()
    changed = without(params, Head("cross", 1, 2), CONFIG.model)
    assert changed["encoder_0"] is params["encoder_0"]
    assert changed["decoder_1"]["heads"] is params["decoder_1"]["heads"]
    before, after = (one["decoder_1"]["cross"]["output"]["kernel"] for one in (params, changed))
    np.testing.assert_array_equal(after[:10], before[:10])
    np.testing.assert_array_equal(after[10:], 0.0)


def batches():
    """Two batches of different lengths, with padding on both sides."""
    rng = np.random.default_rng(5)
    for S, T in ((5, 7), (3, 2)):
        source, target = rng.integers(4, 12, (2, S)), rng.integers(4, 12, (2, T))
        source[1, S - 1:], target[1, T - 1:] = 0, 0
        yield {"source": jnp.asarray(source), "target": jnp.asarray(target), "example": jnp.arange(2)}


def test_the_mean_context_is_that_of_tokens_alone():
    """Against a loop over sentences, heads and tokens."""
    translator, params = built()
    model, hyper = translator.model, translator.hyper
    found = head_ablation.mean_contexts(model, params, batches(), hyper)
    assert list(found) == heads(CONFIG.model)
    for head in (Head("encoder", 1, 2), Head("decoder", 0, 1), Head("cross", 1, 0)):
        contexts = []
        for batch in batches():
            weights = model.apply(params, batch, hyper, with_weights=True).weights[head.kind][head.layer]
            values = model.projections(params, batch, hyper)[head.kind][head.layer][2]
            side = batch["source" if head.kind == "encoder" else "target"]
            contexts += [weights[b, head.number, t] @ values[b, head.number]
                         for b in range(2) for t in range(side.shape[1]) if side[b, t]]
        np.testing.assert_allclose(found[head], np.mean(contexts, axis=0), rtol=1e-4, atol=1e-5)


def test_mean_ablation_leaves_a_constant_head_alone():
    """Values that are the same at every token make each context their mean, so that nothing is lost."""
    translator, params = built()
    name = "decoder_1"
    constant = params[name]["cross"] | {"value_kernel": jnp.zeros_like(params[name]["cross"]["value_kernel"]),
                                        "value_bias": jnp.arange(15.0)}
    params = {**params, name: {**params[name], "cross": constant}}
    means = head_ablation.mean_contexts(translator.model, params, batches(), translator.hyper)
    head = Head("cross", 1, 1)
    np.testing.assert_allclose(means[head], np.arange(5.0, 10.0), rtol=1e-5)
    batch = next(batches())

    def hidden(params):
        return translator.model.apply(params, batch, translator.hyper).hidden

    whole = hidden(params)
    np.testing.assert_allclose(hidden(without(params, head, CONFIG.model, means[head])), whole, rtol=1e-4,
                               atol=1e-5)
    assert np.abs(hidden(without(params, head, CONFIG.model)) - whole).max() > 0.01


def test_losses_are_differences_of_bleu():
    translator, params = built()
    references = translator.translate(params, SOURCES, beam=1).texts
    found = losses(translator, params, SOURCES, references, resamples=10)
    assert list(found) == heads(CONFIG.model)
    head = Head("cross", 1, 0)
    other = translator.translate(without(params, head, CONFIG.model), SOURCES, beam=1).texts
    assert found[head].points == pytest.approx(100.0 - corpus_bleu(other, references).score, abs=1e-4)
    assert any(loss.points > 0 for loss in found.values())
    assert all(1 / 11 <= loss.p <= 1 for loss in found.values())
    means = dict.fromkeys(heads(CONFIG.model), jnp.linspace(-60.0, 60.0, 5))
    replaced = translator.translate(without(params, head, CONFIG.model, means[head]), SOURCES, beam=1).texts
    assert losses(translator, params, SOURCES, references, 10, means)[head].points == pytest.approx(
        100.0 - corpus_bleu(replaced, references).score, abs=1e-4)
    assert replaced != other


def test_other_heads_and_other_models_are_refused():
    translator, params = built()
    with pytest.raises(ValueError, match="not a head of this model, which has 2 layers of 3 heads"):
        without(params, Head("cross", 2, 0), CONFIG.model)
    other = Translator(replace(CONFIG, {"model.kind": "gru"}), translator.tokenizer, (9,))
    with pytest.raises(ValueError, match="model.kind=gru is not one of transformer, encoder"):
        losses(other, params, SOURCES, SOURCES)


@functools.cache
def encoder():
    """(model, params, batch, hyper) of a causal encoder that predicts the next of seven words."""
    config = replace(Config(), {"model.kind": "encoder", "model.causal": True, "model.width": 12,
                                "model.hidden": 14, "model.num_heads": 3, "model.num_layers": 2,
                                "model.value_size": 5, "data.source": "text"})
    model, rng = models.build(config, 12), np.random.default_rng(0)
    batch = {"source": jnp.asarray(rng.integers(4, 12, (2, 7))), "target": jnp.ones((2, 7), jnp.int32),
             "example": jnp.arange(2)}
    params = jax.tree.map(lambda leaf: 2.5 * leaf, model.init(jax.random.key(1)))
    return model, params, batch, split(config)[1]


def test_an_encoder_has_heads_of_its_own_kind_alone():
    model, params, batch, hyper = encoder()
    assert heads(model.spec.model) == [Head("encoder", i, number) for i in (0, 1) for number in range(3)]
    assert list(head_ablation.mean_contexts(model, params, [batch], hyper)) == heads(model.spec.model)
    with pytest.raises(ValueError, match="not a head of this model, .* of the kinds encoder$"):
        without(params, Head("cross", 0, 0), model.spec.model)


def test_the_mean_context_of_an_encoder_is_that_of_its_tokens():
    """Against a loop over sentences, of which the second ends in padding, and tokens."""
    model, params, batch, hyper = encoder()
    batch = {**batch, "source": batch["source"].at[1, 5:].set(0)}
    means = head_ablation.mean_contexts(model, params, [batch], hyper)
    weights = model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
    _, _, values = model.projections(params, batch, hyper)["encoder"][1]
    contexts = [weights[1, b, 2, t] @ values[b, 2] for b, length in ((0, 7), (1, 5)) for t in range(length)]
    np.testing.assert_allclose(means[Head("encoder", 1, 2)], np.mean(contexts, axis=0), rtol=1e-4,
                               atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1])
def test_without_its_feed_forward_net_a_layer_adds_the_bias_alone(layer):
    """What is left of the net of a layer does not depend on its first map."""
    model, params, batch, hyper = encoder()
    apply = jax.jit(lambda params: model.apply(params, batch, hyper).hidden)
    left = head_ablation.without_feed_forward(params, layer)
    net = left[f"encoder_{layer}"]["forward"]
    other = {**left, f"encoder_{layer}": {**left[f"encoder_{layer}"], "forward": {
        **net, "inner": jax.tree.map(lambda leaf: leaf + 1.0, net["inner"])}}}
    np.testing.assert_array_equal(apply(left), apply(other))
    assert np.abs(apply(left) - apply(params)).max() > 1e-2
    assert left[f"encoder_{1 - layer}"] is params[f"encoder_{1 - layer}"]
    shifted = {**left, f"encoder_{layer}": {**left[f"encoder_{layer}"], "forward": {
        **net, "outer": {**net["outer"], "bias": net["outer"]["bias"] + jnp.arange(12.0)}}}}
    assert np.abs(apply(left) - apply(shifted)).max() > 1e-2
