"""Heads along trees: related tokens by hand, weights between tokens, heads and offsets picked on one half."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from attention_lab.analysis import syntactic_heads
from attention_lab.analysis.syntactic_heads import (
    DOWN,
    UP,
    Text,
    as_text,
    cut,
    linked,
    most_attended,
    related,
)
from attention_lab.config import Config, replace
from attention_lab.data import detokenize, tokenizers
from attention_lab.data.readers.conllu import ROOT, Tree, Word
from attention_lab.tasks.translation.translator import Translator

# "Le chat du voisin dort", where `du` is `de` and `le`.
CAT = Tree(("Le", "chat", "du", "voisin", "dort"), (
    Word("Le", "DET", 1, "det", 0), Word("chat", "NOUN", 5, "nsubj", 1), Word("de", "ADP", 4, "case", 2),
    Word("le", "DET", 4, "det", 2), Word("voisin", "NOUN", 1, "nmod", 3),
    Word("dort", "VERB", ROOT, "root", 4)))
# "old big dogs sleep": a noun with two adjectives.
DOGS = Tree(("old", "big", "dogs", "sleep"), (
    Word("old", "ADJ", 2, "amod", 0), Word("big", "ADJ", 2, "amod", 1),
    Word("dogs", "NOUN", 3, "nsubj:pass", 2), Word("sleep", "VERB", ROOT, "root", 3)))


def test_related_tokens_in_both_directions_and_to_the_left():
    assert related(CAT, "det", UP) == {0: {1}, 2: {3}} and related(CAT, "det", UP, left=True) == {}
    assert related(CAT, "nsubj", DOWN, left=True) == {4: {1}}
    assert related(CAT, "nmod", UP, left=True) == {3: {1}}
    assert related(DOGS, "amod", DOWN) == {2: {0, 1}} and related(DOGS, "nsubj", UP) == {2: {3}}


def test_a_token_of_several_words_keeps_them():
    stub = SimpleNamespace(prepare=lambda texts, language: [detokenize.prepare(text, language)
                                                            for text in texts])
    tree = Tree(("It's", "25\u00a0000", "“", "Rue"), ())
    text = as_text(stub, tree, "en")
    assert text.text == "it &apos;s 25 000 &quot; rue" and text.owners.tolist() == [0, 0, 1, 1, 2, 3]


def test_weights_are_summed_over_the_subwords_looked_at_and_averaged_over_those_that_look():
    """Token 0 of two subwords, tokens 1 and 2 of one, and an end mark; a token itself never counts."""
    weights = np.array([[0.1, 0.1, 0.5, 0.3, 0.0], [0.3, 0.0, 0.0, 0.7, 0.0], [0.2, 0.2, 0.3, 0.3, 0.0],
                        [0.0, 0.2, 0.1, 0.1, 0.6], [0.2] * 5])
    other = np.array([[0.0, 0.0, 0.9, 0.1, 0.0], [0.0, 0.0, 0.6, 0.4, 0.0], [0.1, 0.1, 0.5, 0.3, 0.0],
                      [0.1, 0.0, 0.3, 0.6, 0.0], [0.2] * 5])
    found = most_attended(np.stack([weights, other]), [0, 0, 1, 2, -1])
    # Token 0 gives (0.5 + 0.0) / 2 to token 1 and (0.3 + 0.7) / 2 to token 2; token 1 gives 0.4 to token 0.
    assert found.tolist() == [[2, 0, 0], [1, 2, 1]]


CONFIG = replace(Config(), {"model.width": 12, "model.hidden": 14, "model.num_heads": 3,
                            "model.num_layers": 2, "data.tokenizer": "bpe", "data.vocabulary_size": 40})


def test_a_model_reads_the_source_in_the_encoder_and_the_target_in_the_decoder(monkeypatch):
    """Against weights of each pair alone, token by token; sentences are read two at a time."""
    tokenizer = tokenizers.train("bpe", ["the dog sleeps", "le chien dort"], 40)
    translator = Translator(CONFIG, tokenizer, (8, 16))
    params = translator.model.init(jax.random.key(1))
    sides = [[Text("the dog sleeps", np.array([0, 1, 1])), Text("dog the", np.arange(2)),
              Text("sleeps dog the", np.arange(3))],
             [Text("le chien dort", np.arange(3)), Text("le chien", np.arange(2)),
              Text("dort le", np.arange(2))]]
    monkeypatch.setattr(syntactic_heads, "AT_A_TIME", 2)
    found = syntactic_heads.read(translator, params, *sides)
    for index, pair in enumerate(zip(*sides)):
        attention, = translator.attention(params, *[[text.text] for text in pair])
        both = found.source[index], found.target[index]
        for side, text, looks in zip(("encoder", "decoder"), pair, both):
            ids, = tokenizer.encode([text.text])
            starts = np.cumsum([token.startswith("▁") for token in tokenizer.tokens(ids)]) - 1
            owners, shift = text.owners[starts], int(side == "decoder")
            assert looks.shape == (6, owners.max() + 1)
            for head, weights in enumerate(getattr(attention, side).reshape(6, *[len(ids) + 1] * 2)):
                for token in range(owners.max() + 1):
                    rows = [weights[i + shift, shift:] for i in np.flatnonzero(owners == token)]
                    given = [-1.0 if other == token else sum(
                        row[j] for row in rows for j in np.flatnonzero(owners == other))
                        for other in range(owners.max() + 1)]
                    assert given[looks[head, token]] == pytest.approx(max(given), rel=1e-5)


def test_the_shares_of_split_and_of_unknown_tokens():
    translator = Translator(CONFIG, tokenizers.train("bpe", ["la la la", "le le le", "x l a e"], 40), (8,))
    texts = [Text("la le xl", np.array([0, 1, 1])), Text("la ü", np.arange(2))]
    # Of four tokens, `la` twice is whole, `le xl` is in parts, and `ü` is a space and an unknown character.
    assert cut(translator, texts) == (0.5, 0.25)


def test_heads_and_offsets_are_picked_on_one_half_and_scored_on_the_other():
    """Of three heads the second finds the noun in even sentences; in odd ones the third."""
    looks = {0: np.array([[1, 0, 0, 0], [2, 2, 0, 0], [3, 3, 0, 0]]),
             1: np.array([[1, 0, 0, 0], [2, 3, 0, 0], [2, 2, 0, 0]])}
    found = linked([looks[0], looks[1], looks[0]], [DOGS] * 3, "amod", UP)
    # Adjectives are one or two before their noun: the first of equals is an offset of 1.
    assert found == (0.5, 1, 0.5, 1, 2)


def test_a_word_with_several_related_ones_counts_once():
    looks = np.array([[1, 0, 1, 0], [1, 0, 3, 0]])
    assert linked([looks] * 2, [DOGS] * 2, "amod", DOWN) == (1.0, 0, 1.0, -2, 1)
    with pytest.raises(ValueError, match="obj: each half of the sentences needs"):
        linked([looks] * 2, [DOGS] * 2, "obj", DOWN)
