"""The tree of all_fields: each is sound, checked, hashed, stored, and read by somebody."""

import ast
import dataclasses
import math
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models
from attention_lab.config import (
    Config,
    Hyper,
    all_fields,
    differences,
    digest,
    from_dict,
    get,
    replace,
    split,
    to_dict,
)
from attention_lab.config.rules import DURATIONS, allowed, check, check_value, members

ROOT = pathlib.Path(__file__).parents[2]
KEYS = sorted(all_fields())
SENSES = {"data.source": "senses", "model.kind": "encoder"}
FILMS = SENSES | {"data.source": "sentiment_csv", "data.path": "films.csv"}
BAG = SENSES | {"model.kind": "bag_of_words", "attention.compatibility": "none"}


def other(key):
    """Another allowed value of a field."""
    field, value = all_fields()[key], get(Config(), key)
    kinds = members(field.type)
    if bool in kinds:
        return not value
    if field.choices and float not in kinds:
        return next((choice for choice in field.choices if choice != value), value + "x")
    if tuple[int, ...] in kinds:
        return (7, 11)
    if str in kinds and float not in kinds:
        return "elsewhere"
    if int in kinds:
        return 7 if value is None else value + 1
    return 0.25 if value != 0.25 else 0.5


def test_the_default_is_sound():
    check(Config())


@pytest.mark.parametrize("key", KEYS)
def test_every_default_is_allowed_and_has_a_meaning(key):
    field = all_fields()[key]
    check_value(field, field.default)
    assert field.meaning and allowed(field) and get(Config(), key) == field.default


@pytest.mark.parametrize("key", KEYS)
def test_every_field_survives_storing_and_names_a_run_unless_it_is_a_path_or_logging(key):
    changed = replace(Config(), {key: other(key)})
    assert changed != Config()
    assert from_dict(to_dict(changed)) == changed
    names = key not in ("data.directory", "data.path", "training.keep_checkpoints",
                        "training.log_every")
    assert (digest(changed) != digest(Config())) == names
    assert bool(differences(changed, Config())) == names


def test_the_name_of_a_run_stays():
    """These change only with SCHEMA: otherwise finished runs would be lost from sight."""
    assert digest(Config()) == "4a1779511a57"
    changed = replace(Config(), {"model.width": 64, "attention.scale": 1.0,
                                 "data.buckets": (8, 16)})
    assert digest(changed) == "58a3d22e0a9e"
    assert digest(replace(changed, {"attention.scale": 1})) == digest(changed)


def test_a_default_that_is_given_does_not_name_a_run():
    assert digest(replace(Config(), {"model.width": 128})) == digest(Config())


@pytest.mark.parametrize("tree, said", [
    ({}, "schema=None"),
    ({"schema": configs.SCHEMA + 1}, f"schema={configs.SCHEMA + 1}"),
    ({"schema": configs.SCHEMA, "model": {"widht": 3}}, "model.widht"),
    ({"schema": configs.SCHEMA, "modle": {"width": 3}}, "modle.width"),
])
def test_what_to_dict_did_not_write_is_refused(tree, said):
    with pytest.raises(ValueError, match=said):
        from_dict(tree)


def test_a_field_younger_than_the_file_has_its_default():
    assert from_dict({"schema": configs.SCHEMA, "model": {}, "seed": 3}) == replace(
        Config(), {"seed": 3})


