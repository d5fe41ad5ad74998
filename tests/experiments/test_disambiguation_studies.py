"""Studies of word senses: configs that build, claims judged as planted, figures from rows alone."""

import numpy as np
import pytest

from attention_lab.config import replace
from attention_lab.config.rules import check
from attention_lab.studies.recipes import runs, senses
from configs.disambiguation import get_config
from tests.experiments.loaded import module, study, verdicts

GRAMMAR, COARSEWSD = STUDIES = study("disambiguation"), study("disambiguation_coarsewsd")
disambiguation, disambiguation_coarsewsd = module("disambiguation"), module("disambiguation_coarsewsd")
ATTENTION, ALONE, BAG = disambiguation.ATTENTION, disambiguation.ALONE, disambiguation.BAG


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_every_cell_is_of_a_config_that_builds(study, preset):
    settings = study.settings(preset, "corpora")
    cells = study.cells(settings)
    assert {cell["arm"] for cell in cells} >= set(settings["arms"])
    for cell in cells:
        changed = study.overrides(cell, settings, [])
        if changed is None:
            assert cell["arm"] == disambiguation_coarsewsd.BASELINE
            continue
        config = replace(get_config(settings["variant"]), changed)
        check(config)
        assert config.seed == cell["seed"] and config.data.split == "test"
        assert config.data.directory == ("corpora/coarsewsd20/CoarseWSD-20"
                                         if settings["variant"] == "coarsewsd" else "")


def test_few_shots_are_drawn_anew_for_each_seed():
    settings = COARSEWSD.settings("cpu", "corpora")
    changed = disambiguation_coarsewsd.overrides(
        {"stage": "few", "arm": BAG, "shots": 3, "seed": 2}, settings, [])
    assert (changed["data.shots"], changed["data.corpus_seed"]) == (3, 2)
    whole = disambiguation_coarsewsd.overrides(
        {"stage": "whole", "arm": BAG, "shots": 0, "seed": 2}, settings, [])
    assert "data.shots" not in whole and "data.corpus_seed" not in whole


@pytest.mark.parametrize("variant, field, place", [
    ("multi30k", "data.directory", "D/multi30k"),
    ("coarsewsd", "data.directory", "D/coarsewsd20/CoarseWSD-20"),
    ("smoke,sst", "data.path", "D/attention-explanation/sst_dataset.csv.gz")])
def test_real_corpora_lie_in_one_folder(variant, field, place):
    assert runs.with_data({"seed": 1}, {"study": "any", "variant": variant, "data": "D"}) == {
        "seed": 1, field: place}
    with pytest.raises(ValueError, match="give --data=DIR, or set ATTENTION_LAB_DATA"):
        runs.check_data({"study": "any", "variant": variant, "data": ""})


def test_a_grammar_asks_for_no_folder():
    assert runs.with_data({"seed": 1}, {"study": "any", "variant": "smoke", "data": ""}) == {"seed": 1}


def grammar_rows(accuracy, macro_f1, silhouette, dropped=(0.1, 0.3, 0.4)):
    """Rows of two bins, (near, near distracted, far, far distracted) of each arm, a wobble for each seed."""
    rows = []
    for arm in disambiguation.ARMS:
        for seed in range(8):
            wobble = 1e-5 * seed
            values = [value + wobble for value in accuracy.get(arm, accuracy["else"])]
            bins = ((1, 4, 0, 30), (1, 4, 1, 30), (30, 40, 0, 20), (30, 40, 1, 20))
            shown = ("bank", np.array(["rive", "rive", "banque"]), np.array(
                [(0, 0, 1.5, 0.5), (0, 0, 1, 0), (0, 0, -1, 0)]))
            rows.append({
                "arm": arm, "seed": seed, "macro_f1": macro_f1.get(arm, 0.9) + wobble,
                "accuracy": 0.3 * (values[0] + values[1]) + 0.2 * (values[2] + values[3]),
                "by_distance": np.array([(*one, value) for one, value in zip(bins, values)]),
                "silhouette_before": 0.0, "null_before": 0.0, "silhouette": silhouette + wobble,
                "null": -0.05, **dict(zip(("dropped_random", "dropped_attention", "dropped_gradient"),
                                          dropped if arm == ATTENTION else (None, None, None))),
                **dict(zip(disambiguation.SHOWN, shown if seed == 0 else (None, None, None))),
                "curve": np.array([(10, 0.5 + wobble), (20, 0.9 + wobble)])})
    return rows


GOOD = {"else": (0.99, 0.6, 0.99, 0.5), ATTENTION: (0.995, 0.994, 0.996, 0.993), "gru": (0.99, 0.9, 0.9, 0.6),
        disambiguation.READER: (0.999, 0.998, 0.997, 0.996)}


