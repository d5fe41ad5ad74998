"""The host loop of all tasks: steps on the device; between them the host logs, scores and saves.

A run that is killed at any moment and started again with the same command ends in the same bytes: arrays and
the host's few numbers are in one checkpoint, batches and masks are functions of (seed, step), and logs are
truncated to the checkpoint.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.config import Config, split
from attention_lab.training.devices import shard
from attention_lab.training.group import ALONE, Group
from attention_lab.training.host import Host
from attention_lab.training.programs import Programs
from attention_lab.training.programs import programs as make_programs
from attention_lab.training.task import Batch, Task
from attention_lab.training.together import Together

CHUNK = 10  # steps of several runs in one call, where so many have the same shape


def total_steps(config: Config, task: Task) -> int | None:
    """Steps of the run's duration; None where training.max_minutes ends it."""
    if config.training.epochs is not None:
        return max(1, round(config.training.epochs * task.steps_per_epoch))
    return config.training.steps


def train(task: Task, config: Config, folder: str | Path, show: Callable = lambda *a, **k: None,
          say: Callable[[str], None] = print, programs: Programs | None = None, group: Group = ALONE
          ) -> tuple[Any, dict[str, Any]]:
    """Trains to the end of the duration, or until `training.patience` dev scores in a row were not the best.

    Args:
      folder: the run's folder; a checkpoint there is continued.
      show: (step, doing=, tokens_per_second=, loss=, dev=) -> None, the progress line; see `progress`.
      say: takes a line that a user should read.
      programs: of this task and Structure, compiled already; None makes them.
      group: the processes that train the run together, each by this function; the first one writes.
    Returns:
      The parameters selected on dev, and the result: status, steps, train_seconds, parameters,
      tokens_per_second, best_step, and "failed" if dev could not be scored.
    Raises:
      ValueError: devices or accumulation that don't fit the batches.
      OSError: the folder can't be written.
    """
    structure, hyper = split(config)
    steps = total_steps(config, task)
    programs = programs or group.agreed(lambda: make_programs(task, structure, steps, group))
    group.agreed(lambda: check_rows(task, config.training.accumulate, programs.mesh.size))
    host = Host(task, config, folder, programs, steps, show, say, group=group)
    state, host.state = host.state or programs.start(hyper), None
    batches = task.batches(config.seed, host.step)
    while host.running:
        batch = next(batches)
        state, logged = programs.update(state, shard(batch, programs.mesh), hyper)
        host.record_step(logged, task.tokens(batch))
        host.after_step(lambda: state)
    return host.result(state)


def train_together(task: Task, configs: Sequence[Config], folders: Sequence[str | Path],
                   programs: Programs, together: Together, show: Callable = lambda *a, **k: None,
                   say: Callable[[str], None] = print, from_step: int | None = None
                   ) -> list[tuple[Any, dict[str, Any]]]:
    """Trains several runs of one Structure by one program; each writes and returns what `train` would.

    A run that has ended is still computed with the others, but no longer logged or saved; train_seconds is a
    run's share of the time.

    Args:
      configs: differ in Hyper alone, of a duration in steps or epochs.
      show, say: as of `train`; `show` gets the steps of all runs together.
      from_step: the step whose checkpoints they continue; None: each run's newest.
    Raises:
      ValueError: runs that are at different steps.
    """
    steps, count = total_steps(configs[0], task), len(configs)
    check_rows(task, configs[0].training.accumulate, 1)
    hosts: list[Host] = []

    def show_all(step, seconds=None, **numbers):
        show(sum(host.step for host in hosts), **numbers)

    for config, folder in zip(configs, folders):
        hosts.append(Host(task, config, folder, programs, steps, show_all, share=1 / count,
                          from_step=from_step, say=say if folder == folders[0] else lambda line: None))
    if len(at_steps := {host.step for host in hosts}) > 1:
        raise ValueError(f"the runs are at steps {sorted(at_steps)}; all must be at the same")
    hyper = together.stacked([host.hyper for host in hosts])
    states = together.stacked([host.state or programs.start(host.hyper) for host in hosts])
    results = {index: host.result(host.state) for index, host in enumerate(hosts) if not host.running}
    for host in hosts:
        host.state = None
    rows = zip(*(task.batches(config.seed, hosts[0].step) for config in configs))
    while len(results) < count:
        live = {index: host for index, host in enumerate(hosts) if host.running}
        for chunk in _chunks(rows, next(iter(live.values())).until_due()):
            states, logged = together.update(states, together.batches(chunk), hyper)
            logged = jax.device_get(logged)
            for index, host in live.items():
                for n, row in enumerate(chunk):
                    host.record_step(jax.tree.map(lambda x: x[index, n], logged), task.tokens(row[index]))
        for index, host in live.items():
            begun = time.monotonic()
            host.after_step(lambda: programs.replicate(together.of_run(states, index)))
            for other in live.values():
                if other is not host:
                    other.exclude(time.monotonic() - begun)
            if not host.running:
                results[index] = host.result(programs.replicate(together.of_run(states, index)))
    return [results[index] for index in range(count)]


def _chunks(rows: Iterator[tuple[Batch, ...]], count: int) -> Iterator[list[tuple[Batch, ...]]]:
    """The next `count` rows (a batch of each run) in lists of equal shapes, of CHUNK rows or of one.

    Only these two lengths, so that no more programs are compiled.
    """
    for _, same in itertools.groupby(itertools.islice(rows, count), shapes):
        while chunk := list(itertools.islice(same, CHUNK)):
            yield from [chunk] if len(chunk) == CHUNK else ([row] for row in chunk)


def shapes(row: tuple[Batch, ...]) -> list[tuple[int, ...]]:
    """The shapes of a batch's arrays; the batches of several runs at one step share them."""
    return [np.shape(x) for x in jax.tree.leaves(row[0])]


def check_rows(task: Task, accumulate: int, devices: int) -> None:
    """ValueError unless the rows of every batch divide into `accumulate` parts over all devices."""
    common = math.gcd(*task.rows)

    def dividing(rows: int, most: int) -> str:
        return ", ".join(str(n) for n in range(1, most + 1) if rows % n == 0)

    if common % accumulate:
        raise ValueError(f"training.accumulate={accumulate} does not divide a batch, with rows in multiples "
                         f"of {common}: allowed are {dividing(common, common)}")
    if common % (accumulate * devices):
        parts = f"the {accumulate} parts (training.accumulate) of " if accumulate > 1 else ""
        raise ValueError(f"training.devices: {devices} devices can't share {parts}a batch, whose rows are "
                         f"multiples of {common}: allowed are {dividing(common // accumulate, devices)}")
