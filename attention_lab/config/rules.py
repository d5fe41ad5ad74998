"""Checks of a Config: each field by itself (values.py), then fields against each other."""

from collections.abc import Iterable
from typing import Any

from attention_lab.config.choices import facts
from attention_lab.config.fields import (
    ENCODERS,
    LEARNED_POSITIONS,
    LOGGED,
    POOLED,
    RECURRENT,
    WITHOUT_LAYERS,
    Config,
)
from attention_lab.config.hyper import key_size, readouts_of, task_of
from attention_lab.config.registries import SOURCES, TASKS
from attention_lab.config.schema import all_fields, get
from attention_lab.config.values import check_value, show

WITH_HEADS = ("transformer", *ENCODERS)  # kinds of model
ONLY_TRANSFORMER = tuple(f"model.{name}" for name in (
    "num_heads", "key_size", "value_size", "norm", "positions", "activation", "causal")) + (
    "attention.small_query", "attention.implementation")
ONLY_HEADS = ("attention.dropout", "attention.readouts", "attention.query_gain", "attention.window",
              "model.residual", "optimizer.query_key_rate", "training.entropy_weight")
ONLY_RECURRENT = tuple(f"model.{name}" for name in (
    "bidirectional", "reverse_source", "input_feeding", "forget_bias"))
ONLY_CLASSIFIERS = ("model.pooling", "attention.weights", "attention.guide", "attention.divergence",
                    "training.balance", "training.word_dropout", "data.shots", "data.vectors", "data.word",
                    "data.dev_share")
DURATIONS = ("training.steps", "training.epochs", "training.max_minutes")


def check(config: Config) -> None:
    """Raises a ValueError of one line (key, value, what is allowed) for an invalid config."""
    for key, field in all_fields().items():
        check_value(field, get(config, key))
    _check_durations(config)
    _check_data(config)
    _check_model(config)


def no_transformer() -> dict[str, Any]:
    """Fields of a Transformer that configs set, at their defaults, which other models require.

    Committed results are hashed with these: no field is added.
    """
    return {key: all_fields()[key].default for key in ONLY_TRANSFORMER}


def fitted(config: Config, kind: str) -> dict[str, Any]:
    """Fields of `config` that a model of this kind does not read, at the values that it requires."""
    changes = {key: all_fields()[key].default for key in _unread(kind)}
    if kind not in WITH_HEADS and TASKS[task_of(config)]["output"] != "sentence":
        changes |= {"attention.compatibility": "none", "attention.scale": None}
    elif kind == "linear_attention":
        changes["attention.compatibility"] = "linear"
    elif kind in WITH_HEADS and config.attention.compatibility == "none":
        changes["attention.compatibility"] = all_fields()["attention.compatibility"].default
    return changes


def _check_durations(config: Config) -> None:
    given = {key: get(config, key) for key in DURATIONS if get(config, key) is not None}
    if len(given) != 1:
        listed = ", ".join(f"{key}={show(value)}" for key, value in given.items()) or "none is"
        raise ValueError(f"{listed} set: a run has exactly one of {', '.join(DURATIONS)}")
    if config.optimizer.schedule == "cosine" and "training.max_minutes" in given:
        raise ValueError("optimizer.schedule=cosine has to know its end: with training.max_minutes, "
                         "inverse_sqrt and constant are allowed")
    if config.training.keep_views and "training.max_minutes" in given:
        raise ValueError(f"training.keep_views={config.training.keep_views} has to know how many "
                         "steps a run takes: with training.max_minutes 0 is allowed")


