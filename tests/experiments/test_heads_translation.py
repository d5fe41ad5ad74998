"""heads_translation: equal sizes, rates and the best of several selected on dev alone, planted verdicts."""

import jax
import numpy as np
import pytest

from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.models import build
from attention_lab.studies.recipes import rates
from attention_lab.training.state import parameter_count
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, HEADS = study("heads_translation"), module("heads_translation")
CPU = STUDY.settings("cpu")
MODEL = {"corpus": HEADS.GRAMMAR, "heads": 4}


def config_of(cell, rows, settings=CPU):
    """The config of the run behind a cell."""
    return merge(get_config(settings["variant"]), HEADS.overrides(cell, settings, rows))


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_models_of_a_corpus_have_equally_many_parameters_whatever_their_heads(preset):
    settings = STUDY.settings(preset, data="DATA")
    for corpus in settings["corpora"]:
        configs = [config_of({"corpus": corpus, "heads": heads, "stage": "tune", "rate": 0.1, "seed": 0}, [],
                             settings) for heads in settings["heads"]]
        for config in configs:
            check(config)
        assert [config.model.num_heads for config in configs] == list(settings["heads"])
        assert {config.data.source for config in configs} == {corpus}
        assert len({parameter_count(jax.eval_shape(build(config, 97).init, jax.random.key(0)))
                    for config in configs}) == 1


def test_a_head_has_keys_and_values_of_width_over_heads():
    config = config_of(MODEL | {"stage": "tune", "rate": 0.1, "seed": 0}, [])
    params = jax.eval_shape(build(config, 97).init, jax.random.key(0))
    assert config.model.key_size is None and config.model.value_size is None
    assert {leaf.shape for path, leaf in jax.tree.leaves_with_path(params)
            if "value_kernel" in jax.tree_util.keystr(path)} == {(config.model.width, config.model.width)}


def test_captions_are_read_from_the_folder_of_data_alone():
    settings = STUDY.settings("accelerator", data="DATA")
    config = config_of({"corpus": "multi30k", "heads": 32, "stage": "tune", "rate": 0.1, "seed": 0}, [],
                       settings)
    assert (config.data.directory, config.model.num_heads) == ("DATA/multi30k", 32)
    STUDY.check(settings)
    STUDY.check(CPU)
    with pytest.raises(ValueError, match="heads_translation reads Multi30k: give --data=DIR"):
        STUDY.check(STUDY.settings("accelerator"))


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [MODEL | {"stage": "tune", "rate": rate, "seed": seed, "dev_bleu": score}
            for rate, scores in {0.01: (90.0, None), 0.001: (50.0, 70.0), 0.003: (20.0, 20.0)}.items()
            for seed, score in zip(rates.TUNING_SEEDS, scores)]
    rows += [row | {"heads": 8, "dev_bleu": row["rate"]} for row in rows]
    rows += [row | {"corpus": "multi30k", "dev_bleu": -row["rate"]} for row in rows]
    final = config_of(MODEL | {"stage": "final", "rate": None, "seed": 3}, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    assert config_of(MODEL | {"stage": "final", "heads": 8, "rate": None, "seed": 3},
                     rows).optimizer.learning_rate == 0.01
    tried = config_of(MODEL | {"stage": "tune", "rate": 0.01, "seed": 100}, rows)
    assert (tried.optimizer.learning_rate, tried.data.split) == (0.01, "dev")


def test_every_number_of_heads_is_tuned_and_no_seed_is_tuned_and_scored():
    cells = HEADS.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert len(seeds["tune"]) >= 3 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]
    for stage in seeds:
        assert {cell["heads"] for cell in cells if cell["stage"] == stage} == {1, 2, 4, 8, 16}


def planted(bleu, dev=None):
    """All rows; bleu, and dev on tuning seeds: heads -> score."""
    return [cell | {"dev_bleu": (dev or bleu)(cell["heads"]) - 1000.0 * (cell["rate"] or 0.0),
                    "late_rise": 0.0,
                    "curve": np.array([[400, 50.0], [800, 90.0]]),
                    **dict.fromkeys(HEADS.MEASURES, 0.5 - 0.1 * (cell["heads"] == 1)),
                    "test_bleu": bleu(cell["heads"]) + 0.1 * (cell["seed"] % 3) * (cell["heads"] == 4)}
            for cell in HEADS.cells(CPU)]


