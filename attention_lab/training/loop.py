"""The one host loop: steps on the device, and in between the host logs, scores and saves.

Killed at any moment and started again with the same command it ends in the same bytes: the state of
the arrays and the host's few numbers travel in one checkpoint, batches and masks are functions of
(seed, step), and logs are cut back to the checkpoint.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.config import Config, Hyper, split
from attention_lab.files import JsonLines
from attention_lab.training import checkpoint
from attention_lab.training.devices import shard
from attention_lab.training.logs import Writers
from attention_lab.training.programs import Programs
from attention_lab.training.programs import programs as make_programs
from attention_lab.training.state import scored_params
from attention_lab.training.task import Sums, Task

# What the host must know to go on; JSON in each checkpoint beside the arrays.
NEW_HOST = {"status": "running", "best": None, "best_step": 0, "stale": 0, "seconds": 0.0, "window": {}}


def total_steps(config: Config, task: Task) -> int | None:
    """Steps of the run's duration; None where minutes rule."""
    if config.training.epochs is not None:
        return max(1, round(config.training.epochs * task.steps_per_epoch))
    return config.training.steps


def parameter_count(params: Any) -> int:
    """Numbers in a pytree."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


class _Window:
    """Sums since the last line of the log. The newest step's stay on the device until the next is queued."""

    def __init__(self, sums: dict):
        self.sums = {name: Sums(*pair) for name, pair in sums.items()}
        self.queued = None

    def add(self, logged: dict[str, Sums]) -> None:
        queued, self.queued = self.queued, logged
        self._take(queued)

    def _take(self, logged):
        for name, new in jax.device_get(logged or {}).items():
            old = self.sums.get(name, Sums(0.0, 0.0))
            self.sums[name] = Sums(old.total + float(new.total), old.count + float(new.count))

    def settle(self) -> dict[str, Sums]:
        self._take(self.queued)
        self.queued = None
        return self.sums

    def means(self) -> dict[str, float]:
        """The one division, on the host; the window is empty afterwards."""
        sums, self.sums = self.settle(), {}
        return {name: total / max(count, 1.0) for name, (total, count) in sums.items()}


