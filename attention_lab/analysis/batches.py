"""Sentences in batches, and what is computed of each put back in their order."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from attention_lab.data import batching
from attention_lab.data.labelled import Labelled
from attention_lab.tasks.classification.classifier import Classifier

ROOM = 4096  # padded tokens a batch


def encoded(classifier: Classifier, sentences: Labelled) -> list[list[int]]:
    """Ids of each sentence, one for each word.

    Raises:
      ValueError: a tokenizer that cuts words into pieces.
    """
    if classifier.tokenizer.kind != "word":
        raise ValueError(f"data.tokenizer={classifier.tokenizer.kind} cuts words into pieces; word is needed "
                         "to speak of words")
    return classifier.encode(sentences)[0]


def rows(function: Callable, sentences: Sequence, batches: Iterator[dict]) -> list[Any]:
    """What `function` makes of each sentence, in the order given.

    Args:
      function: batch -> a pytree whose every leaf leads with B.
      sentences: as many as there are. batches: of `Classifier.in_order`.
    """
    each: list[Any] = [None] * len(sentences)
    for batch in batches:
        made = jax.device_get(function(batch))
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                each[example] = jax.tree.map(lambda leaf: leaf[row], made)
    return each


def without_a_word(ids: Sequence[Sequence[int]], columns: dict[str, np.ndarray], buckets: Sequence[int],
                   guide: Sequence[np.ndarray] | None = None, room: int = ROOM
                   ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Every sentence without each of its words in turn, in batches of few shapes.

    Args:
      ids: of each sentence. columns: of each sentence, (N,), "place" among them, which moves with its word.
      guide: frozen weights of each sentence, its end mark's among them; a word takes its own along.
    Yields:
      a batch, and of each of its rows (sentence, word), int (B, 2), -1 in rows that fill it up.
    """
    pairs = np.array([(i, w) for i, row in enumerate(ids) for w in range(len(row))], np.int64).reshape(-1, 2)
    left = [[*ids[i][:w], *ids[i][w + 1:]] for i, w in pairs]
    columns = {name: column[pairs[:, 0]] for name, column in columns.items()}
    columns["place"] = columns["place"] - (pairs[:, 1] < columns["place"]).astype(np.int32)
    for batch in batching.in_order(left, left, buckets, room):
        which, real = np.maximum(batch["example"], 0), batch["example"] >= 0
        made = {name: np.where(real, column[which], 0).astype(column.dtype)
                for name, column in columns.items()}
        if guide is not None:
            made["guide"] = np.zeros(batch["source"].shape, np.float32)
            for row, (i, w) in enumerate(pairs[which]):
                kept = np.delete(np.asarray(guide[i]), w)
                made["guide"][row, :len(kept)] = kept
        yield made | {"source": batch["source"], "example": batch["example"]}, np.where(
            real[:, None], pairs[which], -1)
