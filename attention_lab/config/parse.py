"""Parses text values at dotted keys into a Config: strict and typed; for the command line and sweeps."""

import contextlib
import decimal
import difflib
import os
import types
from collections.abc import Iterable, Mapping
from typing import Any

from attention_lab.config import Config, Field, all_fields, replace
from attention_lab.config.registries import SOURCES
from attention_lab.config.rules import DURATIONS, check, fitted
from attention_lab.config.values import allowed, check_value, members, show

CUSTOMARY = {"lr": "learning_rate", "wd": "weight_decay"}  # abbreviations of fields in other codebases


def apply(config: Config, given: Mapping[str, str] | Iterable[tuple[str, str]], whole: bool = True
          ) -> Config:
    """A copy of `config` with text values put in at dotted keys, checked as a whole; see `merge`.

    Args:
      given: {"model.num_heads": "8"}, or pairs, in which a key that comes twice is an error.
      whole: False for a config that the cells of a sweep will complete: these are checked instead.
    Raises:
      ValueError: an unknown key, a key given twice, a wrong type, a value or a combination that is not
        allowed; one line that names the dotted key.
    """
    values: dict[str, Any] = {}
    for key, text in given.items() if isinstance(given, Mapping) else given:
        if key in values:
            raise ValueError(f"{key} is given twice: {show(values[key])} and {text}")
        values[key] = parse(key, text)
    config = merge(config, values)
    if whole:
        check(config)
    for key in ("data.directory", "data.path"):
        readers = [name for name, source in SOURCES.items() if source.location == key]
        if values.get(key) and config.data.source not in readers:
            raise ValueError(f"{key}={values[key]} is given, but data.source={config.data.source} does not "
                             f"read it: data.source={', '.join(readers)} {'do' if readers[1:] else 'does'}")
    return config


def merge(config: Config, values: Mapping[str, Any]) -> Config:
    """A copy of `config` with typed values put in at dotted keys; a given duration unsets the others.

    A given model.kind puts fields that it does not read at the values that it requires, unless given too.
    A ValueError names an unknown key, or two durations.
    """
    for key in values:
        field_of(key)
    durations = [key for key in DURATIONS if values.get(key) is not None]
    if len(durations) > 1:
        listed = " and ".join(f"{key}={show(values[key])}" for key in durations)
        raise ValueError(f"{listed} are both given: one duration is allowed")
    unset = {key: None for key in DURATIONS} if durations else {}
    config = replace(config, unset | dict(values))
    if values.get("model.kind") in all_fields()["model.kind"].choices:
        changes = fitted(config, values["model.kind"])
        config = replace(config, {key: value for key, value in changes.items() if key not in values})
    return config


def combine(config: Config, variants: Mapping[str, Mapping[str, Any]], names: str) -> Config:
    """`config` changed by the named variants of a config file, in the order the file declares them.

    `variants` are typed values at dotted keys, by name; `names` are separated by commas, in any order, or "".
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in variants:
            raise ValueError(f"variant {name!r} is not known: allowed are {', '.join(variants)}"
                             f"{nearest(name, variants)}")
    for name, values in variants.items():
        if name in chosen:
            config = merge(config, values)
    return config


def field_of(key: str) -> Field:
    """The field at a dotted key; where there is none, a ValueError names the nearest right key."""
    if key in all_fields():
        return all_fields()[key]
    inside = [other for other in all_fields() if other.startswith(key + ".")]
    if inside:
        raise ValueError(f"{key} is a group of fields: give one of {', '.join(inside)}")
    raise ValueError(f"{key} is not a field of the config{_nearest_key(key)}")


def parse(key: str, text: str) -> Any:
    """The typed value of a text for the field at a dotted key; see `value_of`."""
    return value_of(field_of(key), text)


def value_of(field: Field, text: str) -> Any:
    """The typed value of a text for a field; a ValueError says what is allowed.

    `1e3` is an integer where one is allowed, `none` unsets an optional field, `12,16,20` is a tuple, and `~`
    at the beginning of a text is the user's home folder.
    """
    for kind, read in _READERS.items():
        if kind in members(field.type):
            with contextlib.suppress(ValueError, KeyError):
                value = read(text if kind is str else text.strip())
                check_value(field, value)
                return value
    raise ValueError(f"{field.key}={text} is not {allowed(field)}{nearest(text, field.choices or ())}")


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean X?` with the most similar of `words`, or "" if none is similar."""
    matches = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {matches[0]}?" if matches else ""


def _nearest_key(key: str) -> str:
    def likeness(other: str) -> float:
        whole = difflib.SequenceMatcher(None, key, other).ratio()
        # A field looked for in the wrong group is recognised by the last part of its key.
        given, name = key.split(".")[-1], other.split(".")[-1]
        if name == CUSTOMARY.get(given):
            return whole + 1.0
        return whole + difflib.SequenceMatcher(None, given, name).ratio()
    best = max(all_fields(), key=likeness)
    return f"; did you mean {best}?" if likeness(best) >= 0.8 else "; --help lists them all"


def _integer(text: str) -> int:
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError(text) from None
    # The bound keeps 1e999999999 from being written out digit by digit.
    if not number.is_finite() or number.adjusted() > 18 or number != number.to_integral_value():
        raise ValueError(text)
    return int(number)


def _integers(text: str) -> tuple[int, ...]:
    inner = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
    return tuple(_integer(part) for part in inner.removesuffix(",").split(",")) if inner else ()


# In this order: numbers before text, so that attention.scale=0.5 is a number. KeyError: not of this type.
_READERS = {types.NoneType: lambda text: {"none": None}[text.lower()],
            bool: lambda text: {"false": False, "true": True}[text.lower()],
            int: _integer, float: float, tuple[int, ...]: _integers, str: os.path.expanduser}
