"""The cells of a plan in this process: one after another, or those of a group in one program."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from attention_lab.config import Config
from attention_lab.sweeps import together
from attention_lab.sweeps.cell import Outcome, Shared, run_cell
from attention_lab.sweeps.plan import WAYS, Cell, Group
from attention_lab.training import loop
from attention_lab.training.task import Task


def execute(groups: list[Group], parent: str | Path, shared: Shared, command: str,
            show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print, how: str = "loop"
            ) -> list[Outcome]:
    """Runs what is not finished, and gives what became of every cell, in the order of the plan.

    A cell that fails or diverges does not keep its neighbours from running.

    Args:
      groups: of `plan`.
      parent: the folder of the cells' folders.
      shared: makes the task and the programs, once for each group.
      command: the line that started the sweep.
      show: a progress line of `progress.progress`, over the steps of all cells.
      say: takes a line that a user should read.
      how: "loop", a cell after the other; "map" or "vmap", those of a group in one program; "measure",
        what is fastest for each group; "auto", "loop" on a CPU and "measure" elsewhere.
    """
    outcomes, done, how = [], 0, how_of(how)
    for group in groups:
        found: dict[Cell, Outcome] = {}
        facts: dict[str, Any] = {}
        if how != "loop":
            found, facts = together.run_group(group, parent, shared, command, _after(show, done), say, how)
            done += sum(_steps(outcome) for outcome in found.values())
        for cell in group.cells:
            if cell not in found:
                found[cell] = run_cell(cell, parent, shared, command, _after(show, done), say, facts)
                done += _steps(found[cell])
                show(done)
        outcomes += [found[cell] for cell in group.cells]
    return outcomes


def how_of(how: str) -> str:
    """The way that is meant by "auto" on this machine; others stay.

    Raises:
      ValueError: an unknown one.
    """
    if how not in WAYS:
        raise ValueError(f"--how={how}: allowed are {', '.join(WAYS)}")
    if how == "auto":
        return "loop" if jax.default_backend() == "cpu" else "measure"
    return how


def steps_of(group: Group, build: Callable[[Config], Task]) -> int | None:
    """Steps of all cells of a group; None where minutes rule."""
    steps = group.structure.training.steps
    if steps is None and group.structure.training.epochs is not None:
        config = group.cells[0].config
        steps = loop.total_steps(config, build(config))
    return steps and steps * len(group.cells)


def _steps(outcome):
    return outcome.result["steps"] if outcome.result else 0


def _after(show, done):
    def shown(step, **known):
        show(done + step, **known)
    return shown
