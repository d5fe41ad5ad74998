"""A block of random tokens that begins again: what comes next is what followed the token the first time.

    n = 5    source   d a f c b d a f
             target   . . . . . a f c

The n tokens of a block are different, so that one earlier token matches. Of T tokens n is drawn for each
sequence, from over a half of T to three quarters, so that the answer is at no fixed distance or place. Only
the second copy, which ends with the sequence, has answers: the tokens of the first can't be known (the random
repeated sequences of Elhage et al. 2021; Olsson et al. 2022).
"""

import numpy as np

from attention_lab.config.counts import counted
from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences
from attention_lab.data.synthetic.recall import distinct

SHORTEST = 7  # tokens of the shortest sequence with blocks of two sizes


def sequences(count: int, length: int, vocabulary_size: int, seed: int, split: str) -> Sequences:
    """Sequences of one split, (N, T); splits of one seed are independent.

    Args:
      count: N. length: T. vocabulary_size: words and the special ids. split: "train", "dev" or "test".
    Raises:
      ValueError: a length below SHORTEST, or fewer words than the longest block has.

    >>> drawn = sequences(1, 7, 12, seed=0, split="train")
    >>> drawn.source.shape, int((drawn.target > 0).sum()) in (2, 3)
    ((1, 7), True)
    """
    first = len(vocabulary.SPECIALS)
    words, least, most = vocabulary_size - first, length // 2 + 1, 3 * length // 4
    if length < SHORTEST:
        raise ValueError(f"data.length={length} has no blocks of several sizes: data.source=repeated needs "
                         f"at least {SHORTEST} tokens")
    if words < most:
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has {counted(words, 'words')} beside the "
                         f"special ids: with data.length={length} a block has up to {most}, so at "
                         f"least {first + most} ids are needed")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    bits = np.random.PCG64([seed, SPLITS.index(split)])
    block = first + distinct(bits, count, most, words).astype(np.int32)
    n = least + (bits.random_raw(count) % np.uint64(most - least + 1)).astype(np.int64)[:, None]
    t = np.arange(length)
    source = np.take_along_axis(block, np.where(t < n, t, t - n), axis=1)
    following = np.take_along_axis(block, np.maximum(t - n + 1, 0), axis=1)
    return Sequences(source, np.where(t < n, vocabulary.PAD, following).astype(np.int32))
