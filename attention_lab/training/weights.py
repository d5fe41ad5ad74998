"""The parameters of a run, before its first step and at its end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from attention_lab.config import PATHS, Config, digest, split
from attention_lab.storage import checksums, environment, runs
from attention_lab.storage.files import read_json
from attention_lab.training import checkpoint, views
from attention_lab.training.optimizer import recipe
from attention_lab.training.programs import initial_state
from attention_lab.training.state import scored_params
from attention_lab.training.step import run_keys


def load_finished(folder: str | Path) -> runs.Run:
    """A finished run.

    Raises:
      ValueError: there is none, it diverged, its config, tokenizer or classes are not those that it was
        trained with, or jax now uses 64 bits.
    """
    run = runs.load_run(folder)
    if run.result.get("status") != "finished":
        raise ValueError(f"{folder} {run.result.get('status')}: it has no usable parameters")
    if run.facts.get("config", fields := digest(run.config, PATHS)) != fields:
        raise ValueError(f"{run.folder / 'config.json'} is not the config that the run was trained with: its "
                         "fields have another digest than run.json records; put the run's own file back")
    checksums.check(run.folder, run.facts, checksums.MODEL)
    if not run.facts.get("jax_settings", {}).get("jax_enable_x64"):
        environment.check_settings()
    return run


def first_weights(config: Config, init: Callable) -> Any:
    """The parameters that a run of this config begins with; `init` is its model's."""
    return init(run_keys(split(config)[1].seed)[0])


def scored_weights(run: runs.Run, init: Callable, say: Callable[[str], None] = lambda line: None) -> Any:
    """The parameters that were scored: those selected on dev, averaged where the run averages.

    `run` is finished, `init` is its model's. Where that checkpoint is damaged, the newest is read and `say`
    gets a warning; a ValueError if none can be read.
    """
    structure, hyper = split(run.config)
    shapes = jax.eval_shape(lambda: initial_state(init, recipe(structure, 1), hyper))
    checkpoints, best_step = run.folder / "checkpoints", run.result.get("best_step")
    if best_step is None:
        raise ValueError(f"{run.folder / 'result.json'} is damaged: it has no best_step")
    if best := checkpoint.restore(checkpoints, shapes, step=best_step):
        return scored_params(best[1])
    newest = checkpoint.restore(checkpoints, shapes)
    if newest is None:
        raise ValueError(f"{run.folder}: none of its checkpoints can be read")
    say(f"the checkpoint of the best step, {best_step}, can't be read: the parameters of step {newest[0]} "
        "are used")
    return scored_params(newest[1])


def selected_step(folder: str | Path) -> int:
    """The step of a run in training that is selected on dev so far; 0 if it has no checkpoint."""
    checkpoints = Path(folder) / "checkpoints"
    steps = checkpoint.steps(checkpoints)
    if not steps:
        return 0
    return read_json(checkpoints / str(steps[-1]) / "host.json").get("best_step") or steps[-1]


def history(folder: str | Path, config: Config, init: Callable) -> dict[int, Any]:
    """Parameters of a run on its way, as they are scored: {step: params}, rising.

    Those before the first step, made anew (not with data.vectors, whose file may be gone), those that
    `training.keep_views` has kept, and those of the checkpoints that are left. A damaged file is left out,
    with a warning.
    """
    structure, hyper = split(config)
    shapes = jax.eval_shape(lambda: initial_state(init, recipe(structure, 1), hyper))
    begun = jax.jit(first_weights, static_argnums=(0, 1))  # one program instead of one for each operation
    kept = {} if config.data.vectors else {0: begun(config, init)}
    for step in checkpoint.steps(views.folder(folder)):
        if read := checkpoint.restore(views.folder(folder), shapes.params, step=step):
            kept[step] = read[1]
    for step in checkpoint.steps(Path(folder) / "checkpoints"):
        if read := checkpoint.restore(Path(folder) / "checkpoints", shapes, step=step):
            kept[step] = scored_params(read[1])
    return dict(sorted(kept.items()))
