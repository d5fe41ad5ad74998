"""Sequences of one length, with an answer at some of their places, in batches."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from attention_lab.data import batching, vocabulary

SPLITS = ("train", "dev", "test")


class Sequences(NamedTuple):
    """Fields: source, int32 (N, T); target, the same shape, PAD where nothing is asked."""

    source: np.ndarray
    target: np.ndarray


def batches(given: Sequences, rows: int, seed: int, first_step: int = 0) -> Iterator[dict[str, np.ndarray]]:
    """Endless training batches, a function of (seed, step): each pass in another order."""
    stream = batching.Stream(len(given.source), rows, seed, bucket=0)
    step = first_step
    while True:
        places = stream.batch(step)
        yield _batch(given, places)
        step += 1


def in_order(given: Sequences, rows: int) -> Iterator[dict[str, np.ndarray]]:
    """Every sequence once; the last batch is filled up with rows that are all PAD, whose example is -1."""
    count = len(given.source)
    for start in range(0, count, rows):
        places = np.arange(start, min(start + rows, count))
        batch = _batch(given, places)
        missing = rows - len(places)
        yield {name: np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1),
                            constant_values=-1 if name == "example" else vocabulary.PAD)
               for name, x in batch.items()}


def _batch(given, places):
    return {"source": given.source[places], "target": given.target[places],
            "example": places.astype(np.int32)}
