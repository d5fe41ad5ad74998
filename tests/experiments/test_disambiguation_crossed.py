"""disambiguation_crossed: arms differ in body and reading, rates are selected on dev, planted verdicts."""

import jax
import numpy as np
import pytest

from attention_lab.config import differences
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.models import build
from attention_lab.studies.recipes import rates, senses
from attention_lab.training.state import parameter_count
from configs.disambiguation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, CROSSED = study("disambiguation_crossed"), module("disambiguation_crossed")
CPU = STUDY.settings("cpu")
CELLS = CROSSED.cells(CPU)
ARMS = tuple(CROSSED.COLOURS)
ATTENTION, GRU = CROSSED.BODIES
NOUN, POOLED = CROSSED.READINGS


def config_of(cell, rows=(), settings=CPU):
    """The config of the run behind a cell."""
    return merge(get_config(settings["variant"]), CROSSED.overrides(cell, settings, rows))


def test_the_early_accuracy_is_that_of_the_last_evaluation_up_to_500_steps():
    curve = np.array([[250, 0.3], [500, 0.5], [750, 0.9]])
    assert CROSSED._early(curve) == 0.5 and CROSSED._early(curve[2:]) is None


@pytest.mark.parametrize("preset", ["cpu", "accelerator"])
def test_bodies_have_equally_many_weights(preset):
    settings = STUDY.settings(preset)
    counts = []
    for body in CROSSED.BODIES:
        cell = {"body": body, "reading": NOUN, "stage": "tune", "rate": 0.1, "seed": 100}
        model = build(config_of(cell, settings=settings), 97, (2,))
        params = jax.eval_shape(model.init, jax.random.key(0))
        counts.append(parameter_count({name: leaf for name, leaf in params.items()
                                       if name.startswith(("encoder", "reader"))}))
    assert counts[0] == pytest.approx(counts[1], rel=0.03)


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_readings_of_a_body_differ_in_pooling_alone(preset):
    for body in CROSSED.BODIES:
        given = [config_of({"body": body, "reading": reading, "stage": "tune", "rate": 0.1, "seed": 100},
                           settings=STUDY.settings(preset)) for reading in (NOUN, POOLED)]
        for config in given:
            check(config)
        assert differences(*given) == {"model.pooling": ("place", "additive")}
    assert (given[0].model.kind, given[0].model.bidirectional) == ("gru", True)


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    scores = {0.01: (0.9, None), 0.001: (0.5, 0.6), 0.003: (0.2, 0.3)}
    rows = [{"body": GRU, "reading": reading, "stage": "tune", "rate": rate, "seed": seed,
             "dev_accuracy": 1.0 if (reading, rate) == (NOUN, 0.003) else score}
            for reading in (NOUN, POOLED) for rate, each in scores.items()
            for seed, score in zip(rates.TUNING_SEEDS, each)]
    final = {"body": GRU, "stage": "final", "rate": None, "seed": 3}
    chosen = [config_of(final | {"reading": reading}, rows) for reading in (NOUN, POOLED)]
    assert [config.optimizer.learning_rate for config in chosen] == [0.003, 0.001]
    assert {config.data.split for config in chosen} == {"test"}
    assert {config_of(cell).data.split for cell in CELLS if cell["stage"] == "tune"} == {"dev"}
    seeds = {stage: {cell["seed"] for cell in CELLS if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]


def table(near, far, distracted):
    """`by_distance` of equally many sentences at two distances, without and with distractors."""
    return np.array([(1, 4, 0, 50, near), (20, 40, 0, 50, far),
                     (1, 4, 1, 50, near), (20, 40, 1, 50, distracted)])


def planted(tables):
    """All rows; tables: by arm, whose first number is the early accuracy, too."""
    return [cell | {"dev_accuracy": 0.9, "test_accuracy": 0.9, "late_rise": 0.0,
                    "early": tables[cell["body"], cell["reading"]][0, senses.ACCURACY] - 0.1,
                    "curve": np.array([[750, 0.5], [1500, 0.9]]),
                    "by_distance": tables[cell["body"], cell["reading"]]
                    + np.array([0, 0, 0, 0, 0.001 * (cell["seed"] % 3) * (cell["body"] == GRU)])}
            for cell in CELLS]


WHOLE = table(0.97, 0.97, 0.97)


def test_a_gru_that_decays_only_where_it_is_read_at_the_noun_supports_all_claims():
    given = verdicts(STUDY, planted(dict.fromkeys(ARMS, WHOLE) | {(GRU, NOUN): table(0.92, 0.7, 0.6)}))
    assert set(given.values()) == {"supported"}, given


def test_arms_that_are_alike_refute_every_difference():
    given = verdicts(STUDY, planted(dict.fromkeys(ARMS, WHOLE)))
    assert {name for name, verdict in given.items() if verdict == "supported"} == {
        claim.name for claim in STUDY.claims if claim.direction == "equal"}
    assert set(given.values()) == {"supported", "refuted"}, given


def test_a_run_that_diverged_has_every_sentence_wrong(tmp_path):
    assert senses.predictions(tmp_path, "abc") == ["", "", ""]


def test_the_figure_shows_all_arms_and_names_those_that_still_rise():
    rows = planted(dict.fromkeys(ARMS, WHOLE) | {(GRU, NOUN): table(0.92, 0.7, 0.6)})
    for row in rows:
        row["late_rise"] = 0.02 * ((row["body"], row["reading"]) == (GRU, NOUN))
    figure = CROSSED.draw(rows, CPU)
    assert figure.get_suptitle().endswith(f"last fifth: {GRU} {NOUN}")
    clear, distracted, legend, seeds, tuning, training = figure.axes
    assert [label.get_text() for label in legend.get_legend().texts] == [", ".join(arm) for arm in ARMS]
    far = [line.get_ydata().mean() for line in seeds.lines if line.get_marker() == "o"]
    assert far == pytest.approx([0.97, 0.97, 0.6509, 0.9709])
    assert [len(ax.lines) for ax in (clear, distracted, tuning, training)] == [4, 4, 4, 4]
