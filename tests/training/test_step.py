"""The pure step: parts and devices change nothing, the average follows, dropout follows the seed."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.tasks.translation import task as translation
from attention_lab.training import loop
from attention_lab.training.optimizer import recipe
from attention_lab.training.programs import initial_state
from attention_lab.training.step import make_step
from attention_lab.training.task import Scores
from configs.translation import get_config


def smoke(**changes):
    return configs.replace(get_config("smoke"), {"training.devices": 1} | changes)


@pytest.fixture(scope="module")
def task():
    return translation.build(smoke())


def initial(task, config):
    structure, hyper = configs.split(config)
    return initial_state(task.init, recipe(structure, 6), hyper)


COMPILED = {}


def compiled(task, structure):
    """The step of a task and a structure under jit, made once for all tests."""
    key = task.loss, structure
    if key not in COMPILED:
        COMPILED[key] = jax.jit(make_step(task.loss, recipe(structure, 6)))
    return COMPILED[key]


def one_step(task, config, steps=1, batches=None):
    structure, hyper = configs.split(config)
    state = initial(task, config)
    step = compiled(task, structure)
    for batch in batches or [batch for batch, _ in zip(task.batches(0, 0), range(steps))]:
        state, logged = step(state, batch, hyper)
    return state, logged


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


@pytest.mark.parametrize("parts", [2, 8])
def test_accumulation_changes_nothing(task, parts):
    whole, logged = one_step(task, smoke())
    cut, again = one_step(task, smoke(**{"training.accumulate": parts}))
    for name in logged:
        np.testing.assert_allclose(again[name].total, logged[name].total, rtol=1e-5)
        np.testing.assert_allclose(again[name].count, logged[name].count)
    np.testing.assert_allclose(flat(cut.opt_state), flat(whole.opt_state), rtol=1e-3, atol=1e-6)


def test_one_two_and_four_devices_give_the_same_losses(task, tmp_path):
    losses = {}
    # Decoding would be compiled for each; command lines decode what all devices have trained.
    task = task._replace(score=lambda *given: Scores({"dev_bleu": 0.0}, []))
    learning = {"optimizer.learning_rate": 0.01, "optimizer.warmup_steps": 0}
    for devices in (1, 2, 4):
        config = smoke(**learning, **{"training.devices": devices})
        loop.train(task, config, tmp_path / str(devices))
        rows = map(json.loads, (tmp_path / str(devices) / "metrics.jsonl").read_text().splitlines())
        losses[devices] = [row["loss"] for row in rows if "loss" in row]
    assert len(losses[1]) == 6 and losses[1][0] > losses[1][-1]
    np.testing.assert_allclose(losses[2], losses[1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(losses[4], losses[1], rtol=0, atol=1e-5)


def test_a_batch_lies_on_all_devices(task):
    from attention_lab.training.devices import data_mesh, shard
    batch = next(task.batches(0, 0))
    spread = shard(batch, data_mesh(4))
    assert {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(spread)} == {4}
    assert spread["source"].addressable_shards[0].data.shape[0] == len(batch["source"]) // 4
    with pytest.raises(ValueError, match="training.devices=99 but 4 are visible; allowed are 0"):
        data_mesh(99)


def test_more_padding_in_a_batch_changes_nothing(task):
    batch = next(task.batches(0, 0))
    wide = batch | {side: np.pad(batch[side], ((0, 0), (0, 5))) for side in ("source", "target")}
    a, logged = one_step(task, smoke(), batches=[batch])
    b, again = one_step(task, smoke(), batches=[wide])
    np.testing.assert_allclose(again["loss"].total, logged["loss"].total, rtol=1e-5)
    np.testing.assert_allclose(flat(a.opt_state), flat(b.opt_state), rtol=1e-3, atol=1e-6)


def test_dropout_follows_seed_and_step(task):
    batch = next(task.batches(0, 0))
    still = {"optimizer.learning_rate": 0.0, "training.dropout": 0.5}
    config = smoke(**still)
    structure, hyper = configs.split(config)
    state, step = initial(task, config), compiled(task, structure)

    def losses(hyper, state=state):
        found = []
        for _ in range(3):
            state, logged = step(state, batch, hyper)
            found.append(float(logged["loss"].total))
        return found

    assert losses(hyper) == losses(hyper)
    assert len(set(losses(hyper) + losses(hyper._replace(seed=np.uint32(1))))) == 6
    assert len(set(losses(hyper._replace(dropout=np.float32(0.0))))) == 1


def test_the_average_forgets_the_start(task):
    config = smoke(**{"training.average_decay": 0.9})
    start, (first, _) = initial(task, config), one_step(task, config)
    # decay at step 0 is min(0.9, 1/10): nine tenths of the new weights.
    expected = jax.tree.map(lambda old, new: 0.1 * old + 0.9 * new, start.params, first.params)
    np.testing.assert_allclose(flat(first.average), flat(expected), rtol=1e-5, atol=1e-7)
    assert one_step(task, smoke())[0].average == {}


def test_bfloat16_learns_with_float32_state(task):
    config = smoke(**{"training.precision": "bfloat16", "optimizer.learning_rate": 0.01,
                      "optimizer.warmup_steps": 0})
    task = translation.build(config)
    (_, first), (state, last) = one_step(task, config, 1), one_step(task, config, 20)
    assert last["loss"].total / last["loss"].count < first["loss"].total / first["loss"].count - 0.5
    assert {leaf.dtype for leaf in jax.tree.leaves(state.params)} == {jnp.dtype("float32")}


def test_the_scale_is_traced(task, counted):
    config = smoke()
    structure, hyper = configs.split(config)
    traced = counted(make_step(task.loss, recipe(structure, 6)))
    step, state, batch = jax.jit(traced), initial(task, config), next(task.batches(0, 0))
    losses = [float(step(state, batch, hyper._replace(attention_scale=np.float32(scale)))[1]["loss"].total)
              for scale in (0.25, 1.0, 5.0)]
    assert len(set(losses)) == 3 and traced.count == 1
