"""What a study's table lacks is measured, cell by cell; about.json says of what claims, and where."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attention_lab.config import all_fields
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.storage import environment
from attention_lab.storage.files import read_json, write_json
from attention_lab.studies import declaration, table
from attention_lab.studies.study import Rows, Study
from attention_lab.sweeps.cell import Shared
from attention_lab.sweeps.execution import execute, how_of
from attention_lab.sweeps.plan import plan
from attention_lab.tasks import build
from attention_lab.training.progress import progress

ABOUT = "about.json"
# (config file, config, what its fields were set to, groups of cells, folder of runs, workers) -> None
ByWorkers = Callable[[str, Any, Mapping[str, Any], Any, Path, int], None]


def lacking(cells: Rows, rows: Rows) -> Rows:
    """The cells that the table has no row of."""
    names = list(cells[0])
    known = {tuple(row[name] for name in names) for row in rows}
    return [cell for cell in cells if tuple(cell.values()) not in known]


def measure(study: Study, settings: Mapping[str, Any], preset: str, rows: Rows, folder: Path, command: str,
            workers: int = 1, by_workers: ByWorkers | None = None) -> Rows:
    """Measures the cells that the table lacks; the whole table.

    Args:
      settings: of the preset, as `Study.settings` gives them. rows: the table so far. folder: its.
      command: what was called, for about.json. workers: processes that train the runs.
      by_workers: starts them; needed for more than one.
    Raises:
      ValueError: the table has other columns than what is measured now.
    """
    cells = study.cells(settings)
    names = list(cells[0])
    known = {tuple(row[name] for name in names): row for row in rows}
    missing = lacking(cells, rows)
    if study.check:
        study.check(settings)  # what it lacks is said before anything is written
    about = _about(read_json(folder / ABOUT) if known else {}, study, preset, command, workers)
    done = 0
    for _, stage in itertools.groupby(missing, lambda cell: cell.get("stage")):
        stage = list(stage)
        if study.config:
            _train(study, stage, settings, rows, command, workers, by_workers)
        with progress(len(missing), study.name) as tick:
            for cell in stage:
                row = cell | study.measure(cell, settings, rows, settings["runs"])
                table.check(row, rows, folder, study.labels)
                if not done:
                    write_json(folder / ABOUT, about)
                known[tuple(cell.values())] = row
                rows = [known[tuple(other.values())] for other in cells if tuple(other.values()) in known]
                table.write(folder, rows, names)  # whole after each cell, so that a kill loses one at most
                done += 1
                tick(done)
    return rows


def _about(about: Mapping[str, Any], study: Study, preset: str, command: str, workers: int) -> dict[str, Any]:
    """What about.json is to say; of a table that is continued what was declared at first stays as it is."""
    here = {"command": command, "workers": workers, **environment.software(), **environment.hardware()}
    if about:
        return {**about, "continued": [*about.get("continued", []), here]}
    return {"preset": preset, **here, **declaration.declare(study, preset)}


def _train(study, stage, settings, rows, command, workers, by_workers):
    """Has workers, or an accelerator, train the runs behind cells together; `measure` finds them finished.

    One worker on a CPU has nothing to gain: there `measure` trains cell by cell.
    """
    if workers == 1 and how_of("auto") == "loop":
        return
    file = study.config(settings)
    changes = [study.overrides(cell, settings, rows) for cell in stage]
    changes = [change for change in changes if change is not None]
    if not changes:
        return
    # Where data lie is no part of a cell's name; a worker's config has to have it from the start.
    places = {key: value for key, value in changes[0].items() if not all_fields()[key].recorded}
    base = merge(load(file), places)
    groups = plan(base, changes)
    if workers > 1:
        by_workers(file, base, places, groups, settings["runs"], workers)
        return
    with progress(None, study.name) as line:
        execute(groups, settings["runs"], Shared(build), command, line, how="auto")
