"""The study of scaling: planted laws give the verdicts that they should, and arms have equal weights."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.contexts import Contexts
from attention_lab.studies.recipes.architectures import parameters
from tests.experiments.loaded import module, study, verdicts

NAME = "scaling_law"
STUDY, HERE = study(NAME), module(NAME)
STEPS = np.arange(100.0, 1100.0, 100.0)


def rows(alpha=0.5, gru_alpha=0.3, gap=0.1, bend=0.0, seeds=10, length=64):
    """Rows of planted laws; the GRU's excess grows by `gap` with each doubling of the position."""
    noise = np.random.default_rng(0)
    found = []
    for place, width in enumerate((16, 24, 40, 64, 96, 128)):
        for arm, power in (("transformer", alpha), ("gru", gru_alpha)):
            for seed in range(seeds):
                weights = 24 * width ** 2
                power_here = power - (bend if place > 2 else 0.0)
                excess = 10.0 * weights ** -power_here * (1.0 + 0.01 * noise.random())
                curve = excess * (STEPS / STEPS[-1]) ** -power
                by_position = np.full(length, excess)
                if arm == "gru":
                    by_position += gap * np.log2(np.maximum(np.arange(length), 1))
                found.append({"arm": arm, "width": width, "seed": seed, "weights": weights,
                              "test_excess": excess, "curve": np.stack([STEPS, curve], axis=1),
                              "by_position": by_position, "entropy": 2.0, "status": "finished",
                              "by_context": np.full(7, excess)})
    return found


def test_a_planted_lead_supports_the_claims():
    found = verdicts(STUDY, rows())
    assert set(found.values()) == {"supported"}, found


def test_planted_equals_support_none_of_the_comparisons():
    found = verdicts(STUDY, rows(gru_alpha=0.5, gap=0.0))
    assert found["falls_with_weights"] == "supported"
    for name in ("falls_faster_with_weights", "falls_faster_with_data", "falls_faster_with_compute",
                 "ahead_at_largest", "gap_grows_with_position"):
        assert found[name] != "supported", name
    ahead = verdicts(STUDY, rows(alpha=0.3, gru_alpha=0.5))
    assert ahead["falls_faster_with_weights"] == ahead["ahead_at_largest"] == "refuted"


def test_a_wall_is_a_bend():
    bent = rows(bend=0.45)
    assert verdicts(STUDY, bent)["straight"] == "refuted"
    # Beyond the bend weights^-0.05 is fitted in place of weights^-0.5.
    assert STUDY.values(bent)["straight"] == pytest.approx([-0.45] * 10, abs=0.03)


def test_claims_are_of_the_sizes_that_they_name():
    """The GRU is behind by 0.5 at the smallest size and by 2 at the largest, where its gap grows by 0.1."""
    planted = rows(gap=0.0)
    for row in planted:
        place = (16, 24, 40, 64, 96, 128).index(row["width"])
        if row["arm"] == "gru":
            row["test_excess"] = 0.5 + 0.3 * place
            row["by_position"] = 0.02 * place * np.log2(np.maximum(np.arange(64), 1))
        else:
            row["test_excess"], row["by_position"] = 0.001, np.zeros(64)
    assert list(HERE.lead(planted, 0).values()) == pytest.approx([0.499] * 10)
    assert list(HERE.lead(planted, -1).values()) == pytest.approx([1.999] * 10)
    assert list(HERE.gap_by_position(planted).values()) == pytest.approx([0.1] * 10, rel=0.05)


def test_positions_are_parted_by_doublings():
    assert HERE.octaves(64) == [(4, 8), (8, 16), (16, 32), (32, 64)]
    assert HERE.octaves(16) == [(4, 8), (8, 16)] and HERE.octaves(72)[-1] == (64, 72)
    assert HERE.gap_by_position(rows(gap=0.1))[3] == pytest.approx(0.1, rel=0.05)


def test_intervals_over_contexts_hold_the_exponent():
    bent = STUDY.resampled(rows(alpha=0.5, bend=0.3))["falls_to_the_end"]
    assert 0.15 < bent.low < bent.high < 0.25  # of the three largest
    found = STUDY.resampled(rows(alpha=0.5))
    assert set(found) == set(HERE.FITTED)
    assert all(found[name].low <= value <= found[name].high and found[name].high - found[name].low < 0.02
               for name, value in (("falls_with_weights", 0.5), ("falls_faster_with_weights", 0.2)))


