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
from attention_lab.config.rules import show
from attention_lab.data.content import content_of
from attention_lab.sweeps import search
from attention_lab.sweeps.cell import Outcome, Shared, run_cell
from attention_lab.sweeps.plan import Cell
from attention_lab.sweeps.queue import Item, Queue

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
                cell = Cell.of(base, overrides)
                _check_content(cell, item, queue, given)
            except ValueError as error:
                queue.end(item.trial, TrialState.FAIL, error=str(error))
                continue
            queue.note(item.trial, "folder", str(cell.folder(parent)))
            outcome = run_cell(cell, parent, shared, command, show_step, say)
        if outcome.in_use:
            queue.put_back(item.trial)
            time.sleep(10 * POLL)
        else:
            _end(queue, item, outcome, proposals)


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


def _end(queue: Queue, item: Item, outcome: Outcome, proposals: search.Search | None) -> None:
    """Records the outcome of a cell, in a search with its score."""
    if outcome.result is None:
        queue.end(item.trial, TrialState.FAIL, error=outcome.error)
        return
    # A grid maximises nothing, but the storage requires a number.
    value = outcome.steps if proposals is None else outcome.result.get(proposals.metric)
    facts = {"result": dict(outcome.result)}
    if value is None and outcome.result["status"] == "finished":
        numbers = ", ".join(name for name in outcome.result if name.startswith("dev_"))
        queue.end(item.trial, TrialState.FAIL,
                  error=f"result.json has no {proposals.metric}: there are {numbers}")
    elif value is None:
        # The sampler ignores it; its folder holds a result like others.
        queue.end(item.trial, TrialState.FAIL, diverged=True, **facts)
    else:
        sign = proposals.sign if proposals else 1.0
        queue.end(item.trial, TrialState.COMPLETE, [float(sign * value)], **facts)


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
