"""Batches of sentences, and results of batches put back into the order of the sentences."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from attention_lab.data import batching
from attention_lab.data.labelled import Labelled
from attention_lab.tasks.classification.classifier import Classifier

ROOM = 4096  # padded tokens a batch


def encoded(classifier: Classifier, sentences: Labelled) -> list[list[int]]:
    """Ids of each sentence, one for each word; ValueError for a tokenizer that splits words."""
    if not classifier.tokenizer.segmentation.whole_words:
        raise ValueError(f"data.tokenizer={classifier.tokenizer.kind} cuts words into pieces; word is needed")
    return classifier.encode(sentences)[0]


def rows(function: Callable, count: int, batches: Iterator[dict]) -> list[Any]:
    """Results of `function` for `count` sentences, in their order.

    Args:
      function: batch -> a pytree whose leaves have B as their first axis.
      batches: of `Classifier.in_order`.
    """
    results: list[Any] = [None] * count
    for batch in batches:
        values = jax.device_get(function(batch))
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                results[example] = jax.tree.map(lambda leaf: leaf[row], values)
    return results


def without_a_word(ids: Sequence[Sequence[int]], columns: dict[str, np.ndarray], buckets: Sequence[int]
                   ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Every sentence without each of its words in turn, in batches of few shapes.

    Args:
      ids: of each sentence.
      columns: arrays (N,) of the sentences; "position" is shifted with its word.
    Yields:
      a batch, and (sentence, word) of each of its rows, int (B, 2), -1 in rows that fill it up.
    """
    pairs = np.array([(i, w) for i, row in enumerate(ids) for w in range(len(row))], np.int64).reshape(-1, 2)
    left = [[*ids[i][:w], *ids[i][w + 1:]] for i, w in pairs]
    columns = {name: column[pairs[:, 0]] for name, column in columns.items()}
    columns["position"] = columns["position"] - (pairs[:, 1] < columns["position"]).astype(np.int32)
    for batch in batching.in_order(left, left, buckets, ROOM):
        which, real = np.maximum(batch["example"], 0), batch["example"] >= 0
        chosen = {name: np.where(real, column[which], 0).astype(column.dtype)
                  for name, column in columns.items()}
        yield chosen | {"source": batch["source"], "example": batch["example"]}, np.where(
            real[:, None], pairs[which], -1)
