"""Which lengths sentences are padded to: few, to compile few programs; apt, to waste little."""

from collections.abc import Sequence

import numpy as np


def default_buckets(max_length: int) -> tuple[int, ...]:
    """Six rising lengths from a quarter of `max_length` to all of it (fewer if it is below 12).

    >>> default_buckets(48)
    (12, 20, 28, 34, 42, 48)
    """
    edges = np.ceil(np.linspace(max_length / 4, max_length, 6) / 2) * 2
    return tuple(sorted({min(int(edge), max_length) for edge in edges}))


def best_buckets(lengths: Sequence[int], count: int, max_length: int,
                 multiple: int = 2) -> tuple[int, ...]:
    """The lengths that pad these sentences least, by dynamic programming over the histogram.

    Args:
      lengths: of the longer side of each pair, with the end mark; what is above `max_length` does
        not count.
      count: how many buckets at most.
      max_length: the longest bucket allowed.
      multiple: lengths are multiples of this, `max_length` itself excepted.

    Returns:
      rising lengths, the last at least as long as every pair that counts.

    >>> best_buckets([3, 4, 4, 4, 9, 10], 2, 48)
    (4, 10)
    """
    lengths = np.asarray(lengths, np.int64)
    lengths = lengths[lengths <= max_length]
    if not len(lengths):
        return default_buckets(max_length)[:count]
    edges = np.unique(np.minimum(-(-lengths // multiple) * multiple, max_length))
    pairs = np.concatenate([[0], np.searchsorted(np.sort(lengths), edges, side="right")])
    # area[j]: least padded tokens of all pairs up to edge j - 1; cuts[n][j]: where the last bucket
    # of that choice begins.
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


def settle(buckets: Sequence[int], source_lengths: Sequence[int], target_lengths: Sequence[int],
           max_length: int) -> tuple[int, ...]:
    """The buckets that a config means: those given, checked, or if none are the best six.

    Args:
      buckets: as in `data.buckets`; may be empty.
      source_lengths, target_lengths: of the training pairs, with end marks.
      max_length: as in `data.max_length`.

    Raises:
      ValueError: see `check`.
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


def fill(source_lengths: Sequence[int], target_lengths: Sequence[int],
         buckets: Sequence[int]) -> float:
    """Share of the target positions of all pairs that fit that hold a token; 0 where none fits."""
    index = assign(source_lengths, target_lengths, buckets)
    fits = index >= 0
    area = np.asarray(buckets)[index[fits]].sum()
    return float(np.asarray(target_lengths)[fits].sum() / area) if fits.any() else 0.0
