"""One marked word among fillers, to be given back at the end: the memory is one word at every distance.

    k = 3    source   b d A c d b
             target   . . . . . A

A word and the same word marked are two tokens, halves of one vocabulary. Words are uniform and independent,
so that nothing but the memory of the marked word helps. Sequences of all distances have the same words; only
the place of the mark differs.
"""

import numpy as np

from attention_lab.config.counts import counted
from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences


def sequences(count: int, distance: int, length: int, vocabulary_size: int, seed: int, split: str
              ) -> Sequences:
    """Sequences of one split; splits of one seed are independent.

    Args:
      count: N. distance: k, places from the marked word to the last token. length: T.
      vocabulary_size: words, the same words marked, and the special ids.
      split: "train", "dev" or "test".
    Raises:
      ValueError: a distance that is not below the length, or fewer than two words.

    >>> drawn = sequences(1, 2, 5, 8, seed=0, split="train")
    >>> (drawn.source >= 6).tolist(), int(drawn.target[0, 4]) == int(drawn.source[0, 2])
    ([[False, False, True, False, False]], True)
    """
    first = len(vocabulary.SPECIALS)
    words = (vocabulary_size - first) // 2
    if words < 2:
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has {counted(max(words, 0), 'words')} that "
                         f"can be marked: at least {first + 4} ids, for two words, are needed")
    if not 0 < distance < length:
        raise ValueError(f"data.distance={distance} does not fit data.length={length}: 1 to {length - 1} "
                         "is allowed")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    drawn = np.random.PCG64([seed, SPLITS.index(split)]).random_raw(count * length)
    source = (first + drawn % np.uint64(words)).astype(np.int32).reshape(count, length)
    source[:, length - 1 - distance] += words
    target = np.full_like(source, vocabulary.PAD)
    target[:, -1] = source[:, length - 1 - distance]
    return Sequences(source, target)
