"""Looks at a growing number of seeds that keep the error rate together: each look spends a share of it.

The looks at up to n of at most N seeds spend n / N of it (alpha spending of Lan & DeMets 1983, here linear).
By Bonferroni over looks, any test that is valid at each look stays valid.
"""

from collections.abc import Sequence

import numpy as np

from attention_lab.statistics.paired import MOST, Interval, sign_flip_interval


def looks(least: int, most: int) -> tuple[int, ...]:
    """The numbers of seeds at which one looks: the least, the middle and the most.

    >>> looks(8, 16)
    (8, 12, 16)
    """
    return tuple(sorted({least, (least + most + 1) // 2, most}))


def shares(at: Sequence[int]) -> tuple[float, ...]:
    """The share of the error rate that each look spends, 1 in all.

    >>> shares([8, 12, 16])
    (0.5, 0.25, 0.25)
    """
    return tuple(float(share) for share in np.diff([0, *at]) / at[-1])


def over_looks(p_values: Sequence[float], spent: Sequence[float]) -> float:
    """One p from those of the looks so far, valid though one may stop at any of them; 1 before the first.

    >>> over_looks([0.03, 0.002], [0.5, 0.25, 0.25])
    0.008
    """
    return min([1.0, *(p / share for p, share in zip(p_values, spent))])


def interval_over_looks(differences: Sequence[Sequence[float]], spent: Sequence[float], level: float = 0.95
                        ) -> Interval:
    """The centres that no look so far rejects, an interval of at least `level` whenever one stops.

    differences: those of each look, which hold the earlier ones.
    """
    parts = [sign_flip_interval(each, 1.0 - (1.0 - level) * share)
             for each, share in zip(differences, spent) if len(each) > 1]
    parts = [part for part in parts if part.level < 1]
    if not parts or len(spent) == 1:
        return parts[0] if parts else Interval(-np.inf, np.inf, 1.0)
    low, high = max(part.low for part in parts), min(part.high for part in parts)
    if low > high:  # looks that contradict each other
        low, high, _ = parts[-1]
    return Interval(low, high, level)


def least_p(seeds: int) -> float:
    """The smallest p that the sign-flip test of so many seeds can have."""
    return 2.0 / 2 ** min(seeds, MOST)