def train(task: Task, config: Config, folder: str | Path, show: Callable = lambda *a, **k: None,
          say: Callable[[str], None] = print, programs: Programs | None = None
          ) -> tuple[Any, dict[str, Any]]:
    """Trains to the end of the duration, or until dev has not improved for `training.patience` looks.

    Args:
      task: what is trained.
      config: how; checked already.
      folder: the run's folder; a checkpoint there is continued.
      show: (step, tokens_per_second=, loss=, dev=) -> None, the progress line.
      say: takes a line that a user should read.
      programs: of this task and Structure, compiled already; None makes them.
    Returns:
      The weights that scored best on dev, and the result: status, steps, train_seconds, parameters,
      tokens_per_second, best_step.
    Raises:
      ValueError: devices or accumulation that don't fit the batches.
      OSError: the folder can't be written.
    """
    begun = time.monotonic()
    training, folder = config.training, Path(folder)
    structure, hyper = split(config)
    steps = total_steps(config, task)
    programs = programs or make_programs(task, structure, steps)
    check_rows(task, training.accumulate, programs.mesh.size)
    checkpoints = folder / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    restored = checkpoint.restore(checkpoints, programs.template)
    if restored:
        start, state, host = restored
        say(f"continuing from step {start}")
    else:
        start, host = 0, dict(NEW_HOST)
        state = programs.start(hyper)
    window, before = _Window(host["window"]), host["seconds"]
    minutes = training.max_minutes or math.inf

    def seconds():
        return before + time.monotonic() - begun

    step = start
    with Writers(folder, start) as writers:
        tokens, clock = 0, time.monotonic()
        batches = task.batches(config.seed, start)

        def log():
            nonlocal tokens, clock
            means, speed = window.means(), tokens / (time.monotonic() - clock)
            writers.write(step, means, {"seconds": seconds(), "tokens_per_second": speed})
            show(step, tokens_per_second=speed, loss=means["loss"])
            tokens, clock = 0, time.monotonic()
            if not math.isfinite(means["loss"]):
                host["status"] = "diverged"

        while host["status"] == "running":
            batch = next(batches)
            state, logged = programs.update(state, shard(batch, programs.mesh), hyper)
            window.add(logged)
            step += 1
            tokens += task.tokens(batch)
            if step == steps or seconds() >= 60 * minutes:
                host["status"] = "finished"
            show(step, seconds=seconds())
            if step % training.log_every == 0 or host["status"] == "finished":
                log()
            paused, improved = time.monotonic(), False
            if host["status"] == "finished" or (
                    host["status"] == "running" and step % training.eval_every == 0):
                numbers = look_at_dev(task, programs.dev_loss, scored_params(state), hyper)
                improved = keep_book(host, numbers, task.select, step, training.patience)
                writers.write(step, numbers)
                show(step, dev=numbers[task.select[0]])
                if host["status"] == "finished" and tokens:  # patience ended it between two lines
                    clock, paused = clock + time.monotonic() - paused, time.monotonic()
                    log()
            if improved or host["status"] != "running" or step % training.checkpoint_every == 0:
                host |= {"seconds": seconds(), "window": window.settle()}
                checkpoint.save(checkpoints, step, state, host)
                checkpoint.prune(checkpoints, training.keep_checkpoints, host["best_step"])
            clock += time.monotonic() - paused
    params, scored_step = _best_params(checkpoints, programs.template, state, host, say)
    return params, {"status": host["status"], "steps": step, "best_step": scored_step,
                    "train_seconds": round(host["seconds"], 1),
                    "parameters": parameter_count(state.params), **_speed(folder)}


def check_rows(task: Task, accumulate: int, devices: int) -> None:
    """ValueError unless the rows of every batch divide into `accumulate` parts over all devices."""
    for rows in sorted(set(task.rows)):
        if rows % (accumulate * devices):
            raise ValueError(f"training.accumulate={accumulate} on {devices} devices: their product must "
                             f"divide the {rows} rows of a batch")


def look_at_dev(task: Task, dev_loss: Callable, params: Any, hyper: Hyper) -> dict[str, float]:
    """The dev split's losses and cheap scores."""
    window = _Window({})
    for batch in task.dev_batches():
        window.add(dev_loss(params, batch, hyper))
    numbers = {f"dev_{name}": value for name, value in window.means().items()}
    numbers |= task.score(params, hyper, "dev", False).numbers
    return {name: value for name, value in numbers.items() if not isinstance(value, str)}


def keep_book(host: dict, numbers: dict, select: tuple[str, float], step: int, patience: int) -> bool:
    """Notes a look at dev in `host`; True if it is the best so far."""
    name, sign = select
    improved = host["best"] is None or sign * numbers[name] > sign * host["best"]
    if improved:
        host |= {"best": numbers[name], "best_step": step, "stale": 0}
    else:
        host["stale"] += 1
    if patience and host["stale"] >= patience:
        host["status"] = "finished"
    return improved


def _best_params(checkpoints, template, state, host, say):
    last = int(state.step)
    if host["best_step"] in (0, last):
        return scored_params(state), last
    best = checkpoint.restore(checkpoints, template, step=host["best_step"])
    if best is None:
        say(f"the checkpoint of the best step, {host['best_step']}, can't be read: the last weights "
            "are scored")
        return scored_params(state), last
    return scored_params(best[1]), host["best_step"]


def _speed(folder):
    speeds = [line["tokens_per_second"] for line in JsonLines(folder / "timing.jsonl").read()
              if line.get("tokens_per_second")]
    return {"tokens_per_second": round(float(np.median(speeds)), 1)} if speeds else {}
