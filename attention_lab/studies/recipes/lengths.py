"""Sentences of the grammar by length, and the length at which a translator loses them."""

import functools

import numpy as np

from attention_lab.config import Data
from attention_lab.data import grammar
from attention_lab.data.grammar import Sentence
from attention_lab.data.sources import load


@functools.cache
def unseen(data: Data, length: int, count: int) -> list[Sentence]:
    """Pairs of exactly `length` English words that are not in the train split of `data`.

    Raises:
      ValueError: there are fewer than `count`.
    """
    train = set(load(data, ("train",))["train"].source)
    # Another seed than the corpus's, and more sentences than needed, as some may be in train.
    drawn = grammar.generate(3 * count, seed=1000 + data.corpus_seed, lexicon_size=data.lexicon_size,
                             min_words=length, max_words=length)
    unseen = [pair for pair in drawn if pair.source not in train][:count]
    if len(unseen) < count:
        raise ValueError(f"{len(unseen)} of {len(drawn)} sentences of {length} words are not in train: "
                         f"{count} are needed")
    return unseen


def length_at(lengths: np.ndarray, scores: np.ndarray, level: float) -> float:
    """The length at which scores first fall below `level`, linear in log length between neighbours.

    The shortest length where all are below, the longest where none is.

    >>> length_at(np.array([5, 20]), np.array([90.0, 30.0]), 60.0)
    10.0
    """
    below = np.flatnonzero(np.asarray(scores) < level)
    if not len(below):
        return float(lengths[-1])
    after = below[0]
    if after == 0:
        return float(lengths[0])
    share = (scores[after - 1] - level) / (scores[after - 1] - scores[after])
    return float(lengths[after - 1] * (lengths[after] / lengths[after - 1]) ** share)
