"""Cells of a sweep that differ in the seed alone: replicates of one arm, and the means of their scores."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from attention_lab.statistics import mean_interval
from attention_lab.sweeps.cell import Outcome


class Replicates(NamedTuple):
    """The outcomes of an arm.

    Fields:
      overrides: of the arm, the seed apart. outcomes: one for each seed.
    """

    overrides: dict[str, Any]
    outcomes: list[Outcome]

    @property
    def statuses(self) -> Counter:
        """{status: seeds}; a cell without a result failed."""
        return Counter((outcome.result or {"status": "failed"})["status"] for outcome in self.outcomes)

    def means(self, names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
        """{score: mean over the seeds that finished, and the ends of its 95 % t interval}."""
        results = [outcome.result for outcome in self.outcomes
                   if outcome.result and outcome.result["status"] == "finished"]
        values = {name: [result[name] for result in results if result.get(name) is not None]
                  for name in names}
        return {name: (statistics.fmean(each), *mean_interval(each)[:2])
                for name, each in values.items() if each}


def replicates(outcomes: Sequence[Outcome]) -> list[Replicates]:
    """The arms of a sweep, in its order."""
    arms: dict[str, Replicates] = {}
    for outcome in outcomes:
        overrides = {key: value for key, value in outcome.cell.overrides.items() if key != "seed"}
        arms.setdefault(repr(overrides), Replicates(overrides, [])).outcomes.append(outcome)
    return list(arms.values())
