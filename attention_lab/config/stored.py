"""A config on disk: the JSON of a run folder, and the name of a run."""

import dataclasses
import typing
from typing import Any

from attention_lab.config.fields import Config
from attention_lab.config.schema import all_fields, get, replace
from attention_lab.storage.files import short_digest

# Incremented whenever a default or a meaning changes, so that old run folders are not taken for new ones.
SCHEMA = 2
# Fields that name files: a run is named by their content, not by their paths.
PATHS = ("data.directory", "data.path", "data.vectors", "attention.guide")


def to_dict(config: Config) -> dict[str, Any]:
    """The whole config as JSON can hold it, nested, with the schema's number; see `from_dict`."""
    return {"schema": SCHEMA} | dataclasses.asdict(config)


def from_dict(tree: dict[str, Any]) -> Config:
    """The config that `to_dict` wrote, missing fields at defaults; ValueError for another schema or key."""
    if "schema" not in tree and not {"data", "model", "training"} <= tree.keys():
        raise ValueError("it is no config of a run, but of another program")
    if tree.get("schema") != SCHEMA:
        raise ValueError(f"schema={tree.get('schema')!r} is not this version's schema, {SCHEMA}: "
                         "read it with the commit that run.json names, or train anew")
    values: dict[str, Any] = {}
    for name, value in tree.items():
        if name != "schema":
            values |= ({f"{name}.{key}": item for key, item in value.items()} if isinstance(value, dict)
                       else {name: value})
    for key, value in values.items():
        if key not in all_fields():
            raise ValueError(f"{key}: no such field in this version")
        values[key] = tuple(value) if isinstance(value, list) else value
    return replace(Config(), values)


def differences(config: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Fields that name a run and differ, by dotted key: (value in config, value in other)."""
    return {key: (get(config, key), get(other, key)) for key, field in all_fields().items()
            if field.recorded and get(config, key) != get(other, key)}


def name(config: Config, content: str) -> str:
    """The name of a run: its digest, or where files belong to it, `DIGEST-CONTENT` without their paths.

    content: digest of these files' content; "" for a config that names none.
    """
    return f"{digest(config, PATHS)}-{content}" if content else digest(config)


def digest(config: Config, without: tuple[str, ...] = ()) -> str:
    """The short digest of the schema and of the recorded fields that are not at defaults.

    1 and 1.0 are the same learning rate. without: keys of fields that are left out.
    """
    changed = {key: given for key, (given, _) in differences(config, Config()).items() if key not in without}
    for key, value in changed.items():
        kind = all_fields()[key].type
        if isinstance(value, int) and float in (kind, *typing.get_args(kind)):
            changed[key] = float(value)
    return short_digest([SCHEMA, changed])
