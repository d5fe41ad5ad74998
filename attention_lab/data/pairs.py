"""Sentence pairs, the one carrier between readers and tokenizers."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence

from attention_lab.data import lines
from attention_lab.data.corpus import Corpus


@dataclasses.dataclass(frozen=True)
class Pairs(Corpus):
    """Sentences and their translations.

    Fields:
      source, target: text, never empty, words separated by single spaces.
      truth: the annotations of each sentence, or None.
      counts: {name: number} of irregularities, and "pairs".
    """

    UNIT, TEXTS, EXAMPLES = "pairs", "source_sentences", "pairs"
    source: list[str]
    target: list[str]
    truth: list | None = None
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def texts(self) -> list[str]:
        """Input of a model: `source`."""
        return self.source

    def text_columns(self) -> list[list[str]]:
        """The text that the digest of a corpus covers: both sides."""
        return [self.source, self.target]


def from_lines(source: Sequence[str], target: Sequence[str], counts: Counter, name: str) -> Pairs:
    """Pairs from aligned lines; odd spaces are normalised, pairs with an empty side left out, both counted.

    Args:
      counts: of the reader of the lines.
      name: of the corpus, for the ValueError if nothing is left.
    """
    even = [(lines.one_space(s), lines.one_space(t)) for s, t in zip(source, target, strict=True)]
    kept = [(s, t) for s, t in even if s and t]
    if not kept:
        raise ValueError(f"{name}: empty corpus: of {len(even)} lines none has text on both sides")
    odd_spaces = sum(bool(s and t and (s, t) != raw) for (s, t), raw in zip(even, zip(source, target)))
    return Pairs([s for s, _ in kept], [t for _, t in kept], None, dict(counts) | {
        "empty_lines": len(even) - len(kept), "odd_spaces": odd_spaces, "pairs": len(kept)})


def read_parallel(source_path: str | os.PathLike, target_path: str | os.PathLike) -> Pairs:
    """Pairs from two line-aligned files.

    ValueError if a file can't be used, their numbers of lines differ, or nothing is left.
    """
    source, source_counts = lines.read_lines(source_path)
    target, target_counts = lines.read_lines(target_path)
    if len(source) != len(target):
        raise ValueError(f"{source_path} has {len(source)} lines, {target_path} has {len(target)}; "
                         f"line-aligned files have equally many")
    source_counts.update(target_counts)
    return from_lines(source, target, source_counts, f"{source_path} and {target_path}")
