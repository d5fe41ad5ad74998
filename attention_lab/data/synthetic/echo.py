"""Echo: repeat the word k positions back, so that each answer is at one distance.

    k = 2    source   b a d a c
             target   . . b a d

Words are uniform and independent, so that nothing but the memory of that word helps.
"""

import numpy as np

from attention_lab.config.counts import counted
from attention_lab.data import vocabulary
from attention_lab.data.corpus import SPLITS
from attention_lab.data.sequences import Sequences


def sequences(count: int, distance: int, answers: int, vocabulary_size: int, seed: int, split: str
              ) -> Sequences:
    """Sequences of one split; splits of one seed are independent.

    Args:
      count: N. distance: k. answers: number of words to repeat; T is k more.
      vocabulary_size: words and the special ids; ValueError for fewer than two words.
      split: "train", "dev" or "test".

    >>> drawn = sequences(1, 2, 3, 12, seed=0, split="train")
    >>> drawn.source.shape, drawn.target[0, 2:].tolist() == drawn.source[0, :3].tolist()
    ((1, 5), True)
    """
    first = len(vocabulary.SPECIALS)
    words = vocabulary_size - first
    if words < 2:
        raise ValueError(f"data.vocabulary_size={vocabulary_size} has {counted(words, 'words')} beside the "
                         f"special ids: an echo needs at least {first + 2} ids")
    # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
    drawn = np.random.PCG64([seed, SPLITS.index(split)]).random_raw(count * (distance + answers))
    source = (first + drawn % np.uint64(words)).astype(np.int32).reshape(count, -1)
    target = np.full_like(source, vocabulary.PAD)
    target[:, distance:] = source[:, :answers]
    return Sequences(source, target)