@pytest.mark.parametrize("preset", STUDY.presets)
def test_arms_have_equal_weights_and_configs_that_build(preset):
    settings = STUDY.settings(preset)
    counts = {}
    for cell in STUDY.cells(settings):
        if cell["seed"]:
            continue
        config = merge(load(STUDY.config_file(settings)), STUDY.overrides(cell, settings, None))
        check(config)
        shapes = jax.eval_shape(models.build(config, 97).init, jax.random.key(0))
        counts.setdefault(cell["width"], {})[cell["arm"]] = parameters(shapes)
    for width, of_arms in counts.items():
        assert of_arms["gru"] == pytest.approx(of_arms["transformer"], rel=0.06), width
        assert of_arms["transformer"] == pytest.approx(24 * width ** 2, rel=0.1), width
    assert len(counts) == len(settings["widths"])


@pytest.mark.parametrize("status", ["finished", "diverged"])
def test_the_loss_above_the_entropy_is_that_of_test(monkeypatch, status):
    """Two contexts of three words; a run that diverged knows 8 words alike, log 8 = 2.08 nats."""
    target = np.ones((2, 3), int)
    surprisal = np.array([[0.5, 1.0, 1.5], [0.5, 0.5, 0.5]])
    losses = np.array([[1.0, 1.5, 2.5], [2.0, 1.0, 2.5]])
    contexts = Contexts(target, target, surprisal=surprisal)
    test = SimpleNamespace(contexts=lambda tokenizer, length: {7: contexts}[length])
    loaded = SimpleNamespace(
        run=SimpleNamespace(config=SimpleNamespace(data=SimpleNamespace(context=7))), params="params",
        model=SimpleNamespace(tokenizer=SimpleNamespace(size=8), model=None, hyper=None))
    for name, new in {
            "load": lambda folder: loaded, "token_losses": lambda model, params, given, hyper: losses,
            "sources": SimpleNamespace(load=lambda data, names: {"test": test} if names == ("test",) else {}),
            "parameters": lambda params: 5}.items():
        monkeypatch.setitem(HERE.measure.__globals__, name, new)
    row = HERE.measure({}, {}, lambda cell: SimpleNamespace(folder=None, evaluations=[
        {"step": 10, "dev_excess": 0.7, "dev_perplexity": 9.0}], result={
            "status": status, "tokens_per_second": 12.4, "train_seconds": 3.0}))
    wanted = losses - surprisal if status == "finished" else np.log(8) - surprisal
    assert row["by_context"] == pytest.approx(wanted.mean(axis=1)) and len(row["by_context"]) == 2
    assert row["by_position"] == pytest.approx(wanted.mean(axis=0)) and len(row["by_position"]) == 3
    assert row["test_excess"] == pytest.approx(wanted.mean()) and row["entropy"] == pytest.approx(0.75)
    assert row["curve"].tolist() == [[10.0, 0.7]] and row["weights"] == 5


def test_rates_fall_with_a_power_of_the_width():
    settings = {"config": {}, "rates": {"transformer": (0.004, 1.0), "gru": (0.01, 0.5)}}
    changes = {(arm, width): HERE.overrides({"arm": arm, "width": width, "seed": 3}, settings, None)
               for arm in HERE.ARMS for width in (16, 64, 256)}
    rates = {key: change["optimizer.learning_rate"] for key, change in changes.items()}
    assert [rates["transformer", width] for width in (16, 64, 256)] == [0.016, 0.004, 0.001]
    assert [rates["gru", width] for width in (16, 64, 256)] == [0.02, 0.01, 0.005]
    assert changes["transformer", 64]["model.hidden"] == 256 and changes["gru", 64]["model.hidden"] == 91


def test_the_figure_has_every_arm():
    figure = STUDY.draw(rows(seeds=2), STUDY.settings("cpu"))
    assert [len(ax.get_legend().get_texts()) for ax in figure.axes] == [2] * 4


def test_equal_sizes_are_solved_for():
    assert [HERE.gru_size(width) for width in (16, 64)] == [23, 91]
    h, d = HERE.gru_size(640), 640
    assert 3 * (d + h) * h + 6 * h ** 2 + h * d == pytest.approx(24 * d ** 2, rel=0.002)
