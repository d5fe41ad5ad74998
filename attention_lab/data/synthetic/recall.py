"""Multi-query associative recall (Arora et al. 2023): pairs of a key and its value, then every key again.

    source   k3 v7 k1 v2 k9 v2   k1 k9 k3
    target    .  .  .  .  .  .   v2 v2 v7

Keys and values are two halves of one vocabulary. A key is defined once in a sequence, values are uniform, so
that an answer can only be looked up.
"""

import numpy as np

from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences


def sequences(count: int, pairs: int, vocabulary_size: int, seed: int, split: str) -> Sequences:
    """Sequences of one split; splits of one seed are independent.

    Args:
      count: N. pairs: P. split: "train", "dev" or "test".
      vocabulary_size: keys, values and the special ids; ValueError for fewer keys than a sequence has pairs.

    >>> drawn = sequences(1, 2, 12, seed=0, split="train")
    >>> drawn.source.shape, int((drawn.target > 0).sum())
    ((1, 6), 2)
    """
    first = len(vocabulary.SPECIALS)
    half = (vocabulary_size - first) // 2
    if half < max(pairs, 2):
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has {half} keys: data.pairs={pairs} needs "
                         f"at least {2 * max(pairs, 2) + first} ids")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    bits = np.random.PCG64([seed, SPLITS.index(split)])
    keys = np.argsort(bits.random_raw(count * half).reshape(count, half), axis=1)[:, :pairs]
    values = (bits.random_raw(count * pairs) % np.uint64(half)).astype(np.int64).reshape(count, pairs)
    order = np.argsort(bits.random_raw(count * pairs).reshape(count, pairs), axis=1)
    source, target = np.full((2, count, 3 * pairs), vocabulary.PAD, np.int32)
    source[:, 0:2 * pairs:2], source[:, 1:2 * pairs:2] = first + keys, first + half + values
    source[:, 2 * pairs:] = first + np.take_along_axis(keys, order, 1)
    target[:, 2 * pairs:] = first + half + np.take_along_axis(values, order, 1)
    return Sequences(source, target)
