"""sha256 of the files that a run reads back, in run.json under "files"; checkpoints have a manifest.

Another vocabulary of the same size, or other classes, would give wrong answers without an error. Runs of
older versions have no record and are read without it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attention_lab.storage.files import digest

FILES = "files"
MODEL = ("tokenizer.json", "classes.json")  # what a model needs besides its config and parameters
PREDICTIONS = "predictions.tsv"


def of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """{name: sha256} of those of the files that are there."""
    return {name: digest(folder / name) for name in names if (folder / name).is_file()}


def record(folder: Path, facts: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What run.json, which holds these facts, is to hold once these files are written."""
    return {FILES: facts.get(FILES, {}) | of(folder, names)}


def check(folder: Path, facts: Mapping[str, Any], names: Iterable[str]) -> None:
    """ValueError for a file that is not the one that is recorded in these facts of run.json."""
    recorded, now = facts.get(FILES, {}), of(folder, names)
    for name in names:
        if name in recorded and name not in now:
            raise ValueError(f"{folder / name} is missing: run.json records that the run wrote it")
        if name in recorded and now[name] != recorded[name]:
            raise ValueError(f"{folder / name} is not the file that the run wrote: its sha256 differs from "
                             "the one in run.json; put the run's own file back")
