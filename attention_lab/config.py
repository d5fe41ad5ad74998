"""Every knob of an experiment: frozen dataclasses with unit, range, meaning and default.

A `Config` is what the file and the flags say; it is hashed and stored. `split` parts it in two:
the `Structure`, which is static and picks the program, and the `Hyper`, numbers that may vary
inside one program and so may be traced. What a config may say is checked in checks.py. Nothing here
imports jax, so that a mistyped flag is answered before jax has started.
"""

import dataclasses
import functools
import hashlib
import json
import typing
from typing import Any, NamedTuple

import numpy as np

# Raised by one whenever a default or a meaning changes: old run folders are not taken for new ones.
SCHEMA = 2

RECURRENT = ("rnn", "lstm", "gru")  # kinds of model
TOKENWISE = ("recall", "echo")  # sources that are answered token by token
LEARNED_POSITIONS = 512  # rows of the table of learned positions


def knob(default: Any, meaning: str, *, choices=None, low=None, high=None, above=None,
         recorded: bool = True) -> Any:
    """A config field: its default, its meaning for `--help`, and the values it allows.

    Args:
      default: value where the file and the flags are silent.
      meaning: one line, with the unit.
      choices: the allowed strings, or None.
      low, high: inclusive bounds, or None. above: exclusive lower bound, or None.
      recorded: False for paths and logging, which do not change a run's name.
    """
    return dataclasses.field(default=default, metadata=dict(
        meaning=meaning, choices=choices, low=low, high=high, above=above, recorded=recorded))


@dataclasses.dataclass(frozen=True)
class Data:
    """Where sentences come from and how they become integers."""

    source: str = knob("grammar", "where examples come from",
                       choices=("grammar", "multi30k", "tsv", "recall", "echo"))
    directory: str = knob("", "folder of the Multi30k files (source=multi30k)", recorded=False)
    path: str = knob("", "file of 'english TAB french' lines (source=tsv)", recorded=False)
    text: str = knob("tokenized", "form of the text: lower-cased and tokenised, and scored so, or raw, "
                     "as people write it, scored cased by sacreBLEU's 13a; picks the files of Multi30k",
                     choices=("tokenized", "raw"))
    split: str = knob("test", "split scored at the end of a run, besides dev; with dev, test is "
                      "never read", choices=("dev", "test"))
    tokenizer: str = knob("word", "unit of text: byte-pair subwords or whole words",
                          choices=("bpe", "word"))
    vocabulary_size: int = knob(6000, "joint vocabulary, tokens, specials included", low=8)
    max_length: int = knob(48, "longest training sentence, tokens with the end mark; longer ones "
                           "are counted and left out", low=2)
    buckets: tuple[int, ...] = knob((), "padded lengths, rising, the last at most max_length; "
                                    "empty: the six that waste least")
    corpus_seed: int = knob(0, "seed of the grammar's corpus and of the lines a TSV holds out",
                            low=0)
    train_size: int = knob(20000, "grammar, recall and echo: examples to train on", low=1)
    dev_size: int = knob(500, "all but multi30k: examples held out to choose on", low=1)
    test_size: int = knob(500, "all but multi30k: examples held out to score on", low=1)
    pairs: int = knob(16, "recall: pairs of a key and a value in a sequence", low=1, high=128)
    distance: int = knob(20, "echo: how many places ago the answer was read", low=1, high=480)
    answers: int = knob(16, "echo: places of a sequence where something is asked", low=1, high=480)
    lexicon_size: int = knob(1000, "grammar: English and French word types, about", low=100)
    min_words: int = knob(3, "grammar: shortest English sentence, words", low=3)
    max_words: int = knob(20, "grammar: longest English sentence, words", low=3, high=120)


