"""A finished language model on other text, or on another split; see `tasks/evaluate.py`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from attention_lab.config import readouts_of
from attention_lab.data import batching, sequences
from attention_lab.data.text import Text, repeats
from attention_lab.data.vocabulary import PAD, UNKNOWN
from attention_lab.evaluation.lengths import refuse_bins
from attention_lab.tasks.language import task
from attention_lab.training.losses import TokenLoss


def prepare(trained: Any, part: Any, same_data: bool, lengths: Sequence[tuple[int, int]],
            say: Callable[[str], None]) -> Any:
    """The text as it is; ValueError for bins of lengths."""
    refuse_bins(lengths, f"{trained.run.folder} is a language model")
    return part


def scores(trained: Any, part: Any, train: Any, lengths: Sequence[tuple[int, int]]
           ) -> Iterator[tuple[str, Any]]:
    """Tokens, those that the vocabulary lacks, perplexity and the other scores of `task.numbers`.

    train: the run's train split; the lines of a text that are among its lines are counted, and scored like
      all others, for a text is scored whole. None: they are not counted.
    """
    language, config = trained.model, trained.config
    contexts = part.contexts(language.tokenizer, config.data.context)
    yield "tokens", int(np.count_nonzero(contexts.target != PAD))
    if unknown := int(np.count_nonzero(contexts.target == UNKNOWN)):
        yield "tokens_never_seen_in_training", unknown
    if isinstance(part, Text) and isinstance(train, Text):
        yield "lines", part.counts["lines"]
        yield "lines_seen_in_training", repeats(train, part)[0]
    loss = TokenLoss(language.model, config.training.precision, readouts_of(config))
    rows = batching.rows(config.data.context, config.training.batch_tokens)
    batches = sequences.in_order(contexts, min(rows, batching.rows(1, len(contexts.target))))
    for name, value in task.scores(loss, trained.params, language.hyper, contexts, batches).items():
        yield f"{config.data.split}_{name}", value
