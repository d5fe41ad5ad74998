"""The run behind a cell of a study: its config, where its data lie, and its result, trained or read."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config.load import load, load_module
from attention_lab.config.rules import no_transformer
from attention_lab.storage.files import JsonLines
from attention_lab.sweeps.cell import Shared, run_cell
from attention_lab.sweeps.plan import plan
from attention_lab.tasks import build

_shared = Shared(build)  # programs of the last cells, which the next ones may share


def trained(file: str, changed: dict[str, Any], folder: Path, study: str
            ) -> tuple[dict[str, Any], list[dict[str, Any]], Path]:
    """Trains a run, or reads it where it is finished: its result, its evaluations on dev and its folder.

    Raises:
      ValueError: it failed.
    """
    outcome = run_cell(cell_of(file, changed), folder, _shared, f"python -m experiments.reproduce {study}",
                       say=lambda line: None)
    if outcome.result is None:
        raise ValueError(f"{outcome.folder}: {outcome.error}")
    lines = JsonLines(outcome.folder / "metrics.jsonl").read()
    return outcome.result, [line for line in lines if "dev_loss" in line], outcome.folder


def cell_of(file: str, changed: dict[str, Any]) -> Any:
    """The sweep's cell of a config file with changes, which knows the run's folder."""
    (cell,), = (group.cells for group in plan(load(file), [changed]))
    return cell


def curve(evaluations: list[dict[str, Any]], *names: str) -> np.ndarray:
    """What was measured on dev over the steps: (evaluations, 1 + names), the steps first."""
    return np.array([[line["step"], *(line[name] for name in names)] for line in evaluations],
                    np.float64).reshape(-1, 1 + len(names))


@functools.cache
def _variants(file: str) -> Mapping[str, Mapping[str, Any]]:
    return load_module(file).VARIANTS


def variant(file: str, name: str) -> dict[str, Any]:
    """What a variant of a config file changes; "" changes nothing."""
    return dict(_variants(file)[name]) if name else {}


def recurrent_variant(file: str, name: str) -> dict[str, Any]:
    """A variant with a recurrent model, of a file whose own is a Transformer; "" changes nothing."""
    return variant(file, name) | no_transformer() if name else {}


# Real corpora by the variant that reads them: what they are, the field that says where, and their place in
# the folder of data.
CORPORA = {
    "multi30k": ("Multi30k", "data.directory", "multi30k"),
    "coarsewsd": ("CoarseWSD-20", "data.directory", "coarsewsd20/CoarseWSD-20"),
    "sst": ("SST", "data.path", "attention-explanation/sst_dataset.csv.gz"),
}


def with_data(changed: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides that say where the real corpus lies, if the study's variant reads one.

    Raises:
      ValueError: it does, and neither --data nor the environment says where.
    """
    for name in CORPORA.keys() & set(settings["variant"].split(",")):
        corpus, field, place = CORPORA[name]
        if not settings["data"]:
            raise ValueError(f"{settings['study']} reads {corpus}: give --data=DIR, or set "
                             f"ATTENTION_LAB_DATA, to the folder that holds {place}")
        changed = changed | {field: f"{settings['data']}/{place}"}
    return changed


def check_data(settings: Mapping[str, Any]) -> None:
    """ValueError where `with_data` would raise one."""
    with_data({}, settings)
