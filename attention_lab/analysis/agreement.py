"""Whether importances agree: with each other, in rank, and with the word that is known to decide."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

Importances = Sequence[np.ndarray]


def kendall(first: Importances, second: Importances) -> np.ndarray:
    """Kendall's tau-b of two importances of each sentence's words (Jain & Wallace 2019, section 4.1).

    Returns:
      (N,), nan for a sentence of one word, and where either is the same for all words: no order, no tau.
    Raises:
      ValueError: other sentences, or sentences of other lengths, in the second.
    """
    return _tests(first, second)[:, 0]


def significant_share(first: Importances, second: Importances, level: float = 0.05) -> float:
    """Share of the sentences that have a tau in which its two-sided p is below the level; nan for none."""
    p = _tests(first, second)[:, 1]
    return float(np.mean(p[np.isfinite(p)] < level)) if np.isfinite(p).any() else float("nan")


def _tests(first, second):
    """tau and p of each sentence, (N, 2)."""
    if [len(one) for one in first] != [len(one) for one in second]:
        raise ValueError(f"importances of {len(first)} and of {len(second)} sentences: the same sentences, "
                         "and as many words in each, are needed")
    found = np.full((len(first), 2), np.nan)
    for i, (one, two) in enumerate(zip(first, second)):
        if len(one) > 1 and np.ptp(one) > 0 and np.ptp(two) > 0:
            found[i] = stats.kendalltau(one, two)
    return found


def finding_auc(importances: Importances, deciders: Sequence[int], places: Sequence[int]) -> np.ndarray:
    """How well each importance finds the deciding word: the share of the other words that it puts below it.

    1 where it comes first, 0.5 by chance; equals count half. The asked word itself is left out.

    Args:
      importances: (W,) of each sentence. deciders: the word that decides. places: the asked one, or -1.
    Returns:
      (N,), nan where no other word is left.
    Raises:
      ValueError: an importance that is no number, a decider that is outside its sentence or asked about.

    >>> finding_auc([np.array([0.1, 9.0, 0.3, 0.2])], [2], [1])
    array([1.])
    """
    found = np.full(len(importances), np.nan)
    for i, (one, decider, place) in enumerate(zip(importances, deciders, places, strict=True)):
        one = np.asarray(one, np.float64)
        if not np.isfinite(one).all():
            raise ValueError(f"importances: {int((~np.isfinite(one)).sum())} of a sentence's {len(one)} are "
                             "no numbers; finite ones are needed")
        if not 0 <= decider < len(one) or decider == place:
            raise ValueError(f"deciders: {decider} in a sentence of {len(one)} words that asks about word "
                             f"{place}; another word of the sentence is needed")
        others = np.delete(one, [decider] if place < 0 else [decider, place])
        if len(others):
            found[i] = np.mean((others < one[decider]) + 0.5 * (others == one[decider]))
    return found
