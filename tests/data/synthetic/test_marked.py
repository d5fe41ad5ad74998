"""Sequences with one marked word: the answer is that word, and the distance moves nothing but the mark."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.config import Config, replace
from attention_lab.config.rules import check
from attention_lab.data import sources
from attention_lab.data.synthetic import marked


@given(k=st.integers(1, 10))
def test_the_answer_is_the_one_marked_word(k):
    found = marked.sequences(23, k, 11, 11, seed=5, split="train")  # three words 4..6, marked 7..9
    assert found.source.shape == found.target.shape == (23, 11) and found.source.dtype == np.int32
    assert found.source.min() >= 4 and found.source.max() < 10
    assert (np.flatnonzero((found.source >= 7).any(axis=0)) == [10 - k]).all()
    assert (found.source[:, 10 - k] >= 7).all()
    assert not found.target[:, :-1].any()
    np.testing.assert_array_equal(found.target[:, -1], found.source[:, 10 - k])


def test_sequences_of_two_distances_differ_in_the_mark_alone():
    near, far = (marked.sequences(40, k, 13, 12, 3, "dev").source for k in (2, 9))
    np.testing.assert_array_equal(4 + (near - 4) % 4, 4 + (far - 4) % 4)
    assert ((near != far).sum(axis=1) == 2).all()


def test_splits_and_seeds_are_apart_and_words_are_equally_frequent():
    one = marked.sequences(700, 2, 5, 12, 0, "train")
    np.testing.assert_array_equal(one.source, marked.sequences(700, 2, 5, 12, 0, "train").source)
    for seed, split in ((0, "dev"), (0, "test"), (1, "train")):
        assert (one.source != marked.sequences(700, 2, 5, 12, seed, split).source).any()
    counts = np.bincount(one.target[:, -1], minlength=12)
    assert counts[:8].sum() == 0 and counts[8:].min() > 130  # 175 on average


@pytest.mark.parametrize("size, k, said", [
    (7, 2, "vocabulary_size=7 has 1 word that can be marked: at least 8 ids"),
    (12, 5, "data.distance=5 does not fit data.length=5: 1 to 4 is allowed"),
    (12, 0, "data.distance=0 does not fit")])
def test_what_can_not_be_drawn_is_refused(size, k, said):
    with pytest.raises(ValueError, match=said):
        marked.sequences(1, k, 5, size, 0, "train")


def test_the_source_reads_distance_and_length():
    config = replace(Config(), {"data.source": "marked", "data.vocabulary_size": 12, "data.distance": 3,
                                "data.length": 7, "data.train_size": 5, "model.kind": "encoder"})
    check(config)
    part = sources.load(config.data, ("train",))["train"]
    assert part.source.shape == (5, 7) and (part.source[:, 3] >= 8).all()
    with pytest.raises(ValueError, match="data.distance=7 is not below data.length=7: at most 6 is allowed"):
        check(replace(config, {"data.distance": 7}))
