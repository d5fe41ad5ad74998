"""Intervals by the bootstrap: seeds, or seeds and sentences, drawn anew with replacement."""

from collections.abc import Callable, Sequence

import numpy as np

from attention_lab.statistics.paired import Interval

RESAMPLES = 2000
LEVEL = 0.95


def two_level(parts: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> list[Interval]:
    """Percentile intervals from resampled seeds and sentences: variation of training and of the test set.

    All seeds of a resample get the same sentences, as they are scored on one test set.

    Args:
      parts: (seeds, sentences, ...), statistics of each seed on each sentence, such as counts for BLEU.
      statistic: sums over sentences (seeds, ...) -> N numbers for each seed, (seeds, N); the intervals are of
        their means.
    Raises:
      ValueError: fewer than two seeds or sentences.
    """
    parts = np.asarray(parts, np.float64)
    if parts.ndim < 2 or min(parts.shape[:2]) < 2:
        raise ValueError(f"parts has shape {parts.shape}; at least two seeds and two sentences are needed")
    seeds, sentences = parts.shape[:2]
    rng, means = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        resampled = parts[rng.integers(seeds, size=seeds)]
        counts = np.bincount(rng.integers(sentences, size=sentences), minlength=sentences)
        sums = np.tensordot(resampled, counts.astype(np.float64), axes=(1, 0))
        means.append(np.mean(statistic(sums), axis=0))
    return [_percentile(column) for column in np.transpose(means)]


def one_level(values: Sequence[float], statistic: Callable[[np.ndarray], np.ndarray] = np.mean) -> Interval:
    """A percentile interval of a statistic of numbers, one for each seed, from resampled seeds.

    Args:
      values: (seeds,). statistic: as np.mean and np.median, with an axis.
    Raises:
      ValueError: fewer than two numbers, or some that are not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"values are {values.tolist()}; at least two finite numbers are needed")
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    return _percentile(statistic(values[drawn], axis=1))


def _percentile(resampled):
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), LEVEL)
