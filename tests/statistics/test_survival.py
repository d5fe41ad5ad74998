"""Kaplan-Meier and log-rank: by hand, with censored runs, and on groups that do not differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.statistics.survival import log_rank, share_reached


def test_shares_by_hand():
    """Of five, one ends at 2 without: 4/5 are left after 1, then 4/5 x 2/3 after 3, then nothing after 4."""
    steps, share = share_reached([1, 2, 3, 4, 4], [True, False, True, True, True])
    assert steps.tolist() == [1, 3, 4]
    np.testing.assert_allclose(share, [1 / 5, 1 - 4 / 5 * 2 / 3, 1.0])


def test_no_run_reaches_it():
    steps, share = share_reached([7, 7, 7], [False] * 3)
    assert len(steps) == len(share) == 0
    assert log_rank([7, 7], [False] * 2, [7, 7, 7], [False] * 3) == 1.0


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_without_censoring_it_is_the_share_of_the_runs(values):
    steps, share = share_reached(values, [True] * len(values))
    assert steps.tolist() == sorted(set(values))
    np.testing.assert_allclose(share, [np.mean(np.array(values) <= step) for step in steps])


def test_log_rank_by_hand():
    """One against one: at step 1 one of two, of whom one in each group; at step 2 the other alone.

    Observed less expected in the first group is 1 - 1/2, of variance 1/2 x 1/2: chi-square is 1.
    """
    assert log_rank([1], [True], [2], [True]) == pytest.approx(0.31731, abs=1e-5)


def test_log_rank_sees_censored_runs_and_no_difference():
    early, late = [100, 125, 150, 150, 175, 200], [2000] * 6
    assert log_rank(early, [True] * 6, late, [False] * 6) < 0.001
    assert log_rank(early, [True] * 6, early[::-1], [True] * 6) == pytest.approx(1.0)


@pytest.mark.parametrize("steps, reached", [([], []), ([1, 2], [True])])
def test_uneven_groups_are_refused(steps, reached):
    with pytest.raises(ValueError, match="as many of both, one or more, are needed"):
        share_reached(steps, reached)
