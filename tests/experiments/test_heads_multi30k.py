"""heads_multi30k: models of one size whatever their heads, test read by final runs, planted verdicts."""

import jax
import numpy as np
import pytest

from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.models import build
from attention_lab.training.state import parameter_count
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, HEADS = study("heads_multi30k"), module("heads_multi30k")
CPU = STUDY.settings("cpu", data="DATA")


@pytest.mark.parametrize("preset", ["cpu", "accelerator"])
def test_models_have_equally_many_parameters_and_read_captions(preset):
    settings = STUDY.settings(preset, data="DATA")
    configs = [merge(get_config(settings["variant"]), HEADS.overrides(
        {"stage": "final", "heads": heads, "rate": 0.01, "seed": 3}, settings, None))
        for heads in settings["heads"]]
    for config in configs:
        check(config)
        assert (config.data.directory, config.data.split, config.seed) == ("DATA/multi30k", "test", 3)
        assert config.decoding.beam == 1 and config.model.key_size is None
    assert [config.model.num_heads for config in configs] == list(settings["heads"])
    assert len({parameter_count(jax.eval_shape(build(config, 97).init, jax.random.key(0)))
                for config in configs}) == 1


def test_the_folder_of_captions_is_needed():
    with pytest.raises(ValueError, match="heads_multi30k reads Multi30k: give --data=DIR"):
        STUDY.check(STUDY.settings("cpu"))


def planted(bleu):
    """All rows; bleu: heads -> score of the first seed, above which seeds differ by a few tenths."""
    return [cell | {"dev_bleu": 100.0 * (cell["rate"] or 0.0),
                    "test_bleu": None if cell["stage"] == "tune" else
                    bleu(cell["heads"]) + 0.1 * (cell["seed"] % 3) * (cell["heads"] == 4),
                    "late_rise": 2.0 if cell["heads"] == 16 else 0.5,
                    "curve": np.array([[400, 20.0, 3.0], [800, 30.0 + cell["heads"], 2.0]])}
            for cell in HEADS.cells(CPU)]


def test_a_middle_number_that_is_best_supports_all_claims_and_equal_scores_refute_those_of_a_lead():
    best = verdicts(STUDY, planted({1: 30.0, 2: 31.0, 4: 33.0, 8: 33.1, 16: 31.0}.get))
    assert set(best.values()) == {"supported"}, best
    same = verdicts(STUDY, planted(lambda heads: 33.0))
    assert {name for name, verdict in same.items() if verdict == "supported"} == {"four_as_eight"}
    assert set(same.values()) == {"supported", "refuted"}


def test_a_run_keeps_scores_and_its_late_rise():
    evaluations = [{"step": 100 * (i + 1), "dev_bleu": bleu, "dev_cross_entropy": 1.0}
                   for i, bleu in enumerate([1, 2, 3, 4, 6])]
    run = type("Run", (), {"changes": {"optimizer.learning_rate": 0.1}, "evaluations": evaluations,
                           "result": {"status": "finished", "dev_bleu": 6.0, "test_bleu": 5.0}})
    row = STUDY.measure({}, CPU, lambda cell: run)
    assert (row["rate_used"], row["dev_bleu"], row["test_bleu"], row["late_rise"]) == (0.1, 6.0, 5.0, 2.0)
    run.evaluations = []
    assert STUDY.measure({}, CPU, lambda cell: run)["late_rise"] is None


def test_each_number_has_the_rate_that_was_best_on_dev_and_tuning_reads_no_test():
    rows = planted(lambda heads: 30.0)
    for row in rows:
        row["dev_bleu"] = 30.0 - 100.0 * abs((row["rate"] or 0.0) - (0.005 if row["heads"] == 1 else 0.01))
    for cell in HEADS.cells(CPU):
        changes = HEADS.overrides(cell, CPU, rows)
        best = 0.005 if cell["heads"] == 1 else 0.01
        assert changes["optimizer.learning_rate"] == (best if cell["stage"] == "final" else cell["rate"])
        assert changes["data.split"] == ("test" if cell["stage"] == "final" else "dev")


def test_the_figure_shows_every_number_and_names_those_that_still_rose():
    figure = HEADS.draw(planted(lambda heads: 30.0 + heads), CPU)
    first, tuned, second = figure.axes
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2", "4", "8", "16"]
    dots = [line.get_ydata() for line in first.lines if line.get_marker() == "o"]
    assert [round(float(np.mean(seeds)), 2) for seeds in dots] == [31.0, 32.0, 34.09, 38.0, 46.0]
    assert [line.get_ydata()[-1] for line in second.lines] == [31, 32, 34, 38, 46]
    assert list(tuned.lines[0].get_xdata()) == [0.0025, 0.005, 0.01]
    assert figure.get_suptitle().endswith("last fifth: 16")
