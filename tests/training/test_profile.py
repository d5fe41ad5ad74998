"""A profile: the operations of a trace, their places, and the work of products."""

import csv

import jax
import jax.numpy as jnp
import pytest

from attention_lab.training import profile as profiles
from tests.training.conftest import small


def test_the_shares_of_a_steps_operations_make_one(line, tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "PRODUCT", 64)
    found = profiles.profile(line().task(), small(), tmp_path / "profile")
    assert sum(operation.share for operation in found.operations) == pytest.approx(1.0)
    assert found.seconds > 0 and found.rate > 0 and found.flops == 0
    times = [operation.seconds for operation in found.operations]
    assert times == sorted(times, reverse=True) and min(times) >= 0
    # One step has each of its operations a whole number of times.
    assert all(operation.calls == round(operation.calls) > 0 for operation in found.operations)
    with (tmp_path / "profile" / "operations.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["place"] for row in rows] == [operation.place for operation in found.operations]
    assert list((tmp_path / "profile").rglob("*.xplane.pb"))


def test_operations_of_all_layers_count_as_one(tmp_path):
    @jax.jit
    def step(x):
        for layer in range(3):
            with jax.named_scope(f"layer_{layer}"):
                x = jnp.sin(x) @ x
        return x

    x = jnp.ones((31, 31))
    compiled = step.lower(x).compile()
    with jax.profiler.trace(tmp_path):
        for _ in range(2):
            compiled(x).block_until_ready()
    trace, = tmp_path.rglob("*.xplane.pb")
    found = profiles.operations(trace, profiles.places(compiled.as_text()), 2)
    product, = (operation for operation in found if operation.place.endswith("layer/dot_general"))
    assert product.calls == 3


def test_products_of_a_loop_count_as_often_as_it_turns():
    def loss(w, x):
        def body(x, _):
            return jax.checkpoint(lambda x: jnp.tanh(x @ w))(x), None
        return jax.lax.scan(body, jnp.einsum("abk,ak->ab", x, x[:, 0]), length=5)[0].sum()

    traced = jax.jit(loss).trace(jnp.ones((3, 3)), jnp.ones((2, 3, 7)))
    assert profiles.product_flops(traced.jaxpr.jaxpr) == 2 * (2 * 3 * 7) + 5 * 2 * (2 * 3 * 3)


def test_the_line_says_the_share_of_the_machines_rate():
    line = profiles.Profile(0.5, 30e9, 120e9, []).line()
    assert line == ("a step takes 500 ms; its products are 30 GFLOP, 0.50 of the rate of a large product in "
                    "float32 (120 GFLOP/s)")
