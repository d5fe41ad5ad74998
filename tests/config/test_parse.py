"""Text at dotted keys: typed, strict; one line and the nearest right key where it is refused."""

import pytest

from attention_lab.config import Config, all_fields, get
from attention_lab.config import parse as overrides
from attention_lab.config import replace
from attention_lab.config.values import show
from configs.recall import get_config as get_recall


@pytest.mark.parametrize("key, text, value", [
    ("model.num_heads", "8", 8), ("training.steps", "1e3", 1000), ("training.steps", "2.5e2", 250),
    ("training.steps", "1000.0", 1000), ("training.steps", " 7 ", 7), ("seed", "0", 0),
    ("training.epochs", "1e3", 1000.0), ("optimizer.learning_rate", "1", 1.0),
    ("optimizer.learning_rate", "3e-4", 3e-4), ("model.key_size", "none", None),
    ("model.key_size", "None", None), ("model.key_size", "5", 5),
    ("model.tie_embeddings", "false", False), ("model.tie_embeddings", "True", True),
    ("data.buckets", "12,16,20", (12, 16, 20)), ("data.buckets", "(12, 16)", (12, 16)),
    ("data.buckets", "[12]", (12,)), ("data.buckets", "(12,)", (12,)), ("data.buckets", "", ()),
    ("data.buckets", "()", ()), ("data.path", "a b=c.tsv", "a b=c.tsv"),
    ("data.path", "none", "none"), ("data.path", "", ""), ("data.path", "12", "12"),
    ("attention.scale", "inverse", "inverse"), ("attention.scale", "0.5", 0.5),
    ("attention.scale", "2", 2.0), ("attention.scale", "none", None),
    ("data.tokenizer", "bpe", "bpe"),
])
def test_text_becomes_the_typed_value(key, text, value):
    found = overrides.parse(key, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("key, text, said", [
    ("model.num_heads", "1.5", "an integer of at least 1"), ("model.num_heads", "", "integer"),
    ("model.num_heads", "eight", "integer"), ("model.num_heads", "0", "of at least 1"),
    ("model.num_heads", "none", "integer"), ("model.num_heads", "true", "integer"),
    ("model.num_heads", "1e999999999", "integer"), ("model.num_heads", "inf", "integer"),
    ("model.num_heads", "nan", "integer"), ("model.num_heads", "0x8", "integer"),
    ("training.steps", "1e-3", "an integer of at least 1, or none"),
    ("training.dropout", "nan", "a number from 0 to 0.95"), ("training.dropout", "inf", "number"),
    ("training.dropout", "-0.1", "number"), ("training.dropout", "1e400", "number"),
    ("optimizer.epsilon", "0", "a number above 0"),
    ("model.tie_embeddings", "yes", "true or false"),
    ("model.tie_embeddings", "1", "true or false"),
    ("model.tie_embeddings", "none", "true or false"),
    ("data.buckets", "12,x", "integers parted by commas"), ("data.buckets", "12,,16", "integers"),
    ("data.buckets", "12 16", "integers"), ("data.buckets", "1.5,2", "integers"),
    ("data.tokenizer", "words", "bpe, word, byte; did you mean word?"),
    ("attention.scale", "sqrt", "inverse_sqrt, inverse, or a number, or none"),
    ("attention.scale", "nan", "number"), ("decoding.beam", "65", "an integer from 1 to 64"),
])
def test_text_that_is_no_value_of_the_field_is_refused(key, text, said):
    with pytest.raises(ValueError) as refused:
        overrides.apply(Config(), {key: text})
    assert str(refused.value).startswith(f"{key}={text} is not ")
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("key, nearest", [
    ("model.num_headz", "model.num_heads"), ("num_heads", "model.num_heads"),
    ("model.heads", "model.num_heads"), ("heads", "model.num_heads"),
    ("learning_rate", "optimizer.learning_rate"),
    ("model.learning_rate", "optimizer.learning_rate"),
    ("lr", "optimizer.learning_rate"), ("training.wd", "optimizer.weight_decay"),
    ("Model.Width", "model.width"), ("trainin.steps", "training.steps"), ("sed", "seed"),
    ("model.width.x", "model.width"), ("config.model.width", "model.width"),
    ("data.maxlength", "data.max_length"), ("decoding.maxlength", "decoding.max_length"),
])
def test_an_unknown_key_is_answered_with_the_nearest(key, nearest):
    with pytest.raises(ValueError) as refused:
        overrides.apply(Config(), {key: "3"})
    assert str(refused.value) == f"{key} is not a field of the config; did you mean {nearest}?"


@pytest.mark.parametrize("key", ["", ".", "xyzzy", "model.", "__class__", "model.__class__"])
def test_a_key_like_no_other_is_refused(key):
    with pytest.raises(ValueError, match="is not a field of the config"):
        overrides.apply(Config(), {key: "3"})


def test_a_group_is_answered_with_its_fields():
    with pytest.raises(ValueError, match="model is a group .* model.kind, model.pooling, model.width"):
        overrides.apply(Config(), {"model": "3"})


def test_several_are_put_in_and_the_config_stays_as_it_was():
    base = Config()
    changed = overrides.apply(base, {"model.width": "64", "seed": "3"})
    assert (changed.model.width, changed.seed) == (64, 3) and base == Config()
    assert overrides.apply(base, {}) == base


def test_a_key_given_twice_is_refused_even_with_one_value():
    with pytest.raises(ValueError, match="seed is given twice: 3 and 3"):
        overrides.apply(Config(), [("seed", "3"), ("seed", "3")])


def test_the_whole_is_checked():
    with pytest.raises(ValueError, match="model.num_heads=7 does not divide"):
        overrides.apply(Config(), {"model.num_heads": "7"})
    assert overrides.apply(Config(), {"model.num_heads": "7", "model.width": "70"})


def test_one_duration_replaces_the_others_and_two_are_refused():
    changed = overrides.apply(Config(), {"training.epochs": "3"}).training
    assert (changed.steps, changed.epochs, changed.max_minutes) == (None, 3.0, None)
    changed = overrides.apply(replace(Config(), {"training.steps": None, "training.epochs": 2.0}),
                              {"training.max_minutes": "1"}).training
    assert (changed.steps, changed.epochs, changed.max_minutes) == (None, None, 1.0)
    with pytest.raises(ValueError, match="training.steps=9 and training.epochs=3 are both given"):
        overrides.apply(Config(), {"training.epochs": "3", "training.steps": "9"})
    changed = overrides.apply(Config(), {"training.epochs": "3", "training.steps": "none"}).training
    assert (changed.steps, changed.epochs) == (None, 3.0)
    with pytest.raises(ValueError, match="none is set"):
        overrides.apply(Config(), {"training.steps": "none"})


@pytest.mark.parametrize("key, source", [("data.path", "tsv"), ("data.directory", "multi30k")])
def test_a_path_that_would_be_read_by_nobody_is_refused(key, source):
    with pytest.raises(ValueError, match=f"grammar does not read it: data.source={source}, .* do$"):
        overrides.apply(Config(), {key: "x"})
    assert overrides.apply(Config(), {key: "x", "data.source": source})
    assert overrides.apply(Config(), {key: ""}) == Config()


def test_variants_are_put_on_in_the_order_of_the_file():
    variants = {"big": {"model.width": 256, "training.steps": 9}, "long": {"training.epochs": 2.0},
                "smoke": {"model.width": 16}}
    both = overrides.combine(Config(), variants, "smoke,big")
    assert both == overrides.combine(Config(), variants, "big, smoke")
    assert (both.model.width, both.training.steps) == (16, 9)
    long = overrides.combine(Config(), variants, "long,big").training
    assert (long.steps, long.epochs) == (None, 2.0)
    assert overrides.combine(Config(), variants, "") == Config()
    with pytest.raises(ValueError, match="'smok' .*allowed are big, long, smoke.*mean smoke"):
        overrides.combine(Config(), variants, "smok")
    with pytest.raises(ValueError, match="model.widht is not a field"):
        overrides.combine(Config(), {"a": {"model.widht": 3}}, "a")


def test_every_value_reads_back_from_its_spelling():
    config = replace(Config(), {"data.buckets": (8, 16), "attention.scale": 0.5, "data.path": "x"})
    for source in (Config(), config):
        for key in all_fields():
            text = show(get(source, key))
            assert overrides.parse(key, "" if text == "''" else text) == get(source, key)


def test_home_is_put_in_for_its_sign(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    for text, value in (("~/a.tsv", "/home/someone/a.tsv"), ("a~/b", "a~/b"), ("~", "/home/someone")):
        assert overrides.parse("data.path", text) == value


def test_a_kind_that_is_given_fits_the_fields_that_it_does_not_read():
    recurrent = overrides.apply(get_recall("mqar"), {"model.kind": "gru"})
    keys = ("model.causal", "model.num_heads", "attention.compatibility")
    assert [get(recurrent, key) for key in keys] == [False, 4, "none"]
    back = overrides.apply(recurrent, {"model.kind": "encoder", "model.causal": "true"})
    assert (back.attention.compatibility, back.model.causal, back.model.shift) == ("dot", True, True)
    scaled = replace(get_recall("mqar"), {"attention.scale": 1.0})
    assert overrides.apply(scaled, {"model.kind": "lstm"}).attention.scale is None
    additive = replace(Config(), {"attention.compatibility": "additive", "model.num_heads": 2})
    changed = overrides.apply(additive, {"model.kind": "gru"})  # a recurrent translator attends
    assert (changed.attention.compatibility, changed.model.num_heads) == ("additive", 4)


def test_what_is_given_with_a_kind_is_not_changed_but_refused():
    for key, text in (("model.num_heads", "2"), ("attention.compatibility", "dot")):
        with pytest.raises(ValueError, match=f"{key}={text}"):
            overrides.apply(get_recall("mqar"), {"model.kind": "gru", key: text})
