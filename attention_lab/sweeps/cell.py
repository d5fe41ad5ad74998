"""One cell of a sweep, from its plan to what became of it; cells of one Structure share what is compiled."""

import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, Structure, split
from attention_lab.storage import runs
from attention_lab.sweeps.plan import Cell
from attention_lab.training import loop
from attention_lab.training.programs import Programs, programs
from attention_lab.training.run import carry_out, check_data
from attention_lab.training.task import Task

KEPT = 8  # Structures whose data are kept


class Outcome(NamedTuple):
    """What became of a cell.

    Fields:
      cell, folder: which and where.
      result: what its result.json holds; None where it failed.
      error: why it failed, one line; "" otherwise.
      in_use: whether it is another process that runs it.
    """

    cell: Cell
    folder: Path
    result: dict[str, Any] | None
    error: str = ""
    in_use: bool = False


class Shared:
    """Tasks and programs of the Structures that were asked for lately, each built once."""

    def __init__(self, build: Callable[[Config], Task]):
        self._build = build
        self._built: dict[Structure, tuple[Task, Programs]] = {}
        self._said: set[str] = set()

    def warn(self, run: runs.Run, say: Callable[[str], None]) -> None:
        """Says what a run warns of, once for all runs that warn of the same."""
        for warning in run.warnings:
            if warning not in self._said:
                self._said.add(warning)
                say(f"warning: {run.folder}: {warning}")

    def of(self, config: Config) -> tuple[Task, Programs]:
        """Those of a config."""
        structure, _ = split(config)
        built = self._built.pop(structure, None)
        if built is None:
            task = self._build(config)
            built = task, programs(task, structure, loop.total_steps(config, task))
        self._built[structure] = built
        if len(self._built) > KEPT:
            del self._built[next(iter(self._built))]
        return built


def run_cell(cell: Cell, parent: str | Path, shared: Shared, command: str,
             show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print,
             facts: Mapping[str, Any] = types.MappingProxyType({})) -> Outcome:
    """Carries a cell to its end, unless it is finished, and gives what became of it.

    Args:
      cell, parent, shared, command, show, say: as of `execution.execute`.
      facts: what run.json is to hold besides.
    """
    folder = cell.folder(parent)
    try:
        run = runs.open_run(folder, cell.config, command)
        try:
            shared.warn(run, say)
            if run.finished and run.data_moved:
                check_data(run, shared.of(cell.config)[0])
            if not run.finished:
                task, programs = shared.of(cell.config)
                run.note({"how": way_noted(run, "loop"), **facts})
                carry_out(run, task, programs, show, say)
            return Outcome(cell, folder, run.result)
        finally:
            run.close()
    except runs.InUse as error:
        return Outcome(cell, folder, None, str(error), in_use=True)
    except (ValueError, OSError) as error:
        return Outcome(cell, folder, None, " ".join(str(error).split()))


def way_noted(run: runs.Run, way: str) -> str:
    """What run.json says of how a run was trained: all ways, where it went on by another than before."""
    if not (run.folder / "checkpoints").exists():
        return way
    before = run.facts.get("how", way)
    return before if before.rpartition(" ")[2] == way else f"{before}, then {way}"
