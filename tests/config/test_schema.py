"""The fields of a config: each is sound, stored, names a run, and is read by somebody."""

import ast
import dataclasses
import pathlib
import subprocess
import sys

import pytest

from attention_lab import config as configs
from attention_lab.config import Config, all_fields, differences, digest, from_dict, get, replace, to_dict
from attention_lab.config.values import allowed, check_value, members

ROOT = pathlib.Path(__file__).parents[2]
KEYS = sorted(all_fields())


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
                        "training.keep_views", "training.log_every")
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
    ({}, "no config of a run"), ({"model_type": "bert", "model": 3}, "no config of a run"),
    ({"data": {}, "model": {}, "training": {}}, "schema=None"),
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


def test_no_field_does_nothing():
    """Each field is read, as `group.field`, outside the files that define and check it."""
    reads = set()
    for folder in ("attention_lab", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.parent.name != "config":
                reads |= set(_reads(ast.parse(path.read_text(encoding="utf-8"))))
    # A Hyper carries these; key_size and value_size are read through functions of config/hyper.py.
    carried = {key: ("hyper", key.split(".")[-1]) for key in configs.HYPER_FIELDS}
    carried["attention.scale"] = ("hyper", "attention_scale")
    calls = {"model.key_size": "key_size", "model.value_size": "value_size",
             "attention.readouts": "readouts_of"}
    unread = [key for key in KEYS
              if tuple(key.split(".")) not in reads and carried.get(key) not in reads
              and not (key in calls and any(name == calls[key] for _, name in reads))]
    assert not unread, f"read nowhere: {unread}"


def test_fields_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().model.width = 3
