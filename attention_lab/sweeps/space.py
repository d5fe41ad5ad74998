"""Spaces of overrides: lists of {dotted key: typed value}.

    product(axis("optimizer.learning_rate", [1e-3, 1e-2]), axis("seed", range(8)))
"""

import itertools
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from attention_lab.config.parse import field_of, parse
from attention_lab.config.values import check_value, show

Space = list[dict[str, Any]]

SPACED = re.compile(r"(log|linear|range)\(([^()]*)\)")


def axis(key: str, values: Iterable[Any]) -> Space:
    """A cell for each value of a field.

    Raises:
      ValueError: no such field, a value that it does not allow, no value, or one given twice.
    """
    field, values = field_of(key), list(values)
    for value in values:
        check_value(field, value)
    if not values:
        raise ValueError(f"{key}: the sweep has no value")
    repeated = [value for i, value in enumerate(values) if value in values[:i]]
    if repeated:
        raise ValueError(f"{key}: the sweep has {show(repeated[0])} twice")
    return [{key: value} for value in values]


def product(*spaces: Space) -> Space:
    """Every combination, the last space varying fastest.

    >>> product(axis("seed", [0, 1]), axis("model.width", [8, 16]))[1]
    {'seed': 0, 'model.width': 16}

    Raises:
      ValueError: a field that stands in two of the spaces.
    """
    cells = []
    for parts in itertools.product(*spaces):
        keys = [key for part in parts for key in part]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"{key} is swept twice")
        cells.append({key: value for part in parts for key, value in part.items()})
    return cells


def parse_axis(text: str) -> Space:
    """The axis that `config.KEY=VALUE,VALUE` spells.

    Values are a list separated by commas (by semicolons where the field is a list itself), or
    log(low,high,count), linear(low,high,count), range(start,stop).

    Raises:
      ValueError: text that spells none; the line names the key.
    """
    key, equals, values = text.partition("=")
    key = key.strip().removeprefix("config.")
    if not equals or not values.strip():
        raise ValueError(f"--sweep={text}: --sweep=config.KEY=VALUE,VALUE is the spelling")
    field = field_of(key)
    spaced = SPACED.fullmatch(values.strip())
    if spaced:
        return axis(key, [parse(key, show(value)) for value in _spaced(text, *spaced.groups())])
    separator = ";" if field.type == tuple[int, ...] else ","
    return axis(key, [parse(key, value.strip()) for value in values.split(separator)])


def parse_seeds(text: str) -> Space:
    """Seeds `0:8` (0 to 7) or `0,3,5`."""
    start, colon, stop = text.partition(":")
    try:
        seeds = range(int(start or 0), int(stop)) if colon else [int(seed) for seed in text.split(",")]
    except ValueError:
        raise ValueError(f"--seeds={text}: 0:8 (0 to 7) or 0,3,5 is the spelling") from None
    return axis("seed", seeds)


def describe(cell: dict[str, Any]) -> str:
    """A cell as the command line spells it, such as `--config.seed=3 --config.model.width=8`."""
    return " ".join(f"--config.{key}={show(value)}" for key, value in cell.items()) or "(no override)"


def _spaced(text, name, arguments):
    try:
        if name == "range":
            start, stop, *step = map(int, arguments.split(","))
            return range(start, stop, *step)
        low, high, count = arguments.split(",")
        low, high, count = float(low), float(high), int(count)
    except (TypeError, ValueError):
        raise ValueError(f"--sweep={text}: log(low,high,count), linear(low,high,count) or "
                         "range(start,stop) is the spelling") from None
    if not low < high or count < 2 or (name == "log" and low <= 0):
        zero = "0 < " if name == "log" else ""
        raise ValueError(f"{name}({arguments}): {zero}low < high and at least 2 values are needed")
    # Six digits: 0.01 is meant where 0.010000000000000002 comes out.
    spacing = {"log": np.geomspace, "linear": np.linspace}
    return [float(f"{value:.6g}") for value in spacing[name](low, high, count)]
