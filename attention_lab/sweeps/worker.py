"""One process that takes cells from a queue and runs them, until none is left."""

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from attention_lab.config import Config
from attention_lab.config.parse import merge
from attention_lab.config.rules import check, show
from attention_lab.sweeps import search
from attention_lab.sweeps.cell import Outcome, Shared, run_cell
from attention_lab.sweeps.plan import Cell
from attention_lab.sweeps.queue import Item, Queue

POLL = 0.5  # seconds between looks at a queue in which nothing waits


def work(queue: Queue, base: Config, parent: str | Path, shared: Shared, command: str,
         say: Callable[[str], None] = print) -> None:
    """Runs cells until none waits and none is running anywhere.

    Args:
      queue: of the sweep.
      base: what each cell starts from.
      parent: the folder of the cells' folders.
      shared: makes the task and the programs, once for each group.
      command: the line that started the sweep.
      say: takes a line that a user should read.
    """
    proposals = search.Search.of(queue.search) if queue.search else None
    group = -1
    while True:
        for worker in queue.reclaim():
            say(f"a cell of {worker}, which is gone, waits again")
        item = queue.claim(group)
        if item is None:
            if queue.drained():
                return
            time.sleep(POLL)
            continue
        group = item.group
        with _leased(queue, item) as shown:
            outcome = _run(queue, item, base, parent, shared, command, proposals, shown, say)
        if outcome.in_use:
            queue.put_back(item.trial)
            time.sleep(10 * POLL)
            continue
        _end(queue, item, outcome, proposals)


def _run(queue, item, base, parent, shared, command, proposals, shown, say) -> Outcome:
    overrides: Mapping[str, Any] = item.overrides
    if proposals:
        base = merge(base, {"data.split": "dev"})  # a search must not see test
        study = optuna.load_study(study_name=queue.study.study_name, storage=queue.storage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            number = queue.storage.get_trial(item.trial).number
            study.sampler = search.sampler(proposals.sampler, proposals.seed, number)
            overrides = search.suggest(optuna.trial.Trial(study, item.trial), proposals.space)
        queue.note(item.trial, "overrides", {key: show(value) for key, value in overrides.items()})
    try:
        config = merge(base, overrides)
        check(config)
    except ValueError as error:
        return Outcome(Cell(base, dict(overrides)), Path(parent), None, str(error))
    cell = Cell(config, dict(overrides))
    queue.note(item.trial, "folder", str(cell.folder(parent)))
    return run_cell(cell, parent, shared, command, shown, say)


def _end(queue: Queue, item: Item, outcome: Outcome, proposals: search.Search | None) -> None:
    if outcome.result is None:
        queue.end(item.trial, TrialState.FAIL, error=outcome.error)
        return
    # A grid has nothing to maximise; the storage wants a number all the same.
    value = outcome.result["steps"] if proposals is None else outcome.result.get(proposals.metric)
    facts = {"result": dict(outcome.result)}
    if value is None and outcome.result["status"] == "finished":
        numbers = ", ".join(name for name in outcome.result if name.startswith("dev_"))
        queue.end(item.trial, TrialState.FAIL,
                  error=f"result.json has no {proposals.metric}: there are {numbers}")
    elif value is None:
        # The sampler passes over it; in its folder it is a result like others.
        queue.end(item.trial, TrialState.FAIL, diverged=True, **facts)
    else:
        if proposals:
            value *= proposals.sign
        queue.end(item.trial, TrialState.COMPLETE, [float(value)], **facts)


@contextlib.contextmanager
def _leased(queue: Queue, item: Item) -> Iterator[Callable]:
    """Signs of life from a thread of its own, so that a long compilation is not taken for death."""
    at, over = [0], threading.Event()

    def beat():
        while not over.wait(min(queue.lease / 6, 5.0)):
            try:
                queue.beat(item.trial, at[0])
            except optuna.exceptions.UpdateFinishedTrialError:
                return

    def show(step, **known):
        at[0] = step

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield show
    finally:
        over.set()
        thread.join()
