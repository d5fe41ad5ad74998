"""Ids into batches of few fixed shapes, as a function of (seed, step).

Pairs fall into buckets by the longer of their two lengths; each bucket is one shape. The order of the shapes
follows from the numbers of pairs alone; the seed picks which pairs fill them. So runs that differ in the seed
run the same programs in the same order, and a run resumes from its step.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from attention_lab.data import vocabulary
from attention_lab.data.buckets import assign, fill, resolve_buckets

__all__ = ["Schedule", "Stream", "assign", "batches", "bucket_members", "fill", "in_order", "lengths", "pad",
           "rows", "resolve_buckets"]

ROW_MULTIPLE = 8  # so that rows divide over 1, 2, 4 or 8 devices

Ids = Sequence[Sequence[int]]


def rows(length: int, batch_tokens: int) -> int:
    """Rows R of a batch of `batch_tokens` padded tokens, a multiple of eight, at least eight."""
    return max(ROW_MULTIPLE, batch_tokens // length // ROW_MULTIPLE * ROW_MULTIPLE)


def lengths(ids: Ids) -> np.ndarray:
    """Tokens of each sentence with its end mark, (pairs,) int64."""
    return np.fromiter((len(row) + 1 for row in ids), np.int64, len(ids))


class Schedule:
    """Which bucket each step takes, and which batch of that bucket's stream of pairs.

    With c_b pairs and R_b rows, bucket b has r_b = c_b / R_b batches an epoch. The time of its k-th batch is
    (k + 1/2) / r_b epochs, and all batches are sorted by time, ties by bucket: each bucket is spread evenly
    over an epoch.
    """

    def __init__(self, counts: Sequence[int], buckets: Sequence[int], batch_tokens: int):
        """Takes each bucket's number of pairs and padded length; ValueError if no bucket has a pair."""
        self.counts = [int(count) for count in counts]
        self.rows = [rows(length, batch_tokens) for length in buckets]
        # Fractions, as float times would tie or not by rounding.
        self._rates = {b: Fraction(count, self.rows[b]) for b, count in enumerate(self.counts) if count}
        if not self._rates:
            raise ValueError("data: no pair fits into the buckets, so there is nothing to train on")
        self.steps_per_epoch = float(sum(self._rates.values()))

    def steps(self, first_step: int = 0) -> Iterator[tuple[int, int]]:
        """Endless (bucket, k) of each step, from `first_step` on, in time independent of `first_step`."""
        # Up to this time there are at most first_step batches: the rest is counted one by one.
        time = max(Fraction(0), (first_step - len(self._rates)) / sum(self._rates.values()))
        taken = {b: max(0, math.ceil(time * rate - Fraction(1, 2))) for b, rate in self._rates.items()}
        step = sum(taken.values())
        while True:
            bucket = min(taken, key=lambda b: ((taken[b] + Fraction(1, 2)) / self._rates[b], b))
            if step >= first_step:
                yield bucket, taken[bucket]
            taken[bucket] += 1
            step += 1


