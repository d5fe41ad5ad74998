"""Rows of a table as a file that other programs read: CSV, or Parquet where pyarrow is installed."""

import csv
import importlib.util
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.storage.files import write_bytes
from attention_lab.storage.later import Later

pyarrow, parquet = Later("pyarrow"), Later("pyarrow.parquet")
Rows = Sequence[Mapping[str, Any]]


def writer(path: str | os.PathLike) -> Callable[[Rows], None]:
    """The function that writes rows to a new file of this name.

    Columns are in the order in which they first occur; a row without one has nothing there. Sequences and
    objects become text.

    Raises:
      ValueError: an ending that is not in FORMATS, a file that is there, no folder for it, or no pyarrow.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'}: {', '.join(FORMATS)} are allowed")
    if os.path.lexists(path):
        raise ValueError(f"{path} is there already: give another name, for nothing is replaced")
    if not path.parent.is_dir():
        raise ValueError(f"{path.parent} is no folder")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ValueError(f"{path}: pyarrow is not installed: pip install 'attention-lab[export]'; .csv needs "
                         "nothing")
    return lambda rows: write_bytes(path, FORMATS[path.suffix](columns(rows)))


def columns(rows: Rows) -> dict[str, list[Any]]:
    """{column: values}, None where a row has none.

    >>> columns([{"a": 1}, {"b": (2, 3)}])
    {'a': [1, None], 'b': [None, '2,3']}
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_plain(row.get(name)) for row in rows] for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return str(value) if isinstance(value, Mapping) else value


def _csv(table: Mapping[str, list[Any]]) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(table)
    lines.writerows(zip(*table.values()))
    return text.getvalue().encode()


def _parquet(table: Mapping[str, list[Any]]) -> bytes:
    # A column has one type: where numbers and words meet, as in attention.scale, all are words.
    mixed = [name for name, values in table.items()
             if len({isinstance(value, str) for value in values if value is not None}) > 1]
    table = {name: [value if value is None or name not in mixed else str(value) for value in values]
             for name, values in table.items()}
    content = io.BytesIO()
    parquet.write_table(pyarrow.table(table), content)
    return content.getvalue()


FORMATS = {".csv": _csv, ".parquet": _parquet}
