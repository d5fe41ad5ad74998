"""A finished translator on other pairs, and by source length; see `tasks/evaluate.py`."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attention_lab.data.pairs import Pairs
from attention_lab.evaluation.lengths import bin_members, by_length
from attention_lab.tasks.translation import task


def prepare(trained: Any, pairs: Pairs, same_data: bool, lengths: Sequence[tuple[int, int]],
            say: Callable[[str], None]) -> Pairs:
    """Tokenises and lower-cases written text for a run on tokenised Multi30k; other pairs are unchanged.

    Raises:
      ValueError: a bin of lengths without a sentence.
    """
    data = trained.run.config.data
    if data.text == "tokenized" and data.source == "multi30k" and trained.config.data.source == "tsv":
        written, pairs = pairs, dataclasses.replace(
            pairs, source=trained.model.prepare(pairs.source, "en"),
            target=trained.model.prepare(pairs.target, "fr"))
        changed = sum(old != new for old, new in zip(written.source, pairs.source))
        if changed:
            say(f"{changed} of {len(pairs)} source sentences were tokenised and lower-cased, and so were "
                "references: the run was trained on such text")
    bin_members(pairs.source, lengths)
    return pairs


def scores(trained: Any, pairs: Pairs, train: Pairs | None, lengths: Sequence[tuple[int, int]]
           ) -> Iterator[tuple[str, Any]]:
    """The name and value of each score, of all pairs and of each bin of lengths."""
    split, translator = trained.config.data.split, trained.model
    scored = task.scores(translator, trained.params, pairs, split)
    yield from scored.numbers.items()
    sides = ([row[side] for row in scored.predictions] for side in ("source", "reference", "translation"))
    for of_length in by_length(*sides, lengths, translator.config.data.text):
        name = f"{of_length.low}-{of_length.high}"
        yield f"pairs_{name}", of_length.sentences
        yield f"{split}_bleu_{name}", f"{of_length.bleu:.4f}"
        yield f"{split}_first_words_{name}", f"{of_length.first:.6f}"
        yield f"{split}_last_words_{name}", f"{of_length.last:.6f}"