def test_accuracy_weighs_bins_by_their_sentences():
    bins = np.array([(1, 4, 0, 30, 0.5), (5, 9, 0, 10, 1.0), (5, 9, 1, 60, 0.0)])
    rows = [{"arm": BAG, "seed": 3, "by_distance": bins}]
    for name, accuracy in (("clear", 0.625), ("far", 10 / 70), ("near", 0.5), ("worst", 10 / 70)):
        assert senses.accuracy(rows, name, arm=BAG) == {3: pytest.approx(accuracy)}


def test_grammar_by_hand():
    found = GRAMMAR.values(grammar_rows(GOOD, {ALONE: 0.3}, 0.6))
    by_hand = {"context": 0.9 - 0.3, "solved": 0.3 * 1.989 + 0.2 * 1.989,
               "beyond_a_bag": 0.3 * 0.399 + 0.2 * 0.499, "beyond_a_bag_distracted": 0.9936 - 0.56,
               "no_decay": 0.9945 - 0.9945, "context_changes_the_vector": 0.65,
               "solved_everywhere": 0.9945, "bag_suffices": 0.99 - 0.9954, "recurrent_far": 0.9945 - 0.75,
               "recurrent_decays": 0.75 - 0.945, "before_the_layers": 0.0, "attended_matters": 0.2,
               "gradient_matters_more": 0.1, "reader_solves": 0.3 * 1.997 + 0.2 * 1.993}
    assert set(found) == set(by_hand) == {claim.name for claim in GRAMMAR.claims}
    for name, value in by_hand.items():
        assert found[name][0] == pytest.approx(value, abs=2e-6), name


def test_grammar_is_judged_as_planted():
    assert set(verdicts(GRAMMAR, grammar_rows(GOOD, {ALONE: 0.3}, 0.6)).values()) == {"supported"}
    bad = {"else": (0.97, 0.97, 0.97, 0.97), ATTENTION: (0.96, 0.96, 0.9, 0.9)}
    found = verdicts(GRAMMAR, grammar_rows(bad, {ALONE: 0.8}, -0.2, dropped=(0.4, 0.3, 0.1)))
    assert found.pop("before_the_layers") == "supported"
    assert set(found.values()) == {"refuted"}, found


def coarse_rows(macro_f1, dev, bank=0.85):
    """Rows of all and of ten shots; the baseline's are one."""
    rows = []
    for arm in (*disambiguation_coarsewsd.ARMS, disambiguation_coarsewsd.BASELINE):
        baseline = arm == disambiguation_coarsewsd.BASELINE
        for shots, seeds in ((0, 1 if baseline else 8), (10, 3)):
            for seed in range(seeds if shots == 0 or arm in disambiguation_coarsewsd.FEW else 0):
                wobble = 1e-5 * seed
                rows.append({
                    "stage": "few" if shots else "whole", "arm": arm, "shots": shots, "seed": seed,
                    "dev_macro_f1": None if baseline else dev.get(arm, 0.5) + wobble,
                    "macro_f1": macro_f1[arm] + wobble, "macro_f1_word": bank + wobble,
                    "most_frequent_macro_f1": None if baseline else 0.35,
                    "f1_apple": macro_f1[arm], "f1_bank": bank})
    return rows


COARSE = {ATTENTION: 0.88, ALONE: 0.35, BAG: 0.86, disambiguation_coarsewsd.POOLED: 0.875, "gru": 0.85,
          disambiguation_coarsewsd.BASELINE: 0.895}


def test_coarse_senses_by_hand():
    pooled = disambiguation_coarsewsd.POOLED
    found = COARSEWSD.values(coarse_rows(COARSE, {pooled: 0.9}))
    by_hand = {"context": 0.53, "beyond_fasttext": 0.88, "beyond_a_bag": 0.02, "near_the_outsider": -0.02,
               "bank": 0.85, "recurrence": 0.03, "pooling": 0.015, "outsider_leads": 0.02, "few_shots": 0.02}
    assert set(found) == set(by_hand) == {claim.name for claim in COARSEWSD.claims}
    for name, value in by_hand.items():
        assert found[name][0] == pytest.approx(value, abs=1e-9), name
        assert len(found[name]) == (3 if name == "few_shots" else 8)


def test_the_best_network_is_chosen_on_dev():
    rows = coarse_rows(COARSE, {"gru": 0.9})
    assert disambiguation_coarsewsd.best(rows) == "gru"
    assert verdicts(COARSEWSD, rows)["near_the_outsider"] == "refuted"
    assert verdicts(COARSEWSD, coarse_rows(COARSE, {ATTENTION: 0.9}))[
        "near_the_outsider"] == "supported"


@pytest.mark.parametrize("study, rows", [
    (GRAMMAR, grammar_rows(GOOD, {ALONE: 0.3}, 0.6)),
    (COARSEWSD, coarse_rows(COARSE, {}))], ids=lambda one: getattr(one, "name", ""))
def test_figures_are_drawn_from_rows(study, rows):
    settings = study.settings("cpu")
    figure = study.draw(rows, settings)
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels >= set(settings["arms"])
