"""Several runs in one program: each leaves what it would have left alone."""

import json
import math
import os

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.config import split
from attention_lab.storage import xla
from attention_lab.tasks.sequences import task as tokenwise
from attention_lab.tasks.translation import task as translation
from attention_lab.training import checkpoint, loop
from attention_lab.training.programs import programs
from attention_lab.training.together import together, why_map_rounds
from configs import recall as recall_config
from configs import translation as translation_config

pytestmark = pytest.mark.skipif(
    xla.SHORT_COMPILATION[0] in os.environ["XLA_FLAGS"],
    reason="bits are compared: test_bits.py runs this file in a process that compiles as training does")
CHANGES = [{"seed": 3, "attention.scale": 1.0}, {"seed": 5, "optimizer.learning_rate": 0.01},
           {"seed": 7, "training.dropout": 0.3}]


def varied(base):
    return [configs.replace(base, {"training.devices": 1, **change}) for change in CHANGES]


def trained(task, cells, parent, how, devices=1):
    """The runs' folders after training them together."""
    structure = split(cells[0])[0]
    steps = loop.total_steps(cells[0], task)
    folders = [parent / f"{how}-{devices}-{number}" for number in range(len(cells))]
    results = loop.train_together(task, cells, folders, programs(task, structure, steps),
                                  together(task, structure, steps, how, devices))
    return folders, results


def lines(folder):
    return [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", params=["recall", "translation"])
def problem(request, tmp_path_factory):
    """A task, its cells, and their folders and results when each is trained alone."""
    if request.param == "recall":  # more steps of one shape than a chunk has
        base = configs.replace(recall_config.get_config("smoke"), {
            "training.steps": 25, "training.eval_every": 12, "training.log_every": 12,
            "training.checkpoint_every": 12, "model.num_layers": 1})
        task = tokenwise.build(base)
    else:  # two shapes
        base = configs.replace(translation_config.get_config("smoke"), {"data.buckets": (12, 16)})
        task = translation.build(base)
    parent, cells = tmp_path_factory.mktemp(request.param), varied(base)
    folders = [parent / str(number) for number in range(len(cells))]
    return task, cells, folders, [loop.train(task, cell, folder) for cell, folder in zip(cells, folders)]


def test_map_equals_each_run_alone_bit_for_bit(problem, tmp_path):
    task, cells, alone, wanted = problem
    folders, results = trained(task, cells, tmp_path, "map")
    for folder, lone in zip(folders, alone):
        assert (folder / "metrics.jsonl").read_bytes() == (lone / "metrics.jsonl").read_bytes()
        assert checkpoint.steps(folder / "checkpoints") == checkpoint.steps(lone / "checkpoints")
    for (params, result), (lone_params, lone_result) in zip(results, wanted):
        jax.tree.map(np.testing.assert_array_equal, params, lone_params)
        timing = {"train_seconds", "tokens_per_second"}
        assert {key: value for key, value in result.items() if key not in timing} == {
            key: value for key, value in lone_result.items() if key not in timing}


@pytest.mark.parametrize("problem", ["recall"], indirect=True)
def test_products_batched_and_on_other_devices_give_the_same_first_losses(problem, tmp_path):
    task, cells, alone, _ = problem
    folders, _ = trained(task, cells, tmp_path, "vmap", devices=2)
    for folder, lone in zip(folders, alone):
        ours, theirs = ([line["loss"] for line in lines(where) if "loss" in line] for where in (folder, lone))
        np.testing.assert_allclose(ours[:3], theirs[:3], rtol=1e-5)


def test_a_run_that_diverges_leaves_its_neighbours_alone(line, config, tmp_path):
    cells = [config(), config(**{"optimizer.learning_rate": 1e30}), config(seed=2)]
    task = line().task()
    _, results = trained(task, cells, tmp_path, "map")
    assert [result["status"] for _, result in results] == ["finished", "diverged", "finished"]
    assert results[1][1]["steps"] < 12 == results[0][1]["steps"]
    for place in (0, 2):
        params, _ = loop.train(task, cells[place], tmp_path / str(place))
        jax.tree.map(np.testing.assert_array_equal, params, results[place][0])


def test_patience_ends_one_run_and_its_best_weights_are_returned(line, config, tmp_path):
    cells = [config(**{"training.steps": 30, "training.patience": 2}, seed=seed) for seed in (1, 2)]
    # Looks alternate: the first run gets worse from its second look on, the other better.
    scores = [5.0, 1.0, 4.0, 2.0, 3.0, 3.0] + [float(n) for n in range(4, 40)]
    _, results = trained(line(scores=scores).task(), cells, tmp_path, "map")
    assert [(result["steps"], result["best_step"]) for _, result in results] == [(9, 3), (30, 30)]


@pytest.mark.parametrize("problem", ["recall"], indirect=True)
def test_a_killed_group_goes_on_from_its_last_checkpoint(problem, tmp_path, monkeypatch):
    task, cells, alone, _ = problem
    real, saved = checkpoint.save, []

    def dies(folder, step, state, host):
        if len(saved) == 3:
            raise KeyboardInterrupt
        saved.append(step)
        real(folder, step, state, host)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            trained(task, cells, tmp_path, "map")
    said = []
    structure, steps = split(cells[0])[0], loop.total_steps(cells[0], task)
    folders = [tmp_path / f"map-1-{number}" for number in range(len(cells))]
    loop.train_together(task, cells, folders, programs(task, structure, steps),
                        together(task, structure, steps, "map", 1), say=said.append)
    assert said == [f"continuing from step {saved[0]}"]
    for folder, lone in zip(folders, alone):
        assert (folder / "metrics.jsonl").read_bytes() == (lone / "metrics.jsonl").read_bytes()


def test_where_map_may_round_is_told(monkeypatch):
    transformer = split(translation_config.get_config("smoke"))[0]
    assert why_map_rounds(transformer) == ""
    recurrent = split(translation_config.get_config("smoke,gru"))[0]
    assert why_map_rounds(recurrent) == "its networks are recurrent"
    for flags in ("--xla_backend_optimization_level=0", "--xla_cpu_use_fusion_emitters=false --xla_a=1"):
        monkeypatch.setenv("XLA_FLAGS", flags)
        assert why_map_rounds(transformer) == "XLA does not compile by default"
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    assert why_map_rounds(transformer) == ""
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        assert why_map_rounds(transformer) == "XLA does not compile by default"
    finally:
        jax.config.update("jax_disable_most_optimizations", False)


def test_what_is_refused(line, config, tmp_path):
    task, cells = line().task(), [config(), config(seed=1)]
    loop.train(task, configs.replace(cells[0], {"training.steps": 4}), tmp_path / "map-1-0")
    with pytest.raises(ValueError, match=r"are at steps \[0, 4\]; all must be at the same"):
        trained(task, cells, tmp_path, "map")
    with pytest.raises(ValueError, match="how='pmap'; allowed are map, vmap"):
        together(task, split(cells[0])[0], 12, "pmap")


def test_the_logs_of_a_group_are_in_each_folder(line, config, tmp_path):
    folders, results = trained(line().task(), [config(), config(seed=1)], tmp_path, "vmap")
    for folder, (_, result) in zip(folders, results):
        rows = [json.loads(text) for text in (folder / "timing.jsonl").read_text().splitlines()]
        assert all(math.isfinite(row["tokens_per_second"]) for row in rows) and rows
        assert result["train_seconds"] >= 0.0
