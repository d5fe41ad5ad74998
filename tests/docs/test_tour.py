"""docs/tour: the notebook runs as a script, and its page is made of it."""

import os
import pathlib
import re
import runpy
import subprocess
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TOUR = ROOT / "docs" / "tour"
page = types.SimpleNamespace(**runpy.run_path(str(TOUR / "page.py")))
NOTEBOOK = page.cells((TOUR / "tour.py").read_text(encoding="utf-8"))
SHOWN = [name for cell in NOTEBOOK if cell.code for name in page.pictures(cell.text)]
PNG = b"\x89PNG\r\n"


@pytest.mark.once
def test_the_tour_runs_as_a_script(tmp_path):
    done = subprocess.run(
        [sys.executable, str(TOUR / "tour.py"), "--smoke"], cwd=tmp_path, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr[-3000:]
    assert "are the same: [True, True]" in done.stdout and "6 paired seeds" in done.stdout
    folder, = tmp_path.glob("tour-*")
    assert len(SHOWN) >= 6
    for name in SHOWN:
        assert (folder / name).read_bytes().startswith(PNG), name
    assert "<html" in (folder / "view.html").read_text(encoding="utf-8")


def test_the_page_is_made_of_the_tour():
    text = (TOUR / "README.md").read_text(encoding="utf-8")
    silent = re.sub(r"```text\n.*?```\n\n", "", text, flags=re.DOTALL)
    assert silent == page.page(NOTEBOOK, [""] * len(NOTEBOOK)), "run python docs/tour/page.py"
    assert text.count("```text\n") == sum(cell.code and "print(" in cell.text for cell in NOTEBOOK)


def test_the_pictures_of_the_page_are_there():
    for name in SHOWN:
        assert (TOUR / name).read_bytes().startswith(PNG), name


def test_cells_of_a_notebook():
    cells = page.cells(
        "# %% [markdown]\n# # Two\n#\n# lines\n\n# %%\nx = 1\n# a comment\n\n\n# %%\nprint(x)\n")
    assert cells == [(False, "# Two\n\nlines"), (True, "x = 1\n# a comment"), (True, "print(x)")]


def test_cells_share_their_names_and_what_each_prints_is_kept():
    names = {}
    cells = page.cells("# %%\nx = 3\n# %% [markdown]\n# print(x)\n# %%\nprint(x)\nx += 2\n# %%\nprint(x)\n")
    assert page.run(cells, names) == ["", "", "3\n", "5\n"]
    assert names["x"] == 5


def test_a_page_has_text_code_output_and_pictures():
    cells = page.cells('# %% [markdown]\n# ## 2. The scale\n# is said.\n# %%\nprint(7)\nshow("scale.png")\n')
    assert page.page(cells, ["", "7\n"]).split("\n\n")[1:] == [
        "## 2. The scale\nis said.", '```python\nprint(7)\nshow("scale.png")\n```', "```text\n7\n```",
        "![The scale](scale.png)\n"]


def test_a_page_of_other_cells_is_refused():
    with pytest.raises(ValueError):
        page.page(page.cells("# %%\nx = 1\n"), [])
