"""Spaces: what axis, product and the command line make, and what they refuse."""

import pytest

from attention_lab.sweeps import space


def test_product_varies_the_last_fastest():
    cells = space.product(space.axis("seed", [0, 1]), space.axis("model.width", [8, 16, 32]))
    assert [(cell["seed"], cell["model.width"]) for cell in cells] == [
        (0, 8), (0, 16), (0, 32), (1, 8), (1, 16), (1, 32)]
    assert space.product() == [{}]


@pytest.mark.parametrize("text, key, values", [
    ("config.optimizer.learning_rate=1e-3,3e-3", "optimizer.learning_rate", [1e-3, 3e-3]),
    ("optimizer.learning_rate=log(1e-4,1e-1,4)", "optimizer.learning_rate", [1e-4, 1e-3, 1e-2, 1e-1]),
    ("config.training.dropout=linear(0,0.4,5)", "training.dropout", [0.0, 0.1, 0.2, 0.3, 0.4]),
    ("config.seed=range(2,5)", "seed", [2, 3, 4]),
    ("config.model.width=range(8,33,8)", "model.width", [8, 16, 24, 32]),
    ("config.attention.scale=inverse_sqrt,1.0,none", "attention.scale", ["inverse_sqrt", 1.0, None]),
    ("config.data.buckets=8,16;16", "data.buckets", [(8, 16), (16,)]),
    ("config.model.tie_embeddings=true,false", "model.tie_embeddings", [True, False]),
])
def test_the_command_line_spells_an_axis(text, key, values):
    assert space.parse_axis(text) == [{key: value} for value in values]


def test_seeds():
    assert [cell["seed"] for cell in space.parse_seeds("0:4")] == [0, 1, 2, 3]
    assert [cell["seed"] for cell in space.parse_seeds("5,2")] == [5, 2]


@pytest.mark.parametrize("call, words", [
    (lambda: space.parse_axis("config.model.widht=8,16"), "model.widht is not a field.*mean model.width"),
    (lambda: space.parse_axis("config.model.width=8,wide"), "model.width=wide is not an integer"),
    (lambda: space.parse_axis("config.model.width=8,,16"), "model.width= is not an integer"),
    (lambda: space.parse_axis("config.model.width="), "--sweep=config.KEY=VALUE,VALUE is the spelling"),
    (lambda: space.parse_axis("config.model.width"), "is the spelling"),
    (lambda: space.parse_axis("config.model.width=8,8"), "model.width: the sweep has 8 twice"),
    (lambda: space.parse_axis("config.training.dropout=log(0,1,3)"), "0 < low < high"),
    (lambda: space.parse_axis("config.training.dropout=log(1)"), "is the spelling"),
    (lambda: space.parse_axis("training.dropout=linear(0,9,3)"), "training.dropout=4.5 is not a number"),
    (lambda: space.parse_axis("config.seed=range(3,3)"), "seed: the sweep has no value"),
    (lambda: space.parse_seeds("4:0"), "seed: the sweep has no value"),
    (lambda: space.parse_seeds("a:b"), "0:8 .* is the spelling"),
    (lambda: space.axis("model.width", ["8"]), "model.width=8 is not an integer"),
    (lambda: space.product(space.axis("seed", [0]), space.axis("seed", [1])), "seed is swept twice"),
    (lambda: space.parse_axis("config.training.dropout=linear(0.2,0.1,3)"), "low < high and at least 2"),
])
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
