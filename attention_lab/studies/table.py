"""A study's table on disk: runs.csv, and beside it arrays.npz for columns with an array in each row.

A cell of runs.csv is a number or empty; columns that the study declares as labels hold words. The arrays of a
column may differ in shape. Both files are written whole, arrays first, so that no row lacks its arrays.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.storage.files import write_bytes, write_text
from attention_lab.studies.study import LABELS, Rows

RUNS, ARRAYS = "runs.csv", "arrays.npz"
CELLS, SHAPES = "cells", ".shapes"  # in arrays.npz: the columns that name each row, as JSON; array shapes


class Row(dict):
    """A row of a table on disk; a missing column raises ValueError naming the file."""

    def __init__(self, path: Path, values: Iterable[tuple[str, Any]]):
        super().__init__(values)
        self.path = path

    def __missing__(self, column: str) -> Any:
        raise ValueError(f"{self.path} has no column {column}: {_measured_before(self.path)}")


def read(folder: Path, labels: Sequence[str] = ()) -> Rows:
    """The rows of a study's folder, none before the first measurement; `labels` as in `Study`.

    Raises:
      ValueError: words in a column of numbers, or a damaged arrays.npz.
    """
    path = folder / RUNS
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = [Row(path, ((name, _cell(path, number, name, text, {*LABELS, *labels}))
                           for name, text in row.items()))
                for number, row in enumerate(csv.DictReader(file), 1)]
    if (folder / ARRAYS).exists():
        cells, columns = _unpacked(folder / ARRAYS)
        indices = {tuple(cell.values()): index for index, cell in enumerate(cells)}
        names = list(cells[0])
        for row in rows:
            index = indices.get(tuple(row[name] for name in names))
            if index is not None:
                row.update({column: arrays[index] for column, arrays in columns.items()})
    return rows


def write(folder: Path, rows: Rows, names: Sequence[str]) -> None:
    """Writes all rows; the columns `names` identify a row."""
    columns = [column for column in rows[0] if any(isinstance(row[column], np.ndarray) for row in rows)]
    if columns:
        write_bytes(folder / ARRAYS, _packed([{name: row[name] for name in names} for row in rows],
                                             {column: [row[column] for row in rows] for column in columns}))
    text = io.StringIO()
    writer = csv.DictWriter(text, [name for name in rows[0] if name not in columns], extrasaction="ignore",
                            lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / RUNS, text.getvalue())


def check(row: Mapping[str, Any], rows: Rows, folder: Path, labels: Sequence[str] = ()) -> None:
    """ValueError for a new row that does not fit the table: other columns, or words for a number."""
    differing = sorted(set(row) ^ set(rows[0])) if rows else []
    if differing:
        raise ValueError(f"{folder / RUNS} and what is measured now differ in columns "
                         f"({', '.join(differing)}): {_measured_before(folder / RUNS)}")
    for column, value in row.items():
        if isinstance(value, str) and column not in {*LABELS, *labels}:
            raise ValueError(f"column {column} holds {value!r}: a column of words has to be among the "
                             "study's labels")


def _packed(cells: Rows, columns: Mapping[str, Sequence[np.ndarray | None]]) -> bytes:
    content = {CELLS: [json.dumps(cell) for cell in cells]}
    for column, arrays in columns.items():
        dimensions = max(array.ndim for array in arrays if array is not None)
        # A shape of -1: no array in this row.
        content[column + SHAPES] = np.array([array.shape if array is not None else (-1,) * dimensions
                                             for array in arrays], np.int32)
        content[column] = np.concatenate([array.ravel() for array in arrays if array is not None])
    packed = io.BytesIO()
    np.savez_compressed(packed, **content)
    return packed.getvalue()


def _unpacked(path: Path) -> tuple[Rows, dict[str, list[np.ndarray | None]]]:
    try:
        with np.load(path) as file:
            content = dict(file)
        cells, columns = [json.loads(cell) for cell in content.pop(CELLS)], {}
        for column in [name for name in content if not name.endswith(SHAPES)]:
            shapes = [tuple(map(int, shape)) for shape in content[column + SHAPES]]
            ends = np.cumsum([math.prod(shape) if -1 not in shape else 0 for shape in shapes])
            columns[column] = [None if -1 in shape else part.reshape(shape) for shape, part in
                               zip(shapes, np.split(content[column], ends[:-1]), strict=True)]
    except Exception as error:  # numpy and zipfile raise many types
        raise ValueError(f"{path} is damaged: {error}") from error
    return cells, columns


def _cell(path, number, column, text, labels):
    if column in labels:
        return text
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{path}: row {number} holds {text[:40]!r} in {column}, a column of "
                             "numbers") from None


def _measured_before(path):
    return (f"another version of the study measured it; take {path.parent} away, or give another --results, "
            "and measure again")
