"""The run behind a cell of a study: its config, its data, and its result."""

import functools
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attention_lab.config.load import load, load_module
from attention_lab.config.rules import no_transformer
from attention_lab.storage.files import JsonLines
from attention_lab.studies.values import Rows
from attention_lab.sweeps.cell import Shared, run_cell
from attention_lab.sweeps.plan import Cell, plan
from attention_lab.tasks import build

_shared = Shared(build)  # compiled programs of recent cells, for the next ones


class Run(NamedTuple):
    """A finished run.

    Fields:
      result: result.json. evaluations: the lines of metrics.jsonl with scores on dev. folder: the run's.
      changes: its overrides of the config file, by dotted key.
    """

    result: dict[str, Any]
    evaluations: list[dict[str, Any]]
    folder: Path
    changes: Mapping[str, Any]


def crossed(**columns: Iterable[Any]) -> Rows:
    """A cell for each combination of the columns' values, those of the last column varying fastest."""
    return [dict(zip(columns, values)) for values in itertools.product(*columns.values())]


def trained(file: str, changes: dict[str, Any], folder: Path, study: str) -> Run:
    """Trains a run below `folder` unless it is finished.

    Raises:
      ValueError: training or scoring failed.
    """
    outcome = run_cell(cell_of(file, changes), folder, _shared, f"python -m experiments.reproduce {study}",
                       say=lambda line: None)
    error = outcome.error if outcome.result is None else outcome.result.get("failed")
    if error:
        raise ValueError(f"{outcome.folder}: {error}")
    lines = JsonLines(outcome.folder / "metrics.jsonl").read()
    return Run(outcome.result, [line for line in lines if "dev_loss" in line], outcome.folder, changes)


def cell_of(file: str, changes: dict[str, Any]) -> Cell:
    """The sweep's cell of a config file with changes, which knows the run's folder."""
    (cell,), = (group.cells for group in plan(load(file), [changes]))
    return cell


def curve(evaluations: list[dict[str, Any]], *names: str) -> np.ndarray:
    """Scores on dev over training, (evaluations, 1 + names), optimizer steps in the first column."""
    return np.array([[line["step"], *(line[name] for name in names)] for line in evaluations],
                    np.float64).reshape(-1, 1 + len(names))


@functools.cache
def variant(file: str, name: str) -> Mapping[str, Any]:
    """The overrides of a variant of a config file; "" has none."""
    return load_module(file).VARIANTS[name] if name else {}


def recurrent_variant(file: str, name: str) -> Mapping[str, Any]:
    """As `variant`, of a recurrent model in a file whose default is a Transformer."""
    return variant(file, name) | no_transformer() if name else {}


# Real corpora by the variant that reads them: name, the field for their location, and the path below --data.
CORPORA = {
    "multi30k": ("Multi30k", "data.directory", "multi30k"),
    "coarsewsd": ("CoarseWSD-20", "data.directory", "coarsewsd20/CoarseWSD-20"),
    "sst": ("SST", "data.path", "attention-explanation/sst_dataset.csv.gz"),
    "linzen": ("the sentences of Linzen et al. (2016)", "data.directory", "linzen-agreement"),
    "files": ("rt-polarity", "data.directory", "cornell-polarity"),
}


def with_data(changes: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Changes with the location of the real corpus, if the study's variant reads one.

    Raises:
      ValueError: neither --data nor the environment gives the location.
    """
    changes = dict(changes)
    for name in CORPORA.keys() & set(settings["variant"].split(",")):
        corpus, field, path = CORPORA[name]
        if not settings["data"]:
            raise ValueError(f"{settings['study']} reads {corpus}: give --data=DIR, or set "
                             f"ATTENTION_LAB_DATA, to the folder that holds {path}")
        changes[field] = f"{settings['data']}/{path}"
    return changes


def check_data(settings: Mapping[str, Any]) -> None:
    """ValueError where the location of a real corpus is missing."""
    with_data({}, settings)
