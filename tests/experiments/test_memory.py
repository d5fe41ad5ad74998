"""memory: distances differ in the mark alone, rates are selected on dev, planted claims are judged."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config import replace
from attention_lab.config.rules import check
from attention_lab.data import batching, sources
from attention_lab.statistics.survival import log_rank
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
    rows += [row | {"distance": 5, "dev_mean": row["rate"]} for row in rows]
    rows += [row | {"arm": "lstm", "dev_mean": row["rate"]} for row in rows]
    rows += [row | {"stage": "final", "dev_mean": row["rate"]} for row in rows]
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
    ([0.1, 0.5, 0.95, 0.7, 0.99], 1, 300), ([0.1, 0.9, 0.8, 0.7, 0.99], 1, 200),
    ([0.1, 0.2, 0.3, 0.3, 0.4], 0, None)])
def test_a_run_has_learnt_at_the_first_evaluation_above_nine_tenths(accuracies, learnt, steps):
    evaluations = [{"step": 100 * (i + 1), "dev_accuracy": accuracy} for i, accuracy in enumerate(accuracies)]
    row = MEMORY.measure({"stage": "tune"}, CPU, lambda cell: (
        {"status": "finished", "test_accuracy": 0.5}, evaluations, None, {"optimizer.learning_rate": 0.1}))
    steps = steps or CPU["config"]["training.steps"]
    assert (row["learnt"], row["steps"]) == (learnt, steps) and 10 ** row["log_steps"] == pytest.approx(steps)
    assert row["dev_mean"] == pytest.approx(np.mean(accuracies))
    assert row["late_rise"] == pytest.approx(accuracies[4] - accuracies[3]) and row["gradient"] is None


def test_a_run_that_diverged_has_learnt_nothing():
    row = MEMORY.measure({"stage": "final"}, CPU, lambda cell: (
        {"status": "diverged"}, [], None, {"optimizer.learning_rate": 0.1}))
    assert (row["learnt"], row["steps"], row["dev_mean"]) == (0, CPU["config"]["training.steps"], 0.0)
    assert row["test_accuracy"] is row["gradient_marked"] is row["late_rise"] is None


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
        if (row["arm"], row["distance"], row["seed"]) == ("lstm", CPU["distances"][1], 0):
            row["late_rise"] = 0.4  # a mean of 0.04
    rows += [row | {"stage": "tune", "late_rise": 0.9} for row in rows]
    assert rates.still_rising(rows, MEMORY.PLATEAU, "arm", "distance") == [f"gru {CPU['distances'][1]}"]


@pytest.mark.parametrize("arm", ["lstm", "attention"])
def test_gradients_are_told_at_the_mark_and_elsewhere(arm, tmp_path, monkeypatch):
    read = []

    def load(data, names):
        read.append((data.dev_size, names))
        return sources.load(data, names)

    monkeypatch.setitem(MEMORY.gradients.__globals__, "sources", SimpleNamespace(load=load))
    settings = STUDY.settings("smoke", runs=tmp_path / "runs")
    cell = {"stage": "final", "arm": arm, "distance": 2, "rate": 0.01, "seed": 1}
    row = MEMORY.measure(cell, settings, partial(train, STUDY, settings, []))
    curve = row["gradient"]
    assert curve.shape == (7,) and row["gradient_marked"] == curve[2]
    others = 10.0 ** np.delete(curve, 2)
    assert row["gradient_elsewhere"] == pytest.approx(np.log10(others.sum()))
    assert read == [(settings["sequences"], ("dev",))]


def test_a_gradient_of_zero_has_no_logarithm_and_is_left_out(monkeypatch):
    """Of two sequences of four places the second has none beyond place 1; the mark is at place 2, then 1."""
    norms = np.array([[0.0, -1.0, -2.0, -3.0], [0.0, -3.0, -np.inf, -np.inf]])
    for name, new in {"load_run": lambda folder: SimpleNamespace(config=config),
                      "split": lambda config: ({}, 0),
                      "models": SimpleNamespace(build=lambda *given: SimpleNamespace(init=None)),
                      "scored_weights": lambda run, init: None, "replace": lambda config, changes: config,
                      "sources": SimpleNamespace(load=lambda data, names: {"dev": SimpleNamespace(source=0)}),
                      "decay": SimpleNamespace(sequence_norms=lambda *given: norms)}.items():
        monkeypatch.setitem(MEMORY.gradients.__globals__, name, new)
    found = {}
    for place in (2, 1):
        config = SimpleNamespace(data=SimpleNamespace(vocabulary_size=9, distance=place))
        found[place] = MEMORY.gradients(None, 2)
    assert found[2]["gradient_marked"] is None
    assert found[2]["gradient_elsewhere"] == pytest.approx(np.log10(1 + np.exp(-2)))
    assert found[1]["gradient_marked"] == pytest.approx(-2 / np.log(10))
    assert found[1]["gradient_elsewhere"] == pytest.approx(0.0)
    rows = planted(lambda arm, k: 100, lambda arm, k, marked, elsewhere: 0.5 + 0.2 * marked)
    for row in rows:
        if row["arm"] == "rnn":
            row |= {MEMORY.GRADIENTS[row["seed"] % 2]: None, "test_accuracy": 9.0}
    np.testing.assert_allclose(list(MEMORY.regression(rows, "gradient_marked").values()), 0.2, atol=1e-9)


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


def test_runs_that_have_not_learnt_are_censored_in_the_figure():
    """Of the GRUs seven in ten learn from 120 places, all from five; no RNN learns from 120."""
    rows = planted(lambda arm, k: 100 + k, lambda *given: 0.5)
    for row in rows:
        row["curve"] = np.array([[25.0, 0.3], [1000.0, 0.5]])
        if row["distance"] == 120 and (row["arm"] == "rnn" or row["arm"] == "gru" and row["seed"] > 6):
            row |= {"learnt": 0, "steps": 1000, "log_steps": 3.0}
    axes = STUDY.draw(rows, CPU).axes
    steps, learnt = axes[0], dict(zip(MEMORY.ARMS, axes[4:]))
    assert sorted(text.get_text() for text in steps.texts) == ["10", "3"]
    dots = np.concatenate([line.get_ydata() for line in steps.lines if line.get_marker() == "o"])
    assert len(dots) == 16 * 10 - 13 and max(dots) < 1000
    last = {arm: ax.lines[-1].get_ydata()[-1] for arm, ax in learnt.items()}
    assert last == {"rnn": 0.0, "lstm": 1.0, "gru": pytest.approx(0.7), "attention": 1.0}
    near, far = ([(row["steps"], row["learnt"]) for row in rows if (row["arm"], row["distance"]) == (
        "gru", k)] for k in (5, 120))
    assert learnt["gru"].get_title().endswith(f"p = {log_rank(*zip(*near), *zip(*far)):.2g}")


def test_claims_read_the_arms_and_distances_that_they_name():
    """log10 of steps: attention 2 at 5 places and 2.1 at 120; at 40 a GRU 2.5, an LSTM 2.75."""
    rows = planted(lambda arm, k: 100, lambda *given: 0.5)
    of = {("attention", 120): 2.1, ("gru", 40): 2.5, ("lstm", 40): 2.75}
    for row in rows:
        row["log_steps"] = of.get((row["arm"], row["distance"]), 2.0)
    values = STUDY.values(rows)
    assert values["attention_flat"] == pytest.approx([0.1] * 10)
    assert values["gru_sooner"] == pytest.approx([-0.25] * 10)
