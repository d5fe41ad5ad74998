"""The value of a claim, as data: columns of a study's table, their slopes, differences, multiples.

    difference("test_accuracy", "scaled", "unscaled", key_size=nearest(256))
    mean("entropy", arm="unscaled", key_size=256)
    0.5 * mean("aer_diagonal", arm="gru") - mean("aer_predict", arm="gru")
    slope("variance", over="key_size", arm="scaled")
    function("better_step", arm="transformer")         # of the study's `functions`

Each is one number per seed; where the conditions name a seed, the same number for every seed.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Rows = list[dict[str, Any]]
Series = dict[int | None, float]  # by seed; None: the same for every seed
SKIP = "skip"  # value of `missing`: the seed is left out


class Value:
    """One number per seed; values can be subtracted, and multiplied by a number."""

    def __sub__(self, other: "Value") -> "Sum":
        return Sum(_terms(self) + tuple((-factor, value) for factor, value in _terms(other)))

    def __rmul__(self, factor: float) -> "Sum":
        return Sum(tuple((factor * old, value) for old, value in _terms(self)))


@dataclasses.dataclass(frozen=True)
class Nearest:
    """In a condition: the value nearest to `wanted` among the rows that meet the other conditions."""

    wanted: float


nearest = Nearest  # its name in claims


@dataclasses.dataclass(frozen=True)
class Column(Value):
    """A column in each seed's only row that meets the conditions.

    Fields:
      where: ((column, value), ...), sorted.
      missing: the number that replaces an empty cell, such as the worst score for a run that diverged;
        "skip" leaves the seed out; None raises ValueError.
    """

    column: str
    where: tuple[tuple[str, Any], ...]
    missing: float | str | None = None


@dataclasses.dataclass(frozen=True)
class Slope(Value):
    """Least-squares slope of log `column` on log `over`, over the rows of each seed."""

    column: str
    over: str
    where: tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Function(Value):
    """A function of the study's `functions`: (rows, **arguments) -> {seed: number}."""

    name: str
    arguments: tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Sum(Value):
    """A weighted sum: terms are (factor, value)."""

    terms: tuple[tuple[float, Value], ...]


def mean(column: str, missing: float | str | None = None, **where: Any) -> Column:
    """A column where the conditions hold; the claim is about its mean over seeds."""
    return Column(column, tuple(sorted(where.items())), missing)


def difference(column: str, arm: str, other: str, missing: float | str | None = None, **where: Any) -> Sum:
    """A column of an arm minus that of another arm, paired by seed."""
    return mean(column, missing, arm=arm, **where) - mean(column, missing, arm=other, **where)


def slope(column: str, over: str, **where: Any) -> Slope:
    """See `Slope`."""
    return Slope(column, over, tuple(sorted(where.items())))


def function(name: str, **arguments: Any) -> Function:
    """See `Function`."""
    return Function(name, tuple(sorted(arguments.items())))


def by_seed(value: Value, rows: Rows, functions: Mapping[str, Callable[..., Series]]) -> list[float]:
    """The value of each seed, in rising order of seeds.

    Raises:
      ValueError: not exactly one row of a seed meets the conditions, an empty cell, an unknown function, or
        terms of a sum with different seeds.
    """
    return of_seeds(value, lambda leaf: _leaf(leaf, rows, functions))


def of_seeds(value: Value, leaf: Callable[[Value], Series]) -> list[float]:
    """The value of each seed, where `leaf` evaluates the columns, slopes and functions in it."""
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
    """A value as JSON, each record with its kind."""
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
            if all(isinstance(value, Nearest) or row[name] == value for name, value in where)]
    for name, value in where:
        if isinstance(value, Nearest) and rows:
            present = sorted({row[name] for row in rows} - {None})
            chosen = min(present, key=lambda number, goal=value.wanted: abs(number - goal))
            rows = [row for row in rows if row[name] == chosen]
    return rows


def _spelled(where):
    return ", ".join(f"{name}={value}" for name, value in where)
