"""A worker process: takes cells from a queue and runs them until none is left."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from attention_lab.config import Config, digest
from attention_lab.config.parse import merge
from attention_lab.config.values import show
from attention_lab.data.content import content_of
from attention_lab.sweeps import search
from attention_lab.sweeps.cell import Outcome, Shared, run_cell
from attention_lab.sweeps.plan import Cell
from attention_lab.sweeps.queue import Item, Queue
from attention_lab.sweeps.trial import Trial
from attention_lab.training import loop

POLL = 0.5  # seconds between looks at a queue in which nothing waits


def work(queue: Queue, base: Config, parent: str | Path, shared: Shared, command: str,
         say: Callable[[str], None] = print) -> None:
    """Runs cells until none waits and none is running anywhere.

    Args:
      base: the config that all cells start from. The other arguments are those of `execution.execute`.
    """
    proposals = search.Search.of(queue.search) if queue.search else None
    given = base
    if proposals:
        base = merge(base, {"data.split": "dev"})  # a search must not see test
    group = -1

    def run(cell: Cell, show: Callable) -> Outcome:
        return run_cell(cell, parent, shared, command, show, say)

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
        with _put_back_if_stopped(queue, item), _heartbeat(queue, item) as show_step:
            overrides = _proposed(queue, item, proposals) if proposals else item.overrides
            try:
                cells = [Cell.of(base, each) for each in _with_seeds(overrides, proposals)]
                _check_content(cells[0], item, queue, given)
            except ValueError as error:
                queue.end(item.trial, TrialState.FAIL, error=str(error))
                continue
            if proposals:
                steps = _steps(cells[0].config, shared) if proposals.prune != "none" else None
                outcome = Trial(queue, item.trial, proposals, cells, run, steps).carry_out(parent, show_step)
            else:
                queue.note(item.trial, "folder", str(cells[0].folder(parent)))
                outcome = run(cells[0], show_step)
                _end(queue, item, outcome)
        if outcome is not None and outcome.in_use:
            queue.put_back(item.trial)
            time.sleep(10 * POLL)


def _with_seeds(overrides: dict[str, Any], proposals: search.Search | None) -> list[dict[str, Any]]:
    """The overrides with each tuning seed of a search."""
    if not (proposals and proposals.seeds):
        return [overrides]
    return [{**overrides, "seed": seed} for seed in proposals.seeds]


def _steps(config: Config, shared: Shared) -> int | None:
    """Steps of a run, by which its dev scores are compared with those of others; None if not known."""
    if config.training.epochs is None:
        return config.training.steps
    with contextlib.suppress(Exception):  # reported when it is run
        return loop.total_steps(config, shared.of(config)[0])
    return None


def _check_content(cell: Cell, item: Item, queue: Queue, base: Config) -> None:
    """ValueError where files have other content here than where the sweep was planned."""
    if queue.search:
        here = content_of(base).name
        same = queue.search.get("content", here) == here
    else:
        same = item.cell in (cell.name, digest(cell.config)) or bool(cell.content.problem)
    if not same:
        raise ValueError("its files have other content than when and where the sweep was begun: begin "
                         "another for data that was changed")


def _proposed(queue: Queue, item: Item, proposals: search.Search) -> dict[str, Any]:
    """The overrides of a search's cell, written beside its trial."""
    study = optuna.load_study(study_name=queue.study.study_name, storage=queue.storage)
    number = queue.storage.get_trial(item.trial).number
    study.sampler = search.sampler(proposals.sampler, proposals.seed, number)
    overrides = search.suggest(optuna.trial.Trial(study, item.trial), proposals.space)
    queue.note(item.trial, "overrides", {key: show(value) for key, value in overrides.items()})
    return overrides


def _end(queue: Queue, item: Item, outcome: Outcome) -> None:
    """Records the outcome of a given cell."""
    if outcome.result is not None:
        # A grid maximises nothing, but the storage requires a number.
        queue.end(item.trial, TrialState.COMPLETE, [float(outcome.steps)], result=dict(outcome.result))
    elif not outcome.in_use:
        queue.end(item.trial, TrialState.FAIL, error=outcome.error)


@contextlib.contextmanager
def _put_back_if_stopped(queue: Queue, item: Item) -> Iterator[None]:
    """Puts back a cell whose process is stopped by its user; this is not counted as a death."""
    try:
        yield
    except KeyboardInterrupt:
        queue.put_back(item.trial)
        raise


@contextlib.contextmanager
def _heartbeat(queue: Queue, item: Item) -> Iterator[Callable]:
    """Sends beats from a separate thread, so that a long compilation is not taken for a death."""
    latest_step, over = 0, threading.Event()

    def beat():
        while not over.wait(min(queue.lease / 6, 5.0)):
            try:
                queue.beat(item.trial, latest_step)
            except optuna.exceptions.UpdateFinishedTrialError:
                return
            except Exception:
                continue  # a full disk or a lost connection: a later beat may arrive, or the end says why

    def show(step, **known):
        nonlocal latest_step
        latest_step = step

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield show
    finally:
        over.set()
        thread.join()
