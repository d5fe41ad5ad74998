"""Tests and intervals by hand, against scipy, and on planted truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from attention_lab import statistics
from attention_lab.statistics import Claim, judge

SEEDS = 8


def claim(direction="greater", name="c", **more):
    return Claim(name, "a is better than b", "dev_bleu of a less that of b", direction, **more)


def draws(mean, count, seed=0):
    return np.random.default_rng(seed).normal(mean, 1.0, size=(count, SEEDS))


def test_sign_flip_by_hand():
    # |sum| is 6, 4, 2, 0 for the four ways up to a common sign: 4 and 6 reach 4.
    assert statistics.sign_flip([1.0, 2.0, -3.0]) == 1.0
    assert statistics.sign_flip([-1.0, 2.0, 3.0]) == 0.5
    assert statistics.sign_flip([1.0] * 8) == 2 / 256
    assert statistics.sign_flip([3.0, 4.0, 5.0], shift=4.0) == 1.0


def test_sign_flip_equals_scipy():
    for row in draws(0.5, 5):
        ours = statistics.sign_flip(row)
        theirs = stats.permutation_test((row,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert ours == pytest.approx(theirs.pvalue, abs=1e-12)


def test_the_interval_is_the_test_turned_around():
    for row in draws(0.3, 5):
        interval = statistics.sign_flip_interval(row)
        assert interval.level >= 0.95
        inside = 1e-9 * np.array([1, -1])
        for end, step in zip((interval.low, interval.high), inside):
            assert statistics.sign_flip(row, end + step) > 0.046
            assert statistics.sign_flip(row, end - step) <= 0.05


def test_the_interval_covers():
    covered = [interval.low <= 0.7 <= interval.high
               for interval in map(statistics.sign_flip_interval, draws(0.7, 1000, seed=1))]
    assert 0.935 <= np.mean(covered) <= 0.975


def test_too_few_seeds_have_an_endless_interval():
    assert statistics.sign_flip_interval([1.0, 2.0, 3.0]).high == np.inf


def test_two_levels_are_wider_than_either():
    rng = np.random.default_rng(0)
    seeds, sentences = rng.normal(0, 1, (8, 1)), rng.normal(0, 3, (1, 50))
    noise = rng.normal(0, 0.1, (8, 50))

    def mean_and_double(sums):
        return np.stack([sums, 2.0 * sums], axis=1) / 50

    both, one, other = (statistics.two_level(x, mean_and_double) for x in (
        seeds + sentences + noise, seeds + noise, sentences + noise))
    assert both[0].high - both[0].low > max(one[0].high - one[0].low, other[0].high - other[0].low)
    assert (both[1].low, both[1].high) == pytest.approx((2 * both[0].low, 2 * both[0].high))
    ratio, = statistics.two_level(np.stack([np.full((8, 50), 3.0), np.full((8, 50), 4.0)], -1),
                                  lambda sums: sums[:, :1] / sums[:, 1:])
    assert (ratio.low, ratio.high) == pytest.approx((0.75, 0.75))


def test_one_level_by_hand():
    """Of 0 and 1 the mean of two draws is 0, 0.5 or 1; a quarter of all is below, a quarter above."""
    assert statistics.one_level([0.0, 1.0]) == (0.0, 1.0, 0.95)
    # Of 0 to 9 the binomial median: draws with 6 or more below 2 have a chance of 0.006, below 3 of 0.047.
    low, high, _ = statistics.one_level(np.arange(10.0), np.median)
    assert 1.5 <= low <= 3 and 6 <= high <= 7.5
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    found = statistics.one_level(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert (found.low + found.high) / 2 == pytest.approx(values.mean(), abs=0.02)


def test_tost():
    tight = [0.1, -0.1, 0.05, 0.0, -0.05, 0.02]
    assert statistics.tost(tight, 1.0) < 0.001 < 0.3 < statistics.tost(tight, 0.01)
    assert statistics.tost([3.0, 3.1, 2.9], 1.0) > 0.99


@pytest.mark.parametrize("call, words", [
    (lambda: statistics.sign_flip([1.0]), "at least 2 finite numbers"),
    (lambda: statistics.sign_flip([1.0, np.nan]), "finite"),
    (lambda: statistics.tost([1.0, 2.0], 0.0), "margin=0.0"),
    (lambda: statistics.holm([1.5]), "leave 0 to 1"),
    (lambda: claim("up"), "direction='up'; allowed are greater, less, equal"),
    (lambda: claim("equal"), "needs a margin"),
    (lambda: claim(margin=-1.0), "margin=-1.0; a number above 0"),
    (lambda: claim(threshold=np.nan), "threshold=nan; a finite number"),
    (lambda: judge([claim()], {}), "no values for the claims c"),
    (lambda: statistics.two_level(np.ones((1, 5)), np.array), "two seeds"),
    (lambda: statistics.one_level([1.0]), "at least two finite numbers"),
    (lambda: statistics.one_level([1.0, np.inf]), "at least two finite numbers"),
])
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("direction, mean, margin, verdict", [
    ("greater", 3.0, None, "supported"), ("greater", -3.0, None, "refuted"),
    ("less", -3.0, None, "supported"), ("less", 3.0, None, "refuted"),
    ("greater", 0.0, None, "inconclusive"), ("greater", 0.0, 5.0, "refuted"),
    ("equal", 0.0, 5.0, "supported"), ("equal", 9.0, 1.0, "refuted"), ("equal", 0.0, 0.01, "inconclusive"),
])
def test_three_verdicts(direction, mean, margin, verdict):
    row = draws(mean, 1, seed=3)[0]
    row += mean - row.mean()
    found, = judge([claim(direction, margin=margin)], {"c": row})
    assert found.verdict == verdict, found
    assert found.value == pytest.approx(mean, abs=1e-9) and found.seeds == SEEDS and found.reason


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=9), st.sampled_from(["greater", "less", "equal"]),
       st.floats(-20, 20), st.sampled_from([0.1, 1.0, 8.0]))
def test_value_and_threshold_move_together(values, direction, threshold, margin):
    """What is judged is the value less the threshold; value and interval stay in their own unit."""
    values = np.round(values, 3)
    before, = judge([claim(direction, margin=margin)], {"c": values})
    moved, = judge([claim(direction, margin=margin, threshold=threshold)], {"c": values + threshold})
    assert moved.value == pytest.approx(before.value + threshold, abs=1e-9)
    assert moved.interval[:2] == pytest.approx([end + threshold for end in before.interval[:2]], abs=1e-9)
    if not np.isclose([abs(before.interval.low), abs(before.interval.high)], margin).any():
        assert moved.p == pytest.approx(before.p, abs=1e-6) and moved.verdict == before.verdict


def test_a_threshold_by_hand():
    row = [0.96, 0.97, 0.955, 0.975, 0.965, 0.98, 0.97, 0.96]
    assert judge([claim(threshold=0.9)], {"c": row})[0].verdict == "supported"
    found, = judge([claim(threshold=0.99)], {"c": row})
    assert found.verdict == "refuted" and found.value == pytest.approx(0.966875)
    found, = judge([claim("equal", threshold=0.97, margin=0.02)], {"c": row})
    assert found.verdict == "supported" and "within 0.02 of 0.97" in found.reason
    assert judge([claim("equal", threshold=0.5, margin=0.02)], {"c": row})[0].verdict == "refuted"


def test_few_seeds_decide_nothing():
    found, = judge([claim()], {"c": [5.0, 5.0, 5.0, 5.0, 5.0]})
    assert found.verdict == "inconclusive" and "at least 6" in found.reason
    found, = judge([claim("equal", margin=1.0)], {"c": [0.0, 0.0]})  # TOST has p = 0
    assert found.verdict == "inconclusive" and "at least 6" in found.reason


def test_holm_makes_a_family_stricter():
    row = list(draws(0.9, 1, seed=5)[0])
    alone = judge([claim()], {"c": row})[0]
    names = [f"c{i}" for i in range(6)]
    together = judge([claim(name=name) for name in names], {name: row for name in names})
    assert together[0].p == pytest.approx(min(1.0, 6 * alone.p))
    apart = judge([claim(), claim(name="x", primary=False)], {"c": row, "x": row})
    assert apart[0].p == apart[1].p == alone.p


def test_planted_nulls_are_rejected_at_the_level():
    """400 null comparisons: at most 29 rejected, the 97.5 % point and a bit of Binomial(400, 0.05)."""
    verdicts = [judge([claim()], {"c": row})[0].verdict for row in draws(0.0, 400, seed=11)]
    assert verdicts.count("inconclusive") >= 400 - 29
    assert verdicts.count("inconclusive") < 400


@pytest.mark.parametrize("effect", [0.8, 1.2, 1.8])
def test_planted_effects_are_found_at_the_power_of_theory(effect):
    """Power of the t test, noncentral t; the exact test of eight pairs gives up a little of it."""
    found = np.mean([judge([claim()], {"c": row})[0].verdict == "supported"
                     for row in draws(effect, 400, seed=13)])
    degrees, shift = SEEDS - 1, effect * SEEDS ** 0.5
    power = stats.nct.sf(stats.t.ppf(0.975, degrees), degrees, shift)
    assert power - 0.10 <= found <= power + 0.05


ABOVE = np.array([3.0, 3.2, 2.9, 3.1, 3.3, 2.8, 3.05, 2.95])  # all eight beyond a margin of 1: p = 2 / 256


def judged(count, values=ABOVE, **more):
    """A primary claim `count` times, on the same values."""
    names = [f"c{i}" for i in range(count)]
    return judge([claim(name=name, **more) for name in names], dict.fromkeys(names, values))


def test_refuted_equality_is_corrected():
    """Six claims of 2 / 256 are 0.047; seven 0.055. The uncorrected interval lies outside the margin."""
    for count, verdict in ((1, "refuted"), (6, "refuted"), (7, "inconclusive")):
        found = judged(count, direction="equal", margin=1.0)[0]
        assert found.interval.low > 1.0
        assert (found.verdict, found.p) == (verdict, pytest.approx(count * 2 / 256))
    # Below the margin the nearer end is -1; inside it, equality is not refuted.
    assert judged(1, -ABOVE, direction="equal", margin=1.0)[0].verdict == "refuted"
    assert judged(1, direction="equal", margin=3.5)[0].verdict == "supported"
    for sign in (-1.0, 1.0):  # beyond the margin, but its nearer end is among the seeds
        assert judged(1, sign * (ABOVE - 1.9), direction="equal", margin=1.0)[0].verdict == "inconclusive"


def test_refutation_by_equivalence_is_corrected_and_needs_seeds():
    """Two one-sided t tests of a mean near 0 within 1: alone below 0.05, times its family above it."""
    near = np.array([1.1, -1.1, 1.5, -1.4, 1.2, -1.4, 1.0, -0.8])
    p = statistics.tost(near, 1.0)
    assert 0.025 < p < 0.05
    for count, verdict in ((1, "refuted"), (2, "inconclusive")):
        found = judged(count, near, margin=1.0)[0]
        assert (found.verdict, found.p) == (verdict, pytest.approx(count * p))
    few = judged(1, [0.01, -0.01, 0.02, -0.02, 0.0], margin=1.0)[0]
    assert few.verdict == "inconclusive" and "at least 6" in few.reason and few.p < 0.001


def test_the_second_test_is_asked_where_the_first_leaves_a_claim_open():
    """Above 0 and within 5 of it: supported, as the first test says; below 0, refuted by either."""
    assert judged(1, margin=5.0)[0].verdict == "supported"
    assert judged(1, margin=5.0)[0].p == 2 / 256
    assert judged(1, -ABOVE, margin=5.0)[0].p == 2 / 256


def test_first_and_second_tests_are_two_families():
    """First 1, 1 / 128 and 1 / 64, times 1, 3 and 2; second 1 / 128, 1 and 1, times 3."""
    row = [1.0, 1.2, 0.9, 1.1, 1.3, 0.8, 1.05, -0.1]  # only flipping the last sign helps the sum: 4 / 256
    claims = [claim("equal", "equal", margin=1.0), claim(name="up"), claim(name="most")]
    found = judge(claims, {"equal": ABOVE, "up": ABOVE, "most": row})
    assert [one.verdict for one in found] == ["refuted", "supported", "supported"]
    assert [one.p for one in found] == pytest.approx([3 / 128, 3 / 128, 2 / 64])


@pytest.mark.parametrize("direction, truth, count", [
    ("equal", 1.0, 6), ("greater", 1.0, 7), ("less", -1.0, 7)])
def test_a_family_of_true_claims_is_rarely_refuted(direction, truth, count):
    """The worst case, a margin away: of 200 families of true claims at most 17 lose one or more.

    17 is the 97.5 % point and a bit of Binomial(200, 0.05). Of seven claims the sign-flip test decides none.
    """
    generator = np.random.default_rng(17)
    names = [f"c{i}" for i in range(count)]
    wrong = 0
    for _ in range(200):
        # Spread so small that two one-sided tests have power.
        values = dict(zip(names, truth + 0.3 * generator.normal(size=(count, SEEDS))))
        found = judge([claim(direction, name, margin=1.0) for name in names], values)
        wrong += any(one.verdict == "refuted" for one in found)
    assert wrong <= 17
