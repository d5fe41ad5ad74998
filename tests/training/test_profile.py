"""A profile: the operations of a trace, their places, and the work of products."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
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


PLANE = """
planes {{
  id: {number} name: "{name}"
  lines {{ id: 1
    events {{ metadata_id: 1 offset_ps: 2000000 duration_ps: 3000000
             stats {{ metadata_id: 1 str_value: "dot.5" }} }}
    events {{ metadata_id: 2 offset_ps: 7000000 duration_ps: 1000000
             stats {{ metadata_id: 1 str_value: "sin.7" }} }}
    events {{ metadata_id: 3 offset_ps: 9000000 duration_ps: 5000000 }} }}
  event_metadata {{ key: 1 value {{ id: 1 name: "ampere_sgemm_128x64_nn" }} }}
  event_metadata {{ key: 2 value {{ id: 2 name: "sin.7" }} }}
  event_metadata {{ key: 3 value {{ id: 3 name: "MemcpyD2H" }} }}
  stat_metadata {{ key: 1 value {{ id: 1 name: "hlo_op" }} }}
}}
"""


@pytest.mark.parametrize("plane, expected", [
    ("/device:GPU:0", [(0.75, 3e-6, 1, "dot", "layer"), (0.25, 1e-6, 1, "sin", "")]),
    ("/host:CPU", [(1.0, 1e-6, 1, "sin", "")])])
def test_a_kernel_of_a_library_counts_for_its_operation_on_a_device_alone(tmp_path, plane, expected):
    text = PLANE.format(number=1, name=plane)
    (tmp_path / "a.xplane.pb").write_bytes(jax.profiler.ProfileData.text_proto_to_serialized_xspace(text))
    found = profiles.operations(tmp_path / "a.xplane.pb", {"dot.5": "layer_3"}, 1)
    assert [operation[3:] for operation in found] == [operation[3:] for operation in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours[:3] == pytest.approx(theirs[:3])


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


def test_the_rate_of_a_product_is_of_the_median_round(monkeypatch):
    """Products of 3 x 3 are 54 operations; rounds take 1, 9 and 2 s, and the first is not timed."""
    clock = iter([0, 10, 10, 11, 20, 29, 30, 32])
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    assert profiles.product_rate(lambda x: x @ x, np.eye(3), 3) == 27.0
