"""The lookup study: recipes that can be trained, rates selected on dev, widths by hand, planted claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.sequences import Sequences
from attention_lab.studies.recipes import recall
from attention_lab.studies.recipes.rates import TUNING_SEEDS
from attention_lab.training.task import Sums
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
    assert config.training.steps == (2000 if arm in ("gru", "lstm") else 600)
    few = config_of(cell | {"pairs": 2}, [])
    check(few)
    assert few.data.queries == 2 and few.training.batch_tokens == 64 * (2 * 2 + 2)
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


def test_rates_are_those_of_the_arm_and_width_alone():
    row = {"stage": "tune", "arm": "gru", "pairs": 4, "width": 64, "rate": 0.01, "seed": 100,
           "dev_mean": 0.25}
    others = [row | {"dev_mean": 1.0} | change for change in (
        {"arm": "lstm"}, {"width": 32}, {"stage": "final"})]
    better = row | {"rate": 0.003, "dev_mean": 0.5}
    cell = row | {"stage": "final", "rate": None, "seed": 3}
    assert config_of(cell, [row, *others, better]).optimizer.learning_rate == 0.003


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
    ({32: 1.0, 16: 0.5}, 4.8),         # in any order
    ({16: None, 32: 0.9}, 5.0),        # a run that diverged has recalled nothing
    ({16: None, 32: 0.95}, 5 - 5 / 95),
    ({16: 0.9, 32: 0.95}, 4.0),        # nine in ten are enough
])
def test_the_width_needed_is_read_between_two_widths(scores, wanted):
    rows = [{"stage": "final", "arm": "gru", "pairs": 4, "width": width, "seed": 0, "test_accuracy": score}
            for width, score in scores.items()]
    rows += [row | {"stage": "tune", "test_accuracy": 1.0, "width": 8} for row in rows]
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


def test_a_run_that_diverged_has_recalled_nothing():
    rows = planted(True, True)
    for row in rows:
        row["test_accuracy"] = row["matched"] = None
    values = STUDY.values(rows)
    assert values["place_by_match"] == values["one_layer_fails"] == [0.0] * 10


def test_only_final_models_of_attention_at_one_size_are_probed(monkeypatch):
    """Beside the scores of every run."""
    probes = dict.fromkeys(LOOKUP.COLUMNS, 0.5)
    monkeypatch.setitem(LOOKUP.measure.__globals__, "_probed", lambda run, settings: probes)
    evaluations = [{"step": 60 * (i + 1), "dev_accuracy": accuracy}
                   for i, accuracy in enumerate([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])]
    run = SimpleNamespace(evaluations=evaluations, changes={"optimizer.learning_rate": 0.1}, result={
        "status": "finished", "dev_accuracy": 0.7, "test_accuracy": 0.6})
    asked = {"stage": "final", "arm": LOOKUP.ATTENTION, "pairs": LOOKUP.PAIRS, "width": LOOKUP.WIDTH}
    row = LOOKUP.measure(asked, CPU, lambda cell: run)
    assert row["matched"] == 0.5 and row["dev_mean"] == pytest.approx(0.55)
    assert row["late_rise"] == pytest.approx(0.2)  # from four fifths of the evaluations on
    assert (row["rate_used"], row["dev_accuracy"], row["test_accuracy"]) == (0.1, 0.7, 0.6)
    for change in ({"stage": "tune"}, {"arm": "gru"}, {"pairs": 8}, {"width": 16}):
        row = LOOKUP.measure(asked | change, CPU, lambda cell: run)
        assert row["matched"] is None and set(row) >= set(LOOKUP.COLUMNS)
    run.result, run.evaluations = {"status": "diverged"}, []
    row = LOOKUP.measure(asked, CPU, lambda cell: run)
    assert row["dev_mean"] == 0.0 and row["test_accuracy"] is row["matched"] is row["late_rise"] is None


class Hyper(SimpleNamespace):
    """A scale that can be replaced."""

    def _replace(self, **changes):
        return Hyper(**vars(self) | changes)


@pytest.mark.parametrize("keys, values, wanted", [(0, 0, range(12, 20)), (5, 7, range(9, 16))])
def test_temperatures_divide_the_logits_and_values_follow_the_keys(monkeypatch, keys, values, wanted):
    """The scale is 0.25; a softmax of temperature 100 is nearly flat, one of 0.001 hard."""
    config = SimpleNamespace(data=SimpleNamespace(vocabulary_size=20, keys=keys, values=values, pairs=4))
    test = Sequences(np.arange(12).reshape(6, 2), np.arange(12).reshape(6, 2))
    called = []
    for name, new in {
            "load_run": lambda folder: SimpleNamespace(config=config),
            "split": lambda config: (config, Hyper(attention_scale=0.25)),
            "models": SimpleNamespace(build=lambda structure, size: SimpleNamespace(init=None)),
            "scored_weights": lambda run, init: "params",
            "sources": SimpleNamespace(load=lambda data, names: {"test": test} if names == ("test",) else {}),
            "lookup": SimpleNamespace(interventions=lambda *given: called.append(given) or {"matched": 0.5}),
            "accuracy": lambda made, params, hyper, test: float(hyper.attention_scale)}.items():
        monkeypatch.setitem(LOOKUP._probed.__globals__, name, new)
    row = LOOKUP._probed(SimpleNamespace(folder=None), {"probed": 5})
    np.testing.assert_allclose(row["by_temperature"], 0.25 / np.array(LOOKUP.TEMPERATURES), rtol=1e-6)
    assert row["accuracy_flat"] == pytest.approx(0.0025) and row["accuracy_hard"] == pytest.approx(250.0)
    (_, params, hyper, some, pairs, given), = called
    assert (params, hyper.attention_scale, pairs, given) == ("params", 0.25, 4, wanted)
    assert some.source.tolist() == test.source[:5].tolist()


def test_accuracy_is_a_share_of_the_answers(monkeypatch):
    """Of 300 sequences, in two batches; two answers each, of which those that equal the source are right."""
    monkeypatch.setitem(LOOKUP.accuracy.__globals__, "correct", lambda made, params, batch, hyper: Sums(
        ((batch["target"] > 0) & (batch["target"] == batch["source"])).sum(), (batch["target"] > 0).sum()))
    target = np.tile(np.array([0, 5, 6]), (300, 1))
    source = target.copy()
    source[:150, 2] = 7
    assert LOOKUP.accuracy(None, None, None, Sequences(source, target)) == 0.75
