"""Whether importances agree: in rank, with each other, and with the word that decides."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

Importances = Sequence[np.ndarray]


def kendall(first: Importances, second: Importances) -> np.ndarray:
    """Kendall's tau-b of two importances of each sentence's words, (N,) (Jain & Wallace 2019, section 4.1).

    nan for a sentence of one word, or if either importance is the same for all words. ValueError if the
    two do not have the same sentences, with the same numbers of words.
    """
    return _tests(first, second)[:, 0]


def significant_share(first: Importances, second: Importances) -> float:
    """Share of the sentences with a tau in which its two-sided p is below 0.05; nan if there are none."""
    p = _tests(first, second)[:, 1]
    return float(np.mean(p[np.isfinite(p)] < 0.05)) if np.isfinite(p).any() else float("nan")


def _tests(first, second):
    """tau and p of each sentence, (N, 2)."""
    if [len(row) for row in first] != [len(row) for row in second]:
        raise ValueError(f"importances of {len(first)} and of {len(second)} sentences: the same sentences, "
                         "and as many words in each, are needed")
    results = np.full((len(first), 2), np.nan)
    for i, (row, other) in enumerate(zip(first, second)):
        if len(row) > 1 and np.ptp(row) > 0 and np.ptp(other) > 0:
            results[i] = stats.kendalltau(row, other)
    return results


def finding_auc(importances: Importances, deciders: Sequence[int], targets: Sequence[int]) -> np.ndarray:
    """How well importances find the deciding word: the share of the other words that are ranked lower, (N,).

    1 if it is first, 0.5 by chance; ties count half. The ambiguous word is left out; nan if no other is left.

    Args:
      importances: (W,) of each sentence.
      deciders: index of the deciding word. targets: index of the ambiguous word, or -1.
    Raises:
      ValueError: an importance that is not finite, a decider outside its sentence or in `targets`.

    >>> finding_auc([np.array([0.1, 9.0, 0.3, 0.2])], [2], [1])
    array([1.])
    """
    auc = np.full(len(importances), np.nan)
    for i, (row, decider, target) in enumerate(zip(importances, deciders, targets, strict=True)):
        row = np.asarray(row, np.float64)
        if not np.isfinite(row).all():
            raise ValueError(f"importances: {int((~np.isfinite(row)).sum())} of a sentence's {len(row)} are "
                             "no numbers; finite ones are needed")
        if not 0 <= decider < len(row) or decider == target:
            raise ValueError(f"deciders: {decider} in a sentence of {len(row)} words whose target is word "
                             f"{target}; another word of the sentence is needed")
        others = np.delete(row, [decider] if target < 0 else [decider, target])
        if len(others):
            auc[i] = np.mean((others < row[decider]) + 0.5 * (others == row[decider]))
    return auc
