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


def test_some_keys_are_asked_once_and_all_else_is_as_without():
    all_asked, some = (recall.sequences(50, P, SIZE, 3, "train", queries) for queries in (0, 2))
    assert some.source.shape == some.target.shape == (50, 2 * P + 2)
    np.testing.assert_array_equal(some.source, all_asked.source[:, :2 * P + 2])
    np.testing.assert_array_equal(some.target, all_asked.target[:, :2 * P + 2])
    assert all(len(set(asked)) == 2 for asked in some.source[:, 2 * P:])


def test_keys_and_values_are_as_many_as_said():
    found = recall.sequences(200, 3, 24, 0, "dev", 3, 5, 11)  # keys 4..8, values 9..19
    keys, values = found.source[:, 0:6:2], found.source[:, 1:6:2]
    assert set(keys.ravel()) == set(range(4, 9)) and set(values.ravel()) == set(range(9, 20))
    assert set(found.target[:, 6:].ravel()) == set(range(9, 20))


@pytest.mark.parametrize("given, words", [
    ((3, 24, 0, "dev", 0, 15, 11), "data.keys=15 and data.values=11 overlap: data.vocabulary_size=24 has 20"),
    ((3, 24, 0, "dev", 0, 15), "data.keys=15 and data.values=10 overlap"),
    ((6, 24, 0, "dev", 0, 5, 5), "data.keys=5 and data.values=5: data.pairs=6 needs at least 6 keys and 2"),
    ((3, 24, 0, "dev", 4), "data.queries=4: data.pairs=3 allows at most 3"),
])
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        recall.sequences(1, *given)


def test_sequences_drawn_in_parts_are_those_drawn_at_once(monkeypatch):
    whole = recall.sequences(23, P, SIZE, 0, "train").source
    monkeypatch.setattr(recall, "AT_ONCE", 64)
    np.testing.assert_array_equal(recall.sequences(23, P, SIZE, 0, "train").source, whole)


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
