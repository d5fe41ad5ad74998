"""Recall sequences: every key asked once, its value the answer, splits apart, batches by (seed, step)."""

import itertools

import numpy as np
import pytest

from attention_lab.data import sequences
from attention_lab.data.synthetic import recall

P, SIZE = 5, 30  # 13 keys 4..16, 13 values 17..29


def test_every_key_is_asked_once_and_answered():
    found = recall.sequences(50, P, SIZE, seed=3, split="train")
    assert found.source.shape == found.target.shape == (50, 3 * P)
    for source, target in zip(found.source, found.target):
        table = dict(zip(source[0:2 * P:2], source[1:2 * P:2]))
        assert len(table) == P and all(4 <= key < 17 <= value < 30 for key, value in table.items())
        assert not target[:2 * P].any()
        assert sorted(source[2 * P:]) == sorted(table)
        assert [table[key] for key in source[2 * P:]] == target[2 * P:].tolist()


def test_splits_and_seeds_are_apart_and_repeat():
    one = recall.sequences(20, P, SIZE, 0, "train").source
    np.testing.assert_array_equal(one, recall.sequences(20, P, SIZE, 0, "train").source)
    for seed, split in ((0, "dev"), (0, "test"), (1, "train")):
        assert (one != recall.sequences(20, P, SIZE, seed, split).source).any()
    with pytest.raises(ValueError, match="size=12 has 4 keys: data.pairs=5 needs at least 14 ids"):
        recall.sequences(1, 5, 12, 0, "train")


def test_batches_resume_and_see_each_sequence_once_a_pass():
    given = recall.sequences(24, P, SIZE, 0, "train")
    steps = [batch["example"].tolist() for batch in itertools.islice(sequences.batches(given, 8, 7), 6)]
    assert sorted(sum(steps[:3], [])) == sorted(sum(steps[3:], [])) == list(range(24))
    assert next(sequences.batches(given, 8, 7, 4))["example"].tolist() == steps[4]


def test_in_order_drops_nothing():
    given = recall.sequences(11, P, SIZE, 0, "dev")
    found = list(sequences.in_order(given, 8))
    assert [batch["source"].shape for batch in found] == [(8, 3 * P)] * 2
    assert np.concatenate([batch["example"] for batch in found]).tolist() == [*range(11), *[-1] * 5]
    assert not found[1]["target"][3:].any()
