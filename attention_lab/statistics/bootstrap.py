"""Intervals by resampling, for display: with eight values they cover less than they say (about 89 %)."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from attention_lab.statistics.paired import Interval, checked

RESAMPLES = 9999


def percentile(values: Sequence[float], statistic: Callable = np.mean, level: float = 0.95,
               seed: int = 0) -> Interval:
    """Percentile interval of a statistic (Efron 1979); `statistic` takes an axis argument."""
    return _scipy(values, statistic, level, seed, "percentile")


def bca(values: Sequence[float], statistic: Callable = np.mean, level: float = 0.95,
        seed: int = 0) -> Interval:
    """Bias-corrected and accelerated interval of a statistic (Efron 1987)."""
    return _scipy(values, statistic, level, seed, "BCa")


def _scipy(values, statistic, level, seed, method):
    values = checked(values)
    if values.std() == 0:  # nothing to resample; scipy would give nan
        return Interval(float(values[0]), float(values[0]), level)
    found = stats.bootstrap((values,), statistic, confidence_level=level, n_resamples=RESAMPLES,
                            method=method, rng=np.random.default_rng(seed)).confidence_interval
    return Interval(float(found.low), float(found.high), level)


def two_level(parts: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray] | None = None,
              level: float = 0.95, seed: int = 0, resamples: int = 2000) -> Interval | list[Interval]:
    """Percentile interval over seeds and sentences, each drawn anew: noise of training and of the test set.

    The sentences that are drawn are the same for all seeds of a resample, as all seeds are scored on
    one test set.

    Args:
      parts: (seeds, sentences, ...), what each seed has on each sentence, such as a difference between
        two arms, or the counts that BLEU is made of.
      statistic: sums over sentences (seeds, ...) -> a number for each seed (seeds,), or several,
        (seeds, N), for N intervals of the same resamples; None for the mean over sentences of `parts`
        (seeds, sentences).
    Returns:
      An Interval; a list of N where the statistic has N columns.
    Raises:
      ValueError: fewer than two seeds or sentences.
    """
    parts = np.asarray(parts, np.float64)
    if parts.ndim < 2 or min(parts.shape[:2]) < 2:
        raise ValueError(f"parts has shape {parts.shape}; at least two seeds and two sentences are needed")
    seeds, sentences = parts.shape[:2]
    rng, found = np.random.default_rng(seed), []
    for _ in range(resamples):
        drawn = parts[rng.integers(seeds, size=seeds)]
        counts = np.bincount(rng.integers(sentences, size=sentences), minlength=sentences)
        sums = np.tensordot(drawn, counts.astype(np.float64), axes=(1, 0))
        found.append(np.mean(sums / sentences if statistic is None else statistic(sums), axis=0))
    ends = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    intervals = [Interval(float(low), float(high), level) for low, high in ends.reshape(2, -1).T]
    return intervals if ends.ndim > 1 else intervals[0]
