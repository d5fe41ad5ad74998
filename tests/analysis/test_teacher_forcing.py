"""Tokens right after the reference's own: against one sentence at a time without padding, and by parts."""

import jax
import numpy as np
import pytest

from attention_lab.analysis.teacher_forcing import by_share, right_tokens
from attention_lab.config import Config, replace
from attention_lab.data import batching, tokenizers
from attention_lab.data.vocabulary import EOS, SPECIALS
from attention_lab.tasks.translation.translator import Translator

SOURCES = ["the dog sees the old bank .", "a big river .", "the bank sees a dog ."]
TARGETS = ["le chien voit la rive", "un grand fleuve de la banque ne", "dort ."]
MODELS = {
    "transformer": {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2},
    "gru": {"model.kind": "gru", "model.width": 8, "model.hidden": 6, "model.num_layers": 1,
            "attention.compatibility": "none"},
}


def most_probable(translator, params, source, target):
    """The most probable token at each place of one pair without padding, (T + 1,)."""
    batch = {"source": batching.pad([source], len(source) + 1), "example": np.zeros(1, np.int32),
             "target": batching.pad([target], len(target) + 1)}
    output = translator.model.apply(params, batch, translator.hyper)
    return np.argmax(output.hidden[0] @ output.readout.T, axis=-1)


@pytest.mark.parametrize("kind", MODELS)
def test_tokens_are_those_of_each_sentence_alone(kind):
    tokenizer = tokenizers.train("word", SOURCES + TARGETS, 100)
    translator = Translator(replace(Config(), MODELS[kind]), tokenizer, (5, 9))
    params = jax.tree.map(lambda leaf: 2.5 * leaf, translator.model.init(jax.random.key(1)))
    params |= {"embedding": params["embedding"].at[:len(SPECIALS)].set(0)}  # so that it says words
    source, said = tokenizer.encode(SOURCES)[0], []
    for t in range(4):  # what the model itself says, four tokens of a reference of five
        said.append(int(most_probable(translator, params, source, said)[t]))
    assert min(said) >= len(SPECIALS)
    own = tokenizer.decode([said])[0] + " dort"
    found = right_tokens(translator, params, [*SOURCES, SOURCES[0]], [*TARGETS, own])
    assert found[3].tolist()[:4] == [True] * 4
    ids = [tokenizer.encode(side) for side in (SOURCES, TARGETS)]
    for right, source, target in zip(found, *ids):
        wanted = most_probable(translator, params, source, target) == np.array([*target, EOS])
        np.testing.assert_array_equal(right, wanted)


def test_shares_of_parts_by_hand():
    rows = [np.array([True, False, False]), np.array([False, True, True, True, False, False])]
    np.testing.assert_allclose(by_share(rows, 3), [2 / 3, 2 / 3, 0.0])
    assert np.isnan(by_share([np.array([True])], 2)).tolist() == [False, True]
