"""Cells agree with flax's own, in value and in gradient; padding leaves a state as it is."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models
from attention_lab.models.cells import CELLS, Cell, scan

D, H, B, T = 5, 7, 3, 4
NAMES = {"rnn": ("", ), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}
LIBRARY = {"rnn": nn.SimpleCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def cell_of(kind, forget_bias=1.0):
    config = configs.replace(configs.Config(), {"model.kind": kind, "model.forget_bias": forget_bias})
    return Cell(models.spec_of(config, 0), H, D)


def weights(kind):
    key = jax.random.key(0)
    params = cell_of(kind).init(key, jnp.zeros((B, T, D)), method=Cell.project_inputs)["params"]
    return jax.tree.map(lambda x: x + 0.1 * jax.random.normal(key, x.shape), params)


def run(kind, params, x, mask, state=None, reverse=False):
    def whole(module, x):
        return scan(module.step(), state or module.initial_state(B), module.project_inputs(x), mask, reverse)
    return nn.apply(whole, cell_of(kind))({"params": params}, x)


def librarys(kind, params):
    """Our parameters as flax names them."""
    kernels = jnp.split(params["kernel"], CELLS[kind].gates, axis=1)
    recurrent = jnp.split(params["recurrent"], CELLS[kind].gates, axis=1)
    biases = jnp.split(params["bias"], CELLS[kind].gates)
    named = {}
    for name, kernel, recur, bias in zip(NAMES[kind], kernels, recurrent, biases):
        # The LSTM of flax has its bias beside the recurrent map.
        named["i" + name] = {"kernel": kernel} | ({} if kind == "lstm" else {"bias": bias})
        named["h" + name] = {"kernel": recur} | ({"bias": bias} if kind == "lstm" else {})
    if kind == "gru":
        named["hn"]["bias"] = params["candidate_bias"]
    return named


@pytest.mark.parametrize("kind", CELLS)
def test_it_is_the_librarys_cell_in_value_and_gradient(kind):
    params, x = weights(kind), jax.random.normal(jax.random.key(1), (B, T, D))
    state = tuple(jax.random.normal(jax.random.key(i), (B, H)) for i in range(2 if kind == "lstm" else 1))

    def ours(params, x):
        (h, *_), out = run(kind, params, x, jnp.ones((B, T), bool), state)
        return (jnp.sin(out).sum() + (h ** 2).sum()), out

    def theirs(params, x):
        library, named, outs = LIBRARY[kind](H), librarys(kind, params), []
        carry = state[::-1] if kind == "lstm" else state[0]  # flax has (c, h)
        for t in range(T):
            carry, out = library.apply({"params": named}, carry, x[:, t])
            outs.append(out)
        return (jnp.sin(jnp.stack(outs, 1)).sum() + (outs[-1] ** 2).sum()), jnp.stack(outs, 1)

    (gradient, out), (wanted, outs) = (jax.grad(f, argnums=(0, 1), has_aux=True)(params, x)
                                       for f in (ours, theirs))
    np.testing.assert_allclose(out, outs, rtol=1e-5, atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), gradient, wanted)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", CELLS)
def test_padding_leaves_the_state_as_it_is(kind, reverse):
    params, x = weights(kind), jax.random.normal(jax.random.key(1), (B, T, D))
    state, out = run(kind, params, x, jnp.ones((B, T), bool), reverse=reverse)
    padded = jnp.pad(x, ((0, 0), (0, 2), (0, 0)), constant_values=9.0)
    mask = jnp.arange(T + 2)[None, :] < jnp.full((B, 1), T)
    padded_state, padded_out = run(kind, params, padded, mask, reverse=reverse)
    np.testing.assert_allclose(padded_out[:, :T], out, rtol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), padded_state, state)


@pytest.mark.parametrize("bias", [0.0, 1.0, 3.0])
def test_the_forget_gate_begins_at_its_bias(bias):
    params = cell_of("lstm", bias).init(
        jax.random.key(0), jnp.zeros((B, T, D)), method=Cell.project_inputs)["params"]
    np.testing.assert_array_equal(params["bias"], np.repeat([0.0, bias, 0.0, 0.0], H))
