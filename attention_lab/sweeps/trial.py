"""A trial of a search: one config on every tuning seed, ended early where the pruner finds it bad."""

import copy
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from attention_lab.storage.files import JsonLines
from attention_lab.sweeps.cell import Outcome, Pruned, offset_progress
from attention_lab.sweeps.plan import Cell
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.search import PRUNERS, Search

WHOLE = 1000  # a pruner compares trials at equal thousandths of their seeds and steps


class Trial:
    """A trial that this process runs.

    Args:
      number: its id in the queue's storage. cells: its config with each tuning seed.
      run: (cell, show) -> Outcome. steps: of a run; None where they are not known beforehand.
    """

    def __init__(self, queue: Queue, number: int, search: Search, cells: Sequence[Cell],
                 run: Callable[[Cell, Callable], Outcome], steps: int | None = None):
        self.queue, self.number, self.search, self.cells = queue, number, search, cells
        self.run, self.steps = run, steps
        self.pruner = PRUNERS[search.prune]()
        self.scores: dict[int, float] = {}  # of finished seeds
        self.done = 0  # steps of ended runs
        self.latest: float | None = None  # what was reported last

    def carry_out(self, parent: str | Path, show: Callable) -> Outcome | None:
        """Runs the seeds and ends the trial in the queue; the outcome of a run that another process has.

        parent: of the runs' folders. show: takes the steps done by all seeds.
        """
        for place, cell in enumerate(self.cells):
            folder = cell.folder(parent)
            self.queue.note(self.number, "folder", str(folder))
            try:
                outcome = self.run(cell, self._watched(place, folder, offset_progress(show, self.done)))
            except Pruned:
                return self._end(TrialState.PRUNED, "pruned", self.latest)
            if outcome.in_use:
                return outcome
            if outcome.result is None:
                self.queue.end(self.number, TrialState.FAIL, error=outcome.error)
                return None
            self.done += outcome.steps
            value = outcome.result.get(self.search.metric)
            if value is None and outcome.result["status"] == "finished":
                numbers = ", ".join(name for name in outcome.result if name.startswith("dev_"))
                self.queue.end(self.number, TrialState.FAIL,
                               error=f"result.json has no {self.search.metric}: there are {numbers}")
                return None
            if value is None:  # the sampler ignores it
                return self._end(TrialState.FAIL, outcome.result["status"], None, diverged=True)
            self._report_log(place, folder)
            self.scores[cell.config.seed] = value
            self._report(place + 1, statistics.fmean(self.scores.values()))
            if place + 1 < len(self.cells) and self._is_bad():
                return self._end(TrialState.PRUNED, "pruned", self.latest)
        return self._end(TrialState.COMPLETE, "finished", self.latest)

    def _watched(self, place: int, folder: Path, show: Callable) -> Callable:
        """`show` for a run: also reports each dev score, and raises Pruned after a bad one."""
        def watched(step: int, **known: Any) -> None:
            show(step, **known)
            last = place + 1 == len(self.cells) and step == self.steps
            if known.get("dev") is not None and self._report_log(place, folder) and not last:
                if self._is_bad():
                    self.done += step
                    raise Pruned
        return watched

    def _report_log(self, place: int, folder: Path) -> bool:
        """Reports the mean of finished seeds and of the best dev score so far; whether there was any."""
        if self.search.prune == "none" or not self.steps:
            return False
        best = None
        for line in JsonLines(folder / "metrics.jsonl").read():
            value = line.get(self.search.metric)
            if value is not None and line["step"] < self.steps:
                best = value if best is None else max(best, value, key=lambda x: self.search.sign * x)
                self._report(place + line["step"] / self.steps,
                             statistics.fmean([*self.scores.values(), best]))
        return best is not None

    def _report(self, seeds: float, value: float) -> None:
        self.latest = value
        if math.isfinite(value):
            self.queue.storage.set_trial_intermediate_value(
                self.number, int(WHOLE * seeds / len(self.cells)), self.search.sign * value)

    def _is_bad(self) -> bool:
        """The pruner's answer to the newest mean alone: one lucky seed must not keep a config."""
        frozen = copy.copy(self.queue.storage.get_trial(self.number))
        if not frozen.intermediate_values:
            return False
        newest = max(frozen.intermediate_values)
        frozen.intermediate_values = {newest: frozen.intermediate_values[newest]}
        return self.pruner.prune(self.queue.study, frozen)

    def _end(self, state: TrialState, status: str, value: float | None, **facts: Any) -> None:
        result = {"status": status, "steps": self.done, "seeds": len(self.scores)}
        if value is not None:
            result[self.search.metric] = value
        values = [float(self.search.sign * value)] if state == TrialState.COMPLETE else None
        self.queue.end(self.number, state, values, result=result, scores=self.scores, **facts)
