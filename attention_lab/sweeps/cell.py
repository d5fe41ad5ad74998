"""One cell of a sweep, from its plan to its outcome; cells of one Structure share compiled programs."""

import contextlib
import traceback
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, Structure, split
from attention_lab.storage import memory_maps, runs
from attention_lab.storage.device_errors import device_line
from attention_lab.storage.errors import keep_traceback, one_line
from attention_lab.sweeps.plan import Cell
from attention_lab.training import loop
from attention_lab.training.programs import Programs, programs
from attention_lab.training.run import carry_out
from attention_lab.training.task import Task

KEPT = 8  # Structures whose tasks are kept
PACKAGE = Path(__file__).parents[1]


class Pruned(Exception):
    """Raised by `show` to end a run early: it stays unfinished, as if its process had been stopped."""


class Outcome(NamedTuple):
    """The result of a cell, or why it has none.

    Fields:
      result: content of its result.json; None where it failed. error: why it failed, one line, or "".
      in_use: whether it failed because another process runs it.
    """

    cell: Cell
    folder: Path
    result: dict[str, Any] | None
    error: str = ""
    in_use: bool = False

    @property
    def steps(self) -> int:
        """Steps of the run; 0 where it failed."""
        return self.result.get("steps", 0) if self.result else 0


class Shared:
    """Tasks and programs of the last KEPT Structures in use, and the warnings already given."""

    def __init__(self, build: Callable[[Config], Task]):
        self._build = build
        self._built: dict[Structure, tuple[Task, Programs]] = {}  # the last used comes last
        self._warnings: set[str] = set()

    def warn(self, run: runs.Run, say: Callable[[str], None]) -> None:
        """Reports the warnings of a run that no earlier run had."""
        for warning in run.warnings:
            if warning not in self._warnings:
                self._warnings.add(warning)
                say(f"warning: {run.folder}: {warning}")

    def of(self, config: Config) -> tuple[Task, Programs]:
        """Task and programs of a config, built unless they are kept."""
        structure, _ = split(config)
        built = self._built.pop(structure, None)
        if built is None:
            memory_maps.make_room(self._built.clear)
            task = self._build(config)
            built = task, programs(task, structure, loop.total_steps(config, task))
        self._built[structure] = built
        if len(self._built) > KEPT:
            del self._built[next(iter(self._built))]
        return built


def run_cell(cell: Cell, parent: str | Path, shared: Shared, command: str,
             show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print,
             facts: Mapping[str, Any] = types.MappingProxyType({})) -> Outcome:
    """Runs a cell unless it is finished; errors become part of its outcome, but not Pruned or an interrupt.

    Args:
      facts: more for run.json. The other arguments are those of `execution.execute`.
    """
    folder = cell.folder(parent)
    try:
        if cell.content.problem and not (folder / "result.json").exists():
            raise ValueError(cell.content.problem)
        with contextlib.closing(runs.open_run(folder, cell.config, command, content=cell.content)) as run:
            shared.warn(run, say)
            if not run.finished:
                task, programs = shared.of(cell.config)
                run.note({"how": how_history(run, "loop"), **facts})
                carry_out(run, task, programs, show, say)
            return Outcome(cell, folder, run.result)
    except Pruned:
        raise
    except Exception as error:
        return failed_outcome(cell, folder, error)


def failed_outcome(cell: Cell, folder: Path, error: Exception) -> Outcome:
    """The outcome of a cell that raised an error; if it is no user error, its traceback goes into a file."""
    words = one_line(error)
    if isinstance(error, runs.InUse):
        return Outcome(cell, folder, None, words, in_use=True)
    if line := device_line(error):
        return Outcome(cell, folder, None, line)
    if str(error).strip() and _for_a_user(error):
        return Outcome(cell, folder, None, words)
    line = f"{type(error).__name__}: {words}" if str(error).strip() else words
    try:
        log = keep_traceback(folder, error)
    except OSError as unwritten:
        return Outcome(cell, folder, None, f"{line} (its traceback is lost: {unwritten})")
    return Outcome(cell, folder, None, f"{line} (its traceback is in {log})")


def _for_a_user(error: Exception) -> bool:
    """Whether an error is a user error: an OSError, or a ValueError raised by this package."""
    if isinstance(error, OSError):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ValueError) and Path(last).is_relative_to(PACKAGE)


def offset_progress(show: Callable, done: int) -> Callable:
    """The progress line of a sweep for one run: adds the `done` steps of other runs."""
    return lambda step, **known: show(done + step, **known)


def how_history(run: runs.Run, way: str) -> str:
    """`how` for run.json: this run's method, after those by which it was trained before."""
    before = run.facts.get("how", way) if (run.folder / "checkpoints").exists() else way
    return before if before.rpartition(" ")[2] == way else f"{before}, then {way}"
