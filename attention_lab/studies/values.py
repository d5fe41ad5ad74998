"""What a claim is about, as data: columns of a study's table, their slopes, differences and multiples.

    difference("test_accuracy", "scaled", "unscaled", key_size=nearest(256))
    mean("entropy", arm="unscaled", key_size=256)
    0.5 * mean("aer_diagonal", arm="gru") - mean("aer_predict", arm="gru")
    slope("variance", over="key_size", arm="scaled")
    function("better_step", arm="transformer")         # of the study's `functions`

Each is one number for every seed. Where the conditions name a seed it is one number for all of them.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Rows = list[dict[str, Any]]
Series = dict[int | None, float]  # by seed; None: the same for every seed
SKIP = "skip"  # of `missing`: the seed is left out


class Value:
    """A number for every seed; values can be subtracted and multiplied by numbers."""

    def __sub__(self, other: "Value") -> "Sum":
        return Sum(_terms(self) + tuple((-factor, value) for factor, value in _terms(other)))

    def __rmul__(self, factor: float) -> "Sum":
        return Sum(tuple((factor * old, value) for old, value in _terms(self)))


@dataclasses.dataclass(frozen=True)
class Nearest:
    """In a condition: of the values that rows have which meet the other ones, the nearest to `wanted`."""

    wanted: float


@dataclasses.dataclass(frozen=True)
class Column(Value):
    """The cell of a column in the one row of each seed that meets the conditions.

    Fields:
      column. where: ((column, value), ...), sorted.
      missing: what an empty cell counts as, such as the worst score for a run that diverged; "skip": the
        seed is left out; None: a ValueError.
    """

    column: str
    where: tuple[tuple[str, Any], ...]
    missing: float | str | None = None


@dataclasses.dataclass(frozen=True)
class Slope(Value):
    """Least-squares slope of the logarithm of a column on that of `over`, over the rows of each seed."""

    column: str
    over: str
    where: tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Function(Value):
    """A function that the study names: (rows, **arguments) -> {seed: number}."""

    name: str
    arguments: tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Sum(Value):
    """A sum of values, each times a factor."""

    terms: tuple[tuple[float, Value], ...]


def mean(column: str, missing: float | str | None = None, **where: Any) -> Column:
    """A column where the conditions hold; over seeds, its mean is judged."""
    return Column(column, tuple(sorted(where.items())), missing)


def difference(column: str, one: str, other: str, missing: float | str | None = None, **where: Any) -> Sum:
    """A column of one arm less that of another, seed by seed."""
    return mean(column, missing, arm=one, **where) - mean(column, missing, arm=other, **where)


def slope(column: str, over: str, **where: Any) -> Slope:
    """The slope of log `column` on log `over`."""
    return Slope(column, over, tuple(sorted(where.items())))


def function(name: str, **arguments: Any) -> Function:
    """A function of the table that the study registers under this name."""
    return Function(name, tuple(sorted(arguments.items())))


def nearest(wanted: float) -> Nearest:
    """In a condition: the nearest that the table has."""
    return Nearest(wanted)


def by_seed(value: Value, rows: Rows, functions: Mapping[str, Callable[..., Series]]) -> list[float]:
    """The value of each seed, the seeds rising.

    Raises:
      ValueError: conditions that leave a seed no row or several, an empty cell, an unknown function, or
        parts of a sum that have other seeds.
    """
    return of_seeds(value, lambda leaf: _leaf(leaf, rows, functions))


def of_seeds(value: Value, leaf: Callable[[Value], Series]) -> list[float]:
    """The value of each seed, where `leaf` gives the columns, slopes and functions that it is made of."""
    parts = [(factor, leaf(term)) for factor, term in _terms(value)]
    seeds = {frozenset(series) for _, series in parts if None not in series}
    if len(seeds) != 1:
        raise ValueError(f"{value}: its parts have the seeds {sorted(map(sorted, seeds))}")
    numbers = [sum(factor * series.get(seed, series.get(None)) for factor, series in parts)
               for seed in sorted(*seeds)]
    skips = any(isinstance(term, Column) and term.missing == SKIP for _, term in _terms(value))
    if any(map(math.isnan, numbers)) and not skips:
        raise ValueError(f"{value} is not a number for every seed")
    return [float(number) for number in numbers if not math.isnan(number)]


def plain(value: Any) -> Any:
    """A value as JSON holds it, with the name of its kind."""
    if dataclasses.is_dataclass(value):
        return {"kind": type(value).__name__.lower()} | {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def _terms(value: Value) -> tuple[tuple[float, Value], ...]:
    return value.terms if isinstance(value, Sum) else ((1.0, value),)


def _leaf(value: Value, rows: Rows, functions: Mapping[str, Callable[..., Series]]) -> Series:
    if isinstance(value, Function):
        if value.name not in functions:
            raise ValueError(f"function {value.name!r} is none of the study's: {', '.join(functions)}")
        return functions[value.name](rows, **dict(value.arguments))
    groups: dict[Any, Rows] = {}
    for row in _where(rows, value.where):
        groups.setdefault(None if "seed" in dict(value.where) else row["seed"], []).append(row)
    if not groups:
        raise ValueError(f"no row has {_spelled(value.where)}")
    return {seed: _number(value, group, seed) for seed, group in groups.items()}


def _number(value, rows, seed):
    if isinstance(value, Slope):
        points = np.array([(row[value.over], row[value.column]) for row in
                           sorted(rows, key=lambda row: row[value.over])], float)
        return np.polyfit(*np.log(points.T), 1)[0]
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} rows of seed {seed} have {_spelled(value.where)}: one is needed")
    cell = rows[0][value.column]
    if cell is None and value.missing is None:
        raise ValueError(f"seed {seed} has no {value.column} where {_spelled(value.where)}")
    if cell is None:
        return math.nan if value.missing == SKIP else value.missing
    return cell


def _where(rows: Rows, where: tuple[tuple[str, Any], ...]) -> Rows:
    rows = [row for row in rows
            if all(isinstance(wanted, Nearest) or row[name] == wanted for name, wanted in where)]
    for name, wanted in where:
        if isinstance(wanted, Nearest) and rows:
            present = sorted({row[name] for row in rows} - {None})
            chosen = min(present, key=lambda number, goal=wanted.wanted: abs(number - goal))
            rows = [row for row in rows if row[name] == chosen]
    return rows


def _spelled(where):
    return ", ".join(f"{name}={wanted}" for name, wanted in where)
