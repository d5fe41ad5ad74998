"""Inference from few paired differences: an exact test and its interval, equivalence, multiple tests.

A difference is the value of a seed in one arm minus the value of the same seed in the other arm.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

MOST = 16  # differences whose sign flips, 2^16 = 65,536, are all tried; of more, as many drawn at random


class Interval(NamedTuple):
    """Fields: low and high ends; level, the probability that such an interval covers the truth."""

    low: float
    high: float
    level: float


def sign_flip(differences: Sequence[float], shift: float = 0.0) -> float:
    """Two-sided p of the exact paired sign-flip test (Fisher 1935) that the differences centre on `shift`.

    If they are symmetric about it, all 2^n ways to flip their signs are equally likely: p is the share whose
    mean is at least as far from 0 as the observed one. Of more than 16 differences 2^16 flips are drawn, one
    of which leaves all signs alone; that keeps the test valid. ValueError for fewer than two differences, or
    one that is not finite.

    >>> sign_flip([1.0, 2.0, 3.0])  # of eight ways two, all plus and all minus, are as far
    0.25
    """
    values = _checked(differences) - shift
    sums = _signs(len(values)) @ values
    # Sums that are equal but for rounding are ties.
    observed = abs(values.sum()) - 1e-12 * np.abs(values).sum()
    return float(np.mean(np.abs(sums) >= observed))


def sign_flip_interval(differences: Sequence[float], level: float = 0.95) -> Interval:
    """The centres that the sign-flip test does not reject: an exact interval of at least `level`.

    The means of the 2^n - 1 non-empty subsets cut the line into 2^n pieces that are equally likely to contain
    the centre (Hartigan 1969). The ends are infinite where n is too small for `level`.

    >>> sign_flip_interval([1.0, 2.0, 4.0], level=0.75)
    Interval(low=1.0, high=4.0, level=0.75)
    """
    values = _checked(differences)
    members = (_signs(len(values))[1:] + 1.0) / 2.0  # the first row is the empty subset
    means = np.sort(members @ values / members.sum(axis=1))
    pieces = len(means) + 1
    cut = int(np.floor(pieces * (1.0 - level) / 2.0 + 1e-9))
    if cut == 0:
        return Interval(-np.inf, np.inf, 1.0)
    return Interval(float(means[cut - 1]), float(means[-cut]), 1.0 - 2.0 * cut / pieces)


def tost(differences: Sequence[float], margin: float) -> float:
    """p of two one-sided t tests (Schuirmann 1987); small if the mean lies between -margin and margin.

    ValueError for a margin that is not above 0, or differences that `sign_flip` refuses.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin}: a number above 0 is needed")
    values = _checked(differences)
    if values.std() == 0:  # scipy divides by it
        return float(abs(values[0]) >= margin)
    low = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    high = stats.ttest_1samp(values, margin, alternative="less").pvalue
    return float(max(low, high))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values of a family, adjusted to bound the chance of any false rejection (Holm 1979).

    ValueError for a value outside 0 to 1.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values: {list(p_values)} leave 0 to 1")
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted.tolist()


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The t interval of a mean; infinite for one value.

    >>> [round(end, 2) for end in mean_interval([1.0, 2.0, 3.0])[:2]]
    [-0.48, 4.48]
    """
    if len(values) < 2:
        return Interval(-np.inf, np.inf, 1.0)
    values = _checked(values)
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return Interval(float(values.mean() - half), float(values.mean() + half), level)


def _checked(differences: Sequence[float]) -> np.ndarray:
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError("differences: at least 2 finite numbers are needed, given are "
                         f"{np.array2string(values, threshold=8)}")
    return values


def _signs(n: int) -> np.ndarray:
    """All rows of n signs, (2^n, n), or 2^MOST of them; the first is all minus, and the last all plus."""
    if n > MOST:
        drawn = 2.0 * np.random.default_rng(0).integers(2, size=(2 ** MOST, n)) - 1.0
        drawn[0], drawn[-1] = -1.0, 1.0
        return drawn
    return 2.0 * ((np.arange(2 ** n)[:, None] >> np.arange(n)) & 1) - 1.0