@pytest.mark.parametrize("values, said", [
    ({"model.num_heads": 7}, "model.num_heads=7 does not divide model.width=128"),
    ({"model.kind": "gru", "model.num_heads": 2}, "model.num_heads=2 means nothing to model.kind=gru: leave"),
    ({"model.kind": "lstm", "model.norm": "post"}, "model.norm=post means nothing to model.kind=lstm"),
    ({"model.kind": "rnn", "attention.implementation": "xla"}, "attention.implementation=xla means nothing"),
    ({"model.bidirectional": True}, "model.bidirectional=true means nothing to model.kind=transformer"),
    ({"model.forget_bias": 0.0}, "model.forget_bias=0 means nothing to model.kind=transformer"),
    ({"model.kind": "gru", "model.forget_bias": 0.0}, "model.forget_bias=0 means nothing to model.kind=gru"),
    ({"attention.compatibility": "none"}, "attention.compatibility=none: model.kind=transformer is nothing"),
    ({"model.kind": "gru", "model.bidirectional": True, "model.reverse_source": True},
     "model.reverse_source=true with model.bidirectional=true"),
    ({"model.kind": "gru", "model.bidirectional": True, "model.hidden": 7}, "model.hidden=7 is odd"),
    ({"model.kind": "gru", "model.input_feeding": True, "attention.compatibility": "none"},
     "model.input_feeding=true feeds what attention found"),
    ({"model.kind": "gru", "attention.scale": 1.0, "attention.compatibility": "none"},
     "attention.scale=1 means nothing with attention.compatibility=none"),
    ({"model.kind": "transformer", "data.source": "recall"},
     "model.kind=transformer does not fit data.source=recall"),
    ({"model.num_heads": 7, "model.key_size": 5}, "model.num_heads=7"),
    ({"model.positions": "rotary", "model.key_size": 5}, "model.key_size=5 is odd"),
    ({"model.positions": "rotary", "model.width": 12, "model.num_heads": 4},
     "model.key_size=3 is odd"),
    ({"attention.implementation": "xla", "attention.compatibility": "cosine"},
     "attention.implementation=xla"),
    ({"model.positions": "learned", "decoding.max_length": 513},
     "decoding.max_length=513 is beyond the table"),
    ({"attention.scale": "sqrt"}, "attention.scale=sqrt is not inverse_sqrt, inverse"),
    ({"attention.scale": math.nan}, "attention.scale=nan"),
    ({"attention.scale": True}, "attention.scale=true"),
    ({"data.buckets": (16, 12)}, "data.buckets=16,12 does not rise"),
    ({"data.buckets": (12, 12)}, "data.buckets=12,12 does not rise"),
    ({"data.buckets": (1, 12)}, "data.buckets=1,12"),
    ({"data.buckets": (12, 49)}, "data.max_length=48"),
    ({"data.buckets": [12, 16]}, "data.buckets"),
    ({"data.min_words": 9, "data.max_words": 8}, "data.min_words=9 is above data.max_words=8"),
    ({"data.max_words": 121}, "data.max_words=121 is not an integer from 3 to 120"),
    ({"data.source": "multi30k"}, "data.directory is not set"),
    ({"data.source": "tsv"}, "data.path is not set"),
    ({"data.source": "web"}, "data.source=web is not grammar, multi30k, tsv"),
    ({"data.tokenizer": ""}, "data.tokenizer='' is not bpe, word"),
    ({"training.steps": None}, "none is set"),
    ({"training.epochs": 3.0}, "training.steps=1000, training.epochs=3 set"),
    ({"training.steps": 10.0}, "training.steps=10 is not an integer"),
    ({"training.steps": True}, "training.steps=true"),
    ({"training.dropout": 1.0}, "training.dropout=1 is not a number from 0 to 0.95"),
    ({"training.dropout": math.inf}, "training.dropout=inf"),
    ({"optimizer.epsilon": 0.0}, "optimizer.epsilon=0 is not a number above 0"),
    ({"model.tie_embeddings": 1}, "model.tie_embeddings=1 is not true or false"),
    ({"model.causal": True}, "model.causal=true means nothing to model.kind=transformer"),
    ({"data.word": "bank"}, "data.word=bank means nothing to data.source=grammar"),
    ({"data.dev_share": 0.2}, "data.dev_share=0.2 means nothing to data.source=grammar"),
    (SENSES | {"model.causal": True}, "model.causal=true means nothing to data.source=senses"),
    (SENSES | {"model.tie_embeddings": False}, "model.tie_embeddings=false means nothing to data.source="),
    (SENSES | {"data.dev_share": 0.2}, "data.dev_share=0.2 means nothing to data.source=senses"),
    (SENSES | {"data.vectors": "v.txt", "data.tokenizer": "bpe"}, "data.vectors=v.txt has vectors of words"),
    (BAG | {"attention.scale": 2.0}, "attention.scale=2 means nothing with attention.compatibility=none"),
    (BAG | {"attention.compatibility": "dot"}, "model.kind=bag_of_words attends by model.pooling alone"),
    (BAG | {"model.bidirectional": True}, "model.bidirectional=true means nothing to model.kind=bag_of"),
    (BAG | {"attention.weights": "uniform", "model.pooling": "mean"}, "model.pooling=mean has no weights"),
    (BAG | {"attention.divergence": 1.0}, "attention.divergence=1 means nothing to attention.weights="),
    (BAG | {"attention.guide": "runs/a"}, "attention.guide=runs/a, attention.weights=learned"),
    (SENSES | {"model.kind": "transformer"}, "encoder, rnn, lstm, gru, average, bag_of_words do"),
    (SENSES | {"data.least_distance": 9, "data.most_distance": 8}, "data.least_distance=9 is above"),
    (SENSES | {"data.distractors": ()}, "data.distractors='': numbers of at least 0"),
    (FILMS, "model.pooling=place: data.source=sentiment_csv asks about no place"),
    (FILMS | {"model.pooling": "mean", "data.dev_share": 0.2}, "data.dev_share=0.2 means nothing"),
    (FILMS | {"data.path": ""}, "data.path is not set: data.source=sentiment_csv needs"),
    ({"data.shots": 3}, "data.shots=3 means nothing to data.source=grammar"),
    ({"seed": 2 ** 31}, "seed=2147483648 is not an integer from 0 to 2147483647"),
    ({"seed": -1}, "seed=-1"),
])
def test_what_no_run_could_follow_is_refused_in_one_line(values, said):
    with pytest.raises(ValueError) as refused:
        check(replace(Config(), values))
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("values", [
    {"model.kind": "lstm", "model.width": 7, "model.forget_bias": 0.0, "attention.compatibility": "none"},
    {"model.kind": "gru", "model.bidirectional": True, "attention.scale": "inverse"},
    {"model.num_heads": 7, "model.key_size": 5, "model.value_size": 3},
    {"model.positions": "rotary", "model.num_heads": 7, "model.key_size": 6, "model.value_size": 3},
    {"model.positions": "learned", "decoding.max_length": 512}, {"decoding.max_length": 513},
    {"attention.scale": 2}, {"attention.scale": "inverse"},
    {"attention.implementation": "xla"},
    {"data.buckets": (48,)}, {"data.buckets": (2, 3, 5)},
    SENSES | {"data.tokenizer": "bpe"}, SENSES | {"data.vectors": "v.txt"}, BAG | {"model.width": 3},
    FILMS | {"model.pooling": "dot"},
    SENSES | {"data.source": "coarsewsd", "data.directory": "d", "data.word": "bank", "data.dev_share": 0.2},
    {"data.source": "tsv", "data.path": "x.tsv", "data.min_words": 30},
    {"training.steps": None, "training.max_minutes": 0.5},
    {"training.dropout": 0}, {"training.dropout": 0.95},
])
def test_what_a_run_can_follow_is_let_through(values):
    check(replace(Config(), values))


