"""score_scale_start: all arms start alike, rates are selected on dev alone, planted claims are judged."""

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config import split
from attention_lab.config.parse import merge
from configs.recall import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, START = study("score_scale_start"), module("score_scale_start")
CPU = STUDY.settings("cpu")


def config_of(cell, rows):
    """The config of the run behind a cell."""
    return merge(get_config(), START.overrides(cell, CPU, rows))


@pytest.mark.parametrize("arm", START.ARMS)
@pytest.mark.parametrize("size", [16, 256])
def test_logits_have_the_standard_deviation_of_the_arms_start(arm, size):
    cell = {"stage": "tune", "arm": arm, "key_size": size, "rate": 0.1, "seed": 0}
    structure, hyper = split(config_of(cell, []))
    model = models.build(structure, 67)
    batch = {"source": np.random.default_rng(0).integers(4, 67, (8, 17)).astype(np.int32),
             "example": np.arange(8)}
    spread = []
    for seed in range(4):
        (q, k, _), *_ = model.projections(model.init(jax.random.key(seed)), batch, hyper)["encoder"]
        spread.append(float(np.std(hyper.attention_scale * q @ k.swapaxes(-1, -2))))
    assert np.mean(spread) == pytest.approx(START.ARMS[arm].start, rel=0.12)


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [{"stage": "tune", "arm": "unscaled", "key_size": 256, "rate": rate, "seed": seed,
             "dev_mean": score}
            for rate, scores in {0.01: (0.9, 0.3), 0.001: (0.5, 0.7), 0.003: (0.2, 0.2)}.items()
            for seed, score in zip(START.TUNING_SEEDS, scores)]
    cell = {"stage": "final", "arm": "unscaled, peaky", "key_size": 256, "rate": None, "seed": 3}
    final = config_of(cell, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    tried = config_of(cell | {"stage": "tune", "rate": 0.01}, rows)
    assert (tried.optimizer.learning_rate, tried.data.split) == (0.01, "dev")


def test_no_seed_is_tuned_and_scored():
    cells = START.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) == 4 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]


@pytest.mark.parametrize("gap, tied, worse", [(0.5, "supported", "supported"), (0.0, "supported", "refuted")])
def test_claims_are_judged_by_what_is_planted(gap, tied, worse):
    rows = []
    for cell in START.cells(CPU):
        lost = gap if cell["arm"].startswith("unscaled") and "slow" not in cell["arm"] and (
            cell["key_size"] == 256) else 0.0
        rows.append(cell | {"test_accuracy": 0.95 - lost + 0.001 * (cell["seed"] % 3), "log_gradient": 0.0,
                            "log_steps": 3.0 + lost + 0.01 * (cell["seed"] % 3) * (lost > 0)})
    given = verdicts(STUDY, rows)
    assert (given["tied_at_small"], given["slow_maps_close"]) == (tied, "supported")
    assert {given[name] for name in ("worse_at_large", "gap_grows", "slow_maps_help")} == {worse}
    assert given["later_at_large"] == ("supported" if gap else "inconclusive")


@pytest.mark.parametrize("accuracies, learnt, steps", [
    ([0.1, 0.5, 0.95, 0.99], 1, 300), ([0.1, 0.2, 0.3, 0.4], 0, 3000)])
def test_a_run_has_learnt_at_the_first_evaluation_above_nine_tenths(accuracies, learnt, steps):
    evaluations = [{"step": 100 * (i + 1), "dev_accuracy": accuracy, "dev_entropy_encoder_0": 0.9,
                    "dev_entropy_encoder_1": 0.5, "dev_query_gradient": 0.01}
                   for i, accuracy in enumerate(accuracies)]
    row = START.measure({}, CPU, lambda cell: (
        {"status": "finished", "test_accuracy": 0.5}, evaluations, None, {"optimizer.learning_rate": 0.1}))
    assert row["learnt"] == learnt and 10 ** row["log_steps"] == pytest.approx(steps)
    assert (row["log_gradient"], row["start_entropy"]) == (-2.0, 0.5)
    assert row["dev_mean"] == pytest.approx(np.mean(accuracies))
