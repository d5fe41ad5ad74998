"""Measures the missing cells of a study's table; about.json records declaration, command and machine."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import all_fields
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.storage import environment
from attention_lab.storage.files import write_json
from attention_lab.studies import declaration, table
from attention_lab.studies.declaration import ABOUT, read_about
from attention_lab.studies.recipes import runs
from attention_lab.studies.study import Rows, Study
from attention_lab.sweeps.cell import Shared
from attention_lab.sweeps.execution import execute, resolve_how
from attention_lab.sweeps.plan import plan
from attention_lab.tasks import build
from attention_lab.training.progress import progress

# (config file, config, fields set in it, groups of cells, folder of runs, workers) -> None
ByWorkers = Callable[[str, Any, Mapping[str, Any], Any, Path, int], None]


def lacking(cells: Rows, rows: Rows) -> Rows:
    """The cells without a row in the table."""
    measured = {tuple(row[name] for name in cells[0]) for row in rows}
    return [cell for cell in cells if tuple(cell.values()) not in measured]


def train(study: Study, settings: Mapping[str, Any], rows: Rows, cell: Mapping[str, Any]) -> runs.Run:
    """The run behind a cell, trained unless it is finished; ValueError where training fails."""
    return runs.trained(study.config_file(settings), study.overrides(cell, settings, rows), settings["runs"],
                        study.name)


def measure(study: Study, settings: Mapping[str, Any], preset: str, rows: Rows, folder: Path, command: str,
            workers: int = 1, by_workers: ByWorkers | None = None) -> Rows:
    """Measures the cells without a row; returns the whole table.

    Args:
      settings: as `Study.settings` gives them. rows: the table so far. folder: where the table is kept.
      command: the command line, for about.json.
      workers: processes that train the runs. by_workers: starts them; needed for more than one.
    Raises:
      ValueError: the new rows have other columns than the table.
    """
    cells = study.cells(settings)
    names, missing = list(cells[0]), lacking(cells, rows)
    measured = {tuple(row[name] for name in names): row for row in rows}
    if study.check:
        study.check(settings)  # before anything is written
    here = {"command": command, "workers": workers, **environment.software(), **environment.hardware()}
    if rows:  # the first declaration stays
        about = read_about(folder)
        about = about | {"continued": [*about.get("continued", []), here]}
    else:
        about = {"preset": preset, **here, **declaration.declare(study, preset)}
    done = 0
    for _, stage in itertools.groupby(missing, lambda cell: cell.get("stage")):
        stage = list(stage)
        if study.config:
            _train_together(study, stage, settings, rows, command, workers, by_workers)
        with progress(len(missing), study.name) as tick:
            for cell in stage:
                row = cell | study.measure(cell, settings, functools.partial(train, study, settings, rows))
                table.check(row, rows, folder, study.labels)
                if not done:
                    write_json(folder / ABOUT, about)
                measured[tuple(cell.values())] = row
                rows = [measured[key] for key in (tuple(cell.values()) for cell in cells) if key in measured]
                table.write(folder, rows, names)  # after each cell: a kill loses at most one cell
                done += 1
                tick(done)
    return rows


def _train_together(study, stage, settings, rows, command, workers, by_workers):
    """Trains the runs of a stage together, by workers or on an accelerator; `measure` then only reads them.

    One worker on a CPU gains nothing from it: there `measure` trains cell by cell.
    """
    if workers == 1 and resolve_how("auto") == "loop":
        return
    file = study.config_file(settings)
    changes = [study.overrides(cell, settings, rows) for cell in stage]
    changes = [change for change in changes if change is not None]
    if not changes:
        return
    for given, some in by_place(changes):
        base = merge(load(file), given)
        groups = plan(base, some)
        if workers > 1:
            by_workers(file, base, given, groups, settings["runs"], workers)
            continue
        with progress(None, study.name) as line:
            execute(groups, settings["runs"], Shared(build), command, line, how="auto")


def by_place(changes: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], list[Mapping[str, Any]]]]:
    """Runs' changes grouped by where their data lie: [(source and location, changes of these runs)].

    Locations are not part of a cell's name, so that a worker needs them from the start; a run without any
    must not get that of another.

    >>> [place for place, _ in by_place([{"data.source": "text", "data.path": "a", "seed": 1}, {"seed": 2}])]
    [{'data.source': 'text', 'data.path': 'a'}, {}]
    """
    groups: dict[tuple[tuple[str, Any], ...], list[Mapping[str, Any]]] = {}
    for change in changes:
        place = tuple((key, value) for key, value in change.items()
                      if key == "data.source" or not all_fields()[key].recorded)
        groups.setdefault(place, []).append(change)
    return [(dict(place), some) for place, some in groups.items()]
