"""components: each arm lacks its part and nothing else, rates are selected on dev, planted verdicts."""

import jax
import numpy as np
import pytest

from attention_lab.config import differences
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.models import build
from attention_lab.studies.recipes import rates
from attention_lab.training.state import parameter_count
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, COMPONENTS = study("components"), module("components")
CPU = STUDY.settings("cpu")
ARMS = tuple(COMPONENTS.ARMS)
WHOLE, RESIDUAL, NORM, FEED_FORWARD, ENCODER = ARMS


def config_of(cell, rows, settings=CPU):
    """The config of the run behind a cell."""
    return merge(get_config(settings["variant"]), COMPONENTS.overrides(cell, settings, rows))


def tried(arm, settings=CPU):
    """The config of a tuning run of an arm."""
    return config_of({"arm": arm, "stage": "tune", "rate": 0.1, "seed": 100}, [], settings)


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_arms_differ_from_the_whole_in_their_part_alone(preset):
    settings = STUDY.settings(preset)
    assert tuple(settings["arms"]) == ARMS
    for arm in ARMS:
        check(tried(arm, settings))
        differing = differences(tried(arm, settings), tried(WHOLE, settings))
        assert {key: here for key, (here, _) in differing.items()} == COMPONENTS.ARMS[arm]
    assert list(COMPONENTS.ARMS.values()) == [{}, {"model.residual": False}, {"model.norm": "none"},
                                              {"model.hidden": 0}, {"attention.window": 0}]


def test_feed_forward_nets_have_as_many_parameters_as_self_attention():
    def count(arm, part=""):
        params = jax.eval_shape(build(tried(arm), 97).init, jax.random.key(0))
        return parameter_count([leaf for path, leaf in jax.tree.leaves_with_path(params)
                                if part in jax.tree_util.keystr(path)])

    assert count(WHOLE, "['forward']") == count(WHOLE) - count(FEED_FORWARD) - count(WHOLE, "around_forward")
    of_attention, of_nets = (count(WHOLE, f"['encoder_0']['{part}']") for part in ("heads", "forward"))
    assert of_attention == pytest.approx(of_nets, rel=0.01)
    assert count(NORM) == count(WHOLE) - count(WHOLE, "norm")
    assert count(RESIDUAL) == count(ENCODER) == count(WHOLE)


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [{"arm": NORM, "stage": "tune", "rate": rate, "seed": seed, "dev_bleu": score}
            for rate, scores in {0.01: (90.0, None), 0.001: (50.0, 70.0), 0.003: (20.0, 20.0)}.items()
            for seed, score in zip(rates.TUNING_SEEDS, scores)]
    rows += [row | {"arm": ENCODER, "dev_bleu": row["rate"]} for row in rows]
    final = config_of({"arm": NORM, "stage": "final", "rate": None, "seed": 3}, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    assert config_of({"arm": ENCODER, "stage": "final", "rate": None, "seed": 3},
                     rows).optimizer.learning_rate == 0.01
    assert (tried(NORM).optimizer.learning_rate, tried(NORM).data.split) == (0.1, "dev")


def test_every_arm_is_tuned_and_no_seed_is_tuned_and_scored():
    cells = COMPONENTS.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) >= 3 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]
    for stage in seeds:
        assert {cell["arm"] for cell in cells if cell["stage"] == stage} == set(ARMS)