class Stream:
    """The endless order of a bucket's pairs: one permutation after another, from (seed, bucket, pass)."""

    def __init__(self, count: int, rows: int, seed: int, bucket: int):
        """Takes the bucket's number of pairs and the rows of its batches."""
        self._count, self._rows, self._key = count, rows, (seed, bucket)
        self._last_pass: tuple[int, np.ndarray] | None = None  # its number and order

    def batch(self, k: int) -> np.ndarray:
        """Indices in the bucket of the k-th batch, (R,) int64; none is repeated if there are R pairs."""
        first, last = k * self._rows, (k + 1) * self._rows
        parts = []
        for number in range(first // self._count, (last - 1) // self._count + 1):
            start = number * self._count
            parts.append(self._pass(number)[max(0, first - start):last - start])
        return np.concatenate(parts)

    def _pass(self, number: int) -> np.ndarray:
        if self._last_pass is None or self._last_pass[0] != number:
            self._last_pass = number, self._without_repeats(number)
        return self._last_pass[1]

    def _shuffled(self, number: int) -> np.ndarray:
        # The raw words of PCG64 are fixed for good, Generator.permutation may change with numpy.
        words = np.random.PCG64([*self._key, number]).random_raw(self._count)
        return np.argsort(words, kind="stable")

    def _without_repeats(self, number: int) -> np.ndarray:
        """Permutation `number`; pairs that the batch across its beginning already has are moved back."""
        if self._count < self._rows:
            return self._shuffled(number)
        if self._last_pass is not None and self._last_pass[0] == number - 1:
            start, order = number, self._last_pass[1]
        else:
            # The last pass that can be made without the one before. With two batches a pass, moving back
            # never touches a pass's end; with fewer, a pass may depend on all since the last one that began
            # with a batch, and there are at most R of them.
            if self._count >= 2 * self._rows:
                start = max(0, number - 1)
            else:
                period = self._rows // math.gcd(self._rows, self._count)
                start = number // period * period
            order = self._shuffled(start)
            start += 1
        for index in range(start, number + 1):
            old = index * self._count % self._rows  # rows of the batch that the pass before has filled
            ends, order = order[self._count - old:], self._shuffled(index)
            new = self._rows - old if old else 0
            clash = np.flatnonzero(np.isin(order[:new], ends))
            free = new + np.flatnonzero(~np.isin(order[new:], ends))[:len(clash)]
            order[clash], order[free] = order[free], order[clash]
        return order


def batches(source_ids: Ids, target_ids: Ids, buckets: Sequence[int], batch_tokens: int, seed: int,
            first_step: int = 0) -> Iterator[dict[str, np.ndarray]]:
    """Endless training batches, a pure function of (seed, step): resuming needs no state.

    Args:
      source_ids, target_ids: ids of each pair, without BOS and EOS.
      buckets: padded lengths, rising. Pairs longer than the last, end mark included, are left out.
      batch_tokens: padded target tokens of a batch.
      seed: picks the pairs that fill a batch, never its shape.
    Yields:
      source, target: (R, length) int32, EOS appended, then PAD. example: (R,) int32, index of the pair.
    Raises:
      ValueError: no pair fits.
    """
    members = bucket_members(source_ids, target_ids, buckets)
    schedule = Schedule([len(pairs) for pairs in members], buckets, batch_tokens)
    padded = [tuple(pad([ids[i] for i in pairs], length) for ids in (source_ids, target_ids))
              for pairs, length in zip(members, buckets)]
    streams = [Stream(len(pairs), schedule.rows[b], seed, b) for b, pairs in enumerate(members)]
    for bucket, k in schedule.steps(first_step):
        indices = streams[bucket].batch(k)
        source, target = padded[bucket]
        yield dict(source=source[indices], target=target[indices],
                   example=members[bucket][indices].astype(np.int32))


def in_order(source_ids: Ids, target_ids: Ids, buckets: Sequence[int],
             batch_tokens: int) -> Iterator[dict[str, np.ndarray]]:
    """Every pair once, by bucket, in batches of fixed shapes, for scoring.

    Pairs longer than the last bucket are padded to multiples of it. The last batch of a shape is filled up
    with rows of PAD, whose example is -1.
    """
    longest = np.maximum(lengths(source_ids), lengths(target_ids)).max(initial=1)
    last = buckets[-1]
    edges = [*buckets, *range(2 * last, int(longest) + last, last)]
    for pairs, length in zip(bucket_members(source_ids, target_ids, edges), edges):
        size = rows(length, batch_tokens)
        for start in range(0, len(pairs), size):
            part = pairs[start:start + size]
            yield dict(source=pad([source_ids[i] for i in part], length, size),
                       target=pad([target_ids[i] for i in part], length, size),
                       example=np.pad(part.astype(np.int32), (0, size - len(part)), constant_values=-1))


def by_length(ids: Ids, buckets: Sequence[int], most: int, batch_tokens: int
              ) -> Iterator[dict[str, np.ndarray]]:
    """Every sentence once, from short to long, in batches for decoding: `source` and `example` of `in_order`.

    Batches have `most` rows, or by powers of four fewer, at least eight, where that is enough for the
    sentences left or where longer ones would exceed `batch_tokens` padded tokens. Sentences that fit into the
    buckets are in batches of their own, and so are those of each multiple of the last.
    """
    counts = lengths(ids)
    order = np.argsort(counts, kind="stable")
    last = buckets[-1]
    edges = np.array([*buckets, *range(2 * last, int(counts.max(initial=1)) + last, last)])
    sizes = [most]
    while sizes[-1] > ROW_MULTIPLE:
        sizes.append(fewer_rows(sizes[-1]))
    for group in np.split(order, np.searchsorted(counts[order], edges[len(buckets) - 1:], side="right")):
        while len(group):
            for size in sizes:
                part = group[:size]
                length = edges[np.searchsorted(edges, counts[part[-1]])]
                enough = size == sizes[-1] or len(group) > fewer_rows(size)
                if enough and size <= rows(length, batch_tokens):
                    break
            yield dict(source=pad([ids[i] for i in part], length, size),
                       example=np.pad(part.astype(np.int32), (0, size - len(part)), constant_values=-1))
            group = group[len(part):]


def fewer_rows(rows: int) -> int:
    """A quarter of the rows of a batch, a multiple of eight, at least eight."""
    return max(ROW_MULTIPLE, rows // 4 // ROW_MULTIPLE * ROW_MULTIPLE)


def bucket_members(source_ids: Ids, target_ids: Ids, buckets: Sequence[int]) -> list[np.ndarray]:
    """Indices of the pairs of each bucket, rising."""
    index = assign(lengths(source_ids), lengths(target_ids), buckets)
    return [np.flatnonzero(index == b) for b in range(len(buckets))]


def pad(ids: Ids, length: int, size: int | None = None) -> np.ndarray:
    """Ids with EOS appended, then PAD, as (size or len(ids), length) int32."""
    array = np.full((len(ids) if size is None else size, length), vocabulary.PAD, np.int32)
    for row, sentence in zip(array, ids):
        row[:len(sentence)] = sentence
        row[len(sentence)] = vocabulary.EOS
    return array
