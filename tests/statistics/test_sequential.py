"""Looks at growing numbers of seeds: shares by hand, and the error rate on planted nulls."""

import numpy as np
import pytest

from attention_lab.statistics import sequential, sign_flip, sign_flip_interval
from attention_lab.statistics.verdicts import ALPHA

LOOKS = sequential.looks(8, 16)
SPENT = sequential.shares(LOOKS)


def stops_at(differences, spent=SPENT):
    """The look that rejects no difference; None if none does."""
    p = []
    for look in LOOKS:
        p.append(sign_flip(differences[:look]))
        if sequential.over_looks(p, spent) < ALPHA:
            return look
    return None


def test_looks_and_shares_by_hand():
    assert LOOKS == (8, 12, 16) and SPENT == (0.5, 0.25, 0.25)
    assert sequential.looks(8, 9) == (8, 9) and sequential.looks(7, 16) == (7, 12, 16)
    assert sum(sequential.shares([7, 12, 20])) == pytest.approx(1.0)
    assert sequential.over_looks([], SPENT) == 1.0
    assert sequential.over_looks([0.02, 0.5], SPENT) == 0.04
    assert sequential.over_looks([0.9, 0.01], SPENT) == 0.04
    assert sequential.over_looks([0.9, 0.9], SPENT) == 1.0
    assert sequential.least_p(8) == sign_flip([1.0] * 8) == 2 / 256


def test_of_400_null_comparisons_at_most_29_are_rejected():
    """5 % of 400 are 20; 29 are two standard deviations above. Looks that spend nothing reject too many."""
    rng = np.random.default_rng(0)
    nulls = [rng.normal(size=16) for _ in range(400)]
    assert sum(stops_at(each) is not None for each in nulls) <= 29
    assert sum(stops_at(each, (1.0, 1.0, 1.0)) is not None for each in nulls) > 29


def test_a_planted_effect_stops_at_the_first_look():
    rng = np.random.default_rng(1)
    found = [stops_at(rng.normal(2.0, 1.0, size=16)) for _ in range(50)]
    assert found.count(8) >= 48 and None not in found


def test_the_interval_holds_what_no_look_rejects():
    rng = np.random.default_rng(2)
    for _ in range(20):
        values = rng.normal(0.6, 1.0, size=12)
        at_looks = [values[:8], values]
        low, high, level = sequential.interval_over_looks(at_looks, SPENT)
        for centre in (low - 0.01, low + 0.01, high - 0.01, high + 0.01):
            p = sequential.over_looks([sign_flip(each, centre) for each in at_looks], SPENT)
            assert (p > 0.05) == (low < centre < high)
        assert level == 0.95


def test_the_interval_of_one_look_is_the_exact_one():
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert sequential.interval_over_looks([values], [1.0]) == sign_flip_interval(values)
    assert sequential.interval_over_looks([], [0.5, 0.5]) == (-np.inf, np.inf, 1.0)
    assert sequential.interval_over_looks([values[:1]], [0.5, 0.5]).level == 1.0
