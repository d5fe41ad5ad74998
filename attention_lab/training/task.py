"""A Task is a record of functions; it is all that the training loop knows of what is trained."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

Batch = dict[str, Any]  # arrays that lead with the sentence axis B; "example" (B,) names the rows


class Sums(NamedTuple):
    """A quantity as numerator and denominator, divided once, after both are summed over all devices."""

    total: Any
    count: Any


class Scores(NamedTuple):
    """Scores of a split: {name: number or string}, and a row of text for each example."""

    numbers: dict[str, Any]
    predictions: list[dict[str, str]]


class Task(NamedTuple):
    """One trainable problem, its data loaded.

    Fields:
      init: key -> params.
      loss: (params, batch, hyper, key) -> (Sums to minimise, {name: Sums} to log). key None: no dropout.
      batches: (seed, first step) -> endless iterator of numpy batches, a function of (seed, step) whose
        shapes depend on the structure alone.
      rows: the numbers of rows that batches have. steps_per_epoch: a float.
      dev_batches: () -> iterator of the dev split's numpy batches, the same each time.
      score: (params, hyper, split, final) -> Scores, its numbers named after the split, such as dev_bleu.
        While training, final is False and decoding cheap.
      select: (metric name, sign): the dev score for early stopping and the best checkpoint; sign +1 where
        higher is better, -1 where lower. Of equal scores the one with the lower dev_loss, the mean of `loss`,
        is better.
      save: (folder) -> None, writes files that reading the run needs, such as tokenizer.json.
      illustrate: (params, hyper, folder) -> None, writes pictures and the arrays behind them.
      tokens: batch -> how many tokens it trains on.
      facts: of the data, {name: number or string}, for run.json; "sha256" of the corpus and "files", {config
        key: sha256} of other files, decide whether a run may continue.
      notices: a line for each irregularity of the data.
    """

    init: Callable
    loss: Callable
    batches: Callable[[int, int], Iterator[Batch]]
    rows: Sequence[int]
    steps_per_epoch: float
    dev_batches: Callable[[], Iterator[Batch]]
    score: Callable[..., Scores]
    select: tuple[str, float]
    save: Callable
    illustrate: Callable
    tokens: Callable[[Batch], int]
    facts: dict[str, Any]
    notices: list[str]
