"""The run behind a cell of a study: where its data lie, and its result, trained or read."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@functools.cache
def _shared():
    """Programs of the last cells, which the next ones may share."""
    from attention_lab.sweeps.cell import Shared
    from attention_lab.tasks import build
    return Shared(build)


def trained(file: str, changed: dict[str, Any], folder: Path, study: str
            ) -> tuple[dict[str, Any], list[dict[str, Any]], Path]:
    """Trains a run, or reads it where it is finished: its result, its looks at dev and its folder.

    Raises:
      ValueError: it failed.
    """
    from attention_lab.files import JsonLines
    from attention_lab.sweeps.cell import run_cell
    from attention_lab.sweeps.plan import plan
    from experiments.flags import load
    (cell,), = (group.cells for group in plan(load(file), [changed]))
    outcome = run_cell(cell, folder, _shared(), f"python -m experiments.reproduce {study}",
                       say=lambda line: None)
    if outcome.result is None:
        raise ValueError(f"{outcome.folder}: {outcome.error}")
    lines = JsonLines(outcome.folder / "metrics.jsonl").read()
    return outcome.result, [line for line in lines if "dev_loss" in line], outcome.folder


def with_data(study: str, changed: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides that say where Multi30k lies, if it is what the study reads.

    Raises:
      ValueError: it is, and neither --data nor the environment says where.
    """
    if "multi30k" not in settings["variant"]:
        return changed
    if not settings["data"]:
        raise ValueError(f"{study} reads Multi30k: give --data=DIR, or set ATTENTION_LAB_DATA, to the folder "
                         "that holds multi30k/")
    return changed | {"data.directory": f"{settings['data']}/multi30k"}
