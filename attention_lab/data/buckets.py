"""Buckets: the few lengths that sentences are padded to, chosen to need little padding."""

from collections.abc import Sequence

import numpy as np


def best_buckets(lengths: Sequence[int], count: int, max_length: int) -> tuple[int, ...]:
    """At most `count` rising lengths, even or `max_length`, that pad these pairs least (dynamic programming).

    Args:
      lengths: of the longer side of each pair, with the end mark; pairs above `max_length` do not count.

    >>> best_buckets([3, 4, 4, 4, 9, 10], 2, 48)
    (4, 10)
    """
    lengths = np.asarray(lengths, np.int64)
    lengths = lengths[lengths <= max_length]
    if not len(lengths):
        return (max_length,)
    edges = np.unique(np.minimum(-(-lengths // 2) * 2, max_length))
    pairs = np.concatenate([[0], np.searchsorted(np.sort(lengths), edges, side="right")])
    # area[j]: least padded tokens of all pairs up to edge j - 1; cuts[n][j]: where the last of those n + 1
    # buckets begins.
    area = np.where(np.arange(len(edges) + 1) == 0, 0.0, np.inf)
    cuts = []
    for _ in range(min(count, len(edges))):
        padded = np.concatenate([[0], edges])[:, None] * (pairs[:, None] - pairs[None, :])
        trial = area[None, :] + padded
        trial[np.triu_indices(len(trial), 1)] = np.inf  # a bucket ends after it begins
        cuts.append(trial.argmin(axis=1))
        area = trial.min(axis=1)
    chosen, end = [], len(edges)
    for cut in reversed(cuts):
        if end == 0:
            break
        if cut[end] != end:
            chosen.append(int(edges[end - 1]))
        end = cut[end]
    return tuple(reversed(chosen))


def check(buckets: Sequence[int], max_length: int) -> None:
    """ValueError unless these lengths rise from at least 1 to at most `max_length`."""
    edges = [0, *buckets]
    if not buckets or any(a >= b for a, b in zip(edges, edges[1:])) or edges[-1] > max_length:
        raise ValueError(f"data.buckets: {tuple(buckets)} must be lengths that rise, the last at "
                         f"most data.max_length={max_length}")


def resolve_buckets(buckets: Sequence[int], source_lengths: Sequence[int], target_lengths: Sequence[int],
                    max_length: int) -> tuple[int, ...]:
    """The buckets of a config: `data.buckets`, checked, or if that is empty the best six.

    Args:
      source_lengths, target_lengths: of the training pairs, with end marks.
    """
    if buckets:
        check(buckets, max_length)
        return tuple(buckets)
    return best_buckets(np.maximum(source_lengths, target_lengths), 6, max_length)


def assign(source_lengths: Sequence[int], target_lengths: Sequence[int],
           buckets: Sequence[int]) -> np.ndarray:
    """The bucket of each pair, by the longer of its lengths with end marks; -1 where too long.

    >>> assign([3, 4, 9, 2], [4, 2, 1, 5], (4, 8))
    array([ 0,  0, -1,  1])
    """
    longer = np.maximum(np.asarray(source_lengths, np.int64), np.asarray(target_lengths, np.int64))
    index = np.searchsorted(np.asarray(buckets), longer)
    return np.where(index == len(buckets), -1, index)


def fill(source_lengths: Sequence[int], target_lengths: Sequence[int], buckets: Sequence[int]) -> float:
    """Share of tokens, not padding, among the target positions of the pairs that fit; 0 if none fits."""
    index = assign(source_lengths, target_lengths, buckets)
    fits = index >= 0
    area = np.asarray(buckets)[index[fits]].sum()
    return float(np.asarray(target_lengths)[fits].sum() / area) if fits.any() else 0.0
