"""Scores of classes by hand, and always saying the most frequent one."""

from types import SimpleNamespace

import pytest

from attention_lab.evaluation.classes import by_distance, class_scores, most_frequent


def test_accuracy_and_macro_f1_by_hand():
    words = ["bank"] * 5 + ["club"] * 2
    gold = ["a", "a", "a", "b", "b", "x", "x"]
    found = ["a", "a", "b", "b", "a", "x", "y"]
    scores = class_scores(words, gold, found)
    # bank: F1 of a is 2*2/(3+3), of b 2*1/(2+2); club: of x 2*1/(2+1), of y, which is found wrongly, 0.
    assert scores.by_word["bank"] == (pytest.approx(3 / 5), pytest.approx((2 / 3 + 1 / 2) / 2))
    assert scores.by_word["club"] == (pytest.approx(1 / 2), pytest.approx((2 / 3 + 0) / 2))
    assert scores.accuracy == pytest.approx(4 / 7)  # over examples
    assert scores.macro_f1 == pytest.approx((7 / 12 + 1 / 3) / 2)  # over words


def test_a_class_that_is_nowhere_does_not_count():
    assert class_scores(["bank"] * 2, ["a", "a"], ["a", "a"]).macro_f1 == 1.0


def test_words_are_told_apart_by_name_and_keep_to_themselves():
    scores = class_scores(["b", "a", "b"], ["x", "x", "y"], ["x", "y", "y"])
    assert list(scores.by_word) == ["a", "b"] and scores.by_word["b"] == (1.0, 1.0)
    assert scores.by_word["a"] == (0.0, 0.0)


@pytest.mark.parametrize("sides", [([], [], []), (["w"], ["a", "b"], ["a", "b"]), (["w"], ["a"], [])])
def test_unequal_counts_are_refused(sides):
    with pytest.raises(ValueError, match="as many of each, and at least one"):
        class_scores(*sides)


def test_the_most_frequent_class_and_of_equals_the_first():
    words = ["bank"] * 3 + ["club"] * 4
    assert most_frequent(words, ["b", "a", "b", "z", "y", "y", "z"]) == {"bank": "b", "club": "y"}
    assert most_frequent(["w", "w"], ["b", "a"]) == most_frequent(["w", "w"], ["a", "b"]) == {"w": "a"}


def test_accuracy_by_distance():
    sentences = [SimpleNamespace(senses=[SimpleNamespace(distance=d)]) for d in (1, 4, 5, 9, 7, 40)]
    found = by_distance(sentences, list("aaabba"), list("aababb"), ((1, 4), (5, 9), (10, 39), (40, 40)))
    assert found == {(1, 4): (1.0, 2), (5, 9): (pytest.approx(1 / 3), 3), (40, 40): (0.0, 1)}
