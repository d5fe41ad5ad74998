"""What a study is, as a record."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.statistics import Claim, Interval

PRESETS = ("smoke", "cpu", "accelerator")
Rows = list[dict[str, Any]]


class Study(NamedTuple):
    """One question and everything that answers it.

    Fields:
      name: of its module and of its folder under experiments/results/.
      question: a sentence.
      claims: fixed before anything is measured.
      presets: settings by preset; what `cells` is given, with "data", the folder of real corpora, and
        "runs", that of the run folders.
      cells: settings -> the rows to be, each with the keys that name it and nothing measured.
      measure: (cell, settings, rows measured before, folder for run folders) -> what is measured, by
        column; the same columns for every cell, and arrays of the same shape.
      differences: rows -> {claim's name: one number for each seed}.
      draw: (rows, settings) -> Figure, from the tables alone.
      resampled: rows -> {claim's name: interval over seeds and test sentences, both drawn anew}, shown beside
        the exact one over seeds; None for a study that keeps nothing of single sentences.
      config: settings -> the config file and variant of the runs behind the cells; None for a study
        that trains nothing.
      overrides: (cell, settings, rows measured before) -> what the cell's run changes in it, or None for
        a cell that has no run. Cells of one `stage` need no rows of each other, so that several workers
        may train them.
    """

    name: str
    question: str
    claims: Sequence[Claim]
    presets: Mapping[str, Mapping[str, Any]]
    cells: Callable[[Mapping[str, Any]], Rows]
    measure: Callable[[dict[str, Any], Mapping[str, Any], Rows, Path], dict[str, Any]]
    differences: Callable[[Rows], dict[str, Sequence[float]]]
    draw: Callable[[Rows, Mapping[str, Any]], Any]
    config: Callable[[Mapping[str, Any]], str] | None = None
    overrides: Callable[[dict[str, Any], Mapping[str, Any], Rows], dict[str, Any]] | None = None
    resampled: Callable[[Rows], Mapping[str, Interval]] | None = None

    def claims_hash(self) -> str:
        """Twelve hexadecimal digits of the claims, by which a change after the fact shows."""
        text = json.dumps([asdict(claim) for claim in self.claims], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
