"""The study heads: models of equal size, rates selected on dev alone, planted accuracies judged."""

import jax
import numpy as np
import pytest

from attention_lab.config.parse import merge
from attention_lab.studies.recipes.rates import TUNING_SEEDS
from attention_lab.tasks.sequences.task import Tagger
from attention_lab.training.state import parameter_count
from configs.recall import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, HEADS = study("heads"), module("heads")
CPU = STUDY.settings("cpu")
MODEL = {"arm": HEADS.EQUAL, "layers": 1, "heads": 2, "fold": 4}


def config_of(cell, rows):
    """The config of the run behind a cell."""
    return merge(get_config("kfold"), HEADS.overrides(cell, CPU, rows))


def test_models_of_one_fold_have_equally_many_weights_whatever_their_heads():
    for layers, fold in ((1, 1), (1, 4), (2, 2)):
        counts = {heads: parameter_count(jax.eval_shape(Tagger(config_of(
            MODEL | {"layers": layers, "fold": fold, "heads": heads, "stage": "tune", "rate": 0.1, "seed": 0},
            [])).model.init, jax.random.key(0))) for heads in CPU["heads"]}
        assert len(set(counts.values())) == 1 and set(counts) == {1, 2, 4, 8}


@pytest.mark.parametrize("arm, heads, size", [
    (HEADS.EQUAL, 2, 32), (HEADS.WIDE, 2, 128), (HEADS.WIDE, 1, 256)])
def test_wide_values_have_the_width_for_each_place(arm, heads, size):
    params = Tagger(config_of(MODEL | {"arm": arm, "heads": heads, "stage": "tune", "rate": 0.1, "seed": 0},
                              [])).model.init(jax.random.key(0))
    assert params["encoder_0"]["heads"]["value_kernel"].shape == (64, heads * size)


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [MODEL | {"stage": "tune", "rate": rate, "seed": seed, "dev_mean": score}
            for rate, scores in {0.01: (0.9, 0.3), 0.001: (0.5, 0.7), 0.003: (0.2, 0.2)}.items()
            for seed, score in zip(TUNING_SEEDS, scores)]
    rows += [row | {"heads": 4, "dev_mean": row["rate"]} for row in rows]
    final = config_of(MODEL | {"stage": "final", "rate": None, "seed": 3}, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    assert config_of(MODEL | {"stage": "final", "heads": 4, "rate": None, "seed": 3},
                     rows).optimizer.learning_rate == 0.01
    tried = config_of(MODEL | {"stage": "tune", "rate": 0.01, "seed": 100}, rows)
    assert (tried.optimizer.learning_rate, tried.data.split, tried.data.fold) == (0.01, "dev", 4)


def test_every_model_is_tuned_and_no_seed_is_tuned_and_scored():
    cells = HEADS.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) == 4 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]
    models = {stage: {tuple(cell[name] for name in HEADS.NAMED) for cell in cells if cell["stage"] == stage}
              for stage in seeds}
    assert models["tune"] == models["final"] and len(models["final"]) == 4 * 3 * 2 + 2


def planted(accuracy):
    """Rows of the final cells; accuracy: (layers, heads, fold) -> share of right answers."""
    return [cell | {"test_accuracy": accuracy(cell["layers"], cell["heads"], cell["fold"])
                    - 0.001 * (cell["seed"] % 3)} for cell in HEADS.cells(CPU) if cell["stage"] == "final"]


def test_a_place_for_each_head_and_layer_supports_all_claims():
    given = verdicts(STUDY, planted(lambda layers, heads, fold: min(1.0, layers * heads / fold)))
    assert set(given.values()) == {"supported"}


def test_heads_that_make_no_difference_refute_what_is_said_of_several():
    given = verdicts(STUDY, planted(lambda layers, heads, fold: 0.9))
    assert {name for name, verdict in given.items() if verdict == "supported"} == {
        "one_is_enough_for_one", "small_values_suffice", "not_the_size_of_values"}
    assert set(given.values()) == {"supported", "refuted"}


