"""The cells of a plan, one after another in this process; a group compiles once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab import runs
from attention_lab.config import Config
from attention_lab.sweeps.plan import Cell, Group
from attention_lab.training import loop
from attention_lab.training.programs import programs
from attention_lab.training.run import carry_out
from attention_lab.training.task import Task


class Outcome(NamedTuple):
    """What became of a cell.

    Fields:
      cell, folder: which and where.
      result: what its result.json holds; None where it failed.
      error: why it failed, one line; "" otherwise.
    """

    cell: Cell
    folder: Path
    result: dict[str, Any] | None
    error: str = ""


def execute(groups: list[Group], parent: str | Path, build: Callable[[Config], Task], command: str,
            show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print) -> list[Outcome]:
    """Runs what is not finished, and gives what became of every cell, in the order of the plan.

    A cell that fails or diverges does not keep its neighbours from running.

    Args:
      groups: of `plan`.
      parent: the folder of the cells' folders.
      build: config -> Task; called once for each group.
      command: the line that started the sweep.
      show: a progress line of `progress.progress`, over the steps of all cells.
      say: takes a line that a user should read.
    """
    outcomes, done = [], 0
    for group in groups:
        shared = None
        for cell in group.cells:
            folder = cell.folder(parent)
            try:
                run = runs.open_run(folder, cell.config, command)
                try:
                    if not run.finished:
                        shared = shared or _shared(group, build)
                        carry_out(run, *shared, _after(show, done), say)
                    outcomes.append(Outcome(cell, folder, run.result))
                    done += run.result["steps"]
                    show(done)
                finally:
                    run.close()
            except (ValueError, OSError) as error:
                outcomes.append(Outcome(cell, folder, None, " ".join(str(error).split())))
    return outcomes


def steps_of(group: Group, build: Callable[[Config], Task]) -> int | None:
    """Steps of all cells of a group; None where minutes rule."""
    steps = group.structure.training.steps
    if steps is None and group.structure.training.epochs is not None:
        steps = loop.total_steps(group.structure, build(group.structure))
    return steps and steps * len(group.cells)


def _shared(group, build):
    task = build(group.cells[0].config)
    return task, programs(task, group.structure, loop.total_steps(group.structure, task))


def _after(show, done):
    def shown(step, **known):
        show(done + step, **known)
    return shown
