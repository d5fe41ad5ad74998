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
    from attention_lab.config.load import load
    from attention_lab.storage.files import JsonLines
    from attention_lab.sweeps.cell import run_cell
    from attention_lab.sweeps.plan import plan
    (cell,), = (group.cells for group in plan(load(file), [changed]))
    outcome = run_cell(cell, folder, _shared(), f"python -m experiments.reproduce {study}",
                       say=lambda line: None)
    if outcome.result is None:
        raise ValueError(f"{outcome.folder}: {outcome.error}")
    lines = JsonLines(outcome.folder / "metrics.jsonl").read()
    return outcome.result, [line for line in lines if "dev_loss" in line], outcome.folder


# Real corpora by the variant that reads them: what they are, the field that says where, and their place in
# the folder of data.
CORPORA = {
    "multi30k": ("Multi30k", "data.directory", "multi30k"),
    "coarsewsd": ("CoarseWSD-20", "data.directory", "coarsewsd20/CoarseWSD-20"),
    "sst": ("SST", "data.path", "attention-explanation/sst_dataset.csv.gz"),
}


def with_data(study: str, changed: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides that say where the real corpus lies, if the study's variant reads one.

    Raises:
      ValueError: it does, and neither --data nor the environment says where.
    """
    for name in CORPORA.keys() & set(settings["variant"].split(",")):
        corpus, field, place = CORPORA[name]
        if not settings["data"]:
            raise ValueError(f"{study} reads {corpus}: give --data=DIR, or set ATTENTION_LAB_DATA, to the "
                             f"folder that holds {place}")
        changed = changed | {field: f"{settings['data']}/{place}"}
    return changed
