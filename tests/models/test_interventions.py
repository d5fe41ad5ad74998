"""Counterfactual weights in every model: own weights given back, padding, rows, layers, what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.attention import counterfactual as other
from attention_lab.models.interventions import by_layer
from tests.models.sentences import batch, built

TRANSFORMER = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2}
ONE = TRANSFORMER | {"model.num_layers": 1}
GRU = {"model.kind": "gru", "model.width": 6, "model.hidden": 8, "model.num_layers": 1,
       "model.bidirectional": True, "attention.compatibility": "additive"}
TAGGER = {"data.source": "echo", "model.kind": "gru", "model.width": 6, "model.hidden": 5,
          "attention.compatibility": "none"}
KINDS = {
    "transformer": TRANSFORMER,
    "one layer": ONE,
    "encoder": TRANSFORMER | {"data.source": "recall", "model.kind": "encoder"},
    "additive": GRU,
    "input feeding": GRU | {"model.input_feeding": True, "model.bidirectional": False,
                            "attention.compatibility": "dot"},
}


def run(changes):
    """A compiled function (params, batch, intervention) -> Output with weights, and the params."""
    model, params, hyper = built(changes)
    return jax.jit(lambda params, batch, intervention: model.apply(
        params, batch, hyper, with_weights=True, intervention=intervention)), params


@pytest.mark.parametrize("kind", ["one layer", "encoder", "additive"])
def test_its_own_weights_given_back_change_neither_value_nor_gradient(kind):
    model, params, hyper = built(KINDS[kind])
    given = batch()

    def total(params, intervened):
        intervention = None
        if intervened:
            # Own weights are functions of the parameters too: the whole gradient passes through them.
            own = model.apply(params, given, hyper, with_weights=True).weights
            intervention = {name: other.given(weights) for name, weights in own.items()}
        hidden = model.apply(params, given, hyper, intervention=intervention).hidden
        return jnp.sin(hidden).sum(), hidden

    compiled = jax.jit(jax.grad(total, has_aux=True), static_argnums=1)
    (plain, hidden), (again, same) = compiled(params, False), compiled(params, True)
    np.testing.assert_allclose(same, hidden, rtol=0, atol=1e-6 * np.abs(hidden).max())
    norm = max(np.abs(leaf).max() for leaf in jax.tree.leaves(plain))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=5e-6 * norm), again, plain)


@pytest.mark.parametrize("kind, names", [("transformer", ["encoder", "decoder", "cross"]),
                                         ("additive", ["cross"]), ("input feeding", ["cross"])])
def test_weights_are_replaced_where_they_may_be_and_padding_changes_nothing(kind, names):
    apply, params = run(KINDS[kind])
    key = jax.random.key(0)

    def intervention(padding):
        S, T = 7 + padding, 5 + padding
        if names == ["cross"]:
            return {"cross": other.permuted(key, (1, 3, 1, T, S))}
        return {"encoder": other.permuted(key, (2, 3, 2, S, S)), "decoder": other.zero_max(),
                "cross": other.uniform()}

    plain = apply(params, batch(), None)
    out, padded = apply(params, batch(), intervention(0)), apply(params, batch(4), intervention(4))
    real, size = batch()["target"] > 0, np.abs(out.hidden).max()
    np.testing.assert_allclose(padded.hidden[:, :5][real], out.hidden[real], rtol=0, atol=5e-6 * size)
    assert set(out.weights) == set(names)
    assert not np.asarray(out.weights["cross"])[:, 1, :, :, 4:].any()
    if kind == "transformer":
        np.testing.assert_allclose(out.weights["cross"][:, 1, :, :, :4], 0.25)
        np.testing.assert_array_equal(out.weights["decoder"].sum(axis=-1)[..., 0], 0)  # sees itself alone
        np.testing.assert_allclose(out.weights["decoder"].sum(axis=-1)[..., 1:], 1, rtol=1e-5)
        first, own = out.weights["encoder"][0], plain.weights["encoder"][0]
        assert not np.asarray(first)[1, :, :, 4:].any()
    else:
        # What the first step asks is what it asked before.
        first, own = out.weights["cross"][..., 0, :], plain.weights["cross"][..., 0, :]
    np.testing.assert_allclose(np.sort(first), np.sort(own), rtol=1e-5, atol=1e-7)
    assert np.abs(first - own).max() > 1e-3 and np.abs(out.hidden - plain.hidden).max() > 1e-3


@pytest.mark.parametrize("kind", ["additive", "input feeding"])
def test_a_recurrent_network_is_as_it_was_before_the_step_that_is_changed(kind):
    apply, params = run(KINDS[kind])
    rows = np.zeros((1, 3, 1, 5), bool)
    rows[..., 2] = True
    plain, changed = apply(params, batch(), None), apply(params, batch(), {"cross": other.uniform(rows)})
    np.testing.assert_allclose(changed.hidden[:, :2], plain.hidden[:, :2], rtol=1e-5, atol=1e-6)
    assert (np.abs(changed.hidden - plain.hidden)[:, 2:].max(axis=(0, 2)) > 1e-4).all()
    np.testing.assert_allclose(changed.weights["cross"][0, 1, 0, 2], [0.25] * 4 + [0] * 3)
    found, own = (out.weights["cross"][..., :2, :] for out in (changed, plain))
    np.testing.assert_allclose(found, own, rtol=1e-5, atol=1e-7)


def test_rows_heads_and_layers_that_are_not_meant_keep_their_own_weights():
    apply, params = run(TRANSFORMER)
    rows = np.zeros((2, 3, 2, 7), bool)
    rows[0, :, 1, 3] = True  # in the first layer the second head, at the fourth token
    plain = apply(params, batch(), None)
    changed = apply(params, batch(), {"encoder": other.uniform(rows)})
    first, own = (np.asarray(out.weights["encoder"][0]) for out in (changed, plain))
    np.testing.assert_allclose(first[~rows[0]], own[~rows[0]], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(first[2, 1, 3], np.full(7, 1 / 7), rtol=1e-6)
    # The second layer asks its own questions, of states that only the fourth token's have changed.
    second, before = (np.asarray(out.weights["encoder"][1]) for out in (changed, plain))
    assert np.abs(second - before).max() > 1e-4
    np.testing.assert_allclose(second.sum(axis=-1), 1, rtol=1e-5)


def test_an_implementation_that_forms_no_weights_makes_way():
    found = []
    for implementation in ("reference", "xla"):
        model, params, hyper = built(ONE | {"attention.implementation": implementation})
        compiled = jax.jit(lambda params, intervention, apply=model.apply, hyper=hyper: apply(
            params, batch(), hyper, intervention=intervention))
        found.append(compiled(params, {"cross": other.zero_max()}))
        assert found[-1].weights == {}
    np.testing.assert_allclose(found[1].hidden, found[0].hidden, rtol=1e-5, atol=1e-5)
    assert np.abs(found[0].hidden - compiled(params, None).hidden).max() > 1e-3


def test_an_axis_of_one_layer_stands_for_all():
    numbers = np.arange(2 * 3, dtype=np.float32).reshape(2, 1, 1, 1, 3)
    assert by_layer(None, encoder=2) == {"encoder": [None, None]}
    two = by_layer({"encoder": other.given(numbers)}, encoder=2, cross=1)
    assert [one.numbers[0, 0, 0, 0] for one in two["encoder"]] == [0, 3] and two["cross"] == [None]
    same = by_layer({"encoder": other.given(numbers[:1])}, encoder=2)["encoder"]
    assert [one.numbers[0, 0, 0, 0] for one in same] == [0, 0]


@pytest.mark.parametrize("changes, intervention, words", [
    (KINDS["encoder"], other.uniform(), "is one Counterfactual; it is given by kind of attention"),
    (TAGGER, {"cross": other.uniform()},
     "intervention is on cross; this model allows none: it has no attention"),
    (GRU | {"attention.compatibility": "none"}, {"cross": other.uniform()}, "none: it has no attention"),
    (GRU, {"encoder": other.uniform()}, "intervention is on encoder; this model allows cross"),
    (KINDS["encoder"], {"cross": other.uniform(), "decoder": other.uniform()},
     "intervention is on cross, decoder; this model allows encoder"),
    (TRANSFORMER, {"cross": other.uniform(np.ones((3, 3, 2, 5), bool))},
     "its first axis must be the number of layers, 2, or 1"),
    (KINDS["encoder"], {"encoder": other.given(np.ones((2, 3, 2, 7, 5)))},
     "counterfactual.numbers has shape (3, 2, 7, 5); allowed is (3, 2, 7, 7)"),
])
def test_what_is_refused(changes, intervention, words):
    model, params, hyper = built(changes)
    with pytest.raises(ValueError) as error:
        model.apply(params, batch(), hyper, intervention=intervention)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_an_empty_intervention_is_none():
    model, params, hyper = built(TAGGER)
    np.testing.assert_array_equal(model.apply(params, batch(), hyper, intervention={}).hidden,
                                  model.apply(params, batch(), hyper).hidden)
