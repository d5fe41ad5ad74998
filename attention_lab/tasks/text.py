"""What tasks on sentences share: the tokenizer, and training examples in buckets of few lengths."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attention_lab.config import Config
from attention_lab.config.counts import counted
from attention_lab.data import batching, sources, tokenizers
from attention_lab.storage.runs import Run
from attention_lab.training.task import Batch

TOKENIZER = "tokenizer.json"
SHOWN = 256  # most tokens of a sentence whose attention is saved and drawn, unless training has longer ones


class Examples(NamedTuple):
    """Training examples in batches of few shapes.

    Fields:
      buckets: padded lengths, rising. too_long: number of examples that fit into none of them.
      batches, rows, steps_per_epoch: as in Task.
    """

    buckets: tuple[int, ...]
    too_long: int
    batches: Callable[[int, int], Iterator[Batch]]
    rows: Sequence[int]
    steps_per_epoch: float

    @property
    def facts(self) -> dict[str, Any]:
        """What run.json records of them."""
        return {"buckets": list(self.buckets), "too_long": self.too_long,
                "steps_per_epoch": round(self.steps_per_epoch, 2)}


def examples(config: Config, source: batching.Ids, target: batching.Ids) -> Examples:
    """Sorts the ids of training examples, without end marks, into the buckets of a config.

    Raises:
      ValueError: no example fits into the buckets.
    """
    buckets = batching.resolve_buckets(config.data.buckets, batching.lengths(source),
                                       batching.lengths(target), config.data.max_length)
    counts = [len(members) for members in batching.bucket_members(source, target, buckets)]
    schedule = batching.Schedule(counts, buckets, config.training.batch_tokens)
    return Examples(buckets, len(source) - sum(counts),
                    partial(batching.batches, source, target, buckets, config.training.batch_tokens),
                    schedule.rows, schedule.steps_per_epoch)


def corpus_facts(corpus: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json records of a corpus {split: Pairs or Labelled}."""
    counts = {f"{split}_{name}": count for split, part in corpus.items()
              for name, count in part.counts.items() if count}
    return {"sha256": sources.digest(corpus), **counts}


def without_too_long(model: Any, examples: Any, texts: Sequence[str], unit: str) -> tuple[Any, str]:
    """The examples of a split without those that are too long for a model to score, and a line about these.

    Args:
      model: a Translator or Classifier. examples: Pairs or Labelled, `unit` their name.
      texts: what the model reads of each.
    Raises:
      ValueError: no example is left.
    """
    too_long = model.too_long(texts)
    if not too_long:
        return examples, ""
    named = ", ".join(f'number {i + 1}, "{textwrap.shorten(texts[i][:80], 30, placeholder=" ...")}"'
                      for i in list(too_long)[:3])
    line = (f"{len(too_long)} of {counted(len(examples), unit)} with more than {model.longest()} tokens, the "
            f"most that are read ({named}{', ...' * (len(too_long) > 3)})")
    rest = [i for i in range(len(examples)) if i not in too_long]
    if not rest:
        raise ValueError(f"{line}: none is left to score")
    return examples.select(rest), f"{line}: left out"


def has_checkpoints(folder: str | Path | None) -> bool:
    """Whether a run has checkpoints, so that its tokenizer is loaded rather than trained again."""
    return folder is not None and (Path(folder) / "checkpoints").exists()


def tokenizer_of(config: Config, folder: str | Path | None, sentences: Sequence[str]) -> tokenizers.Tokenizer:
    """The tokenizer of a run that has begun, otherwise one trained on these sentences."""
    if has_checkpoints(folder):
        return tokenizers.load(Path(folder) / TOKENIZER)
    return tokenizers.train(config.data.tokenizer, sentences, config.data.vocabulary_size)


def buckets_of(run: Run) -> list[int]:
    """The buckets of a run, by its run.json; ValueError, naming it, where they are not there."""
    buckets = run.facts.get("data", {}).get("buckets")
    if not (isinstance(buckets, list) and buckets and all(isinstance(size, int) for size in buckets)):
        raise ValueError(f"{run.folder / 'run.json'} is damaged: its data.buckets is {buckets!r}, no list of "
                         "lengths")
    return buckets


def nearest_in_length(words: int, sentences: Sequence[str], count: int, tokens: Sequence[int], most: int
                      ) -> list[int]:
    """Indices, rising, of the `count` sentences whose number of words is nearest to `words`.

    Args:
      tokens: of each sentence. most: sentences of more tokens than this, and than SHOWN, are skipped.
    Raises:
      ValueError: no sentence is left.

    >>> nearest_in_length(2, ["a b c d", "a b", "a", "a b c"], 2, [5, 3, 900, 4], 24)
    [1, 3]
    """
    lengths = np.array([len(sentence.split()) for sentence in sentences])
    most = max(most, SHOWN)
    near = [int(i) for i in np.argsort(np.abs(lengths - words), kind="stable") if tokens[i] <= most]
    if not near:
        raise ValueError(f"no sentence of dev has at most {most} tokens")
    return sorted(near[:count])
