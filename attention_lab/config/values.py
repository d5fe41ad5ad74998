"""The value of one field: whether its declaration allows it, and how the command line spells both."""

import math
import types
import typing
from typing import Any

from attention_lab.config.schema import Field


def check_value(field: Field, value: Any) -> None:
    """Raises a ValueError for a value of the wrong type, or outside its choices or bounds."""
    right = any(_is(value, kind) for kind in members(field.type))
    if isinstance(value, str):
        right = right and (not field.choices or value in field.choices)
    elif right and isinstance(value, (int, float)):
        right = ((field.low is None or value >= field.low) and (field.high is None or value <= field.high)
                 and (field.above is None or value > field.above))
    if not right:
        raise ValueError(f"{field.key}={show(value)} is not {allowed(field)}")


def members(kind: Any) -> tuple[Any, ...]:
    """The types that a declared type unites: (int, NoneType) for `int | None`."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def allowed(field: Field) -> str:
    """The allowed values of a field, in words: `an integer from 1 to 64, or none`."""
    bounds = ""
    if field.above is not None:
        bounds = f" above {field.above:g}" + ("" if field.high is None else f" and at most {field.high:g}")
    elif field.low is not None and field.high is not None:
        bounds = f" from {field.low:.10g} to {field.high:.10g}"
    elif field.low is not None:
        bounds = f" of at least {field.low:g}"
    words = {int: "an integer" + bounds, float: "a number" + bounds, bool: "true or false",
             str: f"one of {', '.join(field.choices)}" if field.choices else "text",
             tuple[int, ...]: "integers parted by commas", types.NoneType: "none"}
    return ", or ".join(words[kind] for kind in members(field.type))


def show(value: Any) -> str:
    """A value as the command line spells it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "''"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) or "''"


def _is(value: Any, kind: Any) -> bool:
    if kind == tuple[int, ...]:
        return isinstance(value, tuple) and all(_is(item, int) for item in value)
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (int, float)) and math.isfinite(value)
    return isinstance(value, kind)
