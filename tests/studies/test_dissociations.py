"""Double dissociations of heads, picked on even sentences and scored on odd ones, by hand."""

import numpy as np
import pytest

from attention_lab.analysis.head_roles import EVEN, ODD
from attention_lab.studies.recipes import dissociations


def test_heads_are_picked_on_even_sentences_and_scored_on_odd_ones():
    lost = np.zeros((2, 2, 24))
    lost[0, EVEN, 3], lost[1, EVEN, 8] = 5.0, 6.0
    lost[0, ODD, 4], lost[1, ODD, 8] = 50.0, 7.0
    found = dissociations.of_row({"odds": lost}, "odds")
    assert (found.first, found.second, found.in_first, found.in_second) == (3, 8, 0.0, 7.0)
    first, second, beyond = dissociations.parts([{"seed": 5, "odds": lost}], "odds")[5]
    assert (first, second) == (0.0, 7.0)
    # The lead of the first kind is 50 at head 4, -7 at head 8, 0 at 22 others: 552 ordered pairs.
    assert beyond == pytest.approx(7.0 - np.quantile(
        [57.0, -57.0, *[50.0, -50.0, 7.0, -7.0] * 22, *[0.0] * 462], 0.95))


def test_losses_are_means_of_each_half():
    whole, without = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 1.0, 2.0])
    assert dissociations.lost(whole, without, np.array([0, 1, 2])) == [1.5, 1.0]
    assert dissociations.lost(whole, without, np.array([1, 3, 5])) == [0.0, pytest.approx(4 / 3)]
    assert dissociations.points(np.array([0.5, 0.0, -1.0])).tolist() == [100.0, 0.0, 0.0]


def test_each_part_is_named_by_its_kind():
    lost = np.zeros((2, 2, 3))
    lost[0, :, 0], lost[1, :, 1] = 4.0, 7.0
    parts = dissociations.dissociated("verb", "pronoun")
    rows = [{"seed": 2, "odds": lost}]
    assert parts(rows, "verb", "odds") == {2: 4.0} and parts(rows, "pronoun", "odds") == {2: 7.0}
    assert parts(rows, "beyond", "odds") == {2: pytest.approx(11.0 - np.quantile(
        [11.0, 4.0, -11.0, -7.0, -4.0, 7.0], 0.95))}
    with pytest.raises(ValueError):
        parts(rows, "noun", "odds")
