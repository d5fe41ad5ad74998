"""Rank agreement and the finding of a word, worked out by hand."""

import numpy as np
import pytest

from attention_lab.analysis.agreement import finding_auc, kendall, significant_share


def arrays(*rows):
    return [np.array(row, float) for row in rows]


def test_tau_by_hand_and_none_without_an_order():
    # Of the 6 pairs of the first sentence one is turned round: (5 - 1) / 6.
    first = arrays([1, 2, 3, 4], [1, 2, 3], [1], [2, 2, 2], range(9))
    second = arrays([1, 2, 4, 3], [3, 2, 1], [5], [1, 2, 3], range(9))
    tau = kendall(first, second)
    np.testing.assert_allclose(tau, [4 / 6, -1, np.nan, np.nan, 1], rtol=1e-12)
    # Three and four words can't be significant; nine in order are: one order of 9! and its reverse.
    assert significant_share(first, second) == pytest.approx(1 / 3)
    assert np.isnan(significant_share(first[2:4], second[2:4]))


def test_equals_count_as_tau_b_has_them():
    # Pairs: 2 agree, none disagrees, 1 is equal in the first alone: 2 / sqrt(2 * 3).
    assert kendall(arrays([1, 1, 2]), arrays([1, 2, 3]))[0] == pytest.approx(2 / 6 ** 0.5)


def test_other_sentences_are_refused():
    for second in (arrays([1, 2], [1, 2]), arrays([1, 2, 3])):
        with pytest.raises(ValueError, match="the same sentences, and as many words in each"):
            kendall(arrays([1, 2]), second)


def test_where_the_deciding_word_comes_by_hand():
    importances = arrays([0.5, 0.9, 0.1, 0.5, 0.2], [3, 1, 2, 1], [7, 1], [2, 1, 1])
    # Below 0.5 are 0.1 and 0.2, equal is one of the three left: 2.5 / 3. Nothing is below 1, one is equal.
    auc = finding_auc(importances, [0, 1, 1, 0], [1, 0, 0, -1])
    np.testing.assert_allclose(auc, [2.5 / 3, 0.25, np.nan, 1])


@pytest.mark.parametrize("importances, decider, place, words", [
    ([1, 2, 3], 3, 0, "deciders: 3 in a sentence of 3 words"), ([1, 2, 3], -1, 0, "deciders: -1"),
    ([1, 2, 3], 1, 1, "whose target is word 1"), ([1, np.nan, 3], 0, 2, "1 of a sentence's 3 are no numbers"),
])
def test_what_is_refused(importances, decider, place, words):
    with pytest.raises(ValueError, match=words):
        finding_auc(arrays(importances), [decider], [place])
