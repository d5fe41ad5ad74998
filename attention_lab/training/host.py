"""The host's side of one run: what it logs, scores and saves between steps, and when."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.config import Config, Hyper, split
from attention_lab.storage.files import JsonLines
from attention_lab.training import checkpoint, views
from attention_lab.training.failures import described
from attention_lab.training.group import ALONE, Group
from attention_lab.training.logs import Writers
from attention_lab.training.programs import Programs
from attention_lab.training.state import State, parameter_count, scored_params
from attention_lab.training.task import Sums, Task

# The host's state of a run, stored as JSON in each checkpoint beside the arrays. "best" is the dev
# score of "best_step" and "best_loss" its dev loss, "stale" counts the dev scores since then, "failed" says
# why dev could not be scored, "window" holds the sums since the last line of the log.
NEW_PROGRESS = {"status": "running", "best": None, "best_loss": None, "best_step": 0, "stale": 0,
                "failed": "", "seconds": 0.0, "window": {}}


class RunningSums:
    """Sums since the last line of the log. The newest step's stay on the device until the next is queued."""

    def __init__(self, sums: dict):
        self.sums = {name: Sums(*pair) for name, pair in sums.items()}
        self.queued = None

    def add(self, logged: dict[str, Sums] | None) -> None:
        queued, self.queued = self.queued, logged
        for name, new in jax.device_get(queued or {}).items():
            old = self.sums.get(name, Sums(0.0, 0.0))
            self.sums[name] = Sums(old.total + float(new.total), old.count + float(new.count))

    def collected(self) -> dict[str, Sums]:
        self.add(None)
        return self.sums

    def means(self) -> dict[str, float]:
        """The one division, on the host; the window is empty afterwards."""
        sums, self.sums = self.collected(), {}
        return {name: total / max(count, 1.0) for name, (total, count) in sums.items()}


