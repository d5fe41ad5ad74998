"""Exponents of power laws: those of planted ones, over weights, tokens, and the frontier of compute."""

import numpy as np
import pytest

from attention_lab.studies.recipes import power_laws

SIZES = {16: 1000, 24: 3000, 40: 7000, 64: 20000}
STEPS = np.arange(100, 1100, 100)


def planted(alpha_weights, alpha_steps=0.5, seeds=(0, 1)):
    """Rows whose excess is a (1 + seed) weights^-alpha steps^-beta, in no order."""
    rows = []
    for width, weights in reversed(SIZES.items()):
        for seed in seeds:
            excess = 9.0 * (1 + seed) * weights ** -alpha_weights * STEPS ** -alpha_steps
            rows.append({"arm": "a", "seed": seed, "width": width, "weights": weights,
                         "test_excess": excess[-1], "curve": np.stack([STEPS, excess], axis=1)})
    return rows


def test_planted_exponents_are_what_is_fitted():
    rows = planted(0.3)
    for first in (0, 1, -2):
        assert power_laws.of_weights(rows, "a", first) == pytest.approx({0: 0.3, 1: 0.3})
    assert power_laws.of_data(rows, "a", 0.25) == pytest.approx({0: 0.5, 1: 0.5})
    assert power_laws.of_compute(planted(0.5), "a") == pytest.approx({0: 0.5, 1: 0.5}, rel=1e-6)


def test_the_largest_and_the_late_are_what_they_say():
    rows = planted(0.3)
    for row in rows:
        row["test_excess"] *= 5.0 if row["width"] == 16 else 1.0
        row["curve"][:2, 1] *= 3.0 if row["width"] == 64 else 1.0
    assert power_laws.of_weights(rows, "a", first=1) == pytest.approx({0: 0.3, 1: 0.3})
    assert power_laws.of_weights(rows, "a")[0] > 0.5
    assert power_laws.of_data(rows, "a", 0.25) == pytest.approx({0: 0.5, 1: 0.5})
    assert power_laws.of_data(rows, "a", 0.0)[0] > 0.6


def test_the_frontier_is_the_best_model_at_each_compute():
    """By hand: two models; the small one stops at 1,000 x 10 and keeps its loss, the large one passes it."""
    group = [{"weights": 1000, "curve": np.array([[1.0, 4.0], [10.0, 2.0]])},
             {"weights": 10000, "curve": np.array([[1.0, 8.0], [10.0, 1.0]])}]
    compute, excess = power_laws.frontier(group, 3)
    assert compute == pytest.approx([10000, 10000 * 10 ** 0.5, 100000])
    assert excess == pytest.approx([2.0, 2.0, 1.0])
    assert power_laws.frontier(group, 2)[1] == pytest.approx([2.0, 1.0])


def test_a_model_says_nothing_of_less_compute_than_that_of_its_first_evaluation():
    """The large one begins at 50,000, where it is better than the small one was at 10,000."""
    group = [{"weights": 1000, "curve": np.array([[1.0, 4.0], [10.0, 2.0]])},
             {"weights": 10000, "curve": np.array([[5.0, 1.5], [10.0, 1.0]])}]
    assert power_laws.frontier(group, 2)[1] == pytest.approx([2.0, 1.0])
