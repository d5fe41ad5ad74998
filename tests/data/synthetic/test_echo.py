"""Echo sequences: the answer is the word so many places ago, and nothing else is asked."""

import numpy as np
import pytest

from attention_lab.data.synthetic import echo


def test_the_answer_is_the_word_k_places_ago():
    found = echo.sequences(50, 3, 7, 11, seed=5, split="train")
    assert found.source.shape == found.target.shape == (50, 10) and found.source.dtype == np.int32
    assert not found.target[:, :3].any()
    for t in range(3, 10):
        np.testing.assert_array_equal(found.target[:, t], found.source[:, t - 3])
    assert set(found.source.ravel().tolist()) == set(range(4, 11))


def test_splits_and_seeds_are_apart_and_repeat():
    one = echo.sequences(20, 2, 5, 9, 0, "train").source
    np.testing.assert_array_equal(one, echo.sequences(20, 2, 5, 9, 0, "train").source)
    for seed, split in ((0, "dev"), (0, "test"), (1, "train")):
        assert (one != echo.sequences(20, 2, 5, 9, seed, split).source).any()
    with pytest.raises(ValueError, match="size=5 has 1 word beside the special ids: an echo needs"):
        echo.sequences(1, 2, 3, 5, 0, "train")