def test_the_best_of_several_is_picked_on_dev_and_scored_on_test():
    rows = planted(lambda heads: 10.0 * heads, dev=lambda heads: {1: 99.0, 2: 7.0}.get(heads, 5.0))
    rows += [row | {"corpus": "multi30k", "dev_bleu": 100.0 * row["heads"], "test_bleu": 0.0} for row in rows]
    assert HEADS.lead_of_several(rows) == dict.fromkeys(range(10), 10.0)
    rows[0]["dev_bleu"] = None
    for row in rows:
        if (row["stage"], row["heads"], row["seed"]) == ("final", 1, 4):
            row["test_bleu"] = None
    assert HEADS.lead_of_several(rows)[4] == 20.0


def test_the_learning_curve_and_the_shares_of_words_are_kept():
    evaluations = [{"step": 100 * (i + 1), "dev_bleu": bleu} for i, bleu in enumerate([1, 2, 3, 4, 6])]
    result = {"status": "finished", "dev_bleu": 6, "test_bleu": 5, "test_pronoun_accuracy": 0.3,
              "test_agreement_accuracy": 0.7}
    row = STUDY.measure({}, CPU, lambda cell: (result, evaluations, None, {"optimizer.learning_rate": 0.1}))
    assert (row["test_pronoun"], row["test_agreement"], row["test_sense"]) == (0.3, 0.7, None)
    assert (row["dev_bleu"], row["test_bleu"], row["rate_used"], row["late_rise"]) == (6, 5, 0.1, 2.0)
    np.testing.assert_array_equal(row["curve"], [[100, 1], [200, 2], [300, 3], [400, 4], [500, 6]])


def test_a_middle_number_of_heads_that_is_best_supports_all_claims():
    scores = {1: 90.0, 2: 91.0, 4: 92.0, 8: 92.1, 16: 88.0}
    given = verdicts(STUDY, planted(scores.get))
    assert {name for name, verdict in given.items() if verdict == "refuted"} == {
        "verbs_with_one", "senses_with_most"}
    assert set(given.values()) == {"supported", "refuted"}, given


def test_heads_that_make_no_difference_refute_what_is_said_of_several():
    rows = [row | {column: 0.5 for column in ("test_sense", "test_pronoun", "test_agreement")}
            for row in planted(lambda heads: 90.0)]
    given = verdicts(STUDY, rows)
    assert {name for name, verdict in given.items() if verdict == "supported"} == {
        "four_as_eight", "verbs_with_one"}
    assert set(given.values()) == {"supported", "refuted"}, given


def test_the_figure_has_a_panel_for_each_measure_of_each_corpus():
    """Captions have BLEU alone; two of their seeds lift the rise of eight heads above the plateau."""
    rows = planted(lambda heads: 90.0 + heads)
    captions = [row | {"corpus": "multi30k"} | dict.fromkeys(list(HEADS.MEASURES)[1:]) for row in rows]
    for row in captions:
        if row["heads"] == 8 and row["seed"] in (0, 1):
            row["late_rise"] = 5.5  # a mean of 1.1 over ten seeds
    both = CPU | {"corpora": dict.fromkeys(("grammar", "multi30k"))}
    figure = HEADS.draw(rows + captions, both)
    assert [(ax.get_title(), ax.get_ylabel()) for ax in figure.axes] == [
        *(("grammar", f"{name}, test") for name in HEADS.MEASURES.values()), *[("grammar", "BLEU, dev")] * 2,
        ("multi30k", "BLEU, test"), *[("multi30k", "BLEU, dev")] * 2]
    assert "multi30k 8" in figure.get_suptitle() and "grammar" not in figure.get_suptitle()
    first = figure.axes[0]
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2", "4", "8", "16"]
    dots = [line.get_ydata().tolist() for line in first.lines if line.get_marker() == "o"]
    assert [np.mean(seeds).round(2) for seeds in dots] == [91.0, 92.0, 94.09, 98.0, 106.0]
    interval, = (lines.get_segments()[0] for lines in first.collections[2:3])
    assert interval[:, 0].tolist() == [2, 2] and interval[:, 1].mean() == pytest.approx(94.09)
    assert [line.get_xdata().tolist() for line in figure.axes[4].lines] == [list(CPU["rates"])] * 5
