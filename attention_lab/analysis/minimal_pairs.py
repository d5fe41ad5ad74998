"""Which of two words a language model prefers at one place, given all words before it: minimal pairs."""

from typing import Any

import numpy as np

from attention_lab.analysis.token_losses import token_losses
from attention_lab.data.minimal_pairs import MinimalPairs
from attention_lab.data.tokenizers import Tokenizer
from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.tasks.language.language_model import LanguageModel


def log_odds(language: LanguageModel, params: Any, pairs: MinimalPairs, length: int) -> np.ndarray:
    """log p(right) - log p(wrong) of each pair given the words before it, nats, (N,).

    NaN where the vocabulary lacks a word, or the place is not among the first `length` words. ValueError for
    a tokenizer that cuts words into pieces.
    """
    tokenizer = language.tokenizer
    if not tokenizer.segmentation.whole_words:
        raise ValueError(f"data.tokenizer={tokenizer.kind}: whole words are compared: word is allowed")
    contexts, known = pairs.contexts(tokenizer, length), scored(tokenizer, pairs, length)
    rows, places = np.arange(len(pairs)), np.minimum(pairs.position, length - 1)
    losses = []
    for word in _words(tokenizer, pairs):
        target = contexts.target.copy()
        target[rows, places] = word
        of_word = token_losses(language.model, params, contexts._replace(target=target), language.hyper)
        losses.append(of_word[rows, places])
    return np.where(known, (losses[1] - losses[0]).astype(np.float64), np.nan)


def scored(tokenizer: Tokenizer, pairs: MinimalPairs, length: int) -> np.ndarray:
    """Which pairs have log-odds, bool (N,): both words in the vocabulary, the place in the first `length`."""
    right, wrong = _words(tokenizer, pairs)
    return (right != UNKNOWN) & (wrong != UNKNOWN) & (np.array(pairs.position) < length)


def _words(tokenizer, pairs):
    """The tokens of the right words and of the wrong ones, each (N,)."""
    return [np.array([row[0] for row in tokenizer.encode(column)]) for column in (pairs.right, pairs.wrong)]
