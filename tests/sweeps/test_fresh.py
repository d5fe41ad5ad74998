"""The best configs of a search on fresh seeds."""

import math

import pytest
from optuna.trial import TrialState, create_trial

from attention_lab.config import Config
from attention_lab.sweeps import fresh
from attention_lab.sweeps.cell import Outcome


def trials(*pairs):
    """Finished trials of (width, value); a value of None failed."""
    made = []
    for number, (width, value) in enumerate(pairs):
        one = create_trial(state=TrialState.FAIL if value is None else TrialState.COMPLETE, value=value,
                           user_attrs={"overrides": {"model.width": str(width)}})
        one.number = number
        made.append(one)
    return made


def test_the_best_are_different_configs_the_earlier_of_equals_first():
    scored = trials((8, -3.0), (16, -1.0), (24, None), (16, -1.0), (32, -2.0), (40, -2.0))
    assert [(each.overrides["model.width"], each.tuned) for each in fresh.best(scored, sign=-1.0)] == [
        (16, 1.0), (32, 2.0), (40, 2.0)]
    assert fresh.best(trials((24, None)), 1.0) == []


def test_they_run_on_dev_alone_and_are_scored_on_fresh_seeds():
    found = fresh.best(trials((8, 3.0), (16, 1.0)), 1.0)
    group, other = fresh.groups_of(Config(), found, [3, 4])
    cells = [*group.cells, *other.cells]
    assert {cell.config.data.split for cell in cells} == {"dev"}
    assert [(cell.config.model.width, cell.config.seed) for cell in cells] == [
        (8, 3), (8, 4), (16, 3), (16, 4)]
    results = [{"dev_bleu": 1.0}, {"dev_bleu": 2.0}, None, {"status": "diverged"}]
    outcomes = [Outcome(cell, cell.folder("runs"), result) for cell, result in zip(cells, results)]
    first, second = fresh.scored(found, outcomes, "dev_bleu")
    assert first.scores == {3: 1.0, 4: 2.0} and first.mean == 1.5 and first.tuned == 3.0
    assert first.interval.low < 1.0 and first.folder == str(outcomes[0].folder)
    assert second.scores == {}


def test_fresh_seeds_follow_the_tuning_seeds_and_are_others():
    assert fresh.seeds_of("", (0, 1, 2)) == [3, 4, 5] and fresh.seeds_of("", (9, 2)) == [10, 11]
    assert fresh.seeds_of("7,9", (0, 1)) == [7, 9]
    with pytest.raises(ValueError, match="--fresh_seeds=1:4: 1, 2 is among the tuning seeds.*such as 3:6"):
        fresh.seeds_of("1:4", (0, 1, 2))
    assert math.isinf(fresh.Finalist({}, 1.0, {0: 2.0}).interval.high)
