"""Bucket lengths: the best ones against brute force, checks, assignment and fill."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.data import buckets


def area(lengths, edges):
    return sum(min(edge for edge in edges if edge >= length) for length in lengths)


@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(1, 14), min_size=1, max_size=30), count=st.integers(1, 4))
def test_best_buckets_are_best_of_all_choices(lengths, count):
    edges = buckets.best_buckets(lengths, count, 13)
    kept = [length for length in lengths if length <= 13]
    allowed = sorted({*range(2, 13, 2), 13})
    buckets.check(edges, 13)
    assert len(edges) <= count
    if kept:
        assert set(edges) <= set(allowed)
        choices = (choice for n in range(1, count + 1)
                   for choice in itertools.combinations(allowed, n) if choice[-1] >= max(kept))
        assert area(kept, edges) == min(area(kept, choice) for choice in choices)


def test_best_buckets_by_hand():
    # Edges 4 and 10 pad to 4 * 4 + 2 * 10 = 36 tokens; 10 alone pads to 60; 60 is out of bounds.
    assert buckets.best_buckets([3, 4, 4, 4, 9, 10, 60], 2, 48) == (4, 10)


@pytest.mark.parametrize("edges", [(), (4, 4), (8, 4), (0, 4), (4, 49), (-2, 3)])
def test_bad_buckets_are_refused(edges):
    with pytest.raises(ValueError, match=r"data.buckets: \(.*data.max_length=48"):
        buckets.check(edges, 48)


def test_settle_checks_what_is_given_and_finds_what_is_not():
    assert buckets.resolve_buckets([4, 8], [1], [1], 48) == (4, 8)
    assert buckets.resolve_buckets((), [3, 4, 9], [1, 6, 2], 48) == (4, 6, 10)
    assert buckets.resolve_buckets((), [49], [1], 48) == (48,)  # no pair fits
    with pytest.raises(ValueError, match="data.buckets"):
        buckets.resolve_buckets((4, 49), [1], [1], 48)


def test_assign_takes_the_longer_side():
    found = buckets.assign([1, 4, 5, 8, 2, 9], [1, 1, 1, 5, 7, 2], (4, 8))
    assert found.tolist() == [0, 0, 1, 1, 1, -1]


def test_fill_counts_target_tokens_of_the_pairs_that_fit():
    # Buckets 4, 8 and none: (3 + 5) tokens of (4 + 8) positions.
    assert buckets.fill([2, 8, 9], [3, 5, 9], (4, 8)) == pytest.approx(8 / 12)
    assert buckets.fill([9], [9], (4, 8)) == 0.0
    assert np.isfinite(buckets.fill([], [], (4,)))
