"""The final runs of a study once more, with other numbers of steps and at each learning rate.

They are the runs of a study that is made of the original: its cells are the final ones, with two more
columns, `vary` ("steps" or "rate") and `to` (a factor on the steps, or a rate). They are measured as those of
any study, into the folder `robust` in the original's, where values.json has the means.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config.load import load
from attention_lab.storage import environment
from attention_lab.storage.files import write_json
from attention_lab.studies import declaration, table
from attention_lab.studies.measure import ByWorkers, lacking, measure
from attention_lab.studies.robust import FOLDER, RATE, STEPS, VALUES
from attention_lab.studies.study import Rows, Study
from attention_lab.studies.values import by_seed

FACTORS = (0.5, 2.0, 4.0)  # on the steps
SEEDS = 4
LENGTHS = ("training.steps", "training.epochs")  # fields that say how long a run is


def varied(study: Study, tuned: Rows, factors: Sequence[float] = FACTORS, seeds: int = SEEDS) -> Study:
    """The study of the final cells of another one, at each factor on their steps and each of its rates.

    Args:
      tuned: the other's table, from which overrides take the selected rates.
      seeds: the first so many are measured. A study whose cells have no `rate`, or only one, keeps its rate.
    Raises:
      ValueError: the study trains nothing.
    """
    if not (study.config and study.overrides):
        raise ValueError(f"{study.name} trains nothing of its own: --robust has no steps to vary")

    def cells(settings):
        final = [cell for cell in study.cells(settings) if cell.get("stage") != "tune"]
        first = sorted({cell["seed"] for cell in final})[:seeds]
        final = [cell for cell in final if cell["seed"] in first]
        at_factors = [{"vary": STEPS, "to": factor} | cell for factor in factors for cell in final]
        rates = settings.get("rates", ()) if "rate" in final[0] else ()
        return at_factors + [{"vary": RATE, "to": rate} | cell | {"rate": rate}
                             for rate in rates if len(rates) > 1 for cell in final]

    def overrides(cell, settings, rows):
        factor, known = _factor(cell), None if rows is None else tuned
        before = study.overrides(_original(cell), settings, known)
        if before is None:
            return None
        training = load(study.config_file(settings)).training
        lengths = {name: before.get(name, getattr(training, name.split(".")[1])) for name in LENGTHS}
        # Longer settings also name the longer runs that a run reads, such as its guide.
        return study.overrides(_original(cell), _lengthened(settings, factor), known) | {
            name: _times(length, factor) for name, length in lengths.items() if length}

    def measured(cell, settings, train):
        named = {name: cell[name] for name in ("vary", "to")}
        return study.measure(_original(cell), _lengthened(settings, _factor(cell)),
                             lambda other: train(named | other))

    return study._replace(cells=cells, overrides=overrides, measure=measured, labels=(*study.labels, "vary"))


def _factor(cell):
    return cell["to"] if cell["vary"] == STEPS else 1.0


def _original(cell):
    return {name: value for name, value in cell.items() if name not in ("vary", "to")}


def _times(length, factor):
    return max(1, round(factor * length)) if isinstance(length, int) else factor * length


def _lengthened(settings, factor):
    """Settings in which each of LENGTHS, wherever it stands, is multiplied."""
    return {name: _lengthened(value, factor) if isinstance(value, Mapping)
            else _times(value, factor) if name in LENGTHS and value else value
            for name, value in settings.items()}


def means(study: Study, rows: Rows, tuned: Rows) -> list[dict[str, Any]]:
    """For each variation: vary, to, seeds, and the mean of each claim's value, None where it has none.

    rows: of the varied study. tuned: of the study itself, whose tuning rows functions may read.
    """
    table = []
    tuning = [row for row in tuned if row.get("stage") == "tune"]
    for vary, to in dict.fromkeys((row["vary"], row["to"]) for row in rows):
        here = [_original(row) | ({"rate": None} if vary == RATE else {}) for row in rows
                if (row["vary"], row["to"]) == (vary, to)]
        table.append({"vary": vary, "to": to, "seeds": len({row["seed"] for row in here}),
                      "values": {claim.name: _mean(study, claim, tuning + here) for claim in study.claims}})
    return table


def _mean(study, claim, rows):
    try:
        return float(np.mean(by_seed(claim.value, rows, study.functions)))
    except ValueError:  # an empty cell, of a run that diverged
        return None


def reproduce(study: Study, declared_hash: str, tuned: Rows, settings: Mapping[str, Any], preset: str,
              folder: Path, *, redraw: bool, command: str, workers: int, by_workers: ByWorkers | None
              ) -> dict[str, Any]:
    """Measures the cells of the varied study that its table lacks; writes and returns values.json.

    Args:
      declared_hash: of the study's claims. tuned: its table. folder: its folder.
      redraw: measures nothing. Others as for `measure`.
    Raises:
      ValueError: an incomplete table with `redraw`, or a table of other claims or another recipe.
    """
    other, place = varied(study, tuned), folder / FOLDER
    rows = table.read(place, other.labels)
    about = declaration.read_about(place) if rows else {}
    changed = declaration.changes(other, about) if rows else []
    if changed:
        raise ValueError(f"{place} was measured with other claims or another recipe ({'; '.join(changed)}): "
                         "undo the change, or take the folder away")
    missing = lacking(other.cells(settings), rows)
    if redraw and missing:
        raise ValueError(f"{place / table.RUNS} has no row of {missing[0]}: measure it, without --redraw")
    if missing:
        if rows:
            environment.check_settings(about.get("jax_settings", {}))
        place.mkdir(exist_ok=True)
        rows = measure(other, settings, preset, rows, place, command, workers, by_workers)
    kept = {"declared_hash": declared_hash, "means": means(study, rows, tuned)}
    write_json(place / VALUES, kept)
    return kept
