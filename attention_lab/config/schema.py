"""One experiment as a frozen value: what the file and the flags say, hashed and stored.

`split` parts a `Config` in two: the `Structure`, which is static and picks the program, and the `Hyper`,
numbers that may vary inside one program and so may be traced. The fields are in fields.py, what a config
may say is checked in rules.py. Nothing here imports jax, so that a mistyped flag is answered before jax has
started.
"""

import dataclasses
import functools
import hashlib
import json
import typing
from typing import Any, NamedTuple

import numpy as np

from attention_lab.config.choices import facts, look_up
from attention_lab.config.fields import (
    Attention,
    Data,
    Decoding,
    Group,
    Model,
    Optimizer,
    Traced,
    Training,
    field,
    group,
)
from attention_lab.config.sources import SOURCES

# Raised by one whenever a default or a meaning changes: old run folders are not taken for new ones.
SCHEMA = 2

RECURRENT = ("rnn", "lstm", "gru")  # kinds of model
WITHOUT_LAYERS = ("average", "bag_of_words")  # kinds of model that look at each token by itself
POOLED = ("additive", "dot")  # poolings by attention
LEARNED_POSITIONS = 512  # rows of the table of learned positions


@group
class Config(Group):
    """One experiment, whole."""

    seed: int = field(0, "seed of the initial weights, the order of examples and dropout", low=0,
                      high=2**31 - 1, traced=True)
    data: Data = dataclasses.field(default_factory=Data)
    model: Model = dataclasses.field(default_factory=Model)
    attention: Attention = dataclasses.field(default_factory=Attention)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    training: Training = dataclasses.field(default_factory=Training)
    decoding: Decoding = dataclasses.field(default_factory=Decoding)


# A Config whose fields of Hyper can't be read, as of `split`.
Structure = Config


class Hyper(NamedTuple):
    """Numbers that may vary inside one program; float32 scalars, the seed uint32; may be traced.

    A named tuple is a pytree as it stands; `hyper._replace(dropout=...)` gives a changed copy.
    """

    learning_rate: Any
    weight_decay: Any
    dropout: Any
    attention_scale: Any
    label_smoothing: Any
    seed: Any


class Field(NamedTuple):
    """One field of Config: its dotted key, declared type, default, and what `field` was told."""

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
    found = {}
    types = typing.get_type_hints(group)
    for one in dataclasses.fields(group):
        key, kind = prefix + one.name, types[one.name]
        if dataclasses.is_dataclass(kind):
            found |= all_fields(kind, key + ".")
        else:
            found[key] = Field(key, kind, one.default, **one.metadata)
    return found


HYPER_FIELDS = tuple(key for key, one in all_fields().items() if one.traced)


def task_of(config: Config) -> str:
    """The key in tasks/registry.py of the task that `data.source` belongs to."""
    return look_up(SOURCES, "data.source", config.data.source).task


def get(config: Any, key: str) -> Any:
    """The value at a dotted key, as `optimizer.learning_rate`; AttributeError if there is none."""
    for name in key.split("."):
        config = getattr(config, name)
    return config


def replace(config: Any, values: dict[str, Any]) -> Any:
    """`config` with the values at these dotted keys put in; types are not converted here."""
    for key, value in values.items():
        head, _, rest = key.partition(".")
        if head not in vars(config):
            raise AttributeError(f"{type(config).__name__} has no field {head}")
        value = replace(getattr(config, head), {rest: value}) if rest else value
        config = type(config)(**vars(config) | {head: value})
    return config


def key_size(model: Model) -> int:
    """Size K of a head's query and key, or of the states that a recurrent network compares."""
    if model.kind in RECURRENT:
        return model.hidden
    return model.width // model.num_heads if model.key_size is None else model.key_size


def value_size(model: Model) -> int:
    """Size V of a head's value."""
    return model.width // model.num_heads if model.value_size is None else model.value_size


def attention_scale(config: Config) -> float:
    """The factor on the scores as a number, 1 without any; for cosine it multiplies the learned gain."""
    scale = config.attention.scale
    if config.attention.compatibility == "none":
        return 1.0
    if scale is None:
        scale = facts("attention_lab.attention.scores", "SCORES")[config.attention.compatibility]["scale"]
    size = key_size(config.model)
    return {"inverse_sqrt": size ** -0.5, "inverse": 1.0 / size}.get(scale, scale)


def split(config: Config) -> tuple[Structure, Hyper]:
    """Parts a config into what picks the program (hashable) and what varies inside it (arrays).

    Reading a field of Hyper from the first is a ValueError that names it.
    """
    structure = replace(config, {key: Traced(key) for key in HYPER_FIELDS})
    hyper = Hyper(
        learning_rate=np.float32(config.optimizer.learning_rate),
        weight_decay=np.float32(config.optimizer.weight_decay),
        dropout=np.float32(config.training.dropout),
        attention_scale=np.float32(attention_scale(config)),
        label_smoothing=np.float32(config.training.label_smoothing),
        seed=np.uint32(config.seed))
    return structure, hyper


def to_dict(config: Config) -> dict[str, Any]:
    """The whole config as JSON can hold it, nested, with the schema's number; see `from_dict`."""
    return {"schema": SCHEMA} | dataclasses.asdict(config)


def from_dict(tree: dict[str, Any]) -> Config:
    """The config that `to_dict` wrote; a field that is missing has its default.

    Raises:
      ValueError: another schema, or a key that Config does not have.
    """
    if tree.get("schema") != SCHEMA:
        raise ValueError(f"schema={tree.get('schema')!r} is not this version's schema, {SCHEMA}: "
                         "read it with the commit that run.json names, or train anew")
    values = {}
    for name, value in tree.items():
        group = {f"{name}.{field}": one for field, one in value.items()} \
            if isinstance(value, dict) else {name: value}
        values |= group
    del values["schema"]
    for key, value in values.items():
        if key not in all_fields():
            raise ValueError(f"{key}: no such field in this version")
        if isinstance(value, list):
            values[key] = tuple(value)
    return replace(Config(), values)


def differences(config: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Fields that name a run and differ, by dotted key: (value in config, value in other)."""
    recorded = [key for key, one in all_fields().items() if one.recorded]
    pairs = {key: (get(config, key), get(other, key)) for key in recorded}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def digest(config: Config) -> str:
    """The name of a run, 12 hexadecimal digits: what differs from the defaults, and the schema.

    Paths and logging (recorded=False) are left out; 1 and 1.0 are the same learning rate.
    """
    changed = {key: given for key, (given, _) in differences(config, Config()).items()}
    for key, value in changed.items():
        kind = all_fields()[key].type
        if isinstance(value, int) and float in (kind, *typing.get_args(kind)):
            changed[key] = float(value)
    text = json.dumps([SCHEMA, changed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
