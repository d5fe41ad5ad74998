"""Batches: shapes that no seed changes, every pair once a pass, resuming, padding."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.data import batching, vocabulary

BUCKETS = (5, 11, 17)
TOKENS = 96  # rows: 16, 8, 8


def corpus(size: int, seed: int = 0, longest: int = 18) -> tuple[list, list]:
    """Ids whose first token tells the pair (4 + index); lengths without the end mark from 1."""
    random = np.random.default_rng(seed)
    return tuple([[4 + i] + random.integers(4, 99, random.integers(0, longest)).tolist()
                  for i in range(size)] for _ in range(2))


SOURCE, TARGET = corpus(211)


def take(count: int, seed: int = 0, first_step: int = 0, source=SOURCE, target=TARGET) -> list:
    return list(itertools.islice(
        batching.batches(source, target, BUCKETS, TOKENS, seed, first_step), count))


def same(left, right) -> bool:
    return all(set(a) == set(b) and all(np.array_equal(a[k], b[k]) for k in a)
               for a, b in zip(left, right, strict=True))


def check_rows(batch, source, target):
    """Each row is its example's ids, then one EOS, then PAD alone; int32 throughout."""
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int32)}
    for side, ids in (("source", source), ("target", target)):
        for row, example in zip(batch[side], batch["example"]):
            expected = [] if example < 0 else [*ids[example], vocabulary.EOS]
            assert row.tolist() == expected + [vocabulary.PAD] * (len(row) - len(expected))


@pytest.mark.parametrize("length, tokens, expected", [
    (5, 96, 16), (11, 96, 8), (12, 96, 8), (48, 4096, 80), (12, 4096, 336), (100, 96, 8)])
def test_rows_are_multiples_of_eight_and_at_least_eight(length, tokens, expected):
    assert batching.rows(length, tokens) == expected


def test_schedule_by_hand():
    # Bucket 0: 16 pairs in 8 rows, two batches an epoch, at 1/4, 3/4, 5/4 ...; bucket 1: none;
    # bucket 2: 8 pairs, one an epoch, at 1/2, 3/2 ...; bucket 3: 4 pairs, one in two, at 1, 3 ...
    schedule = batching.Schedule([16, 0, 8, 4], [8, 9, 10, 11], 8)
    assert schedule.steps_per_epoch == 3.5
    steps = list(itertools.islice(schedule.steps(), 8))
    assert steps == [(0, 0), (2, 0), (0, 1), (3, 0), (0, 2), (2, 1), (0, 3), (0, 4)]


def test_ties_of_the_schedule_go_by_bucket():
    steps = itertools.islice(batching.Schedule([24, 24, 8], [1, 2, 3], 1).steps(), 7)
    # Thirds: 1/6, 1/2, 5/6 twice each and 1/2 once.
    assert list(steps) == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (1, 2)]


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(0, 200), min_size=1, max_size=6).filter(any),
       tokens=st.integers(1, 600), start=st.integers(0, 400))
def test_the_schedule_starts_anywhere(counts, tokens, start):
    schedule = batching.Schedule(counts, range(7, 7 + len(counts)), tokens)
    whole = list(itertools.islice(schedule.steps(), start + 9))
    assert list(itertools.islice(schedule.steps(start), 9)) == whole[start:]
    for bucket in range(len(counts)):  # no batch of a bucket is left out or repeated
        assert [k for b, k in whole if b == bucket] == list(range(sum(b == bucket
                                                                      for b, _ in whole)))


