"""Cross-attention between whole words, and its alignment error rate against gold links."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attention_lab.config import Hyper
from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import Segmentation
from attention_lab.data.vocabulary import BOS, EOS, PAD, SPECIALS
from attention_lab.evaluation import alignment
from attention_lab.tasks.translation.translator import Attention, Translator


def word_numbers(tokens: Sequence[str], segmentation: Segmentation) -> np.ndarray:
    """The word that each token belongs to, counted from 0; -1 for an end mark.

    >>> from attention_lab.data.tokenizers import TOKENIZERS
    >>> word_numbers(["▁a", "▁re", "d", "</s>"], TOKENIZERS["bpe"]).tolist()
    [0, 1, 1, -1]
    """
    begins = np.array([segmentation.begins_word(token) for token in tokens])
    marks = [SPECIALS[PAD], SPECIALS[BOS], SPECIALS[EOS]]
    return np.where(np.isin(tokens, marks), -1, np.cumsum(begins) - 1)


def cross_weights(attention: Attention, segmentation: Segmentation) -> np.ndarray:
    """Cross-attention of the last layer, mean over heads, between whole words: (target, source)."""
    return alignment.merge_subwords(attention.cross[-1].mean(axis=0),
                                    word_numbers(attention.source, segmentation),
                                    word_numbers(attention.target, segmentation))


def error_rate(translator: Translator, params: Any, pairs: Pairs, hyper: Hyper | None = None) -> float:
    """Alignment error rate of the last layer's cross-attention with the references as the decoder's input.

    Each target word is linked to the source word with the largest weight (Och & Ney 2003).
    """
    links = [alignment.hard_links(cross_weights(attention, translator.tokenizer.segmentation))
             for attention in translator.attention(params, pairs.source, pairs.target, hyper)]
    return alignment.alignment_error_rate(links, [sentence.alignment for sentence in pairs.truth])
