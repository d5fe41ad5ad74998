"""The best configs of a search on fresh seeds: the mean that chose a config is higher than what it holds."""

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

from attention_lab.config import Config
from attention_lab.config.parse import parse
from attention_lab.statistics import mean_interval
from attention_lab.statistics.paired import Interval
from attention_lab.sweeps.cell import Outcome
from attention_lab.sweeps.plan import Group, plan
from attention_lab.sweeps.space import parse_seeds

BEST = 3  # configs that are run again


class Finalist(NamedTuple):
    """One of the best configs of a search.

    Fields:
      overrides: typed values by dotted key, the seed apart. tuned: mean over the tuning seeds.
      scores: {fresh seed: score}. folder: of its first fresh run, or "".
    """

    overrides: dict[str, Any]
    tuned: float
    scores: dict[int, float]
    folder: str = ""

    @property
    def mean(self) -> float:
        """Over the fresh seeds."""
        return statistics.fmean(self.scores.values())

    @property
    def interval(self) -> Interval:
        """The 95 % t interval of the mean."""
        return mean_interval(list(self.scores.values()))


def seeds_of(text: str, tuning: Sequence[int]) -> list[int]:
    """The fresh seeds that a flag spells; without text as many as the tuning seeds, following them.

    Raises:
      ValueError: a seed that is a tuning seed.
    """
    first = max(tuning) + 1
    following = range(first, first + len(tuning))
    seeds = [cell["seed"] for cell in parse_seeds(text)] if text else list(following)
    if seen := sorted(set(seeds) & set(tuning)):
        raise ValueError(f"--fresh_seeds={text}: {', '.join(map(str, seen))} is among the tuning seeds, by "
                         f"which configs are chosen: give others, such as {first}:{first + len(tuning)}")
    return seeds


def best(trials: Sequence[FrozenTrial], sign: float, count: int = BEST) -> list[Finalist]:
    """The configs with the best scores of the trials that finished, best first; of equal ones the earlier."""
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    chosen: dict[str, Finalist] = {}
    for trial in sorted(finished, key=lambda trial: (-trial.values[0], trial.number)):
        texts = trial.user_attrs["overrides"]
        chosen.setdefault(repr(texts), Finalist(
            {key: parse(key, text) for key, text in texts.items()}, sign * trial.values[0], {}))
    return list(chosen.values())[:count]


def groups_of(base: Config, finalists: Sequence[Finalist], seeds: Sequence[int]) -> list[Group]:
    """Their runs on these seeds; as in the search test is never read."""
    return plan(base, [{"data.split": "dev", **each.overrides, "seed": seed}
                       for each in finalists for seed in seeds])


def scored(finalists: Sequence[Finalist], outcomes: Sequence[Outcome], metric: str) -> list[Finalist]:
    """The finalists with their scores on fresh seeds, in the same order."""
    complete = []
    for each in finalists:
        mine = [outcome for outcome in outcomes if {
            key: value for key, value in outcome.cell.overrides.items()
            if key not in ("seed", "data.split")} == each.overrides]
        scores = {outcome.cell.config.seed: outcome.result[metric] for outcome in mine
                  if outcome.result and outcome.result.get(metric) is not None}
        complete.append(each._replace(scores=scores, folder=str(mine[0].folder) if mine else ""))
    return complete
