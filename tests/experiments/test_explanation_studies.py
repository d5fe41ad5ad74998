"""Studies of explanation: configs that build, guides that are found, claims judged as planted."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.labelled import whole_sentences
from attention_lab.studies.recipes import explanations, regimes, runs
from attention_lab.sweeps.plan import plan
from tests.experiments.loaded import module, study, verdicts

EXPLANATION, SST, TRANSLATION, REGIMES, POLARITY = STUDIES = [study(name) for name in (
    "explanation", "explanation_sst", "explanation_translation", "explanation_sst_regimes",
    "explanation_polarity")]


def settings_of(study, preset, tmp_path):
    return study.settings(preset, "corpora", tmp_path)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_every_cell_is_of_a_config_that_builds(study, preset, tmp_path):
    settings = settings_of(study, preset, tmp_path)
    base, seen = load(study.config_file(settings)), set()
    for cell in study.cells(settings):
        config = merge(base, study.overrides(cell, settings, []))
        check(config)
        assert config.seed == cell["seed"] and config not in seen
        seen.add(config)


def test_adversaries_and_students_go_by_the_run_of_their_seed(tmp_path):
    study = EXPLANATION
    settings = settings_of(study, "cpu", tmp_path)
    folders, guides = {}, {}
    for cell in study.cells(settings):
        changed = study.overrides(cell, settings, [])
        group, = plan(load(study.config_file(settings)), [changed])
        key = cell["arm"], cell["divergence_weight"], cell["seed"]
        folders[key] = str(group.cells[0].folder(tmp_path))
        guides[key] = changed.get("attention.guide")
    main = settings["divergence_weights"][0]
    assert guides["lstm", None, 3] is None and guides["student of uniform", None, 3] is None
    assert {guides["adversary", weight, 1] for weight in settings["divergence_weights"]} == {
        folders["lstm", None, 1]}
    assert guides["student of lstm", None, 3] == folders["lstm", None, 3]
    assert guides["student of adversary", None, 3] == folders["adversary", main, 3]


def rows(**own):
    """A row of each arm and seed; `own` gives (arm, column): value in the place of 0.5."""
    found = []
    for arm in (*explanations.ARMS, explanations.ADVERSARY, *explanations.STUDENTS):
        for weight in (0.001, 0.2) if arm == explanations.ADVERSARY else (None,):
            for seed in range(8):
                row = {"arm": arm, "divergence_weight": weight, "seed": seed}
                row |= {column: own.get(f"{arm}: {column}", 0.5) + 1e-6 * seed
                        for column in explanations.COLUMNS}
                found.append(row | {"variation": row["variation"] if weight != 0.2 else 9.0})
    return found


def test_differences_by_hand():
    made = rows(**{"average: tau_gradient": 0.9, "lstm: tau_gradient": 0.3, "lstm: frozen_apart": 0.5466,
                   "adversary: jensen_shannon": 0.6, "lstm: other_seed_apart": 0.1,
                   "lstm: auc_attention": 0.8, "lstm: auc_leave_one_out": 0.9,
                   "student of lstm: test_accuracy": 0.7, "student of adversary: test_accuracy": 0.4,
                   "uniform: test_accuracy": 0.495, "adversary: variation": 0.02,
                   "encoder: auc_rollout": 0.6, "encoder: auc_value_norm": 0.55,
                   "encoder: auc_attention": 0.52, "lstm: tau_between": 0.7})
    found = EXPLANATION.values(made)
    by_hand = {"context_blurs": 0.6, "another_distribution": 0.5466, "can_be_trained": 0.5,
               "finds_the_cause": 0.8, "not_as_well": 0.1, "of_use": 0.2, "adversary_faithful": 0.02,
               "uniform_as_good": 0.005, "encoder_finds": 0.52, "rollout": 0.08, "value_norm": 0.03,
               "adversary_misleads": -0.1}
    assert set(found) == set(by_hand) == {claim.name for claim in EXPLANATION.claims}
    for name, value in by_hand.items():
        assert len(found[name]) == 8 and found[name][0] == pytest.approx(value, abs=1e-9), name
    assert set(verdicts(EXPLANATION, made).values()) == {"supported"}
    found = SST.values(made)
    assert set(found) == {claim.name for claim in SST.claims}
    assert found["gradients_agree"][0] == pytest.approx(0.4)
    assert found["tau_in_range"][0] == pytest.approx(0.3)
    assert found["weights_of_seeds"][0] == pytest.approx(0.1 - 0.5466)


def test_words_that_survive_by_hand():
    arms = TRANSLATION.presets["cpu"]["arms"]
    made = []
    for place, arm in enumerate(arms):
        shares = {"function": 0.7, "content": 0.2 + place / 10}
        made += [{"arm": arm, "seed": seed} | {
            f"{kind}_{name}": value + 1e-6 * seed
            for kind in module("explanation_translation").KINDS for name, value in shares.items()}
            for seed in range(8)]
    found = TRANSLATION.values(made)
    assert set(found) == {claim.name for claim in TRANSLATION.claims}
    assert found["function_survives"][0] == pytest.approx(0.5)
    assert found["transformer_too"][0] == pytest.approx(0.4)
    assert found["not_indifferent"][0] == pytest.approx(0.3)
    assert set(verdicts(TRANSLATION, made).values()) == {"supported"}
    assert TRANSLATION.draw(made, TRANSLATION.settings("cpu")) is not None


def test_the_sample_of_sentences_is_fixed_and_of_both_ends():
    """A file that is sorted by class, as that of SST nearly is."""
    sentences = whole_sentences([(f"s {i}", "negative" if i < 900 else "positive") for i in range(1800)], {})
    drawn = explanations.sample(sentences, 400)
    assert drawn == explanations.sample(sentences, 400) and len(set(drawn.text)) == 400
    assert drawn.text == sorted(drawn.text, key=lambda text: int(text[2:]))
    assert 150 <= drawn.label.count("negative") <= 250
    assert explanations.sample(sentences, 5000).text == sentences.text


def test_classes_are_those_that_are_predicted():
    """Three sentences that are said to be negative, of which one is; none is said to be positive."""
    sentences = whole_sentences([("a", "negative"), ("b", "positive"), ("c", "positive")], {})
    trained = SimpleNamespace(params=None, classifier=SimpleNamespace(
        classes={"": ("positive", "negative")},
        predict=lambda params, sentences: SimpleNamespace(labels=["negative"] * 3)))
    found = explanations.by_prediction(trained, sentences, np.array([0.5, 0.3, np.nan]))
    assert found[0] == pytest.approx(0.4) and np.isnan(found[1])


def test_an_adversary_and_another_seed_are_compared_on_the_same_sentences(monkeypatch, tmp_path):
    """Both distances are measured by the instruments, the guide against each of the two others."""
    settings, asked = settings_of(SST, "cpu", tmp_path), []

    def distance(folder, other, settings):
        asked.append((folder, other))
        return {"jensen_shannon": 0.25, "variation": 0.125}

    def train(cell):
        result = dict.fromkeys(("dev_accuracy", "test_accuracy", "test_macro_f1"), 0.8) | {
            "status": "finished", "test_jensen_shannon": 9.0, "test_variation": 9.0}
        return runs.Run(result, [], (cell["arm"], cell["seed"]), {})

    monkeypatch.setattr(explanations, "_distance", distance)
    monkeypatch.setattr(explanations, "_explained", lambda *_: {})
    base = {"stage": "base", "arm": "lstm", "divergence_weight": None, "seed": 7}
    adversary = {"stage": "adversary", "arm": "adversary", "divergence_weight": 0.001, "seed": 7}
    row, of_adversary = (explanations.measure(cell, settings, train) for cell in (base, adversary))
    assert asked == [(("lstm", 7), ("lstm", 0)), (("adversary", 7), ("lstm", 7))]
    assert (row["other_seed_apart"], row["other_seed_variation"]) == (0.25, 0.125)
    assert (of_adversary["jensen_shannon"], of_adversary["variation"]) == (0.25, 0.125)
    assert row["jensen_shannon"] is None and of_adversary["other_seed_apart"] is None


def test_regimes_by_hand():
    planted = {"short": 0.06, "long": 0.2, "long, small": 0.34}
    made = [{"arm": arm, "seed": seed} | {
        column: value + 1e-3 * seed * (1 + value) for column in regimes.COLUMNS} | {
        "tau_between": 0.7 + 1e-3 * seed, "test_accuracy": 0.81 + 1e-3 * seed}
        for arm, value in planted.items() for seed in range(10)]
    found = REGIMES.values(made)
    assert set(found) == {claim.name for claim in REGIMES.claims}
    assert found["regime"][0] == pytest.approx(0.28) and found["scale"][0] == pytest.approx(0.14)
    assert found["negative"][3] == pytest.approx(0.34402)
    assert set(verdicts(REGIMES, made).values()) == set(verdicts(POLARITY, made).values()) == {"supported"}
    assert REGIMES.draw(made, {}) is not None and POLARITY.draw(made, {}) is not None


def test_the_third_regime_is_the_second_with_smaller_embeddings():
    short, long, small = regimes.REGIMES.values()
    assert small == long | {"model.embedding_scale": 0.1} and short["training.dropout"] == 0.5
    assert REGIMES.presets["cpu"]["seeds"] == POLARITY.presets["cpu"]["seeds"] == 10
