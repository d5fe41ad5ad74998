"""Sentence pairs, the one carrier between readers and tokenizers."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence

from attention_lab.data import lines


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, entry i of one belonging to entry i of the other.

    Fields:
      source, target: text, never empty, words parted by single spaces.
      truth: the annotations of each sentence, or None where text is all there is.
      counts: what was odd on the way in, name -> number, "pairs" among them.
    """

    source: list[str]
    target: list[str]
    truth: list | None = None
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.source)

    def text_columns(self) -> list[list[str]]:
        """What tells this corpus from another: its two sides."""
        return [self.source, self.target]

    def select(self, indices: Sequence[int]) -> "Pairs":
        """The pairs at these places; their counts are the whole's, but for "pairs"."""
        truth = None if self.truth is None else [self.truth[i] for i in indices]
        return Pairs([self.source[i] for i in indices], [self.target[i] for i in indices], truth,
                     {**self.counts, "pairs": len(indices)})


def from_lines(source: Sequence[str], target: Sequence[str], counts: Counter, name: str) -> Pairs:
    """Pairs from aligned lines: odd spaces evened out, empty sides left out, both counted.

    Args:
      source, target: equally many lines.
      counts: what the reader of the lines has counted already.
      name: of the corpus, for the message.

    Raises:
      ValueError: nothing is left.
    """
    even = [(lines.one_space(s), lines.one_space(t)) for s, t in zip(source, target, strict=True)]
    counts = Counter(counts)
    counts["empty_lines"] = sum(not s or not t for s, t in even)
    counts["odd_spaces"] = sum(
        bool(s and t and (s != raw_s or t != raw_t))
        for (s, t), raw_s, raw_t in zip(even, source, target))
    kept = [(s, t) for s, t in even if s and t]
    if not kept:
        raise ValueError(f"{name}: empty corpus: of {len(even)} lines none has text on both sides")
    counts["pairs"] = len(kept)
    return Pairs([s for s, _ in kept], [t for _, t in kept], None, dict(counts))


def read_parallel(source_path: str | os.PathLike, target_path: str | os.PathLike) -> Pairs:
    """Pairs from two line-aligned files.

    Raises:
      ValueError: a file can't be used, their numbers of lines differ, or nothing is left.
    """
    source, source_counts = lines.read_lines(source_path)
    target, target_counts = lines.read_lines(target_path)
    if len(source) != len(target):
        raise ValueError(f"{source_path} has {len(source)} lines, {target_path} has {len(target)}; "
                         f"line-aligned files have equally many")
    source_counts.update(target_counts)
    return from_lines(source, target, source_counts, f"{source_path} and {target_path}")
