"""Timings of alternatives for the same work: one after the other in each round, medians and quartiles."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def interleaved(ways: Mapping[str, Callable[..., Callable[[], Any]]], inputs: Callable[[int], tuple],
                rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round; each does its work once before the first.

    Args:
      ways: {name: function of a round's arguments that prepares them, untimed, and returns a function that
        does the work}.
      inputs: round -> arguments of all ways, fresh in each round; round -1 is not timed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-1, rounds):
        arguments = inputs(number)
        for name, way in ways.items():
            work = way(*arguments)
            began = time.perf_counter()
            work()
            if number >= 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    return tuple(float(x) for x in np.percentile(values, [25, 50, 75]))
