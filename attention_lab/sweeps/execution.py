"""Runs the cells of a plan in this process: one after another, or those of a group in one program."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from attention_lab.config import Config
from attention_lab.sweeps import grouped
from attention_lab.sweeps.cell import Outcome, Shared, offset_progress, run_cell
from attention_lab.sweeps.plan import WAYS, Cell, Group
from attention_lab.training import loop
from attention_lab.training.task import Task


def execute(groups: list[Group], parent: str | Path, shared: Shared, command: str,
            show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print, how: str = "loop"
            ) -> list[Outcome]:
    """Runs every cell that is not finished, even if others fail; all outcomes, in the order of the plan.

    Args:
      parent: the folder of the cells' folders. shared: builds task and programs, once for each group.
      command: the line that started the sweep. say: takes a line that a user should read.
      show: the progress line, as of `progress.progress`, over the steps of all cells.
      how: "loop", one cell after another; "map" or "vmap", the cells of a group in one program; "measure",
        the fastest of these for each group; "auto", "loop" on a CPU and "measure" elsewhere.
    """
    outcomes, done, how = [], 0, resolve_how(how)
    for group in groups:
        ended: dict[Cell, Outcome] = {}
        facts: dict[str, Any] = {}
        if how != "loop":
            ended, facts = grouped.run_group(
                group, parent, shared, command, offset_progress(show, done), say, how)
            done += sum(outcome.steps for outcome in ended.values())
        for cell in group.cells:
            if cell not in ended:
                ended[cell] = run_cell(cell, parent, shared, command, offset_progress(show, done), say, facts)
                done += ended[cell].steps
                show(done)
        outcomes += [ended[cell] for cell in group.cells]
    return outcomes


def resolve_how(how: str) -> str:
    """`how`, with "auto" replaced by its meaning on this machine; ValueError for an unknown value."""
    if how not in WAYS:
        raise ValueError(f"--how={how}: allowed are {', '.join(WAYS)}")
    if how == "auto":
        return "loop" if jax.default_backend() == "cpu" else "measure"
    return how


def total_steps(groups: list[Group], build: Callable[[Config], Task]) -> int | None:
    """Steps of all cells of a plan that can be built; None where a duration is in minutes."""
    total = 0
    for group in groups:
        if group.structure.training.max_minutes:
            return None
        config, steps = group.cells[0].config, group.structure.training.steps
        with contextlib.suppress(Exception):  # reported for each cell when it is run
            total += len(group.cells) * (steps or loop.total_steps(config, build(config)))
    return total
