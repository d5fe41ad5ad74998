"""The scan with its gradients after the loop is `jax.lax.scan`, in value and every gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.models.recurrence import recurrence
from attention_lab.products import product

T, B, M, N = 7, 5, 3, 2


def drawn():
    keys = jax.random.split(jax.random.key(0), 6)
    shapes = {"weights": {"in": (M, N), "out": (N, M)}, "state": (B, M), "xs": (T, B, M), "bias": (N,)}
    flat, tree = jax.tree.flatten(shapes, is_leaf=lambda x: isinstance(x, tuple))
    return tree.unflatten([jax.random.normal(key, shape) for key, shape in zip(keys, flat)])


REAL = jnp.arange(T)[:, None] < jnp.arange(B)[None, :] + 2


def by_recurrence(values, precision, reverse):
    def one(multiply, h, at):
        x, real = at
        inner = jnp.tanh(multiply("in", h) + values["bias"][None, :])
        new = jnp.where(real[:, None], jnp.tanh(x + multiply("out", inner)), h)
        return new, (inner, {"h": new})

    return recurrence(one, values["weights"], values["state"], (values["xs"], REAL), precision, reverse)


def by_scan(values, precision, reverse):
    def one(h, at):
        x, real = at
        inner = jnp.tanh(product(h, values["weights"]["in"], precision) + values["bias"][None, :])
        new = jnp.where(real[:, None], jnp.tanh(x + product(inner, values["weights"]["out"], precision)), h)
        return new, (inner, {"h": new})

    return jax.lax.scan(one, values["state"], (values["xs"], REAL), reverse=reverse)


def total(way, values, precision="float32", reverse=False):
    h, (inner, out) = way(values, precision, reverse)
    weights = jnp.cos(jnp.arange(out["h"].size, dtype=jnp.float32)).reshape(out["h"].shape)
    return (h ** 2).sum() + jnp.sin(inner).sum() + (weights * out["h"]).sum()


def assert_same(found, wanted, rtol=2e-5):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max()),
                 found, wanted)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("jitted", [False, True])
def test_values_and_all_gradients(reverse, jitted):
    wrap = jax.jit if jitted else lambda f: f
    for f in (lambda way: lambda values: way(values, "float32", reverse),
              lambda way: jax.grad(lambda values: total(way, values, reverse=reverse))):
        assert_same(wrap(f(by_recurrence))(drawn()), wrap(f(by_scan))(drawn()))


def test_in_bfloat16_gradients_are_rounded_as_those_of_a_product():
    found, wanted = (jax.grad(lambda values: total(way, values, "bfloat16"))(drawn())
                     for way in (by_recurrence, by_scan))
    plain = jax.grad(lambda values: total(by_scan, values))(drawn())
    assert_same(found, wanted, rtol=1e-5)  # of one rounding: a bfloat16 has 4e-3
    assert np.abs(found["weights"]["in"] - plain["weights"]["in"]).max() > 1e-4


def test_runs_side_by_side_are_each_run_alone():
    values = drawn()
    stacked = jax.tree.map(lambda x: jnp.stack([x, 0.5 * x]), values)
    found = jax.jit(jax.vmap(jax.grad(lambda values: total(by_recurrence, values))))(stacked)
    for index, factor in enumerate((1.0, 0.5)):
        alone = jax.grad(lambda values: total(by_recurrence, values))(
            jax.tree.map(lambda x: factor * x, values))
        assert_same(jax.tree.map(lambda x: x[index], found), alone)


@pytest.mark.parametrize("names, words", [(("in", "in"), "'in'.* twice"), (("in",), "no step .*'out'")])
def test_a_step_multiplies_by_each_once(names, words):
    def one(multiply, h, x):
        for name in names:
            multiply(name, h)
        return h, None

    with pytest.raises(ValueError, match=words):
        recurrence(one, drawn()["weights"], drawn()["state"], drawn()["xs"], "float32")
