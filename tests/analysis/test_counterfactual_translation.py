"""Words that survive other attention: against one step of one sentence at a time, and where it is idle."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis.counterfactual_translation import (
    FUNCTION_WORDS,
    KINDS,
    survival,
    word_classes,
)
from attention_lab.attention import counterfactual
from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.data.tokenizers import TOKENIZERS
from attention_lab.tasks.translation.translator import Translator

SOURCES = ["the dog sees the old bank .", "a big river .", "the bank sees a dog ."]
TARGETS = ["le chien voit la rive", "un grand fleuve de la banque ne", "dort ."]
MODELS = {
    "transformer": {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2},
    "gru": {"model.kind": "gru", "model.width": 8, "model.hidden": 6, "model.num_layers": 1,
            "model.bidirectional": True, "attention.compatibility": "additive"},
}


@functools.cache
def built(kind):
    """(translator, params): not trained, but with so large weights that it says different words."""
    tokenizer = tokenizers.train("word", SOURCES + TARGETS, 100)
    config = replace(Config(), {"decoding.max_length": 7, **MODELS[kind]})
    translator = Translator(config, tokenizer, (9,))
    return translator, jax.tree.map(lambda leaf: 2.5 * leaf, translator.model.init(jax.random.key(1)))


def by_hand(kind, number):
    """{kind of attention: which steps of a sentence's translation stay}, one pass for each."""
    translator, params = built(kind)
    text, = translator.translate(params, [SOURCES[number]], beam=1).texts
    source, target = (np.array(translator.tokenizer.encode([one])[0] + [3])
                      for one in (SOURCES[number], text))
    batch = {"source": jnp.asarray(np.pad(source, (0, 9 - len(source)))[None]),
             "target": jnp.asarray(np.pad(target, (0, 9 - len(target)))[None]),
             "example": jnp.array([number], jnp.int32)}

    def choice(make, at):
        rows = (jnp.arange(9) == at).reshape(1, 1, 1, 9)
        return np.array(chooser(kind)(params, batch, {"cross": make(rows)}))

    plain = choice(counterfactual.uniform, -1)
    own, found = (plain == batch["target"][0])[:len(target)], {}
    for name, make in (("zero_max", counterfactual.zero_max), ("uniform", counterfactual.uniform)):
        found[name] = np.array([choice(make, t)[t] == plain[t] for t in range(len(target))])
    return text, own, found


@functools.cache
def chooser(kind):
    """(params, batch, intervention) -> the likeliest tokens, (T,), none of them padding or a beginning."""
    translator, _ = built(kind)

    def choose(params, batch, intervention):
        output = translator.model.apply(params, batch, translator.hyper, intervention=intervention)
        return (output.hidden @ output.readout.T)[0].at[:, jnp.array([0, 2])].set(-jnp.inf).argmax(axis=-1)

    return jax.jit(choose)


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_it_is_one_step_of_one_sentence_at_a_time(kind):
    translator, params = built(kind)
    found = survival(translator, params, SOURCES, jax.random.key(0))
    for number in (0, 1):
        text, own, stays = by_hand(kind, number)
        names = np.array(word_classes(text.split(), TOKENIZERS["word"]))
        assert own[:-1].all() and found.left_out[number] == (~own).sum()
        for name in ("function", "content", "neither"):
            assert found.steps[name][number] == (own & (names == name)).sum()
            for which, kept in stays.items():
                assert found.kept[which][name][number] == (kept & own & (names == name)).sum()
    total = sum(found.steps.values()).sum()
    for which in KINDS:
        assert 0 < sum(found.kept[which].values()).sum() < total


def test_attention_that_adds_nothing_can_be_replaced():
    translator, params = built("transformer")
    for name in ("decoder_0", "decoder_1"):
        cross = params[name]["cross"]
        params = params | {name: params[name] | {"cross": cross | {
            "output": jax.tree.map(jnp.zeros_like, cross["output"])}}}
    found = survival(translator, params, SOURCES, jax.random.key(0))
    assert sum(found.steps.values()).sum() > 3
    for which in KINDS:
        for name, steps in found.steps.items():
            np.testing.assert_array_equal(found.kept[which][name], steps)
            assert found.share(which, name) == 1 or (np.isnan(found.share(which, name)) and not steps.any())


def test_equal_weights_permuted_are_equal():
    translator, params = built("gru")
    params = params | {"score_vector": 0 * params["score_vector"]}
    found = survival(translator, params, SOURCES, jax.random.key(0))
    for which in ("uniform", "permuted"):
        for name, steps in found.steps.items():
            np.testing.assert_array_equal(found.kept[which][name], steps)


def test_classes_of_words():
    assert word_classes("l' homme ne dort pas , &apos; <unk> 3".split(), TOKENIZERS["word"]) == [
        "function", "content", "function", "content", "function"] + ["neither"] * 5
    assert word_classes(["▁Le", "▁fl", "eu", "ve", "▁d", "e", "▁."], TOKENIZERS["bpe"]) == [
        "function", "content", "content", "content", "function", "function", "neither", "neither"]
    assert word_classes(["l&apos;", "chat"], TOKENIZERS["word"]) == ["function", "content", "neither"]
    assert {"le", "de", "une", "qu'", "sont", "près", "et", "elles"} <= FUNCTION_WORDS
    assert not {"chien", "voit", "grand", "souvent", "a", "."} & FUNCTION_WORDS


def test_no_attention_is_refused():
    tokenizer = tokenizers.train("word", SOURCES + TARGETS, 100)
    config = replace(Config(), MODELS["gru"] | {"attention.compatibility": "none"})
    with pytest.raises(ValueError, match="attention.compatibility=none: there is no attention to replace"):
        survival(Translator(config, tokenizer, (9,)), None, SOURCES, jax.random.key(0))
