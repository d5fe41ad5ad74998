"""What a study is, as a record."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.statistics import Claim, Interval, Verdict, judge
from attention_lab.studies.values import Rows, Series, by_seed

LABELS = ("arm", "stage", "status")  # columns that hold words in every study


class Study(NamedTuple):
    """One question and everything that answers it.

    Fields:
      question: a sentence.
      claims: fixed before anything is measured.
      presets: {"smoke", "cpu", "accelerator": settings}; what `cells` and the others are given, with
        "study", its name; "data", the folder of real corpora; "runs", that of the run folders.
      cells: settings -> the rows to be, each with the columns that name it and nothing measured.
      measure: (cell, settings, rows measured before, folder for run folders) -> what is measured, by
        column, the same for every cell: numbers, None where there is none, words, arrays of any shape.
      draw: (rows, settings) -> Figure, from the table alone.
      labels: columns that hold words, beside LABELS; all others hold numbers, or arrays.
      functions: what a claim's value may name: (rows, **arguments) -> {seed: number}.
      resampled: rows -> {claim's name: interval over seeds and test sentences, both drawn anew}, shown
        beside the exact one over seeds; None for a study that keeps nothing of single sentences.
      config: settings -> the config file and variant of the runs behind the cells; None for a study
        whose runs are trained one by one, or that trains nothing.
      overrides: (cell, settings, rows measured before) -> what the cell's run changes in it, or None for
        a cell that has no run. Cells of one `stage` need no rows of each other, so that several workers
        may train them. Rows are None where the recipe is hashed before anything is measured.
      check: settings -> ValueError for what is not there, such as a corpus.
      name: that of its folder, which the loader puts in.
    """

    question: str
    claims: Sequence[Claim]
    presets: Mapping[str, Mapping[str, Any]]
    cells: Callable[[Mapping[str, Any]], Rows]
    measure: Callable[[dict[str, Any], Mapping[str, Any], Rows, Path], dict[str, Any]]
    draw: Callable[[Rows, Mapping[str, Any]], Any]
    labels: Sequence[str] = ()
    functions: Mapping[str, Callable[..., Series]] = {}
    resampled: Callable[[Rows], Mapping[str, Interval]] | None = None
    config: Callable[[Mapping[str, Any]], str] | None = None
    overrides: Callable[[dict[str, Any], Mapping[str, Any], Rows | None], dict[str, Any] | None] | None = None
    check: Callable[[Mapping[str, Any]], None] | None = None
    name: str = ""

    def settings(self, preset: str, data: str = "", runs: Path | str = "runs") -> dict[str, Any]:
        """A preset with what the machine adds to it; ValueError names the presets where there is none."""
        if preset not in self.presets:
            raise ValueError(f"--preset={preset}: allowed are {', '.join(self.presets)}")
        return {"study": self.name, "data": data, "runs": runs, **self.presets[preset]}

    def values(self, rows: Rows) -> dict[str, list[float]]:
        """What each claim is judged by, a number for each seed."""
        return {claim.name: by_seed(claim.value, rows, self.functions) for claim in self.claims}

    def verdicts(self, rows: Rows) -> list[Verdict]:
        """The claims, judged."""
        return judge(self.claims, self.values(rows))