def test_the_table_of_learned_positions_is_as_long_as_is_checked():
    model = models.build(replace(Config(), {"model.positions": "learned"}), 9)
    table = jax.eval_shape(model.init, jax.random.key(0))["places"]
    assert table.shape == (2, configs.LEARNED_POSITIONS, 128)


def test_exactly_one_duration_of_three():
    """All eight ways to set or not set the durations: three are allowed."""
    fine = 0
    for pattern in range(8):
        values = {key: 3 if pattern >> place & 1 else None for place, key in enumerate(DURATIONS)}
        try:
            check(replace(Config(), values))
            fine += 1
            assert pattern in (1, 2, 4)
        except ValueError:
            pass
    assert fine == 3


def test_a_network_without_heads_has_no_scale_though_it_is_narrower_than_their_number():
    assert split(replace(Config(), BAG | {"model.width": 3}))[1].attention_scale == 1


def test_split_parts_numbers_from_structure():
    config = replace(Config(), {"optimizer.learning_rate": 0.5, "seed": 7, "training.dropout": 0.25,
                                "attention.scale": 3.0, "model.width": 64})
    structure, hyper = split(config)
    assert structure == split(replace(Config(), {"model.width": 64}))[0] and hash(structure)
    assert (hyper.learning_rate, hyper.seed) == (0.5, 7)
    assert (hyper.dropout, hyper.attention_scale) == (0.25, 3)
    assert {leaf.dtype for leaf in jax.tree.leaves(hyper)} == {np.dtype("float32"),
                                                               np.dtype("uint32")}
    assert isinstance(jax.jit(lambda one: one)(hyper), Hyper)


