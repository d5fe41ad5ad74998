"""K-fold recall: one query names k places of a sequence at once and wants their k values.

    k = 2    source   v7 v2 v9 v4   {0,3}  .   {1,2}  .
             target    .  .  .  .    v7   v4    v2   v9

The answers stand at the query and the k - 1 positions after it, whose source is PAD: all k are read out of
the state of the query (`ModelSpec.answers`), in the order of the places. A set of places is one token and
values are uniform, so that each of the k values has to be looked up from that one position (compare the
q-sparse averaging of Sanford, Hsu & Telgarsky 2023).
"""

import math

import numpy as np

from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences


def sequences(count: int, pairs: int, fold: int, vocabulary_size: int, seed: int, split: str) -> Sequences:
    """Sequences of one split, in which each place is asked for once; splits of one seed are independent.

    Args:
      count: N. pairs: P, places with a value. fold: k, a divisor of P.
      vocabulary_size: values, sets of k places and the special ids; half of it names values.
      split: "train", "dev" or "test".
    Raises:
      ValueError: k does not divide P, or there are more sets of places than ids for them.

    >>> drawn = sequences(1, 4, 2, 24, seed=0, split="train")
    >>> drawn.source.shape, int((drawn.target > 0).sum()), int((drawn.source == 0).sum())
    ((1, 8), 4, 2)
    """
    if pairs % fold:
        raise ValueError(f"data.fold={fold} does not divide data.pairs={pairs}")
    first, sets = len(vocabulary.SPECIALS), math.comb(pairs, fold)
    half = (vocabulary_size - first) // 2
    if half < max(sets, 2):
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has ids for {half} sets of places: "
                         f"data.fold={fold} of data.pairs={pairs} needs at least {2 * max(sets, 2) + first}")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    bits = np.random.PCG64([seed, SPLITS.index(split)])
    values = (bits.random_raw(count * pairs) % np.uint64(half)).astype(np.int64).reshape(count, pairs)
    order = np.argsort(bits.random_raw(count * pairs).reshape(count, pairs), axis=1)
    places = np.sort(order.reshape(count, -1, fold), axis=2)
    source, target = np.full((2, count, 2 * pairs), vocabulary.PAD, np.int32)
    source[:, :pairs] = first + values
    source[:, pairs::fold] = first + half + rank(places, pairs)
    target[:, pairs:] = first + np.take_along_axis(values, places.reshape(count, -1), 1)
    return Sequences(source, target)


def rank(places: np.ndarray, pairs: int) -> np.ndarray:
    """The number of each set of rising places (..., k) among all sets of that size, from 0.

    >>> rank(np.array([[0, 1], [0, 2], [1, 2], [2, 3]]), 4).tolist()
    [0, 1, 2, 5]
    """
    below = np.array([[math.comb(place, i + 1) for i in range(places.shape[-1])] for place in range(pairs)])
    return below[places, np.arange(places.shape[-1])].sum(axis=-1)
