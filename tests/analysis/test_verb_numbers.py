"""Preferences for a verb's number, of models and of counts, by hand."""

import numpy as np
import pytest

from attention_lab.analysis import verb_numbers
from attention_lab.data.verbs import Verbs, is_singular

TRAIN = Verbs(["dogs bark", "a dog barks", "the dogs bark", "is", "is a", "dog are"], [0] * 6, [""] * 6,
              [""] * 6, [0] * 6)


def verbs_of(*sentences):
    """Verbs from (text, position, right, wrong)."""
    return Verbs(*map(list, zip(*sentences)), [0] * len(sentences))


def test_counts_of_words_and_of_pairs_of_words():
    verbs = verbs_of(("the dogs bark", 2, "bark", "barks"), ("a dog barks", 2, "barks", "bark"),
                     ("dog is", 1, "is", "are"), ("we are", 1, "are", "is"), ("is", 0, "is", "are"))
    assert verb_numbers.unigram(TRAIN, verbs).tolist() == [1, -1, 1, -1, 1]
    # After "we" there is neither, so that words alone count; before "is" there is no word.
    assert verb_numbers.bigram(TRAIN, verbs).tolist() == [2, 1, -1, -1, 2]


def test_a_constant_preference_has_half_whatever_the_shares_of_numbers():
    singular = np.array([True] * 2 + [False] * 7)
    always_plural = np.where(singular, -1.0, 1.0)
    assert verb_numbers.correct(always_plural).mean() == pytest.approx(7 / 9)
    assert verb_numbers.balanced(always_plural, singular) == 0.5
    assert verb_numbers.balanced(np.array([2.0, -1.0, 0.0, np.nan]), np.array([True, True, False, False])) \
        == pytest.approx((0.5 + 0.5) / 2)
    assert verb_numbers.balanced(np.array([1.0, 1.0, 1.0]), np.array([True, False, False])) == 1.0
    assert np.isnan(verb_numbers.balanced(np.array([1.0, np.nan]), np.array([True, False])))


def test_numbers_of_forms():
    assert [is_singular(*forms) for forms in (("has", "have"), ("do", "does"), ("presses", "press"),
                                              ("was", "were"), ("press", "presses"))] == \
        [True, False, True, True, False]
