"""Scores of a classifier, by word and over all words, and the majority class of each word."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class ClassScore(NamedTuple):
    """Fields: accuracy over all examples; macro_f1, mean over words of the mean F1 of a word's classes;
    by_word, {word: (accuracy, macro_f1)}."""

    accuracy: float
    macro_f1: float
    by_word: dict[str, tuple[float, float]]


def class_scores(words: Sequence[str], gold: Sequence[str], predicted: Sequence[str]) -> ClassScore:
    """Accuracy and macro-averaged F1 over the classes that are gold or predicted.

    Args:
      words: the ambiguous word of each example, "" where there is none.
      gold, predicted: classes.
    Raises:
      ValueError: no examples, or unequal counts.

    >>> class_scores(["bank"] * 4, ["a", "a", "a", "b"], ["a", "a", "b", "b"]).by_word["bank"][0]
    0.75
    """
    from sklearn.metrics import f1_score  # here, as it would slow the start of every program
    if not len(words) == len(gold) == len(predicted) or not len(words):
        raise ValueError(f"{len(words)} words, {len(gold)} gold classes and {len(predicted)} predicted ones: "
                         "as many of each, and at least one, are needed")
    words, gold, predicted = (np.asarray(side, object) for side in (words, gold, predicted))
    by_word = {}
    for word in sorted(set(words)):
        truth, answers = gold[words == word], predicted[words == word]
        f1 = f1_score(truth.tolist(), answers.tolist(), average="macro", zero_division=0.0)
        by_word[word] = float(np.mean(truth == answers)), float(f1)
    macro_f1 = float(np.mean([f1 for _, f1 in by_word.values()]))
    return ClassScore(float(np.mean(gold == predicted)), macro_f1, by_word)


def most_frequent(words: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """The most frequent class of each word, the alphabetically first of a tie.

    >>> most_frequent(["bank", "bank", "bank"], ["rive", "banque", "banque"])
    {'bank': 'banque'}
    """
    counts = defaultdict(Counter)
    for word, label in zip(words, labels):
        counts[word][label] += 1
    return {word: max(sorted(counts[word]), key=counts[word].get) for word in sorted(counts)}


def by_distance(sentences: Sequence, gold: Sequence[str], predicted: Sequence[str],
                bins: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[float, int]]:
    """Accuracy by the distance of the deciding word from the ambiguous one.

    Args:
      sentences: the grammar's; senses[0] is to be predicted.
      bins: least and greatest distance of each, in words.
    Returns:
      {bin: (accuracy, examples)}; a bin without examples is left out.
    """
    distances = np.array([sentence.senses[0].distance for sentence in sentences])
    right = np.array([truth == answer for truth, answer in zip(gold, predicted)])
    inside = {edges: (distances >= edges[0]) & (distances <= edges[1]) for edges in bins}
    return {edges: (float(right[chosen].mean()), int(chosen.sum()))
            for edges, chosen in inside.items() if chosen.any()}