@pytest.mark.parametrize("count", [1, 3, 8, 9, 13, 15, 16, 17, 31, 100])
def test_a_stream_is_one_permutation_after_another(count):
    stream = batching.Stream(count, 8, seed=5, bucket=1)
    parts = [stream.batch(k) for k in range(60)]
    order = np.concatenate(parts)
    passes = [order[i:i + count] for i in range(0, len(order) - count + 1, count)]
    assert all(sorted(part.tolist()) == list(range(count)) for part in passes)
    if count >= 8:  # also in batches that lie across two passes
        assert all(len(set(part.tolist())) == 8 for part in parts)
    else:
        assert max(Counter(parts[7].tolist()).values()) <= -(-8 // count) + 1
    for k in (0, 1, 7, 30, 59):  # a fresh stream asked for late gives the same
        assert np.array_equal(batching.Stream(count, 8, 5, 1).batch(k), parts[k])


def test_permutations_differ_by_seed_bucket_and_pass():
    orders = {tuple(batching.Stream(40, 40, seed, bucket).batch(k))
              for seed in (0, 1) for bucket in (0, 1) for k in (0, 1)}
    assert len(orders) == 8


def test_every_pair_is_equally_often_first():
    firsts = Counter(int(batching.Stream(10, 10, seed, 0).batch(0)[0]) for seed in range(1000))
    assert len(firsts) == 10 and max(firsts.values()) < 140 and min(firsts.values()) > 65


def test_rows_are_the_examples_with_eos_and_padding():
    for batch in take(60):
        check_rows(batch, SOURCE, TARGET)
        assert batch["source"].shape == batch["target"].shape
        rows, length = batch["source"].shape
        assert length in BUCKETS and rows == batching.rows(length, TOKENS)


def test_shapes_are_few_and_do_not_depend_on_the_seed():
    first, second = take(80, seed=0), take(80, seed=1)
    shapes = [batch["target"].shape for batch in first]
    assert shapes == [batch["target"].shape for batch in second]
    assert set(shapes) == {(16, 5), (8, 11), (8, 17)}
    assert not same(first, second)


def test_a_pair_lies_in_the_smallest_bucket_that_holds_both_sides():
    for batch in take(60):
        for example in batch["example"]:
            longer = max(len(SOURCE[example]), len(TARGET[example])) + 1
            assert batch["source"].shape[1] == min(b for b in BUCKETS if b >= longer)


@pytest.mark.parametrize("start", [1, 2, 17, 61])
def test_resuming_equals_skipping(start):
    assert same(take(70, seed=3)[start:], take(70 - start, seed=3, first_step=start))


def test_starting_late_is_a_function_of_the_step_alone_and_cheap():
    source, target = corpus(2000, seed=1, longest=17)
    late = take(3, 2, 100_001, source, target)
    assert same(take(4, 2, 100_000, source, target)[1:], late)


def test_an_epoch_has_every_pair_that_fits_once():
    # 32 pairs of bucket 5 in 16 rows and 16 of bucket 11 in 8: four batches are one epoch exactly.
    ids = [[4 + i] * 3 for i in range(32)] + [[4 + i] * 9 for i in range(32, 48)] + [[4] * 30]
    made = take(8, 0, 0, ids, ids)
    for epoch in (made[:4], made[4:]):
        seen = np.concatenate([batch["example"] for batch in epoch])
        assert sorted(seen.tolist()) == list(range(48))


def test_the_longest_that_fits_is_in_and_the_next_is_out():
    fits, not_fits = [[7] * 16], [[7] * 17]
    assert take(1, source=fits, target=fits)[0]["source"].shape == (8, 17)
    with pytest.raises(ValueError, match="no pair fits"):
        take(1, source=not_fits, target=fits)


def test_in_order_has_every_pair_once_even_the_longest():
    source, target = corpus(131, seed=2, longest=60)
    source.append([]), target.append([4])  # a text that no tokenizer sees anything in
    made = list(batching.in_order(source, target, BUCKETS, TOKENS))
    seen = np.concatenate([batch["example"] for batch in made])
    assert sorted(seen[seen >= 0].tolist()) == list(range(132))
    for batch in made:
        check_rows(batch, source, target)
        rows, length = batch["source"].shape
        assert batch["target"].shape == (rows, length) and rows % 8 == 0
        assert length in BUCKETS or length % BUCKETS[-1] == 0
        assert (batch["example"][0] >= 0) and rows == batching.rows(length, TOKENS)
    shapes = [batch["source"].shape[1] for batch in made]
    assert shapes == sorted(shapes) and {34, 51} <= set(shapes)


def test_in_order_repeats_and_takes_nothing():
    first, second = (list(batching.in_order(SOURCE, TARGET, BUCKETS, TOKENS)) for _ in range(2))
    assert same(first, second)
    assert list(batching.in_order([], [], BUCKETS, TOKENS)) == []


def test_by_length_has_every_sentence_once_from_short_to_long():
    source, _ = corpus(131, seed=2, longest=60)
    source.append([])
    made = list(batching.by_length(source, BUCKETS, 32, 400))
    seen = np.concatenate([batch["example"] for batch in made])
    assert sorted(seen[seen >= 0].tolist()) == list(range(132))
    counts = [len(source[i]) for i in seen if i >= 0]
    assert counts == sorted(counts)
    for batch in made:
        rows, length = batch["source"].shape
        longest = max(len(source[i]) + 1 for i in batch["example"] if i >= 0)
        assert rows in (32, 8) and (rows == 8 or rows * length <= 400)
        assert length == min(edge for edge in (*BUCKETS, 34, 51, 68) if edge >= longest)
        for row, example in zip(batch["source"], batch["example"]):
            assert example < 0 and not row.any() or row[row > 0].tolist() == [*source[example], 3]
    # Beyond the last bucket, where more may be written for longer ones, each multiple is by itself.
    for edge in (17, 34, 51):
        sides = [{len(source[i]) + 1 > edge for i in batch["example"] if i >= 0} for batch in made]
        assert all(len(side) == 1 for side in sides)
    for count, rows in ((41, [32, 32]), (40, [32, 8])):
        made = batching.by_length([[4]] * count, BUCKETS, 32, 400)
        assert [batch["source"].shape[0] for batch in made] == rows
    assert list(batching.by_length([], BUCKETS, 32, 400)) == []