@dataclasses.dataclass(frozen=True)
class Model:
    """The sizes of the network around attention."""

    kind: str = knob("transformer", "architecture: transformer translates, encoder answers token by token, "
                     "rnn, lstm and gru do either", choices=("transformer", "encoder", "rnn", "lstm", "gru"))
    width: int = knob(128, "size of a token's vector, units", low=1)
    num_layers: int = knob(2, "layers in the encoder and again in the decoder", low=1)
    num_heads: int = knob(4, "attention heads in each layer", low=1)
    key_size: int | None = knob(None, "size of a head's query and key, units; "
                                "unset: width / num_heads", low=1)
    value_size: int | None = knob(None, "size of a head's value, units; unset: width / num_heads",
                                  low=1)
    hidden: int = knob(256, "hidden size of the feed-forward layers, or of a recurrent state, units", low=1)
    norm: str = knob("pre", "layer norm before each block (pre) or after each sum (post)",
                     choices=("pre", "post"))
    positions: str = knob("sinusoidal", "how a token's place enters",
                          choices=("sinusoidal", "learned", "rotary"))
    activation: str = knob("relu", "non-linearity of the feed-forward layers",
                           choices=("relu", "gelu"))
    tie_embeddings: bool = knob(True, "one matrix for source, target and output embeddings")
    causal: bool = knob(False, "encoder: a token sees itself and what came before it alone")
    bidirectional: bool = knob(False, "recurrent: the source is read both ways, by half of hidden each")
    reverse_source: bool = knob(False, "recurrent: the source is read from its end to its beginning")
    input_feeding: bool = knob(False, "recurrent: the new state asks and the answer goes into the next step "
                               "(Luong et al. 2015); without, the last state asks (Bahdanau et al. 2015)")
    forget_bias: float = knob(1.0, "lstm: what the forget gate's bias begins at")


@dataclasses.dataclass(frozen=True)
class Attention:
    """How a query meets a key."""

    compatibility: str = knob("dot", "score of a query and a key; none: a recurrent network without "
                              "attention",
                              choices=("dot", "additive", "general", "cosine", "none"))
    scale: str | float | None = knob(
        None, "factor on the scores: inverse_sqrt (1/sqrt(key_size)), inverse (1/key_size) or a "
        "number; unset: inverse_sqrt for dot and general, 1 for additive and for cosine, whose "
        "gain is learned", choices=("inverse_sqrt", "inverse"))
    small_query: bool = knob(False, "divides the initial query projection by sqrt(key_size), which does "
                             "at the start what the scale does throughout (Raffel et al. 2020)")
    implementation: str = knob("reference", "reference forms the weights; xla is "
                               "jax.nn.dot_product_attention (dot only)",
                               choices=("reference", "xla"))


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """Adam with decoupled weight decay, and its schedule."""

    learning_rate: float = knob(1e-3, "peak learning rate", low=0.0)
    warmup_steps: int = knob(400, "steps of linear warm-up", low=0)
    schedule: str = knob("inverse_sqrt", "shape after the warm-up",
                         choices=("inverse_sqrt", "cosine", "constant"))
    weight_decay: float = knob(0.0, "decoupled weight decay, per unit of learning rate", low=0.0)
    clip_norm: float = knob(1.0, "largest global gradient norm; 0 does not clip", low=0.0)
    beta1: float = knob(0.9, "decay of Adam's first moment", low=0.0, high=0.99999)
    beta2: float = knob(0.98, "decay of Adam's second moment", low=0.0, high=0.99999)
    epsilon: float = knob(1e-9, "Adam's denominator floor", above=0.0)


