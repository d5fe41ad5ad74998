"""Power laws of the loss above the entropy: loss - H = a x^-alpha, a straight line, as H is known."""

from collections.abc import Callable
from typing import Any

import numpy as np

from attention_lab.studies.values import Rows, Series


def exponent(x: np.ndarray, excess: np.ndarray) -> float:
    """alpha of excess = a x^-alpha, by least squares on the logarithms.

    >>> round(exponent(np.array([1.0, 2.0, 4.0]), np.array([8.0, 4.0, 2.0])), 6)
    1.0
    """
    return float(-np.polyfit(np.log(x), np.log(excess), 1)[0])


def by_seed(rows: Rows, arm: str, value: Callable[[Rows], Any]) -> Series:
    """{seed: value of that seed's rows of an arm, from the smallest model to the largest}."""
    groups: dict[int, Rows] = {}
    for row in sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["width"]):
        groups.setdefault(row["seed"], []).append(row)
    return {seed: value(group) for seed, group in groups.items()}


def of_weights(rows: Rows, arm: str, first: int = 0) -> Series:
    """alpha over the weights, by seed, from model number `first` on; negative: from the largest."""
    return by_seed(rows, arm, lambda group: exponent(
        np.array([row["weights"] for row in group[first:]], float),
        np.array([row["test_excess"] for row in group[first:]])))


def of_data(rows: Rows, arm: str, share: float) -> Series:
    """alpha over tokens, by seed, of the largest model on dev, after this share of its steps."""
    def value(group):
        steps, excess = group[-1]["curve"].T
        late = steps >= share * steps[-1]
        return exponent(steps[late], excess[late])

    return by_seed(rows, arm, value)


def of_compute(rows: Rows, arm: str, points: int = 9) -> Series:
    """alpha over the compute, weights x tokens, by seed, of the best model for each compute, on dev."""
    return by_seed(rows, arm, lambda group: exponent(*frontier(group, points)))


def frontier(group: Rows, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute (weights x steps), from what the smallest model takes in all to what the largest does, and the
    least excess of a model at no more than that, interpolated between its evaluations.
    """
    ends = [row["weights"] * row["curve"][-1, 0] for row in (group[0], group[-1])]
    compute = np.geomspace(*ends, points)
    excess = [np.exp(np.interp(np.log(compute), np.log(row["weights"] * row["curve"][:, 0]),
                               np.log(row["curve"][:, 1]), left=np.inf)) for row in group]
    return compute, np.min(excess, axis=0)
