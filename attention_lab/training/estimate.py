"""Estimates of a run without compiling it: memory from shapes, time from operations."""

import math
import time
from typing import Any

import jax
import numpy as np

from attention_lab.config import Config, split
from attention_lab.training import loop
from attention_lab.training.devices import data_mesh
from attention_lab.training.optimizer import recipe
from attention_lab.training.programs import initial_state
from attention_lab.training.state import parameter_count
from attention_lab.training.task import Task

# Training's operations over those of a large float32 product in the same time, measured on two cores at width
# 128; bfloat16 on a CPU that has such products.
EFFICIENCY = {"float32": 0.25, "bfloat16": 0.4}


def estimate(task: Task, config: Config) -> dict[str, Any]:
    """Estimated size, memory and time of a run.

    Returns:
      parameters; steps (None where training.max_minutes is set); memory_megabytes, state and the arrays that
      the gradient of one batch keeps; training_flops and minutes, both None where steps are; minutes assume a
      CPU as fast and as busy as this one is now, and leave out compiling and scoring.
    """
    structure, hyper = split(config)
    state = jax.eval_shape(lambda: initial_state(task.init, recipe(structure, 1), hyper))
    parameters = parameter_count(state.params)
    batch = next(task.batches(config.seed, 0))
    rows = len(batch["example"]) // config.training.accumulate
    batch = {name: x[:rows] for name, x in batch.items()}

    def kept(params):
        return jax.vjp(lambda params: task.loss(params, batch, hyper, jax.random.key(0))[0].total, params)[1]

    loop.check_rows(task, config.training.accumulate, data_mesh(config.training.devices).size)
    memory = _bytes(state) + _bytes(state.params) + _bytes(jax.eval_shape(kept, state.params))
    steps = loop.total_steps(config, task)
    # Six operations a parameter and token: forward two, backward four (Kaplan et al. 2020, 2.1).
    flops = steps and 6.0 * parameters * steps * config.training.batch_tokens
    rate = flops and EFFICIENCY[config.training.precision] * _product_rate()
    return {"parameters": parameters, "steps": steps, "memory_megabytes": round(memory / 1e6, 1),
            "training_flops": flops and float(f"{flops:.3g}"),
            "minutes": flops and float(f"{flops / rate / 60:.2g}")}


def _bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree)
               if not jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.extended))


def _product_rate(size: int = 1024, repeats: int = 3) -> float:
    """Operations a second of a large float32 matrix product, the best of a few."""
    a = np.ones((size, size), np.float32)
    best = math.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - begun)
    return 2.0 * size ** 3 / best
