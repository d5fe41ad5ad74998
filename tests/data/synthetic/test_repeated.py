"""Repeated blocks: the answer is what followed the token before, at no fixed distance, where it is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.config import Config, replace
from attention_lab.config.rules import check
from attention_lab.data import sources
from attention_lab.data.synthetic import repeated


@given(length=st.integers(7, 29), seed=st.integers(0, 5))
def test_each_answer_is_the_token_after_the_one_earlier_occurrence(length, seed):
    most = 3 * length // 4
    drawn = repeated.sequences(11, length, 4 + most + seed, seed, "train")
    assert drawn.source.shape == drawn.target.shape == (11, length)
    assert drawn.source.dtype == drawn.target.dtype == np.int32
    for source, target in zip(drawn.source.tolist(), drawn.target.tolist()):
        n = next(t for t in range(length) if source[t] in source[:t])
        assert length // 2 < n <= most and len(set(source)) == n and min(source) >= 4
        assert not any(target[:n])
        for t in range(n, length):
            assert source[:t].count(source[t]) == 1
            assert target[t] == source[source.index(source[t]) + 1]
        assert source[n + 1:] == target[n:-1]  # what comes next, but for the end


def test_blocks_of_all_sizes_are_as_frequent_and_no_distance_serves():
    drawn = repeated.sequences(2000, 13, 40, 0, "dev")  # blocks of 7, 8 or 9
    n = (drawn.target == 0).sum(axis=1)
    assert np.bincount(n)[7:].min() > 600 and set(n) == {7, 8, 9}
    asked = drawn.target > 0
    for distance in range(13):
        guess = np.pad(drawn.source, ((0, 0), (distance, 0)))[:, :13]
        assert (guess == drawn.target)[asked].mean() < 0.45
    counts = np.bincount(drawn.source.ravel(), minlength=40)
    assert not counts[:4].any() and counts[4:].min() > 600  # 722 on average


def test_splits_and_seeds_are_apart_and_repeat():
    one = repeated.sequences(20, 11, 20, 0, "train")
    np.testing.assert_array_equal(one.source, repeated.sequences(20, 11, 20, 0, "train").source)
    for seed, split in ((0, "dev"), (0, "test"), (1, "train")):
        assert (one.source != repeated.sequences(20, 11, 20, seed, split).source).any()


@pytest.mark.parametrize("length, size, said", [
    (6, 40, "data.length=6 has no blocks of several sizes: data.source=repeated needs at least 7 tokens"),
    (24, 21, "data.vocabulary_size=21 has 17 words beside the special ids: with data.length=24 a block has "
     "up to 18, so at least 22 ids"),
])
def test_what_can_not_be_drawn_is_refused(length, size, said):
    with pytest.raises(ValueError, match=said):
        repeated.sequences(1, length, size, 0, "train")


def test_the_source_reads_the_length():
    config = replace(Config(), {"data.source": "repeated", "data.vocabulary_size": 20, "data.length": 13,
                                "data.train_size": 5, "model.kind": "encoder"})
    check(config)
    assert sources.load(config.data, ("train",))["train"].source.shape == (5, 13)
