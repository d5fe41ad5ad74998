"""Study: a question, and everything that answers it."""

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
      presets: {"smoke", "cpu", "accelerator": settings}. All functions get the settings of a preset with
        "study" (the study's name), "data" (folder of real corpora) and "runs" (parent of the run folders).
      cells: settings -> one row per measurement, holding only the columns that name it.
      measure: (cell, settings, train) -> the measured columns, the same for every cell: numbers, None if
        missing, words, or arrays of any shape. train(cell) gives the `recipes.runs.Run` behind a cell.
      draw: (rows, settings) -> Figure, from the table alone.
      labels: columns that hold words, beside LABELS; all others hold numbers or arrays.
      functions: by name, for values of claims: (rows, **arguments) -> {seed: number}.
      computed: names of claims whose value is arithmetic, such as the size of a compiled program: every seed
        has the same by construction, so that tables show neither an interval nor a number of seeds. Numbers
        of trained models are not, however alike they are.
      not_judged: rows -> {claim's name: why the device of these rows cannot answer it}; such a claim is
        declared as all others, and where it is left out a note beside the verdicts says why. None for a study
        whose claims are all judged on any device.
      resampled: rows -> {claim's name: bootstrap interval over resampled seeds, or seeds and test
        sentences}, shown beside the exact interval over seeds; the write-up says what is resampled. None for
        a study without one.
      config: config file and variant of the runs, settings in braces: "configs/echo.py:{variant}"; empty
        for a study that trains nothing, or reads the runs of another study.
      overrides: (cell, settings, rows so far) -> overrides of that config for the cell's run, None for a cell
        without a run. Cells of one `stage` do not depend on each other's rows, so several workers may train
        them. Rows are None while the recipe is hashed, before anything is measured.
      check: settings -> ValueError for missing inputs, such as a corpus.
      name: of its folder, set by the loader.
    """

    question: str
    claims: Sequence[Claim]
    presets: Mapping[str, Mapping[str, Any]]
    cells: Callable[[Mapping[str, Any]], Rows]
    measure: Callable[[dict[str, Any], Mapping[str, Any], Callable[[Mapping[str, Any]], Any]], dict[str, Any]]
    draw: Callable[[Rows, Mapping[str, Any]], Any]
    labels: Sequence[str] = ()
    functions: Mapping[str, Callable[..., Series]] = {}
    computed: Sequence[str] = ()
    not_judged: Callable[[Rows], Mapping[str, str]] | None = None
    resampled: Callable[[Rows], Mapping[str, Interval]] | None = None
    config: str = ""
    overrides: Callable[[dict[str, Any], Mapping[str, Any], Rows | None], dict[str, Any] | None] | None = None
    check: Callable[[Mapping[str, Any]], None] | None = None
    name: str = ""

    def settings(self, preset: str, data: str = "", runs: Path | str = "runs") -> dict[str, Any]:
        """The settings of a preset, with the study's name and this machine's folders.

        Raises:
          ValueError: an unknown preset.
        """
        if preset not in self.presets:
            raise ValueError(f"--preset={preset}: allowed are {', '.join(self.presets)}")
        return {"study": self.name, "data": data, "runs": runs, **self.presets[preset]}

    def config_file(self, settings: Mapping[str, Any]) -> str:
        """The config file and variant of the runs, "" for a study without."""
        return self.config.format(**settings)

    def left_out(self, rows: Rows) -> dict[str, str]:
        """{claim's name: why these rows cannot answer it}."""
        return dict(self.not_judged(rows)) if self.not_judged else {}

    def judged(self, rows: Rows) -> list[Claim]:
        """The claims that these rows can answer."""
        left_out = self.left_out(rows)
        return [claim for claim in self.claims if claim.name not in left_out]

    def values(self, rows: Rows) -> dict[str, list[float]]:
        """The value of each claim that these rows can answer, one number per seed."""
        return {claim.name: by_seed(claim.value, rows, self.functions) for claim in self.judged(rows)}

    def computed_in(self, rows: Rows) -> list[str]:
        """The claims in `computed` whose value is the same for every seed of these rows."""
        values = self.values(rows)
        return [name for name in self.computed
                if name in values and max(values[name]) - min(values[name]) <= 1e-9]

    def verdicts(self, rows: Rows) -> list[Verdict]:
        """The verdict on each claim that these rows can answer."""
        return judge(self.judged(rows), self.values(rows))
