"""Sequences of one length, with answers at some of their positions, in batches."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from attention_lab.data import batching, corpus, vocabulary


class Sequences(NamedTuple):
    """Fields: source, int32 (N, T); target, the same shape, PAD where there is nothing to predict."""

    source: np.ndarray
    target: np.ndarray


def batches(sequences: Sequences, rows: int, seed: int, first_step: int = 0
            ) -> Iterator[dict[str, np.ndarray]]:
    """Endless training batches, a function of (seed, step): each pass in another order."""
    stream = batching.Stream(len(sequences.source), rows, seed, bucket=0)
    for step in itertools.count(first_step):
        yield _batch(sequences, stream.batch(step))


def in_order(sequences: Sequences, rows: int) -> Iterator[dict[str, np.ndarray]]:
    """Every sequence once; the last batch is filled up with rows of PAD, whose example is -1."""
    count = len(sequences.source)
    for start in range(0, count, rows):
        batch = _batch(sequences, np.arange(start, min(start + rows, count)))
        missing = rows - len(batch["example"])
        yield {name: np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1),
                            constant_values=-1 if name == "example" else vocabulary.PAD)
               for name, x in batch.items()}


def count_shared(sequences: Sequences, others: Sequences) -> int:
    """How many sequences, repeated ones too, are among others, with their answers."""
    return corpus.count_shared(*([source.tobytes() + target.tobytes() for source, target in zip(*part)]
                                 for part in (sequences, others)))


def _batch(sequences, indices):
    return {"source": sequences.source[indices], "target": sequences.target[indices],
            "example": indices.astype(np.int32)}