def test_the_learning_curve_and_the_shares_of_words_are_kept():
    evaluations = [{"step": 100 * (i + 1), "dev_bleu": bleu} for i, bleu in enumerate([1, 2, 3, 4, 6])]
    result = {"status": "finished", "dev_bleu": 6, "test_bleu": 5, "test_pronoun_accuracy": 0.3,
              "test_agreement_accuracy": 0.7}
    row = STUDY.measure({}, CPU, lambda cell: (result, evaluations, None,
                                               {"optimizer.learning_rate": 0.1}))
    assert (row["test_pronoun"], row["test_agreement"], row["test_sense"]) == (0.3, 0.7, None)
    assert (row["dev_bleu"], row["test_bleu"], row["rate_used"], row["late_rise"]) == (6, 5, 0.1, 2.0)
    np.testing.assert_array_equal(row["curve"], [[100, 1], [200, 2], [300, 3], [400, 4], [500, 6]])
    diverged = STUDY.measure({}, CPU, lambda cell: ({"status": "diverged"}, [], None,
                                                    {"optimizer.learning_rate": 0.1}))
    assert diverged["late_rise"] is None and diverged["curve"].shape == (0, 2)
    assert diverged.keys() == row.keys()


def planted(bleu, shares=None):
    """All rows; bleu: arm -> score of every run, with a little spread of the whole; shares: by column."""
    def spread(cell):
        return 0.002 * (cell["seed"] % 3 - 1) * (cell["arm"] == WHOLE)

    return [cell | {"dev_bleu": bleu[cell["arm"]] - 1000.0 * (cell["rate"] or 0.0), "late_rise": 0.0,
                    "curve": np.array([[400, 50.0], [800, 90.0]]),
                    **{column: (shares or {}).get(column, {}).get(cell["arm"], 0.9) + spread(cell)
                       for column in COMPONENTS.MEASURES},
                    "test_bleu": bleu[cell["arm"]] + spread(cell)}
            for cell in COMPONENTS.cells(CPU)]


def test_parts_that_cost_what_is_said_support_all_claims():
    bleu = {WHOLE: 96.0, RESIDUAL: 0.3, NORM: 95.5, FEED_FORWARD: 94.0, ENCODER: 94.5}
    less = {FEED_FORWARD: 0.7, ENCODER: 0.6}
    given = verdicts(STUDY, planted(bleu, {"test_sense": less | {NORM: 0.95}, "test_pronoun": less}))
    assert set(given.values()) == {"supported"}, given


def test_parts_that_cost_nothing_refute_what_is_said_of_their_cost():
    given = verdicts(STUDY, planted(dict.fromkeys(ARMS, 96.0)))
    assert {name for name, verdict in given.items() if verdict == "supported"} == {
        claim.name for claim in STUDY.claims if claim.direction == "equal"}
    assert set(given.values()) == {"supported", "refuted"}, given


def test_a_run_that_diverged_counts_as_nothing():
    rows = planted(dict.fromkeys(ARMS, 96.0))
    for row in rows:
        if (row["arm"], row["stage"], row["seed"]) == (NORM, "final", 4):
            row["test_bleu"] = None
    assert STUDY.values(rows)["layer_norm"][4] == 96.0
    assert max(STUDY.values(rows)["layer_norm"][5:]) < 0.1


def test_the_figure_has_a_panel_for_each_measure_the_rates_and_the_curves():
    rows = planted({arm: 90.0 + i for i, arm in enumerate(ARMS)})
    for row in rows:
        if row["arm"] == RESIDUAL and row["seed"] in (0, 1):
            row["late_rise"] = 5.5  # a mean of 1.1 over ten seeds
    rows[0]["dev_bleu"] = None
    figure = COMPONENTS.draw(rows, CPU)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        *(f"{name}, test" for name in COMPONENTS.MEASURES.values()), "BLEU, dev", "BLEU, dev"]
    assert figure.get_suptitle().endswith(f"last fifth: {RESIDUAL}")
    assert [label.get_text().replace("-\n", "-").replace("\n", " ")
            for label in figure.axes[0].get_xticklabels()] == list(ARMS)
    dots = [line.get_ydata().tolist() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [np.mean(seeds).round(2) for seeds in dots] == [90.0, 91.0, 92.0, 93.0, 94.0]
    assert [line.get_xdata().tolist() for line in figure.axes[4].lines] == [list(CPU["rates"])] * 5
    assert [line.get_ydata().tolist() for line in figure.axes[5].lines] == [[50.0, 90.0]] * 5
