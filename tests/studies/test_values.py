"""What claims are about: columns, slopes, sums and functions of a table, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.studies.values import by_seed, difference, function, mean, nearest, plain, slope

ROWS = [{"arm": arm, "size": size, "seed": seed, "score": base * size + seed, "spread": size ** power}
        for arm, base, power in (("a", 3.0, 2.0), ("b", 2.0, -0.5)) for size in (2, 5, 11) for seed in (0, 7)]


def value(one, rows=ROWS, **functions):
    return by_seed(one, rows, functions)


def test_by_hand():
    assert value(mean("score", arm="a", size=5)) == [15.0, 22.0]
    assert value(difference("score", "a", "b", size=11)) == [11.0, 11.0]
    assert value(0.5 * mean("score", arm="a", size=2) - mean("score", arm="b", size=2)) == [-1.0, -4.5]
    assert value(slope("spread", over="size", arm="a")) == pytest.approx([2.0, 2.0])
    grown = slope("spread", over="size", arm="a") - slope("spread", over="size", arm="b")
    assert value(grown) == pytest.approx([2.5, 2.5])
    assert value(function("twice", of=4) - mean("score", arm="b", size=2),
                 twice=lambda rows, of: {0: 2 * of, 7: 3 * of}) == [4.0, 1.0]


def test_a_difference_of_differences_is_a_sum_of_four():
    inner = difference("score", "a", "b", size=11) - difference("score", "a", "b", size=2)
    assert [factor for factor, _ in inner.terms] == [1.0, -1.0, -1.0, 1.0]
    assert value(inner) == [9.0, 9.0]


def test_a_preset_without_the_size_takes_the_nearest_that_its_rows_have():
    assert value(mean("score", arm="a", size=nearest(1024))) == value(mean("score", arm="a", size=11))
    assert value(mean("score", arm="a", size=nearest(3))) == value(mean("score", arm="a", size=2))
    more = [*ROWS, *({"arm": "c", "size": 900, "seed": seed, "score": 0.0, "spread": 1.0} for seed in (0, 7))]
    assert value(difference("score", "a", "c", size=nearest(1024)), more) == [33.0, 40.0]


def test_one_seed_that_is_named_stands_for_all():
    assert value(mean("score", arm="a", size=2) - mean("score", arm="b", size=2, seed=7)) == [-5.0, 2.0]


def test_empty_cells_count_as_is_said():
    rows = [{**row, "score": None if (row["arm"], row["seed"]) == ("b", 7) else row["score"]} for row in ROWS]
    assert value(difference("score", "a", "b", missing=0.0, size=2), rows) == [2.0, 13.0]
    assert value(difference("score", "a", "b", missing="skip", size=2), rows) == [2.0]
    with pytest.raises(ValueError, match="seed 7 has no score where arm=b, size=2"):
        value(difference("score", "a", "b", size=2), rows)


@pytest.mark.parametrize("one, words", [
    (mean("score", arm="a"), "3 rows of seed 0 have arm=a: one is needed"),
    (mean("score", arm="c"), "no row has arm=c"),
    (function("f"), "function 'f' is none of the study's: g"),
    (function("g") - mean("score", arm="a", size=2), "its parts have the seeds"),
    (mean("score", arm="a", size=2, seed=0), "its parts have the seeds"),
    (function("nan") - mean("score", arm="a", size=2), "is not a number for every seed"),
])
def test_what_is_refused(one, words):
    functions = {"g": lambda rows: {1: 0.0}}
    if "not a number" in words:
        functions["nan"] = lambda rows: {0: np.nan, 7: 0.0}
    with pytest.raises(ValueError, match=words):
        value(one, **functions)


@given(st.permutations(ROWS), st.floats(-3, 3))
def test_the_order_of_rows_does_not_matter(rows, factor):
    one = factor * difference("score", "a", "b", size=5) - slope("spread", over="size", arm="b")
    assert value(one, rows) == value(one)


def test_values_are_data():
    one = difference("score", "a", "b", size=nearest(3))
    assert one == difference("score", "a", "b", size=nearest(3)) and hash(one)
    assert plain(one) == {"kind": "sum", "terms": [
        [factor, {"kind": "column", "column": "score", "missing": None,
                  "where": [["arm", arm], ["size", {"kind": "nearest", "wanted": 3}]]}]
        for factor, arm in ((1.0, "a"), (-1.0, "b"))]}
