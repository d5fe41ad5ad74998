"""The study heads: models of equal size, rates selected on dev alone, planted accuracies judged."""

import jax
import numpy as np
import pytest

from attention_lab.config.parse import merge
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
            for seed, score in zip(HEADS.TUNING_SEEDS, scores)]
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
                   for i, accuracy in enumerate([0.1, 0.2, 0.3, 0.4, 0.6])]
    row = HEADS.measure({}, CPU, lambda cell: (
        {"status": "finished", "test_accuracy": 0.5}, evaluations, None, {"optimizer.learning_rate": 0.1}))
    assert (row["dev_mean"], row["late_rise"]) == (pytest.approx(0.32), pytest.approx(0.0))
    np.testing.assert_array_equal(row["curve"][:, 0], [100, 200, 300, 400, 500])
