"""An experiment as a frozen value: its fields, what they may say together, and how text becomes one.

    fields.py   every field: type, default, meaning, range    schema.py   Config, Hyper, split, hash
    rules.py    what a config may say                         parse.py    dotted keys and text into a Config
    load.py     configs/x.py:variant into a Config    choices.py, sources.py    registries, read not imported

Nothing here imports jax, so that a mistyped flag is answered before jax has started.
"""

from attention_lab.config.fields import Data, Model
from attention_lab.config.schema import (
    HYPER_FIELDS,
    LEARNED_POSITIONS,
    POOLED,
    RECURRENT,
    SCHEMA,
    WITHOUT_LAYERS,
    Config,
    Field,
    Hyper,
    Structure,
    all_fields,
    attention_scale,
    differences,
    digest,
    from_dict,
    get,
    key_size,
    replace,
    split,
    task_of,
    to_dict,
    value_size,
)

__all__ = ["HYPER_FIELDS", "LEARNED_POSITIONS", "POOLED", "RECURRENT", "SCHEMA", "WITHOUT_LAYERS", "Config",
           "Data", "Field", "Hyper", "Model", "Structure", "all_fields", "attention_scale", "differences",
           "digest", "from_dict", "get", "key_size", "replace", "split", "task_of", "to_dict", "value_size"]
