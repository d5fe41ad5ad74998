"""Read-outs: numbers worked out by hand, what they are of, and their gradients."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention.implementations import blockwise

# Logits 0, log 2, log 5 of a query, and a query that may attend to nothing.
Q = jnp.array([[1.0], [7.0]])[None, None]
K = jnp.array([[0.0], [math.log(2)], [math.log(5)]])[None, None]
MASK = jnp.array([[True] * 3, [False] * 3])
W = np.array([1, 2, 5]) / 8


def read(*names, **options):
    values = attention.multi_head(Q, K, K, MASK, 1.0, readouts=names, **options)[-1]
    return [values[name][0, 0] for name in names]


@pytest.mark.parametrize("implementation", ["reference", "blockwise"])
def test_numbers_by_hand(implementation):
    entropy, largest, total, received, distance, mass = read(
        "entropy", "largest", "log_sum_exp", "received", "distance", "mass", implementation=implementation,
        pairs=jnp.array([[True, False, True]]))
    np.testing.assert_allclose(entropy, [-(W * np.log(W)).sum(), 0], rtol=1e-5)
    np.testing.assert_allclose(largest, [5 / 8, 0], rtol=1e-6)
    np.testing.assert_allclose(total, [math.log(8), 0], rtol=1e-6)
    np.testing.assert_allclose(received, W, rtol=1e-6)
    np.testing.assert_allclose(distance, [(2 + 2 * 5) / 8, 0], rtol=1e-6)
    np.testing.assert_allclose(mass, [6 / 8, 0], rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in attention.READOUTS if name != "received"])
def test_every_gradient_is_finite_also_where_a_row_is_empty_or_a_weight_0(name):
    def total(q):
        pairs = jnp.ones((2, 3), bool) if name == "mass" else None
        values = attention.multi_head(q, K * 1e3, K, MASK, readouts=[name], pairs=pairs)[-1]
        return values[name].sum()
    gradient = jax.grad(total)(Q)
    assert np.isfinite(gradient).all() and gradient[0, 0, 1, 0] == 0


def test_they_are_of_the_weights_before_dropout_and_after_a_counterfactual():
    dropout = attention.dropout(jax.random.key(0), 0.9, jnp.arange(1), 1)
    np.testing.assert_array_equal(read("largest", dropout=dropout)[0], read("largest")[0])
    uniform = attention.counterfactual.uniform()
    np.testing.assert_allclose(read("largest", counterfactual=uniform)[0], [1 / 3, 0], rtol=1e-6)


@pytest.mark.parametrize("implementation", ["reference", "blockwise"])
def test_the_sum_of_logits_is_0_of_rows_without_keys_alone(implementation):
    one = jnp.array([[False, False, True], [False] * 3])  # whose weight zero_max takes away
    options = dict(readouts=["log_sum_exp"], implementation=implementation)
    for counterfactual in (None, attention.counterfactual.zero_max()):
        total = attention.multi_head(Q, K, K, one, 1.0, counterfactual=counterfactual, **options)[-1]
        np.testing.assert_allclose(total["log_sum_exp"][0, 0], [math.log(5), 0], rtol=1e-6)
    for mask, expected in ((one, [math.nan, 0]), (None, [math.nan] * 2)):
        total = attention.multi_head(Q * math.nan, K, K, mask, 1.0, **options)[-1]
        np.testing.assert_array_equal(total["log_sum_exp"][0, 0], expected)


@pytest.mark.parametrize("options, words", [
    (dict(readouts=["sharpness"]), "readouts has 'sharpness'; allowed are entropy, largest"),
    (dict(readouts="entropy"), "readouts is 'entropy'; allowed is a sequence of names, such as ['entropy']"),
    (dict(readouts=["mass"]), "give both or neither"),
    (dict(pairs=MASK), "give both or neither"),
    (dict(readouts=["mass"], pairs=jnp.ones((3, 3), bool)), "pairs has axes (1, 1, 3, 3); allowed is"),
    (dict(readouts=["entropy"], implementation="xla"), "implementation 'xla' cannot compute readouts"),
    (dict(bias=jnp.ones((3, 2))), "bias has shape (3, 2); allowed are"),
    (dict(bias=jnp.ones(3)), "bias has shape (3,); allowed are"),
])
def test_what_is_refused(options, words):
    with pytest.raises(ValueError) as error:
        attention.multi_head(Q, K, K, MASK, **options)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("implementation", ["reference", "blockwise"])
def test_a_name_may_be_given_twice(implementation, monkeypatch):
    monkeypatch.setattr(blockwise, "BLOCK", 2)  # a window of few blocks
    x, mask = jnp.ones((1, 1, 16, 2)), attention.window(16, 1)
    assert isinstance(attention.multi_head(x, x, x, mask, readouts=None), jax.Array)
    once, twice = (attention.multi_head(x, x, x, mask, implementation=implementation, readouts=names)[-1]
                   for names in (["received"], ["received", "received"]))
    np.testing.assert_array_equal(twice["received"], once["received"])


@pytest.mark.parametrize("implementation", ["reference", "blockwise"])
def test_without_keys_every_number_is_0(implementation):
    names = [name for name, entry in attention.READOUTS.items() if entry.of == "query"]
    values = attention.multi_head(Q, K[:, :, :0], K[:, :, :0], implementation=implementation, readouts=names,
                                  pairs=jnp.ones((2, 0), bool))[-1]
    for name in set(names) - {"log_sum_exp"}:  # of nothing, minus infinity
        np.testing.assert_array_equal(values[name], np.zeros((1, 1, 2)))
