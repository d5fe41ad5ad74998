"""predictions.tsv: a header and a line for each example; fields separated by tabs, nothing escaped."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from attention_lab.storage.files import write_text

BREAKS = re.compile("[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # the tab, and what anyone takes for a line end
ESCAPE = re.compile(r'\\(["\\])')  # as older runs wrote every quote and backslash


def write(path: str | Path, rows: Sequence[Mapping[str, str]]) -> int:
    """Writes rows (no file if there are none); returns how many fields contained a tab or a line end.

    These characters become spaces, as they would end the field.
    """
    if not rows:
        return 0
    names, replaced, lines = list(rows[0]), 0, []
    for row in rows:
        fields = [row[name] for name in names]
        replaced += sum(BREAKS.search(field) is not None for field in fields)
        lines.append("\t".join(BREAKS.sub(" ", field) for field in fields))
    write_text(path, "\n".join(["\t".join(names), *lines, ""]))
    return replaced


def read(path: str | Path, as_written: bool = True) -> list[dict[str, str]]:
    """Reads the rows.

    Args:
      as_written: False for a file of unknown age: where all quotes and backslashes look as older runs escaped
        them, they are unescaped.
    Raises:
      ValueError: it is not UTF-8, or a line has not as many fields as the header.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is damaged: it is not UTF-8 (byte {error.start})") from error
    escaped = not as_written and "\\" in text and not {'"', "\\"} & set(ESCAPE.sub("", text))
    header, *lines = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    for number, fields in enumerate(lines, 2):
        if len(fields) != len(header):
            raise ValueError(f"{path}: line {number} has {len(fields)} fields, the header has {len(header)}")
    return [dict(zip(header, (ESCAPE.sub(r"\1", field) if escaped else field for field in fields)))
            for fields in lines]
