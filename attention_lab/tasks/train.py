"""One run from Python, as by `python -m experiments.train`."""

import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax

from attention_lab.config import PATHS, Config, all_fields, get, rules
from attention_lab.config.load import load as load_config
from attention_lab.config.parse import merge
from attention_lab.data.content import content_of
from attention_lab.storage import environment, runs
from attention_lab.storage.device_errors import device_errors
from attention_lab.tasks.load import Trained, load
from attention_lab.tasks.registry import build
from attention_lab.training import compilations
from attention_lab.training.group import ALONE, Group
from attention_lab.training.run import carry_out

LOG = logging.getLogger(__name__)
ALIKE = ("jax", "jaxlib", "tokenizers")  # packages of which all processes of a run have the same version


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
    rules.check(config)
    run = runs.open_run(workdir, config, f"attention_lab.train(..., {str(workdir)!r})",
                        content=content_of(config))
    with contextlib.closing(run):
        for warning in run.warnings:
            LOG.warning("%s: %s", run.folder, warning)
        finish(run, LOG.info, lambda *step, **numbers: None)
    return load(run.folder, say=LOG.warning)


def finish(run: runs.Run, say: Callable[[str], None], show: Callable | None = None,
           group: Group = ALONE) -> dict[str, Any]:
    """Trains and scores an open run unless it is finished; the content of result.json.

    Args:
      say: takes a line for the user.
      show: updates a progress line, as `progress.progress` gives it; None makes one.
      group: the processes that train the run together, each by this function, on devices of them all.
    Raises:
      ValueError: data that can't be used, or other data than the run was started on; or processes that differ
        in config, data or versions.
    """
    if group.share(run.finished):
        return group.share(run.result)
    task = group.agreed(lambda: build(run.config, run.folder))
    group.agreed(lambda: check_alike(group, {f"data ({name})": value for name, value in task.facts.items()}))
    for notice in task.notices:
        say(notice)
    with compilations.counted() as programs:
        result = carry_out(run, task, show=show, say=say, group=group)
    say(compilations.line(programs, jax.config.jax_compilation_cache_dir))
    return result


def check_alike(group: Group, named: Mapping[str, Any]) -> None:
    """ValueError, which names the first difference, unless all processes of a group have the same values."""
    ours = {key: rules.show(value) for key, value in named.items()}
    for index, other in enumerate(group.gather(ours)):
        for key, value in ours.items():
            if other.get(key) != value:
                raise ValueError(f"the processes of one run differ: {key} is {other.get(key)} in process "
                                 f"{index} and {value} in process {group.index}")


def open_in_group(group: Group, config: Config, folder: Path, open_run: Callable[[], runs.Run]) -> runs.Run:
    """The run folder, opened by the first process of a group; the others get a Run that writes nothing.

    Raises:
      ValueError: as of `runs.open_run`, on every process; or they differ in config or versions. Paths may
        differ: files are known by their content.
    """
    versions = environment.software()["versions"]
    group.agreed(lambda: check_alike(group, {
        **{f"config.{key}": get(config, key) for key in all_fields() if key not in PATHS},
        **{f"the version of {name}": versions.get(name) for name in ALIKE},
        "the number of devices": jax.local_device_count()}))
    return group.agreed(lambda: open_run() if group.first else runs.Run(folder, config, {}))
