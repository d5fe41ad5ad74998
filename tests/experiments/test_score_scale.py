"""The score_scale studies: rates tuned on dev alone, arms paired by seed, planted claims judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config import split
from attention_lab.config.parse import merge
from attention_lab.studies.recipes import recall as recipe
from attention_lab.studies.recipes import tuned_arms
from configs.recall import get_config
from tests.experiments.loaded import FOLDER, module, study, verdicts

score_scale, score_scale_translation = module("score_scale"), module("score_scale_translation")
SCORE_SCALE, TRANSLATION, CAPTIONS = (study(name) for name in (
    "score_scale", "score_scale_translation", "score_scale_multi30k"))
CPU = SCORE_SCALE.settings("cpu")


def config_of(cell, rows):
    """The config of the run behind a cell."""
    return merge(get_config(), score_scale.overrides(cell, CPU, rows))


def test_cells_tune_first_and_share_programs():
    cells = score_scale.cells(CPU)
    stages = [cell["stage"] for cell in cells]
    assert stages == sorted(stages, reverse=True) and len(cells) == 17 * 4 * 2 + 17 * 8
    assert {cell["seed"] for cell in cells if cell["stage"] == "tune"}.isdisjoint(range(8))
    structures = [split(config_of(cell, []))[0] for cell in cells if cell["stage"] == "tune"]
    changes = sum(a != b for a, b in zip(structures, structures[1:]))
    # Three compatibilities at three sizes, and dot alone at the largest.
    assert changes + 1 == len(set(structures)) == 10


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [{"stage": "tune", "arm": "scaled", "key_size": 16, "rate": rate, "seed": seed,
             "dev_accuracy": score}
            for rate, scores in {0.001: (0.5, 0.7), 0.003: (0.9, 0.3), 0.01: (0.2, 0.2)}.items()
            for seed, score in zip(tuned_arms.TUNING_SEEDS, scores)]
    assert tuned_arms.best_rate(rows, "scaled", 16, "accuracy") == 0.001
    cell = {"stage": "final", "arm": "scaled", "key_size": 16, "rate": None, "seed": 3}
    final = config_of(cell, rows)
    assert (final.optimizer.learning_rate, final.seed, final.data.split) == (0.001, 3, "test")
    tried = config_of(cell | {"stage": "tune", "rate": 0.01}, rows)
    assert (tried.optimizer.learning_rate, tried.data.split) == (0.01, "dev")


@pytest.mark.parametrize("gap, verdict", [(0.5, "supported"), (0.0, "refuted"), (-0.5, "refuted")])
def test_claims_are_judged_by_what_is_planted(gap, verdict):
    rows = []
    for seed in range(8):
        for arm in tuned_arms.ARMS:
            for size in score_scale.sizes_of(arm, CPU):
                lost = gap if arm == "unscaled" and size >= 256 else 0.0
                rows.append({"stage": "final", "arm": arm, "key_size": size, "seed": seed,
                             "test_accuracy": 0.9 - lost + 0.001 * (seed % 3) * (arm == "scaled"),
                             "start_entropy": 0.8 - 0.1 * (arm == "unscaled")})
    found = verdicts(SCORE_SCALE, rows)
    assert found["worse_at_large"] == found["additive_beats_unscaled"] == verdict
    assert found["tied_at_small"] == found["additive_as_scaled"] == "supported"
    assert found["entropy_at_start"] == "supported"


def translated(seeds, sizes, bleu):
    """Final rows of translation: `bleu` of (arm, key size), a little apart from seed to seed."""
    return [{"stage": "final", "arm": arm, "key_size": size, "seed": seed,
             "test_bleu": bleu(arm, size) + 0.1 * (seed % 3) * (arm == "scaled"),
             "test_alignment_error_rate": 0.2 + 0.3 * (arm == "unscaled")}
            for seed in range(seeds) for arm in score_scale_translation.ARMS for size in sizes]


def test_translation_is_judged_by_what_is_planted():
    rows = translated(8, (16, 256), lambda arm, size: 50.0 if (arm, size) == ("unscaled", 256) else 90.0)
    assert set(verdicts(TRANSLATION, rows).values()) == {"supported"}
    same = verdicts(TRANSLATION, translated(8, (16, 256), lambda arm, size: 90.0))
    assert same.pop("tied_at_small") == same.pop("additive_as_scaled") == "supported"
    assert same.pop("alignment_at_large") == "supported"
    assert set(same.values()) == {"refuted"}
    everywhere = verdicts(TRANSLATION,
                          translated(8, (16, 256), lambda arm, size: 50.0 if arm == "unscaled" else 90.0))
    assert (everywhere["worse_at_large"], everywhere["gap_grows"]) == ("supported", "refuted")


def test_captions_are_judged_by_what_is_planted():
    rows = translated(8, (256,), lambda arm, size: 20.0 if arm == "unscaled" else 30.0)
    assert verdicts(CAPTIONS, rows) == {"worse_on_captions": "supported"}
    rows = translated(8, (256,), lambda arm, size: 30.0)
    assert verdicts(CAPTIONS, rows) == {"worse_on_captions": "refuted"}


def test_one_rate_is_not_tuned_and_the_data_are_asked_for():
    settings = CAPTIONS.settings("cpu", "corpora")
    cells = CAPTIONS.cells(settings)
    assert {cell["stage"] for cell in cells} == {"final"} and len(cells) == 16
    changed = CAPTIONS.overrides(cells[0], settings, [])
    assert (changed["optimizer.learning_rate"], changed["data.directory"]) == (0.003, "corpora/multi30k")
    with pytest.raises(ValueError, match="give --data=DIR, or set ATTENTION_LAB_DATA"):
        CAPTIONS.check(settings | {"data": ""})


def test_answers_without_a_look_up_by_hand(monkeypatch):
    """Values a a b: the most frequent is right in 2 of 3, one at random in (2 + 2 + 1) / 9; a b c: 1 of 3."""
    targets = np.array([[0, 0, 0, 5, 5, 6], [0, 0, 0, 7, 8, 9]])
    monkeypatch.setattr(recipe.recall, "sequences", lambda *_: SimpleNamespace(target=targets))
    found = recipe.floors(SimpleNamespace(test_size=2, pairs=3, vocabulary_size=20, corpus_seed=0))
    assert list(found.values()) == pytest.approx([1 / 2, 4 / 9])


def test_the_floors_of_the_figure_are_those_of_the_page():
    text = (FOLDER / "score_scale" / "README.md").read_text()
    for level in recipe.floors(get_config().data).values():
        assert f"{level:.3f}" in text
