"""What a handful of paired differences says: an exact test, its interval, the t interval.

A difference is what one seed measured in one arm, less what the same seed measured in the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

MOST = 16  # differences whose sign flips are all tried: 65,536 of them


class Interval(NamedTuple):
    """Fields: low and high ends; level, the share of cases in which such intervals hold the truth."""

    low: float
    high: float
    level: float


def checked(differences: Sequence[float], least: int = 2) -> np.ndarray:
    """The differences as float64; ValueError unless they are at least `least` finite numbers."""
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or len(values) < least or not np.isfinite(values).all():
        raise ValueError(f"differences: at least {least} finite numbers are needed, given are "
                         f"{np.array2string(values, threshold=8)}")
    return values


def sign_flip(differences: Sequence[float], shift: float = 0.0) -> float:
    """Two-sided p of the exact paired sign-flip test (Fisher 1935) that the differences centre on `shift`.

    If they are symmetric about it each of the 2^n ways to flip their signs is as likely as what was
    seen: p is the share whose mean is at least as far from 0.

    Raises:
      ValueError: fewer than two differences, more than 16, or one that is not finite.

    >>> sign_flip([1.0, 2.0, 3.0])  # of eight ways two, all plus and all minus, are as far
    0.25
    """
    values = checked(differences) - shift
    if len(values) > MOST:
        raise ValueError(f"differences: {len(values)} are too many to try all flips; at most {MOST}")
    sums = _signs(len(values)) @ values
    # Sums that are equal but for rounding are ties.
    seen = abs(values.sum()) - 1e-12 * np.abs(values).sum()
    return float(np.mean(np.abs(sums) >= seen))


def sign_flip_interval(differences: Sequence[float], level: float = 0.95) -> Interval:
    """The centres that the sign-flip test does not reject: an exact interval.

    The means of the 2^n - 1 non-empty subsets cut the line into 2^n pieces, each of which holds the
    centre with the same chance (Hartigan 1969); as few as `level` allows are cut off at either end.

    Returns:
      the interval with the level it has, at least `level`; infinite ends where n is too small for it.

    >>> sign_flip_interval([1.0, 2.0, 4.0], level=0.75)
    Interval(low=1.0, high=4.0, level=0.75)
    """
    values = checked(differences)
    if len(values) > MOST:
        raise ValueError(f"differences: {len(values)} are too many to try all subsets; at most {MOST}")
    members = (_signs(len(values))[1:] + 1.0) / 2.0  # the first row is the empty subset
    means = np.sort(members @ values / members.sum(axis=1))
    pieces = len(means) + 1
    cut = int(np.floor(pieces * (1.0 - level) / 2.0 + 1e-9))
    if cut == 0:
        return Interval(-np.inf, np.inf, 1.0)
    return Interval(float(means[cut - 1]), float(means[-cut]), 1.0 - 2.0 * cut / pieces)


def t_interval(differences: Sequence[float], level: float = 0.95) -> Interval:
    """Student's interval of the mean of the differences."""
    found = stats.ttest_1samp(checked(differences), 0.0).confidence_interval(level)
    return Interval(float(found.low), float(found.high), level)


def interquartile_mean(values: Sequence[float]) -> float:
    """Mean without the lowest and the highest quarter (Agarwal et al. 2021).

    >>> interquartile_mean([1.0, 2.0, 4.0, 99.0])
    3.0
    """
    return float(stats.trim_mean(checked(values, 1), 0.25))


def _signs(n: int) -> np.ndarray:
    """All rows of n signs, (2^n, n); the first is all minus."""
    return 2.0 * ((np.arange(2 ** n)[:, None] >> np.arange(n)) & 1) - 1.0
