"""Writes docs/tour/README.md from docs/tour/tour.py: its text, its code, what the cells print, and pictures.

    python docs/tour/page.py

runs the tour and copies its pictures, so that every number and picture of the page was computed.
"""

import contextlib
import io
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
HEAD = "<!-- Written by docs/tour/page.py, which runs docs/tour/tour.py. -->"


class Cell(NamedTuple):
    """A cell of a notebook in the percent format; text: Markdown, or code where `code` is True."""

    code: bool
    text: str


def cells(source: str) -> list[Cell]:
    """The cells of a notebook in the percent format."""
    parts = re.split(r"^# %%(.*)\n", source, flags=re.MULTILINE)[1:]
    return [Cell(False, re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)) if "[markdown]" in kind
            else Cell(True, body.strip()) for kind, body in zip(parts[::2], parts[1::2])]


def pictures(code: str) -> list[str]:
    """The files that a cell shows."""
    return re.findall(r'^show\("([\w.]+)"\)', code, re.MULTILINE)


def page(notebook: Sequence[Cell], printed: Sequence[str]) -> str:
    """The Markdown of a notebook; printed: what each cell prints, "" for nothing."""
    blocks, heading = [HEAD], ""
    for cell, output in zip(notebook, printed, strict=True):
        if not cell.code:
            heading = "".join(re.findall(r"^#+ (?:\d+\. )?(.*)", cell.text, re.MULTILINE)[-1:]) or heading
            blocks.append(cell.text)
            continue
        blocks.append(f"```python\n{cell.text}\n```")
        if output:
            blocks.append(f"```text\n{output.rstrip()}\n```")
        blocks += [f"![{heading}]({name})" for name in pictures(cell.text)]
    return "\n\n".join(blocks) + "\n"


def run(notebook: Sequence[Cell], names: dict) -> list[str]:
    """Runs the code of all cells, in the dictionary `names`; what each prints."""
    printed = []
    for cell in notebook:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            if cell.code:
                exec(compile(cell.text, "tour.py", "exec"), names)
        printed.append(output.getvalue())
    return printed


def main() -> None:
    """Writes the page and its pictures beside this file."""
    notebook, names = cells((HERE / "tour.py").read_text(encoding="utf-8")), {}
    (HERE / "README.md").write_text(page(notebook, run(notebook, names)), encoding="utf-8")
    for name in (name for cell in notebook if cell.code for name in pictures(cell.text)):
        shutil.copy(names["FOLDER"] / name, HERE / name)


if __name__ == "__main__":
    main()
