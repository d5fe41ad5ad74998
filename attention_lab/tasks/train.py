"""One run from Python, as by `python -m experiments.train`."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from attention_lab.config import Config
from attention_lab.config.load import load as load_config
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.content import content_of
from attention_lab.storage import runs
from attention_lab.storage.device_errors import device_errors
from attention_lab.tasks.load import Trained, load
from attention_lab.tasks.registry import build
from attention_lab.training import compilations
from attention_lab.training.run import carry_out

LOG = logging.getLogger(__name__)


@device_errors()
def train(config: Config | str | Path, workdir: str | Path, **overrides: Any) -> Trained:
    """Trains a model and loads it; an unfinished run is resumed, a finished one only loaded.

    Args:
      config: a Config, or `configs/x.py:variant`.
      workdir: the run's folder, made where it is missing.
      overrides: values of fields, with two underscores for the dot: training__steps=100.
    Returns:
      The model with the checkpoint selected on dev. Notices for the user are logged.
    Raises:
      ValueError: a field or value that is not allowed, data that can't be used, the folder of another run, or
        a run that diverged.
      OSError: the folder can't be written.
      DeviceError: no memory is left, there is no device, or JAX failed on it.
    """
    config = config if isinstance(config, Config) else load_config(str(config))
    config = merge(config, {key.replace("__", "."): value for key, value in overrides.items()})
    check(config)
    run = runs.open_run(workdir, config, f"attention_lab.train(..., {str(workdir)!r})",
                        content=content_of(config))
    with contextlib.closing(run):
        for warning in run.warnings:
            LOG.warning("%s: %s", run.folder, warning)
        finish(run, LOG.info, lambda *step, **numbers: None)
    return load(run.folder, say=LOG.warning)


def finish(run: runs.Run, say: Callable[[str], None], show: Callable | None = None) -> dict[str, Any]:
    """Trains and scores an open run unless it is finished; the content of result.json.

    Args:
      say: takes a line for the user.
      show: updates a progress line, as `progress.progress` gives it; None makes one.
    Raises:
      ValueError: data that can't be used, or other data than the run was started on.
    """
    if run.finished:
        return run.result
    task = build(run.config, run.folder)
    for notice in task.notices:
        say(notice)
    with compilations.counted() as programs:
        result = carry_out(run, task, show=show, say=say)
    say(compilations.line(programs, jax.config.jax_compilation_cache_dir))
    return result
