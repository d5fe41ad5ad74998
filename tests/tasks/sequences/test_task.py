"""Sequences as tasks: accuracy counts questions, and a Transformer that translates is not asked."""

import jax
import pytest

from attention_lab import config as configs
from attention_lab.config.rules import check
from attention_lab.tasks import build
from configs.echo import get_config as get_echo
from configs.memory import get_config as get_memory
from configs.recall import get_config


def test_accuracy_counts_what_is_asked():
    config = get_config("smoke")
    task = build(config)
    params = task.init(jax.random.key(0))
    _, hyper = configs.split(config)
    accuracy = task.score(params, hyper, "dev", True).numbers["dev_accuracy"]
    assert 0 <= accuracy <= 0.5 and (accuracy * 16 * 4) == pytest.approx(round(accuracy * 64), abs=1e-3)
    assert task.facts["length"] == 12 and task.tokens(next(task.batches(0, 0))) == task.facts["rows"] * 12


def test_sequences_of_train_among_those_of_dev_and_test_are_counted():
    """Two keys and two values make four sequences of one pair, and train has them all."""
    config = configs.replace(get_config("smoke"), {
        "data.pairs": 1, "data.vocabulary_size": 8, "data.train_size": 64, "data.dev_size": 16,
        "data.test_size": 24})
    assert build(config).notices == ["dev: 16 sequences also in train", "test: 24 sequences also in train"]
    assert build(get_config("smoke")).notices == []


def test_a_transformer_that_translates_is_refused():
    with pytest.raises(ValueError, match="model.kind=transformer does not fit data.source=recall: encoder"):
        check(configs.replace(get_config(), {"model.kind": "transformer"}))


def test_an_echo_is_scored_where_it_is_asked():
    task = build(get_echo("gru,smoke"))
    numbers = task.score(task.init(jax.random.key(0)), configs.split(get_echo("gru,smoke"))[1], "dev",
                         True).numbers
    assert set(numbers) == {"dev_accuracy"}  # nothing is attended to
    assert numbers["dev_accuracy"] * 16 * 4 == pytest.approx(round(numbers["dev_accuracy"] * 64), abs=1e-3)
    assert task.facts["length"] == 7 and task.facts["chance"] == 1 / 4


def test_a_marked_word_is_asked_once_a_sequence():
    config = get_memory("gru,smoke")
    task = build(config)
    numbers = task.score(task.init(jax.random.key(0)), configs.split(config)[1], "dev", True).numbers
    accuracy = numbers["dev_accuracy"]
    assert accuracy * 16 == pytest.approx(round(accuracy * 16), abs=1e-3)
    assert task.facts["length"] == 7 and task.facts["chance"] == 1 / 4 and task.facts["rows"] == 16
