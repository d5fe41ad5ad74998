"""Scores of a classifier, word by word and over words, beside always saying the most frequent class."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class ClassScore(NamedTuple):
    """Fields: accuracy over all examples; macro_f1, mean over words of the mean F1 of a word's classes;
    by_word, {word: (accuracy, macro_f1)}."""

    accuracy: float
    macro_f1: float
    by_word: dict[str, tuple[float, float]]


def class_scores(words: Sequence[str], gold: Sequence[str], found: Sequence[str]) -> ClassScore:
    """Accuracy and macro-averaged F1 (the F1 of a class that is neither there nor found does not count).

    Args:
      words: the ambiguous word of each example, "" where there is none.
      gold, found: classes.
    Raises:
      ValueError: no examples, or unequal counts.

    >>> class_scores(["bank"] * 4, ["a", "a", "a", "b"], ["a", "a", "b", "b"]).by_word["bank"][0]
    0.75
    """
    from sklearn.metrics import f1_score
    if not len(words) == len(gold) == len(found) or not len(words):
        raise ValueError(f"{len(words)} words, {len(gold)} gold classes and {len(found)} that were found: as "
                         "many of each, and at least one, are needed")
    words, gold, found = (np.asarray(side, object) for side in (words, gold, found))
    by_word = {}
    for word in sorted(set(words)):
        own, other = gold[words == word].tolist(), found[words == word].tolist()
        right = float(np.mean([one == two for one, two in zip(own, other)]))
        by_word[word] = right, float(f1_score(own, other, average="macro", zero_division=0.0))
    macro_f1 = float(np.mean([f1 for _, f1 in by_word.values()]))
    return ClassScore(float(np.mean(gold == found)), macro_f1, by_word)


def most_frequent(words: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """The class that a word has most often; of equals the first in the order of names.

    >>> most_frequent(["bank", "bank", "bank"], ["rive", "banque", "banque"])
    {'bank': 'banque'}
    """
    counts: Mapping[str, Counter] = {word: Counter() for word in sorted(set(words))}
    for word, label in zip(words, labels):
        counts[word][label] += 1
    return {word: min(count, key=lambda label: (-count[label], label)) for word, count in counts.items()}


def by_distance(sentences: Sequence, gold: Sequence[str], found: Sequence[str],
                bins: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[float, int]]:
    """Accuracy by how far the deciding word stands from the ambiguous one.

    Args:
      sentences: the grammar's, whose senses[0] is what is asked.
      gold, found: classes. bins: (least, greatest) distance of each, in words.
    Returns:
      {bin: (accuracy, examples)}; a bin without examples is left out.
    """
    distances = np.array([sentence.senses[0].distance for sentence in sentences])
    right = np.array([one == two for one, two in zip(gold, found)])
    inside = {edges: (distances >= edges[0]) & (distances <= edges[1]) for edges in bins}
    return {edges: (float(right[chosen].mean()), int(chosen.sum()))
            for edges, chosen in inside.items() if chosen.any()}
