"""The config of an experiment, a frozen value: its fields, the rules between them, and its text form.

    fields.py   every field: type, default, meaning, range    schema.py   fields by dotted key
    hyper.py    Structure and Hyper                           stored.py   JSON, and the name of a run
    rules.py    rules between fields                          parse.py    text at dotted keys into a Config
    values.py   the value of one field                        counts.py   numbers with what they count
    load.py     configs/x.py:variant into a Config            choices.py, registries.py
                                                              registries, read without importing them

Nothing here imports jax, so that a mistyped flag is answered before jax has started.
"""

from attention_lab.config.fields import ENCODERS, LEARNED_POSITIONS, POOLED, RECURRENT, Config, Data, Model
from attention_lab.config.hyper import (
    HYPER_FIELDS,
    Hyper,
    Structure,
    key_size,
    readouts_of,
    split,
    task_of,
    value_size,
)
from attention_lab.config.schema import Field, all_fields, get, replace
from attention_lab.config.stored import PATHS, SCHEMA, differences, digest, from_dict, name, to_dict

__all__ = ["ENCODERS", "HYPER_FIELDS", "LEARNED_POSITIONS", "PATHS", "POOLED", "RECURRENT", "SCHEMA",
           "Config", "Data", "Field", "Hyper", "Model", "Structure", "all_fields", "differences", "digest",
           "from_dict", "get", "key_size", "name", "readouts_of", "replace", "split", "task_of", "to_dict",
           "value_size"]