def _check_data(config: Config) -> None:
    data, buckets = config.data, config.data.buckets
    if list(buckets) != sorted(set(buckets)) or min(buckets, default=2) < 2:
        raise ValueError(f"data.buckets={show(buckets)} does not rise: give lengths from 2 to "
                         f"data.max_length={data.max_length}, each longer than the one before")
    if buckets and buckets[-1] > data.max_length:
        raise ValueError(f"data.buckets={show(buckets)} ends above data.max_length={data.max_length}: the "
                         "last may be at most that")
    for source, least, most in (("grammar", "data.min_words", "data.max_words"),
                                ("senses", "data.least_distance", "data.most_distance")):
        if data.source == source and get(config, least) > get(config, most):
            raise ValueError(f"{least}={get(config, least)} is above {most}={get(config, most)}: at most "
                             "that is allowed")
    source = SOURCES[data.source]
    if source.location and not source.generated and not get(config, source.location):
        what = "DIR" if source.location == "data.directory" else "FILE"
        raise ValueError(f"{source.location} is not set: data.source={data.source} needs {source.contents}, "
                         f"--config.{source.location}={what}")
    if source.task == "language" and config.model.positions == "learned" and data.context > LEARNED_POSITIONS:
        raise ValueError(f"data.context={data.context} is beyond the table of model.positions=learned: at "
                         f"most {LEARNED_POSITIONS} is allowed")
    if data.source == "senses" and (not data.distractors or min(data.distractors) < 0):
        raise ValueError(f"data.distractors={show(data.distractors)}: numbers of at least 0, one or several, "
                         "are allowed")
    if data.source != "facts":
        _check_defaults(config, ["data.people"], f"data.source={data.source}")
    if data.source != "kfold":
        _check_defaults(config, ["data.fold"], f"data.source={data.source}")
    elif data.pairs % data.fold:
        divisors = [n for n in range(1, all_fields()["data.fold"].high + 1) if data.pairs % n == 0]
        raise ValueError(f"data.fold={data.fold} does not divide data.pairs={data.pairs}, of which each "
                         f"place is asked for once: allowed are {show(tuple(divisors))}")
    if data.source == "marked" and data.distance >= data.length:
        raise ValueError(f"data.distance={data.distance} is not below data.length={data.length}: at most "
                         f"{data.length - 1} is allowed")
    length = data.distance + data.answers
    if data.source == "echo" and config.model.positions == "learned" and length > LEARNED_POSITIONS:
        raise ValueError(f"data.distance={data.distance} and data.answers={data.answers} make sequences "
                         f"beyond the table of model.positions=learned: together at most {LEARNED_POSITIONS}")


def _check_model(config: Config) -> None:
    model, attention, source = config.model, config.attention, f"data.source={config.data.source}"
    task, kinds = task_of(config), TASKS[task_of(config)]["kinds"]
    if TASKS[task]["output"] != "tokens":
        _check_defaults(config, ["model.shift"], source)
    if model.kind not in kinds:
        raise ValueError(f"model.kind={model.kind} does not fit {source}: {', '.join(kinds)} do")
    if task == "language" and model.kind in ENCODERS and not model.causal:
        raise ValueError(f"model.causal=false: with {source} a word would see the one that it predicts; "
                         "true is allowed")
    _check_defaults(config, _unread(model.kind), f"model.kind={model.kind}")
    if task == "classification":
        _check_classifier(config)
    else:
        _check_defaults(config, ONLY_CLASSIFIERS, source)
    if model.kind in RECURRENT:
        _check_recurrent(config)
    if not model.hidden and model.kind not in WITH_HEADS:
        raise ValueError(f"model.hidden=0: model.kind={model.kind} needs at least 1")
    if model.kind in WITH_HEADS:
        _check_heads(config)
    elif attention.compatibility == "none" and attention.scale is not None:
        raise ValueError(f"attention.scale={show(attention.scale)} means nothing with "
                         "attention.compatibility=none: leave it at none")


def _unread(kind: str) -> tuple[str, ...]:
    """Fields that mean nothing to a kind of model."""
    unread = ONLY_RECURRENT if kind in WITH_HEADS else ONLY_TRANSFORMER + ONLY_HEADS
    unread += ONLY_RECURRENT if kind in WITHOUT_LAYERS else ()
    return unread + (("model.causal",) if kind == "transformer" else ())


def _check_heads(config: Config) -> None:
    model, attention = config.model, config.attention
    if attention.compatibility == "none":
        raise ValueError(f"attention.compatibility=none: model.kind={model.kind} is nothing without "
                         f"attention; it is allowed with {', '.join(RECURRENT)}")
    if model.kind == "linear_attention" and attention.compatibility != "linear":
        raise ValueError(f"attention.compatibility={attention.compatibility}: model.kind=linear_attention "
                         "has linear scores; linear is allowed, or model.kind=encoder")
    if model.kind == "linear_attention" and attention.scale not in (None, 1.0):
        raise ValueError(f"attention.scale={attention.scale}: model.kind=linear_attention has a scale of 1, "
                         "with which its weights are linear attention; leave it unset, or give 1.0")
    if not model.hidden:
        _check_defaults(config, ["model.activation"], "model.hidden=0")
    unset = [f"model.{name}" for name in ("key_size", "value_size") if getattr(model, name) is None]
    if unset and model.width % model.num_heads:
        divisors = [n for n in range(1, model.width + 1) if model.width % n == 0]
        raise ValueError(f"model.num_heads={model.num_heads} does not divide model.width={model.width}: "
                         f"allowed are {show(tuple(divisors))}, or any with {' and '.join(unset)} set")
    if model.positions == "rotary" and key_size(model) % 2:
        raise ValueError(f"model.key_size={key_size(model)} is odd: model.positions=rotary turns "
                         "pairs of units, so an even size is allowed")
    longest = max(("data.max_length", "decoding.max_length"), key=lambda key: get(config, key))
    if model.positions == "learned" and get(config, longest) > LEARNED_POSITIONS:
        raise ValueError(f"{longest}={get(config, longest)} is beyond the table of model.positions=learned: "
                         f"at most {LEARNED_POSITIONS} is allowed")
    for name in readouts_of(config):
        if name not in LOGGED:
            raise ValueError(f"attention.readouts={attention.readouts} has {name!r}: {', '.join(LOGGED)} "
                             "are allowed, separated by commas")
    if config.training.entropy_weight and "entropy" not in readouts_of(config):
        raise ValueError(f"training.entropy_weight={config.training.entropy_weight:g} needs "
                         "attention.readouts=entropy")
    if attention.weights == "adversarial" and attention.readouts:
        raise ValueError(f"attention.readouts={attention.readouts}: with attention.weights=adversarial the "
                         "loss has none, so leave it empty")
    entries = facts("attention.implementations.IMPLEMENTATIONS")
    computed = {name: entry["scores"] or (attention.compatibility,) for name, entry in entries.items()}
    computed["auto"] = (attention.compatibility,)
    if attention.compatibility not in computed[attention.implementation]:
        others = [name for name, scores in computed.items() if attention.compatibility in scores]
        raise ValueError(f"attention.implementation={attention.implementation} computes "
                         f"{', '.join(computed[attention.implementation])} alone: with "
                         f"attention.compatibility={attention.compatibility}, {', '.join(others)} is allowed")
    dtypes = entries.get(attention.implementation, {}).get("dtypes")
    if dtypes and config.training.precision not in dtypes:
        raise ValueError(f"attention.implementation={attention.implementation} computes {', '.join(dtypes)} "
                         f"alone: it can't go with training.precision={config.training.precision}")