class Host:
    """Logs, scores and saves one run, continuing from its checkpoint.

    Args:
      steps: the run's duration; None where training.max_minutes ends it.
      show: (step, tokens_per_second=, loss=, dev=, seconds=) -> None, the progress line.
      say: takes a line that a user should read.
      share: the run's share of the wall-clock, where several are trained at once.
      from_step: the step of the checkpoint to continue from, 0 to begin anew; None is the newest.
      group: the processes that train the run, of which the first reads, scores and writes, and the others
        follow its numbers.

    Fields: step, optimizer steps done; state, the restored State or None; the caller that
    takes it sets it to None.
    """

    def __init__(self, task: Task, config: Config, folder: Path, programs: Programs, steps: int | None,
                 show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print,
                 share: float = 1.0, from_step: int | None = None, group: Group = ALONE):
        self.task, self.training, self.hyper = task, config.training, split(config)[1]
        self.folder, self.programs, self.steps = Path(folder), programs, steps
        self.show, self.say, self.share, self.group = show, say, share, group
        self.checkpoints = self.folder / "checkpoints"
        if group.first:
            self.folder.mkdir(parents=True, exist_ok=True)
        restored = None if from_step == 0 else self._restored(from_step)
        self.step, self.state, self.progress = restored or (0, None, dict(NEW_PROGRESS))
        if restored:
            say(f"continuing from step {self.step}")
        self.window, self._seconds_before = RunningSums(self.progress["window"]), self.progress["seconds"]
        self._writers = Writers(self.folder, self.step) if group.first else None
        self._begun = self._clock = time.monotonic()
        self._tokens = 0
        self._checkpoint_read_back = False  # whether a checkpoint of this process was read back
        self._views = views.steps_of(steps, self.training.keep_views)

    @property
    def running(self) -> bool:
        """Whether another step is to be taken."""
        return self.progress["status"] == "running"

    def until_due(self) -> int:
        """Steps until the next log line, dev score, checkpoint or end of the run."""
        training = self.training
        every = (training.log_every, training.eval_every, training.checkpoint_every)
        left = min([n - self.step % n for n in every] + [n - self.step for n in self._views if n > self.step])
        return left if self.steps is None else min(left, self.steps - self.step)

    def seconds(self) -> float:
        """Wall-clock seconds of the run, those of earlier processes included."""
        return self._seconds_before + self.share * (time.monotonic() - self._begun)

    def record_step(self, logged: dict[str, Sums], tokens: int) -> None:
        """Counts a step that has been queued."""
        self.window.add(logged)
        self.step += 1
        self._tokens += tokens
        if self.step == self.steps or self.training.max_minutes and self.group.share(
                self.seconds() >= 60 * self.training.max_minutes):
            self.progress["status"] = "finished"
        self.show(self.step, seconds=self.seconds())

    def after_step(self, get_state: Callable[[], State]) -> None:
        """Logs, scores and saves what is due after the step; `get_state` is called only if it is needed."""
        training, progress, step = self.training, self.progress, self.step
        if step % training.log_every == 0 or progress["status"] == "finished":
            self._log()
        paused, improved, status = time.monotonic(), False, progress["status"]
        if status == "finished" or (status == "running" and step % training.eval_every == 0):
            improved = self._score_dev(get_state())
            if progress["status"] == "finished" and self._tokens:  # patience ended it between two lines
                self._clock, paused = self._clock + time.monotonic() - paused, time.monotonic()
                self._log()
        if step in self._views:
            self.keep_view(get_state)
        if improved or progress["status"] != "running" or step % training.checkpoint_every == 0:
            progress |= {"seconds": self.seconds(), "window": self.window.collected()}
            if self.group.first:
                self._save(self.group.local(get_state()))
            self.group.share()  # the others wait for it
        self.exclude(time.monotonic() - paused)

    def keep_view(self, get_state: Callable[[], State]) -> None:
        """Keeps the parameters of this step for pictures."""
        if self.group.first:
            views.save(self.folder, self.step, scored_params(self.group.local(get_state())))
        self.group.share()

    def _restored(self, step: int | None) -> tuple[int, State, dict] | None:
        """The checkpoint of a step, None: the newest, as the first process reads it."""
        template, group = self.programs.template, self.group
        if group.count == 1:
            return checkpoint.restore(self.checkpoints, template, step=step)
        here = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), template)
        restored = group.agreed(
            lambda: checkpoint.restore(self.checkpoints, here, step) if group.first else None)
        head = group.share((restored[0], restored[2]) if restored else None)
        return head and (head[0], group.spread(restored and restored[1], template), head[1])

    def _save(self, state: State) -> None:
        checkpoint.save(self.checkpoints, self.step, state, self.progress)
        if not self._checkpoint_read_back:
            checkpoint.read_back(self.checkpoints, self.step, state)
            self._checkpoint_read_back = True
        checkpoint.prune(self.checkpoints, self.training.keep_checkpoints, self.progress["best_step"])

    def _score_dev(self, state: State) -> bool:
        """Scores dev; returns whether it is the best score. If scoring fails, training continues."""
        self.show(self.step, doing="scoring dev" if self.progress["status"] == "finished" else "")
        numbers, failed = self.group.share(
            self._dev_scores(self.group.local(scored_params(state))) if self.group.first else None)
        if failed:
            if not self.progress.get("failed"):
                self.progress["failed"] = failed
                self.say(f"{self.folder}: {failed}; training continues without that score")
            return False
        improved = record_dev_score(self.progress, numbers, self.task.select, self.step,
                                    self.training.patience)
        if self._writers:
            self._writers.write(self.step, numbers)
        self.show(self.step, dev=numbers[self.task.select[0]])
        return improved

    def _dev_scores(self, params: Any) -> tuple[dict[str, float], str]:
        """The dev scores, and why there are none."""
        try:
            return score_dev(self.task, self.programs.dev_loss, params, self.hyper), ""
        except OSError:
            raise
        except Exception as error:
            return {}, f"scoring dev at step {self.step}: {described(error)}"

    def exclude(self, seconds: float) -> None:
        """Excludes this time from the logged speed."""
        self._clock += seconds

    def result(self, state: State) -> tuple[Any, dict[str, Any]]:
        """The parameters selected on dev, on this process's device, and the result of `loop.train`."""
        state = self.group.local(state)
        params, scored_step = self._best_params(state)
        speeds = [line["tokens_per_second"] for line in JsonLines(self.folder / "timing.jsonl").read()
                  if line.get("tokens_per_second")]
        speed = {"tokens_per_second": round(float(np.median(speeds)), 1)} if speeds else {}
        failed = {"failed": self.progress["failed"]} if self.progress.get("failed") else {}
        return params, {"status": self.progress["status"], "steps": self.step, "best_step": scored_step,
                        "train_seconds": round(self.progress["seconds"], 1),
                        "parameters": parameter_count(state.params), **speed, **failed}

    def _log(self):
        means = self.window.means()
        speed = self._tokens / (self.share * (time.monotonic() - self._clock))
        if self._writers:
            self._writers.write(self.step, means, {"seconds": self.seconds(), "tokens_per_second": speed})
        self.show(self.step, tokens_per_second=speed, loss=means["loss"])
        self._tokens, self._clock = 0, time.monotonic()
        if not math.isfinite(means["loss"]):
            self.progress["status"] = "diverged"

    def _best_params(self, state):
        last, best_step = int(state.step), self.progress["best_step"]
        if best_step in (0, last) or not self.group.first:
            return scored_params(state), last
        best = checkpoint.restore(self.checkpoints, state, step=best_step)
        if best is None:
            self.say(f"the checkpoint of the best step, {best_step}, can't be read: the last parameters are "
                     "scored")
            return scored_params(state), last
        return scored_params(best[1]), best_step


def score_dev(task: Task, dev_loss: Callable, params: Any, hyper: Hyper) -> dict[str, float]:
    """The dev split's losses and cheap scores."""
    sums = RunningSums({})
    for batch in task.dev_batches():
        sums.add(dev_loss(params, batch, hyper))
    numbers = {f"dev_{name}": value for name, value in sums.means().items()}
    numbers |= task.score(params, hyper, "dev", False).numbers
    return {name: value for name, value in numbers.items() if not isinstance(value, str)}


def record_dev_score(progress: dict, numbers: dict, select: tuple[str, float], step: int, patience: int
                     ) -> bool:
    """Records a dev score in `progress`, and the end if patience is exhausted; True if it is the best score.

    Of equal scores the one with the lower dev loss is better: a score may be constant, such as an accuracy
    of 1. NaN is worse than any number.
    """
    name, sign = select
    loss = numbers.get("dev_loss")
    improved = progress["best"] is None or _rank(numbers[name], loss, sign) > _rank(
        progress["best"], progress.get("best_loss"), sign)  # older checkpoints have no best_loss
    if improved:
        progress |= {"best": numbers[name], "best_loss": loss, "best_step": step, "stale": 0}
    else:
        progress["stale"] += 1
    if patience and progress["stale"] >= patience:
        progress["status"] = "finished"
    return improved


def _rank(score: float, loss: float | None, sign: float) -> tuple[float, float]:
    pair = sign * score, math.nan if loss is None else -loss
    return tuple(-math.inf if math.isnan(number) else number for number in pair)
