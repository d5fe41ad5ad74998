"""score_scale_translation_start: all logits start alike, rates are selected on dev, planted verdicts."""

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config import split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.studies.recipes import rates
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, START = study("score_scale_translation_start"), module("score_scale_translation_start")
CPU = STUDY.settings("cpu")
CELLS = START.cells(CPU)
ARMS = {(cell["arm"], cell["key_size"]) for cell in CELLS}
SCALED, UNSCALED, SLOW = START.SCALES


def config_of(cell, rows=()):
    """The config of the run behind a cell."""
    return merge(get_config(CPU["variant"]), START.overrides(cell, CPU, rows))


@pytest.mark.parametrize("arm, size", sorted(ARMS))
def test_logits_of_all_kinds_of_attention_start_alike(arm, size):
    config = config_of({"stage": "tune", "arm": arm, "key_size": size, "rate": 0.1, "seed": 0})
    check(config)
    structure, hyper = split(config)
    model = models.build(structure, 67)
    ids = np.random.default_rng(0).integers(4, 67, (2, 8, 13)).astype(np.int32)
    batch = {"source": ids[0], "target": ids[1], "example": np.arange(8)}
    spread = []
    for seed in range(6):
        projections = model.projections(model.init(jax.random.key(seed)), batch, hyper)
        spread.append([float(np.std(hyper.attention_scale * q @ k.swapaxes(-1, -2)))
                       for kind in ("encoder", "decoder", "cross") for q, k, _ in projections[kind][:1]])
    np.testing.assert_allclose(np.mean(spread, axis=0), START.START, rtol=0.2)


def test_slow_maps_learn_at_a_sixteenth_of_the_rate_at_the_largest_key_size_alone():
    assert ARMS == {(SCALED, 16), (UNSCALED, 16), (SCALED, 256), (UNSCALED, 256), (SLOW, 256)}
    given = {arm: config_of({"stage": "tune", "arm": arm, "key_size": 256, "rate": 0.1, "seed": 0}).optimizer
             for arm in START.SCALES}
    assert [given[arm].query_key_rate for arm in (SCALED, UNSCALED, SLOW)] == [1.0, 1.0, 0.0625]


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    bleus = {0.01: (90.0, None), 0.001: (50.0, 70.0), 0.003: (20.0, 20.0)}
    rows = [{"arm": UNSCALED, "key_size": size, "stage": "tune", "rate": rate, "seed": seed,
             "dev_bleu": 95.0 if (size, rate) == (16, 0.003) else score}
            for size in (16, 256) for rate, scores in bleus.items()
            for seed, score in zip(rates.TUNING_SEEDS, scores)]
    final = {"arm": UNSCALED, "stage": "final", "rate": None, "seed": 3}
    chosen = {size: config_of(final | {"key_size": size}, rows) for size in (16, 256)}
    assert [chosen[size].optimizer.learning_rate for size in (16, 256)] == [0.003, 0.001]
    assert {config.data.split for config in chosen.values()} == {"test"}
    assert {config_of(cell).data.split for cell in CELLS if cell["stage"] == "tune"} == {"dev"}


def test_no_seed_is_tuned_and_scored():
    seeds = {stage: {cell["seed"] for cell in CELLS if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) == 3 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]


@pytest.mark.parametrize("bleus, learnt, steps", [([10, 79.9, 80, 95], 1, 480), ([1, 2, 3, 4], 0, 1600)])
def test_a_run_has_learnt_at_the_first_evaluation_from_80_bleu_on(bleus, learnt, steps):
    evaluations = [{"step": 160 * (i + 1), "dev_bleu": bleu} for i, bleu in enumerate(bleus)]
    result = {"status": "finished", "dev_bleu": 7, "test_bleu": 5}
    row = STUDY.measure({}, CPU, lambda cell: (result, evaluations, None, {"optimizer.learning_rate": 0.1}))
    assert row["learnt"] == learnt and 10 ** row["log_steps"] == pytest.approx(steps)
    assert (row["dev_bleu"], row["test_bleu"]) == (7, 5)
    diverged = STUDY.measure({}, CPU, lambda cell: ({"status": "diverged"}, [], None,
                                                    {"optimizer.learning_rate": 0.1}))
    assert (diverged["learnt"], 10 ** diverged["log_steps"]) == (0, pytest.approx(1600))


def planted(lost):
    """All rows; lost: {(arm, key size): BLEU below 95}."""
    rows = []
    for cell in CELLS:
        less = lost.get((cell["arm"], cell["key_size"]), 0.0)
        rows.append(cell | {"dev_bleu": 90.0, "late_rise": 0.0, "log_steps": 2.5 + 0.01 * less,
                            "curve": np.array([[400, 50.0], [800, 90.0]]),
                            "test_bleu": 95.0 - less + 0.01 * (cell["seed"] % 3)})
    return rows


def test_a_gap_at_the_large_key_size_alone_supports_all_claims():
    given = verdicts(STUDY, planted({(UNSCALED, 256): 40.0}))
    assert set(given.values()) == {"supported"}, given


def test_no_gap_refutes_that_there_is_any():
    given = verdicts(STUDY, planted({}))
    assert {name: verdict for name, verdict in given.items() if verdict != "supported"} == {
        "worse_at_large": "refuted", "gap_grows": "refuted", "later_at_large": "inconclusive"}


def test_the_figure_has_a_row_for_each_key_size():
    rows = planted({(UNSCALED, 256): 40.0})
    for row in rows:
        row["late_rise"] = 1.1 if row["arm"] == UNSCALED and row["key_size"] == 256 else 0.2
    figure = START.draw(rows, CPU)
    assert [ax.get_title() for ax in figure.axes] == ["d_k = 16", "", "", "d_k = 256", "", ""]
    assert figure.get_suptitle().endswith(f"last fifth: {UNSCALED} 256")
    dots = [line.get_ydata() for line in figure.axes[3].lines if line.get_marker() == "o"]
    assert [np.mean(seeds).round() for seeds in dots] == [95.0, 55.0, 95.0]
