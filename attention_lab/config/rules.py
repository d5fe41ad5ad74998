"""What a Config may say: each field against its declaration, then fields against each other."""

import math
import types
import typing
from typing import Any

from attention_lab.config import (
    LEARNED_POSITIONS,
    POOLED,
    RECURRENT,
    WITHOUT_LAYERS,
    Config,
    Field,
    all_fields,
    get,
    key_size,
    task_of,
)
from attention_lab.config.choices import facts
from attention_lab.config.sources import SOURCES, TASKS

ONLY_TRANSFORMER = tuple(f"model.{name}" for name in (
    "num_heads", "key_size", "value_size", "norm", "positions", "activation", "causal")) + (
    "attention.small_query", "attention.implementation")
ONLY_RECURRENT = tuple(f"model.{name}" for name in (
    "bidirectional", "reverse_source", "input_feeding", "forget_bias"))
ONLY_CLASSIFIERS = ("model.pooling", "attention.weights", "attention.guide", "attention.divergence",
                    "training.balance", "data.shots", "data.vectors", "data.word", "data.dev_share")
DURATIONS = ("training.steps", "training.epochs", "training.max_minutes")


def check(config: Config) -> None:
    """Refuses a config that no run could follow.

    Raises:
      ValueError: one line with the dotted key, what was given and what is allowed.
    """
    for key, field in all_fields().items():
        check_value(field, get(config, key))
    _check_durations(config)
    _check_data(config)
    _check_model(config)


