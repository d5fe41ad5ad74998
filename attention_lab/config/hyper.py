"""A config in two parts: Structure, static, picks the program; Hyper are numbers that may be traced."""

from typing import Any, NamedTuple

import numpy as np

from attention_lab.config.choices import facts, look_up
from attention_lab.config.fields import RECURRENT, Config, Model, Traced
from attention_lab.config.registries import SOURCES
from attention_lab.config.schema import all_fields, replace

SCALES = {"inverse_sqrt": lambda size: size ** -0.5, "inverse": lambda size: 1.0 / size}  # by key size K
# A Config whose fields of Hyper can't be read, as of `split`.
Structure = Config
HYPER_FIELDS = tuple(key for key, field in all_fields().items() if field.traced)


class Hyper(NamedTuple):
    """Numbers that may vary inside one program; float32 scalars, the seed uint32; may be traced."""

    learning_rate: Any
    weight_decay: Any
    dropout: Any
    attention_scale: Any
    label_smoothing: Any
    entropy_weight: Any
    seed: Any


def task_of(config: Config) -> str:
    """The key in tasks/registry.py of the task that `data.source` belongs to."""
    return look_up(SOURCES, "data.source", config.data.source).task


def key_size(model: Model) -> int:
    """Size K of a head's query and key, or of the states that a recurrent network compares."""
    if model.kind in RECURRENT:
        return model.hidden
    return model.width // model.num_heads if model.key_size is None else model.key_size


def value_size(model: Model) -> int:
    """Size V of a head's value."""
    return model.width // model.num_heads if model.value_size is None else model.value_size


def readouts_of(config: Config) -> tuple[str, ...]:
    """Names in attention.READOUTS of the statistics that are logged."""
    return tuple(name for name in config.attention.readouts.split(",") if name)


def attention_scale(config: Config) -> float:
    """The factor on the scores as a number, 1 if there is none; for cosine it multiplies the learned gain."""
    scale = config.attention.scale
    if config.attention.compatibility == "none":
        return 1.0
    if scale is None:
        scale = facts("attention.scores.SCORES")[config.attention.compatibility]["scale"]
    return SCALES[scale](key_size(config.model)) if isinstance(scale, str) else scale


def split(config: Config) -> tuple[Structure, Hyper]:
    """Splits a config; reading a field of Hyper from the Structure raises a ValueError that names it."""
    hyper = Hyper(
        learning_rate=np.float32(config.optimizer.learning_rate),
        weight_decay=np.float32(config.optimizer.weight_decay),
        dropout=np.float32(config.training.dropout),
        attention_scale=np.float32(attention_scale(config)),
        label_smoothing=np.float32(config.training.label_smoothing),
        entropy_weight=np.float32(config.training.entropy_weight),
        seed=np.uint32(config.seed))
    return replace(config, {key: Traced(key) for key in HYPER_FIELDS}), hyper
