"""Does a language model give a verb the number of its subject? (Linzen et al. 2016)

The right form is preferred where `minimal_pairs.log_odds` are above 0, or counts of words alone say so.
"""

from collections import Counter

import numpy as np

from attention_lab.data.verbs import Verbs


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
