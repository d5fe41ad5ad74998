"""A study's table on disk: runs.csv, and beside it arrays.npz for columns that hold an array a row.

Both are written whole, the arrays first, so that every row of runs.csv has its own.
"""

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.storage.files import write_bytes, write_text
from experiments.studies.record import Rows

RUNS, ARRAYS = "runs.csv", "arrays.npz"
CELLS = "cells"  # of arrays.npz: what names the row of each array, as JSON


class Row(dict):
    """A row of a table on disk, which says what column it lacks, whoever asks for it."""

    def __init__(self, path: Path, values: Iterable[tuple[str, Any]]):
        super().__init__(values)
        self.path = path

    def __missing__(self, column: str) -> Any:
        raise ValueError(f"{self.path} has no column {column}: {_measured_before(self.path)}")


def read(folder: Path) -> Rows:
    """The rows of a study's folder; none where nothing was measured.

    Raises:
      ValueError: arrays.npz is damaged.
    """
    path = folder / RUNS
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = [Row(path, ((name, _value(text)) for name, text in row.items()))
                for row in csv.DictReader(file)]
    if (folder / ARRAYS).exists():
        try:
            with np.load(folder / ARRAYS) as held:
                stacks = dict(held)
            cells = [json.loads(cell) for cell in stacks.pop(CELLS)]
        except Exception as error:  # numpy and zipfile have many names for it
            raise ValueError(f"{folder / ARRAYS} is damaged: {error}") from error
        for row in rows:
            at = [all(row.get(name) == value for name, value in cell.items()) for cell in cells]
            if any(at):
                row.update({column: stack[at.index(True)] for column, stack in stacks.items()})
    return rows


def write(folder: Path, rows: Rows, names: Sequence[str]) -> None:
    """Writes all rows, whose cells are told apart by the columns `names`."""
    columns = [column for column, value in rows[0].items() if isinstance(value, np.ndarray)]
    if columns:
        packed = io.BytesIO()
        np.savez_compressed(packed, **{column: np.stack([row[column] for row in rows]) for column in columns},
                            **{CELLS: [json.dumps({name: row[name] for name in names}) for row in rows]})
        write_bytes(folder / ARRAYS, packed.getvalue())
    text = io.StringIO()
    writer = csv.DictWriter(text, [name for name in rows[0] if name not in columns], extrasaction="ignore",
                            lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / RUNS, text.getvalue())


def check_columns(row: Mapping[str, Any], rows: Rows, folder: Path) -> None:
    """ValueError where a table does not have the columns of what is to go into it."""
    differing = sorted(set(row) ^ set(rows[0])) if rows else []
    if differing:
        raise ValueError(f"{folder / RUNS} and what is measured now differ in columns "
                         f"({', '.join(differing)}): {_measured_before(folder / RUNS)}")


def _measured_before(path):
    return (f"another version of the study measured it; take {path.parent} away, or give another --results, "
            "and measure again")


def _value(text):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
