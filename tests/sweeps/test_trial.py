"""Trials of a search: means over seeds, pruning after seeds and steps; runs that train nothing."""

import pytest
from optuna.trial import TrialState

from attention_lab.config import Config, digest
from attention_lab.storage.files import JsonLines
from attention_lab.sweeps.cell import Outcome
from attention_lab.sweeps.plan import Cell
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.search import PRUNERS, Search
from attention_lab.sweeps.trial import Trial

BASE, STEPS, SEEDS = Config(), 100, (4, 5, 6)
CELLS = [Cell.of(BASE, {"seed": seed}) for seed in SEEDS]


@pytest.fixture
def carried(tmp_path):
    """carried(scores of seeds, ...) -> the ended trial; `carried.seen` has the seeds that were run.

    A score may be a result, an Outcome's error, or a list: what dev has at equal steps of the run, of which
    the best is the score of the result.
    """
    place = str(tmp_path / "j")

    def carry_out(*scores, sign=1.0, prune="none", steps=STEPS):
        search = Search("random", {}, "dev_bleu", sign, 0, SEEDS, prune)
        queue = Queue(place, "s", digest(BASE), search={"sampler": "random"})
        queue.fill_search(len(queue.trials()) + 1)
        item, carry_out.seen, carry_out.shown = queue.claim(), [], []

        def run(cell, show):
            carry_out.seen.append(cell.config.seed)
            score = scores[SEEDS.index(cell.config.seed)]
            if isinstance(score, dict):
                return Outcome(cell, cell.folder(tmp_path), score)
            if isinstance(score, str):
                return Outcome(cell, cell.folder(tmp_path), None, score, in_use=score == "in use")
            logged = score if isinstance(score, list) else []
            folder = tmp_path / f"{item.trial}" / cell.folder("").name
            folder.mkdir(parents=True, exist_ok=True)
            log = JsonLines(folder / "metrics.jsonl")
            for place, value in enumerate(logged, 1):
                step = STEPS * place // len(logged)
                show(step)
                log.append({"step": step, "dev_bleu": value})
                show(step, dev=value)
            best = max(logged, key=lambda x: sign * x) if logged else score
            return Outcome(cell, folder, {"status": "finished", "steps": STEPS, "dev_bleu": best})

        one = Trial(queue, item.trial, search, CELLS, run, steps)
        carry_out.left = one.carry_out(tmp_path / f"{item.trial}", lambda step, **known:
                                       carry_out.shown.append(step))
        return queue.storage.get_trial(item.trial)
    return carry_out


def test_the_score_is_the_mean_over_seeds(carried):
    ended = carried(1.0, 2.0, 6.0, sign=-1.0)
    assert ended.state == TrialState.COMPLETE and ended.values == [-3.0]
    assert ended.user_attrs["result"] == {"status": "finished", "steps": 300, "seeds": 3, "dev_bleu": 3.0}
    assert ended.user_attrs["scores"] == {"4": 1.0, "5": 2.0, "6": 6.0} and carried.seen == list(SEEDS)
    assert ended.intermediate_values == {333: -1.0, 666: -1.5, 1000: -3.0}


def test_evaluations_are_reported_as_means_with_finished_seeds(carried):
    ended = carried([1.0, 3.0, 2.0, 5.0], [7.0, 1.0], 9.0, prune="median")
    # Of the second seed 7 was the best after a half; the last score of a run is its result's.
    assert ended.intermediate_values == pytest.approx(
        {83: 1.0, 166: 3.0, 250: 3.0, 333: 5.0, 500: 6.0, 666: 6.0, 1000: 7.0})
    assert carried.shown[-1] == 200 and carried.shown == sorted(carried.shown)


def test_a_bad_config_ends_after_a_seed_and_one_lucky_seed_does_not_keep_it(carried):
    for _ in range(5):
        carried(4.0, 4.0, 4.0, prune="median", steps=None)
    bad = carried(3.0, 9.0, 9.0, prune="median", steps=None)
    assert bad.state == TrialState.PRUNED and carried.seen == [4]
    assert bad.user_attrs["result"] == {"status": "pruned", "steps": 100, "seeds": 1, "dev_bleu": 3.0}
    lucky = carried(9.0, -5.0, 9.0, prune="median", steps=None)
    assert lucky.state == TrialState.PRUNED and carried.seen == [4, 5]
    assert lucky.user_attrs["scores"] == {"4": 9.0, "5": -5.0}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_bad_config_ends_after_some_steps(carried, sign):
    for _ in range(5):
        carried(*[[sign * x for x in (4.0, 5.0)]] * 3, sign=sign, prune="median")
    bad = carried(*[[sign * x for x in (3.0, 9.0)]] * 3, sign=sign, prune="median")
    assert bad.state == TrialState.PRUNED and bad.user_attrs["result"] == {
        "status": "pruned", "steps": 50, "seeds": 0, "dev_bleu": sign * 3.0}
    later = carried([sign * 4.0, sign * 5.0], [sign * 2.0, sign * 9.0], 0.0, sign=sign, prune="median")
    assert later.user_attrs["result"]["steps"] == 150 and later.user_attrs["result"]["seeds"] == 1


def test_no_trial_ends_after_its_last_evaluation_or_without_a_pruner(carried, monkeypatch):
    asked = []

    class All:
        def prune(self, study, frozen):
            asked.append(max(frozen.intermediate_values))
            return asked[-1] > 990

    monkeypatch.setitem(PRUNERS, "median", All)
    assert carried(1.0, 1.0, [0.0] * 100, prune="median").state == TrialState.PRUNED  # 99 of 100 steps
    asked.clear()
    assert carried(1.0, 1.0, [0.0, 1.0], prune="median").state == TrialState.COMPLETE
    assert asked == [333, 666, 833]
    assert carried([1.0, 2.0], 0.0, 0.0, prune="none").intermediate_values == {333: 2.0, 666: 1.0,
                                                                               1000: pytest.approx(2 / 3)}


def test_halving_keeps_the_better_half(carried):
    states = [carried(*[[x, x, x, x]] * 3, prune="halving").state for x in (4.0, 3.0, 2.0, 5.0, 1.0, 6.0)]
    assert [state.name for state in states] == [
        "COMPLETE", "PRUNED", "PRUNED", "COMPLETE", "PRUNED", "COMPLETE"]


def test_a_seed_that_diverges_fails_or_is_in_use_ends_the_trial(carried):
    diverged = carried(1.0, {"status": "diverged", "steps": 7}, 1.0)
    assert diverged.state == TrialState.FAIL and diverged.user_attrs["diverged"] and carried.seen == [4, 5]
    assert diverged.user_attrs["result"] == {"status": "diverged", "steps": 107, "seeds": 1}
    assert carried(1.0, "no disk", 1.0).user_attrs["error"] == "no disk"
    named = carried({"status": "finished", "steps": 1, "dev_accuracy": 0.5}, 1.0, 1.0)
    assert named.user_attrs["error"] == "result.json has no dev_bleu: there are dev_accuracy"
    held = carried(1.0, "in use", 1.0)
    assert carried.left.in_use and held.state == TrialState.RUNNING


@pytest.mark.parametrize("name", PRUNERS)
def test_every_pruner_lets_the_best_config_finish(carried, name):
    for score in range(7):
        assert carried(*[[score, score + 0.5]] * 3, prune=name).state == TrialState.COMPLETE
    assert (carried(*[[0.0, 0.5]] * 3, prune=name).state == TrialState.COMPLETE) == (name == "none")
