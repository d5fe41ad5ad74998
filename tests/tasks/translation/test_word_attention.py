"""Attention between words, and its error rate against gold links, on weights made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import TOKENIZERS
from attention_lab.tasks.translation import word_attention


def looked(source, target, rows):
    """Attention whose two heads have these rows as their mean."""
    rows = np.array(rows, np.float32)
    layers = np.stack([[0 * rows, 0 * rows], [2 * rows, 0 * rows]])
    return SimpleNamespace(source=source, target=target, cross=layers)


def test_subwords_are_summed_into_words_and_the_last_layer_is_read():
    one = looked(["▁a", "▁re", "d", "</s>"], ["▁un", "▁rou", "ge", "</s>"],
                 [[0.7, 0.1, 0.1, 0.1], [0.2, 0.3, 0.4, 0.1], [0.0, 0.5, 0.5, 0.0], [0, 0, 0, 1]])
    weights = word_attention.cross_weights(one, TOKENIZERS["bpe"])
    np.testing.assert_allclose(weights, [[0.7, 0.2], [0.1, 0.85]], rtol=1e-6)


def test_word_numbers():
    assert word_attention.word_numbers(["the", "<unk>", "</s>"], TOKENIZERS["word"]).tolist() == [0, 1, -1]
    pieces = ["▁a", "b", "▁c", "</s>", "<pad>"]
    assert word_attention.word_numbers(pieces, TOKENIZERS["bpe"]).tolist() == [0, 0, 1, -1, -1]


def test_error_rate():
    one = looked(["the", "cat", "</s>"], ["le", "chat", "</s>"], [[0.9, 0.1, 0], [0.8, 0.2, 0], [0, 0, 1]])
    translator = SimpleNamespace(tokenizer=SimpleNamespace(segmentation=TOKENIZERS["word"]),
                                 attention=lambda *a: [one])
    pairs = Pairs(["the cat"], ["le chat"], [SimpleNamespace(alignment=((0, 0), (1, 1)))])
    # One of two predicted links is gold: 1 - (1 + 1) / (2 + 2).
    assert word_attention.error_rate(translator, None, pairs) == pytest.approx(0.5)