def test_the_learning_curve_is_kept():
    evaluations = [{"step": 100 * (i + 1), "dev_accuracy": accuracy}
                   for i, accuracy in enumerate([0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 1.0])]
    result = {"status": "finished", "dev_accuracy": 0.7, "test_accuracy": 0.6}
    row = HEADS.measure({}, CPU, lambda cell: (result, evaluations, None, {"optimizer.learning_rate": 0.1}))
    assert (row["dev_mean"], row["late_rise"]) == (pytest.approx(0.5), pytest.approx(0.3))
    assert (row["dev_accuracy"], row["test_accuracy"], row["rate_used"]) == (0.7, 0.6, 0.1)
    np.testing.assert_array_equal(row["curve"][:, 0], range(100, 900, 100))


def test_a_run_that_diverged_has_recalled_nothing():
    row = HEADS.measure({}, CPU, lambda cell: ({"status": "diverged"}, [], None,
                                               {"optimizer.learning_rate": 0.1}))
    assert (row["dev_mean"], row["dev_accuracy"], row["test_accuracy"], row["late_rise"]) == (
        0.0, 0.0, None, None)
    rows = planted(lambda layers, heads, fold: 0.8)
    for cell in rows:
        if (cell["arm"], cell["layers"], cell["heads"], cell["fold"]) == (HEADS.EQUAL, 1, 1, 2):
            cell["test_accuracy"] = None
    assert STUDY.values(rows)["one_of_two"] == [0.0] * 10


def test_rates_are_those_of_the_model_alone():
    """Rows of another arm, number of layers or fold, and final ones, say nothing about its rate."""
    row = MODEL | {"stage": "tune", "rate": 0.01, "seed": 100, "dev_mean": 0.25}
    others = [row | {"dev_mean": 1.0} | change for change in (
        {"arm": HEADS.WIDE}, {"layers": 2}, {"heads": 1}, {"fold": 1}, {"stage": "final"})]
    better = row | {"rate": 0.003, "dev_mean": 0.5}
    final = config_of(MODEL | {"stage": "final", "rate": None, "seed": 3}, [row, *others, better])
    assert final.optimizer.learning_rate == 0.003


def test_a_lead_that_grows_is_four_places_less_one():
    """Of one layer: (a44 - a14) - (a41 - a11) = (0.9 - 0.2) - (0.8 - 0.7)."""
    scores = {(4, 4): 0.9, (1, 4): 0.2, (4, 1): 0.8, (1, 1): 0.7}
    values = STUDY.values(planted(lambda layers, heads, fold: scores.get((heads, fold), 0.0)))
    assert values["lead_grows_with_places"] == pytest.approx([0.6] * 10)


def test_dashes_are_a_place_for_each_head_and_layer():
    rows = [row | {"late_rise": 0.04 + 0.02 * (row["fold"] == 4 and row["layers"] == 2 and row["heads"] == 1)}
            for row in planted(lambda layers, heads, fold: 0.5)]
    rows[0]["test_accuracy"] = rows[-1]["test_accuracy"] = None
    figure = STUDY.draw(rows, CPU)
    assert figure.get_suptitle().endswith("still rising: equal cost 2 1 4")
    one, two = figure.axes
    for ax, layers in ((one, 1), (two, 2)):
        dashes = [lines.get_segments()[0][0, 1] for lines in ax.collections]
        assert dashes == [min(1.0, heads * layers / fold) for fold in CPU["folds"] for heads in CPU["heads"]]
    assert min(one.lines[0].get_ydata()) == 0.0  # a run that diverged
    crosses = [line.get_ydata()[0] for line in one.lines if line.get_marker() == "x"]
    assert sorted(crosses)[:2] == [0.0, pytest.approx(0.498)] and len(crosses) == 20
