"""The fields of a config by dotted key: their declarations and values."""

import dataclasses
import functools
import operator
import typing
from typing import Any, NamedTuple

from attention_lab.config.fields import Config


class Field(NamedTuple):
    """One field of Config: its dotted key, declared type, and the arguments of `field`."""

    key: str
    type: Any
    default: Any
    meaning: str
    choices: tuple[str, ...] | None
    low: float | None
    high: float | None
    above: float | None
    recorded: bool
    traced: bool


@functools.cache
def all_fields(group: type = Config, prefix: str = "") -> dict[str, Field]:
    """Every field by dotted key, in the order of the tree."""
    by_key = {}
    types = typing.get_type_hints(group)
    for declared in dataclasses.fields(group):
        key, kind = prefix + declared.name, types[declared.name]
        if dataclasses.is_dataclass(kind):
            by_key |= all_fields(kind, key + ".")
        else:
            by_key[key] = Field(key, kind, declared.default, **declared.metadata)
    return by_key


def get(config: Any, key: str) -> Any:
    """The value at a dotted key, as `optimizer.learning_rate`; AttributeError if there is none."""
    return operator.attrgetter(key)(config)


def replace(config: Any, values: dict[str, Any]) -> Any:
    """`config` with the values at these dotted keys put in; types are not converted here."""
    for key, value in values.items():
        head, _, rest = key.partition(".")
        if head not in vars(config):
            raise AttributeError(f"{type(config).__name__} has no field {head}")
        value = replace(getattr(config, head), {rest: value}) if rest else value
        config = type(config)(**vars(config) | {head: value})
    return config