@pytest.mark.parametrize("values, scale", [
    ({}, 32 ** -0.5), ({"attention.scale": "inverse"}, 1 / 32), ({"attention.scale": 0.7}, 0.7),
    ({"attention.compatibility": "additive"}, 1.0), ({"attention.compatibility": "cosine"}, 1.0),
    ({"attention.compatibility": "general", "model.key_size": 16}, 0.25),
    ({"attention.compatibility": "additive", "attention.scale": "inverse_sqrt"}, 32 ** -0.5),
])
def test_the_scale_as_a_number(values, scale):
    assert configs.attention_scale(replace(Config(), values)) == pytest.approx(scale, rel=1e-12)


def test_a_config_starts_no_jax():
    """Otherwise a mistyped flag would be answered after seconds."""
    modules = "attention_lab.config.parse, attention_lab.storage.runs, experiments.flags"
    code = f"import sys, {modules}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def _reads(tree):
    """(what is read from, what is read) in a module; after `x = config.data`, x is data.

    A function that is called by its bare name is read from None.
    """
    stands_for = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pair = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                names, values = (target.elts, node.value.elts) if pair else ([target], [node.value])
                for name, value in zip(names, values):
                    if isinstance(name, ast.Name) and isinstance(value, ast.Attribute):
                        stands_for[name.id] = value.attr
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base = node.value
            name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", None)
            yield stands_for.get(name, name), node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield None, node.func.id


def test_no_knob_does_nothing():
    """Each field is read, as `group.field`, outside the files that define and check it."""
    reads = set()
    for folder in ("attention_lab", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name not in ("schema.py", "fields.py", "rules.py"):
                reads |= set(_reads(ast.parse(path.read_text(encoding="utf-8"))))
    # A Hyper carries these; key_size and value_size are read through functions of config.py.
    carried = {key: ("hyper", key.split(".")[-1]) for key in configs.HYPER_FIELDS}
    carried["attention.scale"] = ("hyper", "attention_scale")
    calls = {"model.key_size": "key_size", "model.value_size": "value_size"}
    unread = [key for key in KEYS
              if tuple(key.split(".")) not in reads and carried.get(key) not in reads
              and not (key in calls and any(name == calls[key] for _, name in reads))]
    assert not unread, f"read nowhere: {unread}"


@pytest.mark.parametrize("key", configs.HYPER_FIELDS)
def test_a_traced_field_cant_be_read_from_a_static_spec(key):
    """Or a number that may vary inside a program would be frozen into it."""
    structure, _ = split(Config())
    with pytest.raises(ValueError, match=f"^{key} is traced, so a static spec does not have it"):
        configs.get(structure, key)
    # What is beside it is still there, and what is read of a config is.
    assert structure.model.width == 128 and configs.get(Config(), key) == configs.all_fields()[key].default
    assert replace(structure, {"model.width": 64}).model.width == 64
    assert "Traced" in repr(structure) and structure != Config()


def test_hyper_has_the_fields_that_are_traced():
    names = {key.split(".")[-1] for key in configs.HYPER_FIELDS} - {"scale"} | {"attention_scale"}
    assert names == set(Hyper._fields)


def test_fields_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().model.width = 3
