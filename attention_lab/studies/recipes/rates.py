"""Arms at their best learning rate, tuned on dev with seeds of their own, and which had not enough steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attention_lab.studies.values import Rows

TUNING_SEEDS = (100, 101, 102, 103)


def cells(arms: Sequence[Mapping[str, Any]], settings: Mapping[str, Any],
          tuned: Sequence[Mapping[str, Any]] | None = None) -> Rows:
    """Tuning cells at each of `rates`; then the final ones, whose rate is None: the best.

    Args:
      arms: the columns that name each. settings: with rates, tuning_seeds and seeds.
      tuned: the arms that are tuned, whose rates others take; None: all.
    """
    tuning = [{"stage": "tune", **arm, "rate": rate, "seed": seed} for arm in tuned or arms
              for rate in settings["rates"] for seed in TUNING_SEEDS[:settings["tuning_seeds"]]]
    return tuning + [{"stage": "final", **arm, "rate": None, "seed": seed}
                     for arm in arms for seed in range(settings["seeds"])]


def by_rate(rows: Rows, column: str, worst: float, **arm: Any) -> dict[float, float]:
    """{rate: mean of a column over the tuning seeds of an arm}, rates rising.

    worst: in the place of an empty cell, of a run that diverged.
    """
    scores: dict[float, list[float]] = {}
    for row in rows:
        if row["stage"] == "tune" and all(row[name] == value for name, value in arm.items()):
            scores.setdefault(row["rate"], []).append(worst if row[column] is None else row[column])
    return {rate: float(np.mean(scores[rate])) for rate in sorted(scores)}


def best(scores: Mapping[float, float]) -> float:
    """The rate with the highest score, of `by_rate`; the lowest of equals.

    >>> best({0.001: 0.2, 0.003: 0.9, 0.01: 0.9})
    0.003
    """
    return min(scores, key=lambda rate: (-scores[rate], rate))


def still_rising(rows: Rows, margin: float, *names: str) -> list[str]:
    """Arms whose `late_rise`, mean over final seeds, is above a margin: "gru 40" and the like.

    names: the columns that name an arm.
    """
    rises: dict[str, list[float]] = {}
    for row in rows:
        if row["stage"] == "final" and row["late_rise"] is not None:
            rises.setdefault(" ".join(str(row[name]) for name in names), []).append(row["late_rise"])
    return [arm for arm, rise in rises.items() if np.mean(rise) > margin]


def late_rise(scores: np.ndarray) -> float:
    """The last of the scores on dev less that at four fifths of them; ValueError for none.

    >>> late_rise(np.array([0.1, 0.5, 0.6, 0.7, 0.9])).__round__(2)
    0.2
    """
    if not len(scores):
        raise ValueError("there are no scores on dev")
    return float(scores[-1] - scores[max(0, int(0.8 * len(scores)) - 1)])
