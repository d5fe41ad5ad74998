"""memory: distances differ in the mark alone, rates are selected on dev, planted claims are judged."""

from functools import partial

import numpy as np
import pytest

from attention_lab.config import replace
from attention_lab.config.rules import check
from attention_lab.data import batching
from attention_lab.studies.measure import train
from attention_lab.studies.recipes import rates
from configs.memory import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, MEMORY = study("memory"), module("memory")
CPU = STUDY.settings("cpu")


def config_of(cell, rows, settings=CPU):
    """The config of the run behind a cell."""
    return replace(get_config(settings["variant"]), MEMORY.overrides(cell, settings, rows))


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_distances_differ_in_nothing_but_the_place_of_the_mark(preset):
    settings = STUDY.settings(preset)
    for arm in MEMORY.ARMS:
        configs = [config_of({"stage": "tune", "arm": arm, "distance": k, "rate": 0.1, "seed": 3}, [],
                             settings) for k in settings["distances"]]
        for config in configs:
            check(config)
            assert (config.model.kind == "encoder") == (arm == "attention")
            assert batching.rows(config.data.length, config.training.batch_tokens) in (16, 32)
        assert len({replace(config, {"data.distance": 1}) for config in configs}) == 1


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [{"stage": "tune", "arm": "gru", "distance": 40, "rate": rate, "seed": seed, "dev_mean": score}
            for rate, scores in {0.01: (0.9, 0.3), 0.001: (0.5, 0.7), 0.003: (0.2, 0.2)}.items()
            for seed, score in zip(rates.TUNING_SEEDS, scores)]
    cell = {"stage": "final", "arm": "gru", "distance": 40, "rate": None, "seed": 3}
    final = config_of(cell, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    tried = config_of(cell | {"stage": "tune", "rate": 0.01}, rows)
    assert (tried.optimizer.learning_rate, tried.data.split) == (0.01, "dev")


def test_no_seed_is_tuned_and_scored():
    cells = MEMORY.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) == 4 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]


@pytest.mark.parametrize("accuracies, learnt, steps", [
    ([0.1, 0.5, 0.95, 0.7, 0.99], 1, 300), ([0.1, 0.2, 0.3, 0.3, 0.4], 0, None)])
def test_a_run_has_learnt_at_the_first_evaluation_above_nine_tenths(accuracies, learnt, steps):
    evaluations = [{"step": 100 * (i + 1), "dev_accuracy": accuracy} for i, accuracy in enumerate(accuracies)]
    row = MEMORY.measure({"stage": "tune"}, CPU, lambda cell: (
        {"status": "finished", "test_accuracy": 0.5}, evaluations, None, {"optimizer.learning_rate": 0.1}))
    steps = steps or CPU["config"]["training.steps"]
    assert (row["learnt"], row["steps"]) == (learnt, steps) and 10 ** row["log_steps"] == pytest.approx(steps)
    assert row["dev_mean"] == pytest.approx(np.mean(accuracies))
    assert row["late_rise"] == pytest.approx(accuracies[4] - accuracies[3]) and row["gradient"] is None


def planted(steps, accuracy):
    """Final rows: steps and accuracy of each arm at each distance, a wobble for each seed."""
    rng = np.random.default_rng(0)
    rows = []
    for cell in MEMORY.cells(CPU):
        if cell["stage"] == "final":
            found = steps(cell["arm"], cell["distance"]) * (1 + 0.01 * (cell["seed"] % 3))
            marked, elsewhere = 2.4 if cell["distance"] == 5 else rng.normal(-1, 0.3), rng.normal(0, 0.1)
            rows.append(cell | {
                "steps": found, "log_steps": np.log10(found), "gradient_marked": marked,
                "gradient_elsewhere": elsewhere, "late_rise": 0.0, "learnt": 1,
                "test_accuracy": accuracy(cell["arm"], cell["distance"], marked, elsewhere)
                + 1e-4 * cell["seed"]})
    return rows


def test_the_regression_finds_both_slopes_on_recurrent_arms_alone():
    rows = planted(lambda arm, k: 100, lambda arm, k, marked, elsewhere: 0.3 if arm == "attention"
                   else 0.5 + 0.2 * marked - 0.07 * elsewhere)
    for column, wanted in (("gradient_marked", 0.2), ("gradient_elsewhere", -0.07)):
        found = MEMORY.regression(rows, column)
        assert sorted(found) == list(range(10))
        np.testing.assert_allclose(list(found.values()), wanted, atol=1e-9)


def test_arms_that_still_rise_are_named_by_their_mean():
    rows = planted(lambda arm, k: 100, lambda *given: 0.5)
    assert rates.still_rising(rows, MEMORY.PLATEAU, "arm", "distance") == []
    for row in rows:
        if (row["arm"], row["distance"]) == ("gru", CPU["distances"][1]) and row["seed"] < 3:
            row["late_rise"] = 0.2  # a mean of 0.06 over ten seeds
    assert rates.still_rising(rows, MEMORY.PLATEAU, "arm", "distance") == [f"gru {CPU['distances'][1]}"]


@pytest.mark.parametrize("arm", ["lstm", "attention"])
def test_gradients_are_told_at_the_mark_and_elsewhere(arm, tmp_path):
    settings = STUDY.settings("smoke", runs=tmp_path / "runs")
    cell = {"stage": "final", "arm": arm, "distance": 2, "rate": 0.01, "seed": 1}
    row = MEMORY.measure(cell, settings, partial(train, STUDY, settings, []))
    curve = row["gradient"]
    assert curve.shape == (7,) and row["gradient_marked"] == curve[2]
    others = 10.0 ** np.delete(curve, 2)
    assert row["gradient_elsewhere"] == pytest.approx(np.log10(others.sum()))


def test_claims_are_judged_by_what_is_planted():
    """Recurrent networks slow down and the RNN fails; then nothing depends on the distance."""
    def accuracy(arm, k, marked, elsewhere):
        return 0.995 if arm == "attention" else 0.5 + 0.2 * marked - 0.1 * elsewhere

    given = verdicts(STUDY, planted(lambda arm, k: 100 if arm == "attention" else 100 * k ** (
        0.5 if arm == "gru" else 0.7), accuracy))
    assert set(given.values()) == {"supported"}, given
    same = verdicts(STUDY, planted(lambda arm, k: 300 * k ** 0.4 if arm == "attention" else 300 / k,
                                   lambda arm, k, marked, elsewhere: 0.6 - 0.1 * marked + 0.1 * elsewhere))
    assert {same[name] for name in ("rnn_fails_far", "lstm_slower", "gru_slower", "attention_far",
                                    "attention_flat", "flatter", "gradient_marked", "gradient_elsewhere")
            } == {"refuted"}, same