def check_value(field: Field, value: Any) -> None:
    """Refuses a value of another type than declared, or outside its choices or bounds."""
    if not any(_is(value, kind) for kind in members(field.type)):
        raise ValueError(f"{field.key}={show(value)} is not {allowed(field)}")
    if isinstance(value, str) and field.choices and value not in field.choices:
        raise ValueError(f"{field.key}={show(value)} is not {allowed(field)}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        below = field.low is not None and value < field.low
        over = field.high is not None and value > field.high
        if below or over or (field.above is not None and value <= field.above):
            raise ValueError(f"{field.key}={show(value)} is not {allowed(field)}")


def no_transformer() -> dict[str, Any]:
    """What means nothing but to a Transformer, at the defaults where every other model has to leave it."""
    return {key: all_fields()[key].default for key in ONLY_TRANSFORMER}


def members(kind: Any) -> tuple[Any, ...]:
    """The types that a declared type unites: (int, NoneType) for `int | None`."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def allowed(field: Field) -> str:
    """What a field takes, in words: `an integer from 1 to 64, or none`."""
    bounds = ""
    if field.above is not None:
        bounds = f" above {field.above:g}"
    elif field.low is not None and field.high is not None:
        bounds = f" from {field.low:.10g} to {field.high:.10g}"
    elif field.low is not None:
        bounds = f" of at least {field.low:g}"
    words = {int: "an integer" + bounds, float: "a number" + bounds, bool: "true or false",
             str: ", ".join(field.choices) if field.choices else "text",
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
        return isinstance(value, tuple) and all(_is(one, int) for one in value)
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (int, float)) and math.isfinite(value)
    return isinstance(value, kind)


def _check_durations(config: Config) -> None:
    given = {key: get(config, key) for key in DURATIONS if get(config, key) is not None}
    if len(given) != 1:
        said = ", ".join(f"{key}={show(value)}" for key, value in given.items()) or "none is"
        raise ValueError(f"{said} set: a run has exactly one of {', '.join(DURATIONS)}")
    if config.optimizer.schedule == "cosine" and "training.max_minutes" in given:
        raise ValueError("optimizer.schedule=cosine has to know its end: with training.max_minutes, "
                         "inverse_sqrt and constant are allowed")


def _check_data(config: Config) -> None:
    data, buckets = config.data, config.data.buckets
    if list(buckets) != sorted(set(buckets)) or min(buckets, default=2) < 2:
        raise ValueError(f"data.buckets={show(buckets)} does not rise: give lengths from 2 to "
                         f"data.max_length={data.max_length}, each longer than the one before")
    if buckets and buckets[-1] > data.max_length:
        raise ValueError(f"data.buckets={show(buckets)} ends above data.max_length="
                         f"{data.max_length}: the last may be at most that")
    if data.source == "grammar" and data.min_words > data.max_words:
        raise ValueError(f"data.min_words={data.min_words} is above data.max_words="
                         f"{data.max_words}: at most that is allowed")
    source = SOURCES[data.source]
    if source.location and not get(config, source.location):
        what = "DIR" if source.location == "data.directory" else "FILE"
        raise ValueError(f"{source.location} is not set: data.source={data.source} needs {source.contents}, "
                         f"--config.{source.location}={what}")
    if data.source == "senses" and data.least_distance > data.most_distance:
        raise ValueError(f"data.least_distance={data.least_distance} is above data.most_distance="
                         f"{data.most_distance}: at most that is allowed")
    if data.source == "senses" and (not data.distractors or min(data.distractors) < 0):
        raise ValueError(f"data.distractors={show(data.distractors)}: numbers of at least 0, one or several, "
                         "are allowed")
    length = data.distance + data.answers
    if data.source == "echo" and config.model.positions == "learned" and length > LEARNED_POSITIONS:
        raise ValueError(f"data.distance={data.distance} and data.answers={data.answers} make sequences "
                         f"beyond the table of model.positions=learned: together at most {LEARNED_POSITIONS}")


def _check_model(config: Config) -> None:
    model, attention = config.model, config.attention
    task, wanted = task_of(config), TASKS[task_of(config)]["kinds"]
    if model.kind not in wanted:
        raise ValueError(f"model.kind={model.kind} does not fit data.source={config.data.source}: "
                         f"{', '.join(wanted)} do")
    foreign = ONLY_RECURRENT if model.kind in ("transformer", "encoder") else ONLY_TRANSFORMER
    foreign += ONLY_RECURRENT if model.kind in WITHOUT_LAYERS else ()
    for key in foreign:
        _check_default(config, key, f"model.kind={model.kind}")
    for key in ONLY_CLASSIFIERS if task != "classification" else ():
        _check_default(config, key, f"data.source={config.data.source}")
    if model.kind == "transformer":
        _check_default(config, "model.causal", "model.kind=transformer")
    if task == "classification":
        _check_classifier(config)
    if model.kind in RECURRENT:
        _check_recurrent(config)
    if model.kind not in ("transformer", "encoder"):
        if attention.compatibility == "none" and attention.scale is not None:
            raise ValueError(f"attention.scale={show(attention.scale)} means nothing with "
                             "attention.compatibility=none: leave it at none")
        return
    if attention.compatibility == "none":
        raise ValueError(f"attention.compatibility=none: model.kind={model.kind} is nothing without "
                         f"attention; it is allowed with {', '.join(RECURRENT)}")
    unset = [f"model.{name}" for name in ("key_size", "value_size") if getattr(model, name) is None]
    if unset and model.width % model.num_heads:
        divisors = [n for n in range(1, model.width + 1) if model.width % n == 0]
        raise ValueError(
            f"model.num_heads={model.num_heads} does not divide model.width={model.width}: allowed "
            f"are {show(tuple(divisors))}, or any with {' and '.join(unset)} set")
    if model.positions == "rotary" and key_size(model) % 2:
        raise ValueError(f"model.key_size={key_size(model)} is odd: model.positions=rotary turns "
                         "pairs of units, so an even size is allowed")
    longest = max(("data.max_length", "decoding.max_length"), key=lambda key: get(config, key))
    if model.positions == "learned" and get(config, longest) > LEARNED_POSITIONS:
        raise ValueError(f"{longest}={get(config, longest)} is beyond the table of "
                         f"model.positions=learned: at most {LEARNED_POSITIONS} is allowed")
    able = {name: entry["scores"] for name, entry in
            facts("attention_lab.attention.implementations", "IMPLEMENTATIONS").items()}
    scores = able[attention.implementation]
    if scores is not None and attention.compatibility not in scores:
        others = [name for name, known in able.items() if known is None or attention.compatibility in known]
        raise ValueError(f"attention.implementation={attention.implementation} computes {', '.join(scores)} "
                         f"alone: with attention.compatibility={attention.compatibility}, "
                         f"{', '.join(others)} is allowed")


def _check_recurrent(config: Config) -> None:
    model, kind = config.model, config.attention.compatibility
    if TASKS[task_of(config)]["output"] == "tokens":
        for key, wanted in {"attention.compatibility": "none", "model.bidirectional": False,
                            "model.reverse_source": False}.items():
            if get(config, key) != wanted:
                raise ValueError(f"{key}={show(get(config, key))}: token by token a recurrent network reads "
                                 f"from left to right without attention; allowed is {show(wanted)}")
    if model.bidirectional and model.reverse_source:
        raise ValueError("model.reverse_source=true with model.bidirectional=true: the source is read both "
                         "ways already; one of them is allowed")
    if model.bidirectional and model.hidden % 2:
        raise ValueError(f"model.hidden={model.hidden} is odd: with model.bidirectional=true each way has "
                         "half of it")
    if model.input_feeding and kind == "none":
        raise ValueError("model.input_feeding=true feeds what attention found: with "
                         "attention.compatibility=none false is allowed")
    if model.kind != "lstm" and model.forget_bias != all_fields()["model.forget_bias"].default:
        raise ValueError(f"model.forget_bias={show(model.forget_bias)} means nothing to "
                         f"model.kind={model.kind}: lstm has a forget gate")


def _check_default(config: Config, key: str, why: str) -> None:
    default = all_fields()[key].default
    if get(config, key) != default:
        raise ValueError(f"{key}={show(get(config, key))} means nothing to {why}: leave it at "
                         f"{show(default)}")


def _check_classifier(config: Config) -> None:
    model, attention, source = config.model, config.attention, config.data.source
    if SOURCES[source].asks == "sentence" and model.pooling == "place":
        raise ValueError(f"model.pooling=place: data.source={source} asks about no place; mean, "
                         "additive and dot are allowed")
    if model.kind != "encoder" and attention.compatibility != "none":
        raise ValueError(f"attention.compatibility={attention.compatibility}: classifying, model.kind="
                         f"{model.kind} attends by model.pooling alone; none is allowed")
    for key in ("model.reverse_source", "model.input_feeding", "model.causal", "model.tie_embeddings",
                *(["data.dev_share"] if "dev" in SOURCES[source].splits else [])):
        _check_default(config, key, f"data.source={source}")
    if config.data.vectors and config.data.tokenizer != "word":
        raise ValueError(f"data.vectors={config.data.vectors} has vectors of words, and data.tokenizer="
                         f"{config.data.tokenizer} cuts words into pieces: word is allowed")
    if attention.weights != "learned" and model.pooling not in POOLED:
        raise ValueError(f"attention.weights={attention.weights}: model.pooling={model.pooling} has no "
                         f"weights; {', '.join(POOLED)} have")
    guided = attention.weights in ("frozen", "adversarial")
    if guided != bool(attention.guide):
        raise ValueError(f"attention.guide={show(attention.guide)}, attention.weights={attention.weights}:"
                         " frozen and adversarial need the folder of a finished run, the others none")
    if attention.weights != "adversarial":
        _check_default(config, "attention.divergence", f"attention.weights={attention.weights}")
