"""Studies of explanation: configs that build, guides that are found, claims judged as planted."""

import pytest

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.studies.recipes import explanations
from attention_lab.sweeps.plan import plan
from tests.experiments.loaded import module, study, verdicts

EXPLANATION, SST, TRANSLATION = STUDIES = [study(name) for name in (
    "explanation", "explanation_sst", "explanation_translation")]


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
