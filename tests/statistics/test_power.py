"""Numbers of seeds against simulated experiments."""

import numpy as np
import pytest
from scipy import stats

from attention_lab import statistics
from attention_lab.statistics.power import detectable, power, seeds_needed


def test_the_power_is_the_share_of_simulated_tests_that_reject():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.7, 1.3, size=(4000, 11))
    rejected = np.mean(stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05)
    assert power(0.7, 1.3, 11) == pytest.approx(rejected, abs=0.02)
    assert power(-0.7, 1.3, 11) == pytest.approx(power(0.7, 1.3, 11))


@pytest.mark.parametrize("effect, deviation", [(0.5, 1.0), (-2.0, 1.0), (1.0, 3.0)])
def test_one_seed_fewer_would_not_do(effect, deviation):
    number = seeds_needed(effect, deviation, least=2)
    assert power(effect, deviation, number) >= 0.8 > power(effect, deviation, number - 1)
    assert detectable(deviation, number) <= abs(effect) * 1.0001


def test_bounds():
    assert seeds_needed(100.0, 1.0, least=6) == 6 and seeds_needed(1e-6, 1.0, least=6) is None
    assert seeds_needed(1.0, 0.0, least=6) == 6 and seeds_needed(0.0, 0.0, least=6) is None
    with pytest.raises(ValueError, match="allowed are a deviation above 0"):
        power(1.0, 0.0, 5)


def test_more_than_sixteen_seeds_are_tested_by_flips_drawn_at_random():
    rng = np.random.default_rng(1)
    assert statistics.sign_flip([1.0] * 20) == pytest.approx(2 ** -16, abs=2 ** -15)
    rejected = [statistics.sign_flip(rng.normal(size=17)) < 0.05 for _ in range(100)]
    assert np.mean(rejected) < 0.14  # of 100 tests at 5 %, more than 14 reject with a chance of 1 in 10,000
    x = rng.normal(0.4, 1.0, size=24)
    exact, drawn = stats.t.interval(0.95, 23, x.mean(), stats.sem(x)), statistics.sign_flip_interval(x)
    assert drawn.low == pytest.approx(exact[0], abs=0.05) and drawn.high == pytest.approx(exact[1], abs=0.05)
