"""docs/extending.md: its examples, put into a copy of the checkout in the places that it says, run."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

ROOT = pathlib.Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EDIT = re.compile(r"^In (?:the new file )?`([^`]+)`"
                  r"(?:, (before|after|in place of) the line `([^`]+)`)?:\n\n"
                  r"```python\n(.*?)```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    python (-m (?:experiments\.|pytest).*)$", re.MULTILINE)
SCRIPT = re.compile(r"^From Python.*:\n\n```python\n(.*?)```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The checkout with every example of the page put in."""
    root = tmp_path_factory.mktemp("extended")
    for name in ("attention_lab", "configs", "experiments", "tests/attention"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "setup.cfg", "tests/conftest.py"):
        shutil.copy(ROOT / name, root / name)
    for path, where, line, code in EDIT.findall(PAGE):
        file = root / path
        if not where:
            file.parent.mkdir(exist_ok=True)
            file.write_text(code, encoding="utf-8")
            continue
        text = file.read_text(encoding="utf-8")
        assert text.count(f"\n{line}\n") == 1, f"{path}: {line}"
        new = {"before": f"{code}{line}\n", "after": f"{line}\n{code}", "in place of": code}[where]
        file.write_text(text.replace(f"\n{line}\n", f"\n{new}"), encoding="utf-8")
    lines = [f'{{"en": "the dog {i} sees", "fr": "le chien {i} voit"}}\n' for i in range(40)]
    (root / "pairs.jsonl").write_text("".join(lines), encoding="utf-8")
    return root


def run(copy, *arguments):
    """What Python prints when it is run with these arguments in the copy; it has to end with status 0."""
    done = subprocess.run([sys.executable, *arguments], cwd=copy, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(copy)})
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("command", COMMAND.findall(PAGE), ids=lambda command: command.split("=")[-1])
def test_the_examples_run(copy, command):
    assert run(copy, *shlex.split(command)).strip()


def test_the_example_in_python_runs(copy):
    script, = SCRIPT.findall(PAGE)
    assert run(copy, "-c", script).count(".") == 2  # one layer of two heads, a number each


def test_they_touch_the_places_that_the_page_says():
    touched = [path for path, *_ in EDIT.findall(PAGE)]
    assert touched.count("attention_lab/attention/scores.py") == 2  # the function, and its entry
    assert {path.rpartition("/")[0] for path in touched} == {
        "attention_lab/attention", "attention_lab/attention/implementations", "attention_lab/data/readers",
        "attention_lab/data", "attention_lab/tasks", "attention_lab/config", "attention_lab/training",
        "attention_lab/analysis", "experiments/studies/width"}


def test_help_and_refusals_know_the_new_names(copy):
    text = run(copy, "-m", "experiments.train", "--help")
    assert all(name in text for name in ("distance", "blockwise", "jsonl", "sentences", "nesterov"))
    done = subprocess.run(
        [sys.executable, "-m", "experiments.train", "--config=configs/translation.py:smoke",
         "--config.attention.compatibility=distanse"], cwd=copy, text=True, capture_output=True)
    assert done.returncode == 2 and "distance" in done.stderr and len(done.stderr.splitlines()) == 1