@dataclasses.dataclass(frozen=True)
class Training:
    """How long, how much at once, and how often the host looks."""

    steps: int | None = knob(1000, "duration in optimizer steps", low=1)
    epochs: float | None = knob(None, "duration in passes over the training data", above=0.0)
    max_minutes: float | None = knob(None, "duration in minutes; such a run can't be reproduced",
                                     above=0.0)
    batch_tokens: int = knob(4096, "padded target tokens a step", low=1)
    accumulate: int = knob(1, "parts that a batch is cut into, one after another, to save memory",
                           low=1)
    dropout: float = knob(0.1, "share of units dropped", low=0.0, high=0.95)
    label_smoothing: float = knob(0.1, "probability mass spread over the vocabulary",
                                  low=0.0, high=0.95)
    precision: str = knob("float32", "type of the numbers that products with weights "
                          "multiply; sums and all else are float32",
                          choices=("float32", "bfloat16"))
    average_decay: float = knob(0.0, "decay of the moving average of weights that is scored; 0 "
                                "scores the last weights", low=0.0, high=0.99999)
    devices: int = knob(0, "devices that share each batch; 0: all that are visible", low=0)
    eval_every: int = knob(500, "steps between looks at dev", low=1)
    patience: int = knob(0, "looks at dev without a better score before stopping; 0 never stops",
                         low=0)
    checkpoint_every: int = knob(500, "steps between checkpoints", low=1)
    keep_checkpoints: int = knob(2, "newest checkpoints kept, besides the best", low=1,
                                 recorded=False)
    log_every: int = knob(50, "steps between lines of metrics.jsonl", low=1, recorded=False)


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How translations are searched for when a run is scored."""

    beam: int = knob(5, "hypotheses kept; 1 is greedy", low=1, high=64)
    length_penalty: float = knob(1.0, "exponent a of the score log p / length^a", low=0.0)
    max_length: int = knob(64, "longest translation, tokens", low=1)


@dataclasses.dataclass(frozen=True)
class Config:
    """One experiment, whole."""

    seed: int = knob(0, "seed of the initial weights, the order of examples and dropout", low=0,
                     high=2**31 - 1)
    data: Data = dataclasses.field(default_factory=Data)
    model: Model = dataclasses.field(default_factory=Model)
    attention: Attention = dataclasses.field(default_factory=Attention)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    training: Training = dataclasses.field(default_factory=Training)
    decoding: Decoding = dataclasses.field(default_factory=Decoding)


# A Config whose Hyper fields stand at their defaults: equal structures share one program.
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


HYPER_FIELDS = ("seed", "optimizer.learning_rate", "optimizer.weight_decay", "training.dropout",
                "training.label_smoothing", "attention.scale")


class Knob(NamedTuple):
    """One field of Config: its dotted key, declared type, default, and what `knob` was told."""

    key: str
    type: Any
    default: Any
    meaning: str
    choices: tuple[str, ...] | None
    low: float | None
    high: float | None
    above: float | None
    recorded: bool


@functools.cache
def knobs(group: type = Config, prefix: str = "") -> dict[str, Knob]:
    """Every field by dotted key, in the order of the tree."""
    found = {}
    types = typing.get_type_hints(group)
    for field in dataclasses.fields(group):
        key, kind = prefix + field.name, types[field.name]
        if dataclasses.is_dataclass(kind):
            found |= knobs(kind, key + ".")
        else:
            found[key] = Knob(key, kind, field.default, **field.metadata)
    return found


def get(config: Any, key: str) -> Any:
    """The value at a dotted key, as `optimizer.learning_rate`; AttributeError if there is none."""
    for name in key.split("."):
        config = getattr(config, name)
    return config


def replace(config: Any, values: dict[str, Any]) -> Any:
    """`config` with the values at these dotted keys put in; types are not converted here."""
    for key, value in values.items():
        head, _, rest = key.partition(".")
        value = replace(getattr(config, head), {rest: value}) if rest else value
        config = dataclasses.replace(config, **{head: value})
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
    """The factor on the scores as a number; for cosine it multiplies the learned gain."""
    scale = config.attention.scale
    if scale is None:
        scale = "inverse_sqrt" if config.attention.compatibility in ("dot", "general") else 1.0
    size = key_size(config.model)
    return {"inverse_sqrt": size ** -0.5, "inverse": 1.0 / size}.get(scale, scale)


def split(config: Config) -> tuple[Structure, Hyper]:
    """Parts a config into what picks the program (hashable) and what varies inside it (arrays)."""
    defaults = Config()
    structure = replace(config, {key: get(defaults, key) for key in HYPER_FIELDS})
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
        if key not in knobs():
            raise ValueError(f"{key}: no such field in this version")
        if isinstance(value, list):
            values[key] = tuple(value)
    return replace(Config(), values)


def differences(config: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Fields that name a run and differ, by dotted key: (value in config, value in other)."""
    recorded = [key for key, one in knobs().items() if one.recorded]
    pairs = {key: (get(config, key), get(other, key)) for key in recorded}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def digest(config: Config) -> str:
    """The name of a run, 12 hexadecimal digits: what differs from the defaults, and the schema.

    Paths and logging (recorded=False) are left out; 1 and 1.0 are the same learning rate.
    """
    changed = {key: given for key, (given, _) in differences(config, Config()).items()}
    for key, value in changed.items():
        kind = knobs()[key].type
        if isinstance(value, int) and float in (kind, *typing.get_args(kind)):
            changed[key] = float(value)
    text = json.dumps([SCHEMA, changed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
