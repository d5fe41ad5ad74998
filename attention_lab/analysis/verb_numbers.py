"""Does a language model give a verb the number of its subject? (Linzen et al. 2016)

Asked at the verb, given all words before it, for log p(right form) - log p(wrong form), and what is preferred
by counts of words alone.
"""

from collections import Counter
from typing import Any

import numpy as np

from attention_lab.analysis.token_losses import token_losses
from attention_lab.data.tokenizers import Tokenizer
from attention_lab.data.verbs import Verbs
from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.tasks.language.language_model import LanguageModel


def log_odds(language: LanguageModel, params: Any, verbs: Verbs, length: int) -> np.ndarray:
    """log p(right) - log p(wrong) of each verb given the words before it, nats, (N,).

    NaN where the vocabulary lacks a form, or the verb is not among the first `length` words. ValueError for a
    tokenizer that cuts words into pieces.
    """
    tokenizer = language.tokenizer
    if not tokenizer.segmentation.whole_words:
        raise ValueError(f"data.tokenizer={tokenizer.kind}: forms of a verb are compared as whole words: "
                         "word is allowed")
    contexts, known = verbs.contexts(tokenizer, length), scored(tokenizer, verbs, length)
    rows, places = np.arange(len(verbs)), np.minimum(verbs.position, length - 1)
    losses = []
    for form in _forms(tokenizer, verbs):
        target = contexts.target.copy()
        target[rows, places] = form
        of_form = token_losses(language.model, params, contexts._replace(target=target), language.hyper)
        losses.append(of_form[rows, places])
    return np.where(known, (losses[1] - losses[0]).astype(np.float64), np.nan)


def scored(tokenizer: Tokenizer, verbs: Verbs, length: int) -> np.ndarray:
    """Which verbs have log-odds, bool (N,): both forms in the vocabulary, the verb in the first `length`."""
    right, wrong = _forms(tokenizer, verbs)
    return (right != UNKNOWN) & (wrong != UNKNOWN) & (np.array(verbs.position) < length)


def _forms(tokenizer, verbs):
    """The tokens of the right forms and of the wrong ones, each (N,)."""
    return [np.array([row[0] for row in tokenizer.encode(column)]) for column in (verbs.right, verbs.wrong)]


def unigram(train: Verbs, verbs: Verbs) -> np.ndarray:
    """How much more often the right form than the wrong one is a word of train, (N,)."""
    counts = Counter(word for text in train.text for word in text.split(" "))
    return np.array([counts[right] - counts[wrong] for right, wrong in zip(verbs.right, verbs.wrong)])


def bigram(train: Verbs, verbs: Verbs) -> np.ndarray:
    """How much more often it follows the word before the verb in train; where equally often, `unigram`."""
    counts = Counter(pair for text in train.text for pair in _pairs(text))
    before = [["", *text.split(" ")][place] for text, place in zip(verbs.text, verbs.position)]
    more = np.array([counts[word, right] - counts[word, wrong]
                     for word, right, wrong in zip(before, verbs.right, verbs.wrong)])
    return np.where(more, more, unigram(train, verbs))


def _pairs(text):
    words = text.split(" ")
    return zip(["", *words], words)


def correct(odds: np.ndarray) -> np.ndarray:
    """1 where the right form is preferred, 0 where the wrong one is, 1/2 where neither; NaN stays."""
    return np.where(np.isnan(odds), np.nan, 0.5 + 0.5 * np.sign(odds))


def balanced(odds: np.ndarray, singular: np.ndarray) -> float:
    """The share of right preferences among singular subjects and that among plural ones, mean of both.

    A model that always prefers one number, as counts of words do, has 1/2. NaN odds are left out; NaN
    without verbs of either number.

    >>> balanced(np.array([1.0, 2.0, 3.0, -1.0]), np.array([False, False, False, True]))
    0.5
    """
    known = ~np.isnan(odds)
    parts = [correct(odds[known & (singular == number)]) for number in (True, False)]
    return float(np.mean([part.mean() for part in parts])) if all(map(len, parts)) else float("nan")
