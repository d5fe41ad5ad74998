"""Spaces of overrides: lists of {dotted key: typed value}, made by product, zip and chain.

    product(axis("optimizer.learning_rate", log_spaced(1e-4, 1e-1, 4)), axis("seed", range(8)))
"""

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from attention_lab.config.parse import field_of, parse
from attention_lab.config.rules import check_value, show

Space = list[dict[str, Any]]

SPACED = re.compile(r"(log|linear|range)\(([^()]*)\)")


def axis(key: str, values: Iterable[Any]) -> Space:
    """One field through its values.

    Raises:
      ValueError: no such field, a value that it does not allow, no value, or one that comes twice.
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
    return [_merged(parts) for parts in itertools.product(*spaces)]


def zipped(*spaces: Space) -> Space:
    """The first of each, the second of each, and so on.

    Raises:
      ValueError: spaces of unequal length, or a field that stands in two of them.
    """
    sizes = [len(space) for space in spaces]
    if len(set(sizes)) > 1:
        raise ValueError(f"spaces of {', '.join(map(str, sizes))} cells can't be zipped: equal lengths can")
    return [_merged(parts) for parts in zip(*spaces)]


def chain(*spaces: Space) -> Space:
    """One space after another.

    Raises:
      ValueError: the same cell in two of them.
    """
    cells = list(itertools.chain(*spaces))
    for i, cell in enumerate(cells):
        if cell in cells[:i]:
            raise ValueError(f"the cell {describe(cell)} is in the sweep twice")
    return cells


def log_spaced(low: float, high: float, count: int) -> list[float]:
    """`count` numbers from low to high, each the same factor above the one before.

    >>> log_spaced(0.001, 0.1, 3)
    [0.001, 0.01, 0.1]
    """
    if not 0 < low < high or count < 2:
        raise ValueError(f"log({low:g},{high:g},{count}): 0 < low < high and at least 2 values are needed")
    ratio = math.log(high / low) / (count - 1)
    # Six digits: 0.01 is meant where 0.010000000000000002 comes out.
    return [float(f"{low * math.exp(i * ratio):.6g}") for i in range(count)]


def linear(low: float, high: float, count: int) -> list[float]:
    """`count` numbers from low to high at equal distances."""
    if not low < high or count < 2:
        raise ValueError(f"linear({low:g},{high:g},{count}): low < high and at least 2 values are needed")
    return [float(f"{low + (high - low) * i / (count - 1):.6g}") for i in range(count)]


def parse_axis(text: str) -> Space:
    """The axis that `config.KEY=VALUE,VALUE` spells.

    Values are a list parted by commas (by semicolons for a field that is a list itself), or
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
        return axis(key, [parse(key, show(one)) for one in _spaced(text, *spaced.groups())])
    mark = ";" if field.type == tuple[int, ...] else ","
    return axis(key, [parse(key, value.strip()) for value in values.split(mark)])


def parse_seeds(text: str) -> Space:
    """Seeds `0:8` (0 to 7) or `0,3,5`."""
    start, colon, stop = text.partition(":")
    try:
        seeds = list(range(int(start or 0), int(stop))) if colon else [int(one) for one in text.split(",")]
    except ValueError:
        raise ValueError(f"--seeds={text}: 0:8 (0 to 7) or 0,3,5 is the spelling") from None
    return axis("seed", seeds)


def describe(cell: dict[str, Any]) -> str:
    """A cell as the command line spells it, such as `--config.seed=3 --config.model.width=8`."""
    return " ".join(f"--config.{key}={show(value)}" for key, value in cell.items()) or "(no override)"


def _merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    cell: dict[str, Any] = {}
    for part in parts:
        both = cell.keys() & part.keys()
        if both:
            raise ValueError(f"{sorted(both)[0]} is swept twice")
        cell |= part
    return cell


def _spaced(text, name, inside):
    try:
        low, high, *count = (part.strip() for part in inside.split(","))
        if name == "range":
            start, stop = int(low), int(high)
            return list(range(start, stop, *(int(step) for step in count)))
        return {"log": log_spaced, "linear": linear}[name](float(low), float(high), *map(int, count))
    except (TypeError, ValueError) as error:
        if "needed" in str(error):
            raise
        raise ValueError(f"--sweep={text}: log(low,high,count), linear(low,high,count) or "
                         "range(start,stop) is the spelling") from None
