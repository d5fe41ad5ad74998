"""Sequences as tasks: accuracy counts questions, and a Transformer that translates is not asked."""

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.config.rules import check, no_transformer
from attention_lab.tasks import build
from attention_lab.tasks.sequences.task import Tagger, attention_statistics
from attention_lab.training.losses import TokenLoss
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


@pytest.mark.parametrize("kind", ["encoder", "gru"])
def test_k_answers_are_read_out_of_the_state_of_one_query(kind):
    """Answers of a query do not change with the token after it, and differ from each other."""
    others = {} if kind == "encoder" else {
        **no_transformer(), "model.kind": kind, "attention.compatibility": "none"}
    config = configs.replace(get_config("kfold,smoke"), others)
    tagger, (_, hyper) = Tagger(config), configs.split(config)
    params = tagger.model.init(jax.random.key(0))
    source = np.array([[5, 7, 9, 11, 14, 0, 0, 0]], np.int32)
    batch = {"source": source, "example": np.arange(1)}
    answers = tagger.model.apply(params, batch, hyper).hidden[0, 4:]
    other = tagger.model.apply(params, batch | {"source": source + (np.arange(8) > 4)}, hyper).hidden[0, 4:]
    np.testing.assert_allclose(answers, other, rtol=1e-5, atol=1e-6)
    assert min(np.abs(answers[i] - answers[j]).max() for i in range(4) for j in range(i)) > 0.01
    changed = tagger.model.apply(params, batch | {"source": source + 2 * (np.arange(8) == 1)},
                                 hyper).hidden[0, 4:]
    assert (np.abs(answers - changed).max(axis=1) > 1e-4).all()  # each reads the values


def test_one_answer_takes_no_parameters():
    one, four = (Tagger(configs.replace(get_config("kfold,smoke"), {"data.fold": k})).model.init(
        jax.random.key(0)) for k in (1, 4))
    assert "answers" not in one and four["answers"]["kernel"].shape == (16, 64)


def test_k_fold_recall_is_scored_at_its_answers():
    task = build(get_config("kfold,smoke"))
    numbers = task.score(task.init(jax.random.key(0)), configs.split(get_config("kfold,smoke"))[1], "dev",
                         True).numbers
    assert numbers["dev_accuracy"] * 16 * 4 == pytest.approx(round(numbers["dev_accuracy"] * 64), abs=1e-3)
    assert 0 < numbers["dev_entropy_0"] <= 1 and task.facts["chance"] == 1 / 10


@pytest.mark.parametrize("changes, said", [
    ({"data.fold": 3}, "data.fold=3 does not divide data.pairs=8, of which each place is asked for once: "
                       "allowed are 1,2,4,8"),
    ({"data.fold": 16}, "data.fold=16 does not divide data.pairs=8"),
    ({"data.source": "recall"}, "data.fold=4 means nothing to data.source=recall: leave it at 1"),
    ({"model.num_heads": 3}, "model.num_heads=3 does not divide model.width=64"),
])
def test_a_fold_that_means_nothing_is_refused(changes, said):
    with pytest.raises(ValueError) as refused:
        check(configs.replace(get_config("kfold"), changes))
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_the_entropy_is_that_of_queries_not_of_the_padding_after_them():
    config = get_config("kfold,smoke")
    tagger, (_, hyper) = Tagger(config), configs.split(config)
    params = tagger.model.init(jax.random.key(0))
    batch = next(build(config).dev_batches())
    found, _ = attention_statistics(TokenLoss(tagger.model, "float32"), params, batch, hyper)
    entropy = tagger.model.apply(params, batch, hyper, readouts=("entropy",)).readouts["encoder"]["entropy"]
    queries = entropy[:, batch["example"] >= 0][..., 4::4]  # four places, then one query for all of them
    np.testing.assert_allclose(found, queries.mean((1, 2, 3)) / np.log(8), rtol=1e-5)


def test_a_marked_word_is_asked_once_a_sequence():
    config = get_memory("gru,smoke")
    task = build(config)
    numbers = task.score(task.init(jax.random.key(0)), configs.split(config)[1], "dev", True).numbers
    accuracy = numbers["dev_accuracy"]
    assert accuracy * 16 == pytest.approx(round(accuracy * 16), abs=1e-3)
    assert task.facts["length"] == 7 and task.facts["chance"] == 1 / 4 and task.facts["rows"] == 16


def test_any_word_may_come_next_in_a_repeated_block():
    config = get_config("repeated,smoke")
    task = build(config)
    assert task.facts["length"] == 24 and task.facts["chance"] == 1 / 20
