"""Dotted keys and text into a Config: strict, typed, pure; the command line and sweeps use it."""

import decimal
import difflib
import math
import os
import types
from collections.abc import Iterable, Mapping
from typing import Any

from attention_lab.config import Config, Field, all_fields, replace
from attention_lab.config.rules import DURATIONS, allowed, check, check_value, members, show
from attention_lab.config.sources import SOURCES


def apply(config: Config, given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Config:
    """`config` with text values put in at dotted keys, checked as a whole.

    A duration given replaces the config's other durations.

    Args:
      config: what to change; itself unchanged.
      given: {"model.num_heads": "8"}, or pairs, in which a key that comes twice is an error.
    Raises:
      ValueError: an unknown key, a key given twice, a wrong type, a value or a combination that is
        not allowed; one line that names the dotted key.
    """
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    values: dict[str, Any] = {}
    for key, text in pairs:
        if key in values:
            raise ValueError(f"{key} is given twice: {show(values[key])} and {text}")
        values[key] = parse(key, text)
    config = merge(config, values)
    check(config)
    for key in ("data.directory", "data.path"):
        readers = [name for name, source in SOURCES.items() if source.location == key]
        if values.get(key) and config.data.source not in readers:
            raise ValueError(f"{key}={values[key]} is given, but data.source={config.data.source} "
                             f"does not read it: data.source={', '.join(readers)} "
                             f"{'does' if len(readers) == 1 else 'do'}")
    return config


def merge(config: Config, values: Mapping[str, Any]) -> Config:
    """`config` with typed values put in at dotted keys, where a duration given unsets the others.

    Raises:
      ValueError: an unknown key, or two durations.
    """
    for key in values:
        field_of(key)
    durations = [key for key in DURATIONS if values.get(key) is not None]
    if len(durations) > 1:
        said = " and ".join(f"{key}={show(values[key])}" for key in durations)
        raise ValueError(f"{said} are both given: one duration is allowed")
    unset = {key: None for key in DURATIONS} if durations else {}
    return replace(config, unset | dict(values))


def combine(config: Config, variants: Mapping[str, Mapping[str, Any]], names: str) -> Config:
    """`config` changed by the named variants of a config file, in the order the file declares them.

    Args:
      config: the file's base.
      variants: typed values at dotted keys, by variant.
      names: `""`, or names parted by commas; the order in which they are asked for does not matter.
    Raises:
      ValueError: a name that is not among the variants.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in variants:
            raise ValueError(f"variant {name!r} is not known: allowed are {', '.join(variants)}"
                             f"{nearest(name, variants)}")
    for name, values in variants.items():
        if name in wanted:
            config = merge(config, values)
    return config


def field_of(key: str) -> Field:
    """The field at a dotted key.

    Raises:
      ValueError: there is none; names the nearest right key.
    """
    if key in all_fields():
        return all_fields()[key]
    inside = [other for other in all_fields() if other.startswith(key + ".")]
    if inside:
        raise ValueError(f"{key} is a group of fields: give one of {', '.join(inside)}")
    raise ValueError(f"{key} is not a field of the config{_nearest_key(key)}")


def parse(key: str, text: str) -> Any:
    """The typed value that a text means for a field.

    `1e3` is an integer where one is meant, `none` unsets an optional field, `12,16,20` is a tuple, and `~` at
    the beginning of a text is the user's home folder.

    Raises:
      ValueError: an unknown key, or a text that is no value of the field.
    """
    return value_of(field_of(key), text)


def value_of(field: Field, text: str) -> Any:
    """The typed value that a text means for a field; see `parse`."""
    for kind in sorted(members(field.type), key=_ORDER.index):
        try:
            value = read(kind, text)
            check_value(field, value)
            return value
        except ValueError:
            pass
    raise ValueError(f"{field.key}={text} is not {allowed(field)}{nearest(text, field.choices or ())}")


def read(kind: Any, text: str) -> Any:
    """The value of one of the types that fields have, from its text.

    Raises:
      ValueError: the text is no such value; nan and inf are not.
    """
    return _READERS[kind](text if kind is str else text.strip())


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing where no known word is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""


def _nearest_key(key: str) -> str:
    def likeness(known: str) -> float:
        whole = difflib.SequenceMatcher(None, key, known).ratio()
        # A field looked for in the wrong group is recognised by its own name.
        given, field = key.split(".")[-1], known.split(".")[-1]
        name = difflib.SequenceMatcher(None, given, field).ratio()
        initials = "".join(part[0] for part in field.split("_"))
        return whole + (1.0 if given == initials else name)  # lr and wd are in every hand
    best = max(all_fields(), key=likeness)
    if likeness(best) < 0.8:
        return "; --help lists them all"
    return f"; did you mean {best}?"


def _integer(text: str) -> int:
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError(text) from None
    # The bound keeps 1e999999999 from being written out digit by digit.
    if not number.is_finite() or number.adjusted() > 18 or number != number.to_integral_value():
        raise ValueError(text)
    return int(number)


def _number(text: str) -> float:
    return float(text) if math.isfinite(float(text)) else _no()


def _boolean(text: str) -> bool:
    return text.lower() == "true" if text.lower() in ("true", "false") else _no()


def _integers(text: str) -> tuple[int, ...]:
    inner = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
    return tuple(_integer(part) for part in inner.removesuffix(",").split(",")) if inner else ()


def _none(text: str) -> None:
    return None if text.lower() == "none" else _no()


def _no() -> Any:
    raise ValueError


# Numbers are tried before text, so that attention.scale=0.5 is a number and nan is refused.
_ORDER = (types.NoneType, bool, int, float, tuple[int, ...], str)
_READERS = {types.NoneType: _none, bool: _boolean, int: _integer, float: _number,
            tuple[int, ...]: _integers, str: os.path.expanduser}
