"""Alignment error rate, hard links and merged subwords, by hand."""

import numpy as np
import pytest

from attention_lab.evaluation.alignment import alignment_error_rate, hard_links, merge_subwords


def test_error_rate_by_hand_with_sure_and_possible_links():
    predicted = [{(0, 0), (1, 2), (2, 1), (3, 3)}, [(0, 0), (1, 1), (4, 1)]]
    sure = [{(0, 0), (1, 2), (4, 4)}, [(0, 0), (0, 1)]]
    possible = [{(0, 0), (2, 1), (2, 2)}, [(1, 1)]]
    # A and S: 2 + 1; A and P (sure ones are possible): 3 + 2; A: 4 + 3; S: 3 + 2.
    assert alignment_error_rate(predicted, sure, possible) == pytest.approx(1 - (3 + 5) / (7 + 5))


def test_the_right_links_have_no_error_and_wrong_ones_nothing_else():
    links = [{(i, i) for i in range(7)}]
    assert alignment_error_rate(links, links) == 0.0
    assert alignment_error_rate([{(i, i + 1) for i in range(7)}], links) == 1.0
    assert alignment_error_rate([set()], links) == 1.0


def test_reading_one_row_too_early_shows():
    # Gold: a diagonal with every third word swapped with the next.
    order = [0, 1, 3, 2, 4, 6, 5, 7, 9, 8, 10]
    gold = [{(source, target) for target, source in enumerate(order)}]
    weights = np.full((12, 11), 0.02)
    weights[np.arange(11) + 1, order] = 0.8  # found while the word is the input
    right = alignment_error_rate([hard_links(weights[1:])], gold)
    shifted = alignment_error_rate([hard_links(weights[:-1])], gold)
    assert right == 0.0
    assert shifted > 0.9


def test_an_off_by_one_doubles_the_error_of_a_half_right_alignment():
    gold = [{(i, i) for i in range(8)}]
    half = [{(i, i if i % 2 else i + 1) for i in range(8)}]
    assert alignment_error_rate(half, gold) == 0.5
    assert alignment_error_rate([{(s, t + 1) for s, t in half[0]}], gold) == 1.0


def test_links_are_source_first():
    weights = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    assert hard_links(weights) == {(2, 0), (0, 1)}


def test_a_tie_goes_to_the_first_source_and_an_empty_row_gives_no_link():
    assert hard_links(np.array([[0.4, 0.4, 0.2], [0.0, 0.0, 0.0]])) == {(0, 0)}


def test_merging_sums_over_the_source_and_averages_over_the_target():
    weights = np.array([[0.1, 0.2, 0.3, 0.4],
                        [0.5, 0.1, 0.2, 0.2],
                        [0.0, 0.6, 0.3, 0.1]])
    merged = merge_subwords(weights, source_words=[0, 1, 1, -1], target_words=[0, 0, 1])
    np.testing.assert_allclose(merged, [[0.3, 0.4], [0.0, 0.9]])
    # The word that no single subword wins.
    assert hard_links(np.array([[0.4, 0.3, 0.3]])) == {(0, 0)}
    assert hard_links(merge_subwords([[0.4, 0.3, 0.3]], [0, 1, 1], [0])) == {(1, 0)}
    np.testing.assert_allclose(merge_subwords(weights, range(4), range(3)), weights)
    heads = np.stack([weights, weights[::-1]])
    np.testing.assert_allclose(merge_subwords(heads, [0, 1, 1, -1], [0, 0, 1]),
                               [merged, [[0.25, 0.6], [0.1, 0.5]]])


@pytest.mark.parametrize("call, message", [
    (lambda: alignment_error_rate([], []), "no sure link in 0 sentences"),
    (lambda: alignment_error_rate([{(0, 0)}], [set()]), "no sure link in 1 sentences"),
    (lambda: alignment_error_rate([{(0, 0)}], []), "1 predicted, 0 sure"),
    (lambda: alignment_error_rate([()], [()], []), "0 possible"),
    (lambda: hard_links(np.zeros(3)), "shape"),
    (lambda: hard_links(np.zeros((3, 0))), "shape"),
    (lambda: hard_links(np.zeros((2, 3, 4))), "shape"),
    (lambda: merge_subwords(np.zeros(3), [0], [0]), "shape"),
    (lambda: hard_links(np.full((2, 2), np.nan)), "not finite"),
    (lambda: merge_subwords(np.ones((2, 3)), [0, 2, 2], [0, 1]), "source_words"),
    (lambda: merge_subwords(np.ones((2, 3)), [0, 1, 2], [0, -2]), "target_words"),
    (lambda: merge_subwords(np.ones((2, 3)), [0, 1], [0, 1]), "do not fit"),
])
def test_what_cannot_be_scored_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
