"""Columns of arms over the length of a sequence: exponents, ratios, and the length at which two arms cross.

A row has seed, width, length, and a column ARM_COLUMN for each arm, None where the arm was not measured.
"""

import math

import numpy as np

from attention_lab.statistics import Interval, one_level
from attention_lab.studies.values import Rows, Series


def of_seeds(rows: Rows, width: int, *names: str) -> dict[int, Rows]:
    """The rows of each seed that have this width and these columns, in rising order of lengths."""
    seeds = {}
    for row in sorted(rows, key=lambda row: row["length"]):
        if row["width"] == width and all(row.get(name) is not None for name in names):
            seeds.setdefault(row["seed"], []).append(row)
    return seeds


def slope_from(rows: Rows, arm: str, column: str, least: int, width: int) -> Series:
    """The exponent of a column from a length on, by seed; of the last two where the arm has no more."""
    name, slopes = f"{arm}_{column}", {}
    for seed, measured in of_seeds(rows, width, name).items():
        points = [row for row in measured if row["length"] >= least]
        points = points if len(points) > 1 else measured[-2:]
        logs = [np.log([row[key] for row in points]) for key in ("length", name)]
        slopes[seed] = round(float(np.polyfit(*logs, 1)[0]), 9)
    return slopes


def ratio_at(rows: Rows, arm: str, other: str, column: str, length: int, width: int) -> Series:
    """log2 of a column of an arm over that of another, at the nearest length that both have, by seed."""
    names, ratios = (f"{arm}_{column}", f"{other}_{column}"), {}
    for seed, both in of_seeds(rows, width, *names).items():
        row = min(both, key=lambda row: abs(row["length"] - length))
        ratios[seed] = round(math.log2(row[names[0]] / row[names[1]]), 9)
    return ratios


def crossing(rows: Rows, arm: str, other: str, column: str, width: int) -> Series:
    """The length at which an arm begins to need more than another, by seed; nan where it never does."""
    names, crossed_at = (f"{arm}_{column}", f"{other}_{column}"), {}
    for seed, both in of_seeds(rows, width, *names).items():
        points = [(math.log(row["length"]), math.log(row[names[0]] / row[names[1]])) for row in both]
        crossings = [a[0] - a[1] * (b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(points, points[1:])
                     if a[1] <= 0 < b[1]]
        crossed_at[seed] = math.exp(crossings[-1]) if crossings and points[-1][1] > 0 else math.nan
    return crossed_at


def log_crossing(rows: Rows, arm: str, other: str, column: str, width: int) -> Series:
    """log2 of `crossing`, by seed.

    Where an arm never needs more, that of the longest length; where it needs more from the start, of the
    shortest: what was not measured makes no crossing greater than the lengths are.
    """
    crossings, logs = crossing(rows, arm, other, column, width), {}
    for seed, both in of_seeds(rows, width, f"{arm}_{column}", f"{other}_{column}").items():
        more = both[-1][f"{arm}_{column}"] > both[-1][f"{other}_{column}"]
        end = both[0 if more else -1]["length"]
        logs[seed] = round(math.log2(end if math.isnan(crossings[seed]) else crossings[seed]), 9)
    return logs


def crossing_interval(rows: Rows, arm: str, other: str, column: str, width: int
                      ) -> tuple[float, Interval] | None:
    """The median of `crossing` over seeds, and its bootstrap interval; None if a seed has no crossing."""
    lengths = list(crossing(rows, arm, other, column, width).values())
    return None if np.isnan(lengths).any() else (float(np.median(lengths)), one_level(lengths, np.median))
