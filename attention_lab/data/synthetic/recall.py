"""Multi-query associative recall (Arora et al. 2023): pairs of a key and its value, then keys again.

    source   k3 v7 k1 v2 k9 v2   k1 k9 k3
    target    .  .  .  .  .  .   v2 v2 v7

Keys and values are disjoint parts of one vocabulary. A key is defined once in a sequence and asked for at
most once, values are uniform, so that an answer can only be looked up.
"""

import numpy as np

from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences

AT_ONCE = 1 << 24  # numbers drawn and sorted at once, to save memory


def sequences(count: int, pairs: int, vocabulary_size: int, seed: int, split: str, queries: int = 0,
              keys: int = 0, values: int = 0) -> Sequences:
    """Sequences of one split, (N, 2 P + Q); splits of one seed are independent.

    Args:
      count: N. pairs: P. split: "train", "dev" or "test".
      vocabulary_size: keys, values and the special ids.
      queries: Q, keys asked for; 0: all P. keys, values: ids of either; 0: half of those that aren't special.
    Raises:
      ValueError: fewer keys than a sequence has pairs or queries, or ids that would be key and value.

    >>> drawn = sequences(1, 2, 12, seed=0, split="train")
    >>> drawn.source.shape, int((drawn.target > 0).sum())
    ((1, 6), 2)
    """
    first = len(vocabulary.SPECIALS)
    half, least = (vocabulary_size - first) // 2, max(pairs, 2)
    if not keys and half < least:
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has {half} keys: data.pairs={pairs} needs "
                         f"at least {2 * least + first} ids")
    keys, values, queries = keys or half, values or half, queries or pairs
    if keys < least or values < 2:
        raise ValueError(f"data.keys={keys} and data.values={values}: data.pairs={pairs} needs at least "
                         f"{least} keys and 2 values")
    if keys + values > vocabulary_size - first:
        raise ValueError(f"data.keys={keys} and data.values={values} overlap: data.vocabulary_size="
                         f"{vocabulary_size} has {vocabulary_size - first} ids for both")
    if queries > pairs:
        raise ValueError(f"data.queries={queries}: data.pairs={pairs} allows at most {pairs}, for a key is "
                         "asked for at most once")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    bits = np.random.PCG64([seed, SPLITS.index(split)])
    drawn = distinct(bits, count, pairs, keys)
    answers = (bits.random_raw(count * pairs) % np.uint64(values)).astype(np.int64).reshape(count, pairs)
    order = np.argsort(bits.random_raw(count * pairs).reshape(count, pairs), axis=1)[:, :queries]
    source, target = np.full((2, count, 2 * pairs + queries), vocabulary.PAD, np.int32)
    source[:, 0:2 * pairs:2], source[:, 1:2 * pairs:2] = first + drawn, first + keys + answers
    source[:, 2 * pairs:] = first + np.take_along_axis(drawn, order, 1)
    target[:, 2 * pairs:] = first + keys + np.take_along_axis(answers, order, 1)
    return Sequences(source, target)


def distinct(bits: np.random.PCG64, count: int, size: int, among: int) -> np.ndarray:
    """(count, size) numbers below `among`, those of a row different, in random order."""
    parts = np.array_split(np.arange(count), max(1, -(-count * among // AT_ONCE)))
    return np.concatenate([np.argsort(bits.random_raw(len(part) * among).reshape(len(part), among), axis=1)[
        :, :size] for part in parts])