def _check_recurrent(config: Config) -> None:
    model, kind = config.model, config.attention.compatibility
    if TASKS[task_of(config)]["output"] == "tokens":
        for key, only in {"attention.compatibility": "none", "model.bidirectional": False,
                          "model.reverse_source": False}.items():
            if get(config, key) != only:
                raise ValueError(f"{key}={show(get(config, key))}: token by token a recurrent network reads "
                                 f"from left to right without attention; allowed is {show(only)}")
    if model.bidirectional and model.reverse_source:
        raise ValueError("model.reverse_source=true with model.bidirectional=true: the source is read both "
                         "ways already; one of them is allowed")
    if model.bidirectional and model.hidden % 2:
        raise ValueError(f"model.hidden={model.hidden} is odd: with model.bidirectional=true each way has "
                         "half of it")
    if model.input_feeding and kind == "none":
        raise ValueError("model.input_feeding=true feeds the output of attention: with "
                         "attention.compatibility=none false is allowed")
    if model.kind != "lstm" and model.forget_bias != all_fields()["model.forget_bias"].default:
        raise ValueError(f"model.forget_bias={show(model.forget_bias)} means nothing to "
                         f"model.kind={model.kind}: lstm has a forget gate")


def _check_defaults(config: Config, keys: Iterable[str], why: str) -> None:
    for key in keys:
        default = all_fields()[key].default
        if get(config, key) != default:
            raise ValueError(f"{key}={show(get(config, key))} means nothing to {why}: leave it at "
                             f"{show(default)}")


def _check_classifier(config: Config) -> None:
    model, attention, source = config.model, config.attention, config.data.source
    if SOURCES[source].classified == "sentence" and model.pooling == "place":
        raise ValueError(f"model.pooling=place: data.source={source} classifies whole "
                         "sentences; mean, additive and dot are allowed")
    if model.kind not in ENCODERS and attention.compatibility != "none":
        raise ValueError(f"attention.compatibility={attention.compatibility}: classifying, model.kind="
                         f"{model.kind} attends by model.pooling alone; none is allowed")
    unread = ["model.reverse_source", "model.input_feeding", "model.causal", "model.tie_embeddings"]
    unread += ["data.dev_share"] if "dev" in SOURCES[source].splits else []
    _check_defaults(config, unread, f"data.source={source}")
    if config.data.vectors and \
            not facts("data.tokenizers.TOKENIZERS")[config.data.tokenizer]["whole_words"]:
        raise ValueError(f"data.vectors={config.data.vectors} has vectors of words, and data.tokenizer="
                         f"{config.data.tokenizer} cuts words into pieces: word is allowed")
    if attention.weights != "learned" and model.pooling not in POOLED:
        raise ValueError(f"attention.weights={attention.weights}: model.pooling={model.pooling} has no "
                         f"weights; {', '.join(POOLED)} have")
    guided = attention.weights in ("frozen", "adversarial")
    if guided != bool(attention.guide):
        raise ValueError(f"attention.guide={show(attention.guide)}, attention.weights={attention.weights}:"
                         " frozen and adversarial need the folder of a finished run, the others none")
    unread = "training.word_dropout" if attention.weights == "adversarial" else "attention.divergence"
    _check_defaults(config, [unread], f"attention.weights={attention.weights}")
