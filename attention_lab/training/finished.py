"""The weights of a run, before its first step and at its end."""

from collections.abc import Callable
from typing import Any

import jax

from attention_lab.config import Config, split
from attention_lab.storage.runs import Run
from attention_lab.training import checkpoint
from attention_lab.training.optimizer import make_optimizer
from attention_lab.training.state import create, scored_params
from attention_lab.training.step import run_keys


def first_weights(config: Config, init: Callable) -> Any:
    """The weights that a run of this config begins with; `init` is its model's."""
    return init(run_keys(split(config)[1].seed)[0])


def scored_weights(run: Run, init: Callable, say: Callable[[str], None] = lambda line: None) -> Any:
    """The weights that were scored: those best on dev, averaged where the run averages.

    Args:
      run: finished. init: its model's.
      say: takes a warning, such as that of a damaged checkpoint, for which another is taken.
    Raises:
      ValueError: no checkpoint can be read.
    """
    structure, hyper = split(run.config)
    shapes = jax.eval_shape(lambda: create(init(jax.random.key(0)), make_optimizer(structure, hyper, 1),
                                           structure.training.average_decay))
    checkpoints = run.folder / "checkpoints"
    kept = checkpoint.restore(checkpoints, shapes, step=run.result["best_step"])
    if kept is None:
        kept = checkpoint.restore(checkpoints, shapes)
        if kept is None:
            raise ValueError(f"{run.folder}: none of its checkpoints can be read")
        say(f"the checkpoint of the best step, {run.result['best_step']}, can't be read: the weights of step "
            f"{int(kept[1].step)} are taken")
    return scored_params(kept[1])
