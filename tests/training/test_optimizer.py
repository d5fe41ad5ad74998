"""Schedules by hand, and the chain of clipping, Adam, weight decay and rate."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.training.optimizer import make_optimizer, schedule


@pytest.mark.parametrize("kind, warmup, steps, expected", [
    ("inverse_sqrt", 4, 100, {0: 0.25, 1: 0.5, 3: 1.0, 15: 0.5, 99: 0.2}),
    ("constant", 4, 100, {0: 0.25, 3: 1.0, 99: 1.0}),
    ("cosine", 4, 20, {0: 0.25, 3: 1.0, 11: 0.5, 19: 0.0, 25: 0.0}),
    ("inverse_sqrt", 0, 9, {0: 1.0, 3: 0.5}),
])
def test_schedules_have_unit_height(kind, warmup, steps, expected):
    shape = schedule(kind, warmup, steps)
    for n, height in expected.items():
        assert float(shape(n)) == pytest.approx(height, abs=1e-6), n


def first_update(gradient, params, **changes):
    config = configs.replace(configs.Config(), {
        "optimizer.learning_rate": 0.1, "optimizer.warmup_steps": 1,
        "optimizer.schedule": "constant"} | changes)
    structure, hyper = configs.split(config)
    optimizer = make_optimizer(structure.optimizer, hyper, 10)
    return optimizer.update(gradient, optimizer.init(params), params)


def test_the_first_step_of_adam_is_the_rate_against_the_sign():
    update, _ = first_update(jnp.array([0.3, -0.4]), jnp.zeros(2), **{"optimizer.clip_norm": 0.0})
    np.testing.assert_allclose(update, [-0.1, 0.1], rtol=1e-5)


def test_weight_decay_is_decoupled():
    update, _ = first_update(jnp.array([0.3]), jnp.array([2.0]), **{"optimizer.weight_decay": 0.5})
    np.testing.assert_allclose(update, [-0.1 - 0.1 * 0.5 * 2.0], rtol=1e-5)


@pytest.mark.parametrize("clip, expected", [(1.0, [0.6, 0.8]), (0.0, [3.0, 4.0]), (10.0, [3.0, 4.0])])
def test_clipping_keeps_the_direction(clip, expected):
    _, state = first_update(jnp.array([3.0, 4.0]), jnp.zeros(2), **{"optimizer.clip_norm": clip})
    adam = next(part for part in state if hasattr(part, "mu"))
    np.testing.assert_allclose(adam.mu, 0.1 * np.array(expected), rtol=1e-5)


def test_queries_and_keys_have_a_rate_of_their_own():
    names = [f"{of}_{part}" for of in ("query", "key", "value") for part in ("kernel", "bias")]
    params = {"layer": {name: jnp.zeros(2) for name in names}, "pool_query": jnp.zeros(2)}
    gradient = jax.tree.map(lambda x: x + jnp.array([3.0, -4.0]), params)
    update, _ = first_update(gradient, params, **{"optimizer.query_key_rate": 0.25})
    for name, x in (update["layer"] | {"pool_query": update["pool_query"]}).items():
        rate = 0.025 if name in names[:4] else 0.1
        np.testing.assert_allclose(x, [-rate, rate], rtol=1e-5, err_msg=name)
