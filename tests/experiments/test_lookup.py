"""The lookup study: recipes that can be trained, rates selected on dev, widths by hand, planted claims."""

import numpy as np
import pytest

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.studies.recipes import recall
from attention_lab.studies.recipes.rates import TUNING_SEEDS
from tests.experiments.loaded import ROOT, module, study, verdicts

STUDY, LOOKUP = study("lookup"), module("lookup")
CPU = STUDY.settings("cpu")


def config_of(cell, rows):
    """The config of the run behind a cell."""
    return merge(load(f"{ROOT}/configs/recall.py:mqar"), LOOKUP.overrides(cell, CPU, rows))


@pytest.mark.parametrize("arm", LOOKUP.ARMS)
def test_every_arm_can_be_trained_on_as_many_sequences_a_step(arm):
    cell = {"stage": "tune", "arm": arm, "pairs": 8, "width": 32, "rate": 0.003, "seed": 100}
    config = config_of(cell, [])
    check(config)
    assert config.training.batch_tokens == 64 * (2 * 8 + 4) and config.data.queries == 4
    assert config.model.width == config.model.hidden == 32 and config.data.split == "dev"
    assert config.model.num_layers == 1 and config.model.shift
    assert (config.attention.compatibility == "linear") == (arm == "linear attention")


@pytest.mark.parametrize("arm, layers", [("one layer", 1), ("two layers", 2)])
def test_blocks_are_repeated_to_models_without_the_shift(arm, layers):
    cell = next(cell for cell in LOOKUP.cells(CPU) if (cell["stage"], cell["arm"]) == ("tune", arm))
    config = config_of(cell, [])
    check(config)
    assert config.data.source == "repeated" and config.data.vocabulary_size == 68
    assert config.model.num_layers == layers and config.model.num_heads == 2 and not config.model.shift
    assert config.model.causal and config.training.batch_tokens == 64 * config.data.length
    assert config.training.steps == CPU["repeated_steps"] and config.data.split == "dev"


def test_the_rate_is_the_best_on_dev():
    rows = [{"stage": "tune", "arm": "attention", "pairs": 8, "width": 64, "rate": rate, "seed": seed,
             "dev_mean": score}
            for rate, scores in {0.01: (0.9, 0.3), 0.001: (0.5, 0.8), 0.003: (0.2, 0.2)}.items()
            for seed, score in zip(TUNING_SEEDS, scores)]
    cell = {"stage": "final", "arm": "attention", "pairs": 8, "width": 64, "rate": None, "seed": 3}
    final = config_of(cell, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")


def test_no_seed_is_tuned_and_scored():
    cells = LOOKUP.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]
    assert {cell["pairs"] for cell in cells if cell["stage"] == "tune"} == {4, None}
    stages = [cell["stage"] for cell in cells]
    assert stages == sorted(stages, reverse=True)  # tuning before any final run
    rates = {cell["arm"]: CPU[f"{LOOKUP.group(cell['arm'])}rates"] for cell in cells}
    assert set(rates) == {*LOOKUP.ARMS, *LOOKUP.REPEATED}
    for arm, given in rates.items():
        assert {cell["rate"] for cell in cells if cell["arm"] == arm} == {*given, None}


@pytest.mark.parametrize("scores, wanted", [
    ({16: 0.95, 32: 1.0}, 4.0),        # the smallest width will do
    ({16: 0.5, 32: 1.0}, 4.8),         # 0.9 is four fifths of the way
    ({16: 0.1, 32: 0.2}, 6.0),         # twice the largest
    ({16: None, 32: 0.9}, 5.0),        # a run that diverged has recalled nothing
])
def test_the_width_needed_is_read_between_two_widths(scores, wanted):
    rows = [{"stage": "final", "arm": "gru", "pairs": 4, "width": width, "seed": 0, "test_accuracy": score}
            for width, score in scores.items()]
    assert recall.width_needed(rows, "gru", 4, 0) == pytest.approx(wanted)


def planted(likes_a_lookup, grows):
    """Rows in which states recall while their width is eight times the pairs, or at every width."""
    rows = []
    for cell in LOOKUP.cells(CPU):
        if cell["stage"] == "tune":
            continue
        wobble = 0.001 * (cell["seed"] % 3)
        enough = cell["arm"] == "attention" or not grows or cell["width"] >= 8 * (cell["pairs"] or 0)
        shares = dict.fromkeys(LOOKUP.COLUMNS, 0.97 + wobble if likes_a_lookup else 0.5 + wobble)
        accuracy = 0.95 + wobble if enough else 0.4
        if cell["arm"] in LOOKUP.REPEATED:
            two = cell["arm"] == "two layers"
            accuracy = 0.95 - 0.75 * (two != likes_a_lookup) + wobble
            shares |= {"prefix_matching": 0.2 + 0.6 * (two == likes_a_lookup) + wobble,
                       "accuracy_without": 0.2 + 0.6 * (two != likes_a_lookup) + wobble}
        rows.append(cell | shares | {
            "test_accuracy": accuracy, "accuracy_hard": accuracy - (0 if likes_a_lookup else 0.5),
            "accuracy_flat": 0.1 + wobble if likes_a_lookup else 0.9})
    return rows


GROWTH = ("gru_grows", "lstm_grows", "linear_grows", "gru_needs_more")


def test_claims_are_judged_by_what_is_planted():
    assert set(verdicts(STUDY, planted(True, True)).values()) == {"supported"}
    other = verdicts(STUDY, planted(False, False))
    assert other.pop("attention_does_not") == "supported"
    assert {other.pop(name) for name in GROWTH} <= {"inconclusive", "refuted"}
    assert set(other.values()) == {"refuted"}


def test_a_state_that_recalls_at_eight_times_the_pairs_has_a_slope_near_one():
    slopes = recall.slope_of_width(planted(True, True), "linear attention")
    assert len(slopes) == 10 and np.allclose(list(slopes.values()), 1.0, atol=0.1)
